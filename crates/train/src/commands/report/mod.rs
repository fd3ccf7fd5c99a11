//! `ingle report`: writes a page about one or several runs.

mod by_method;

use super::{SplitName, file_name, model_for};
use crate::data::{Dataset, InputError};
use crate::report::simple::Wanted;
use crate::report::{self, Subject, page};
use crate::say::say;
use crate::training::Run;
use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use std::fs;
use std::path::{Path, PathBuf};

/// Write a page about one run, or several and how they differ
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ingle report runs/dc4sr --out report.html
  ingle report runs/sasrec runs/dc4sr --out compared.html --json compared.json
  ingle report runs/dc4sr --split unseen --out unseen.html
  ingle report runs/* --by-method --out methods.html --markdown methods.md --pictures pictures

The page is one file that loads nothing: learning curves, ranking figures with intervals, for whom
it works, whether a simple recommender is as good, noise detection, data, cost and configuration. Several runs are compared with the first,
user by user.

With --by-method it is a table of methods: the runs of a method on the same data and backbone become
mean and deviation over their seeds. What is measured of a run is kept in its folder, so that the next
table needs neither the time nor the data.")]
pub struct Args {
    /// Run folders; the first is what the others are compared with
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    /// HTML file to write
    #[arg(long)]
    out: PathBuf,
    /// Dataset folder [default: the one the runs were trained on]
    #[arg(long)]
    data: Option<PathBuf>,
    /// Users and clicks it is about
    #[arg(long, value_enum, default_value = "test")]
    split: SplitName,
    /// Also write the figures to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Seed of the resamples that intervals are made of
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Simple recommenders to compare the runs with
    #[arg(long, value_enum, default_value_t, conflicts_with = "by_method")]
    baselines: Wanted,
    /// A table of methods instead, over all runs' datasets, users of the log and unseen ones
    #[arg(long, conflicts_with_all = ["data", "split", "seed"])]
    by_method: bool,
    /// With --by-method: also write the table as Markdown
    #[arg(long, value_name = "FILE", requires = "by_method")]
    markdown: Option<PathBuf>,
    /// With --by-method: also write the pictures, as SVG, to this folder
    #[arg(long, value_name = "FOLDER", requires = "by_method")]
    pictures: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let runs = (args.runs.iter().map(|dir| Run::open(dir))).collect::<Result<Vec<_>>>()?;
    if args.by_method {
        return by_method::run(args, &runs);
    }
    let data = open_data(args.data.as_deref(), &runs[0])?;
    let subjects = subjects(runs, &data)?;
    let bar = progress();
    let report = {
        let how = (args.seed, args.baselines);
        report::collect(&subjects, &data, args.split.split(), how, &bar)?
    };
    bar.finish_and_clear();
    write(&args.out, &page::html(&report))?;
    if let Some(file) = &args.json {
        write(file, &serde_json::to_string_pretty(&report)?)?;
    }
    say!("wrote {}", args.out.display());
    Ok(())
}

fn progress() -> ProgressBar {
    let style = "{msg:>22} {wide_bar} {pos}/{len} users";
    ProgressBar::new(0)
        .with_style(ProgressStyle::with_template(style).expect("the template is valid"))
}

/// The named dataset, or the one of a run if it is unchanged.
fn open_data(named: Option<&Path>, run: &Run) -> Result<Dataset> {
    if let Some(dir) = named {
        return Ok(Dataset::open(dir)?);
    }
    let data = Dataset::open(&run.about.data)?;
    if data.hash() != run.about.data_hash {
        return Err(InputError::other(format!(
            "the dataset in {} has changed since {} was trained: name the one to report on with --data",
            run.about.data.display(),
            run.dir.display()
        ))
        .into());
    }
    Ok(data)
}

/// The runs with their models, named by their folders, or by their whole paths if two folders have the same name.
fn subjects(runs: Vec<Run>, data: &Dataset) -> Result<Vec<Subject>> {
    let short: Vec<String> = runs.iter().map(|run| folder_name(&run.dir)).collect();
    let mut subjects: Vec<Subject> = Vec::new();
    for (run, short_name) in runs.into_iter().zip(&short) {
        let twice = short.iter().filter(|other| *other == short_name).count() > 1;
        let path = run.dir.display().to_string();
        let name = if twice { path } else { short_name.clone() };
        if subjects.iter().any(|subject| subject.name == name) {
            return Err(InputError::other(format!("{name} is named twice")).into());
        }
        let model = model_for(&run, data)?;
        subjects.push(Subject { name, run, model });
    }
    Ok(subjects)
}

/// The last part of a path, which may be `.` or end in `..`.
fn folder_name(dir: &Path) -> String {
    let whole = fs::canonicalize(dir);
    file_name(whole.as_deref().unwrap_or(dir))
}

fn write(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}
