//! `ingle prepare`: from interaction logs to a dataset.

use super::file_name;
use crate::data::build::build;
use crate::data::read::{self, Catalogue, Columns, Log};
use crate::data::{Dataset, InputError, Options, Shares, Source, Summary, check_target};
use crate::training::progress::peak_memory;
use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::path::PathBuf;
use std::time::Instant;

/// Read interaction logs, filter and split them, and write a dataset
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ingle prepare --interactions clicks.csv --items items.csv --out data/shop
  ingle prepare --interactions jan.parquet feb.parquet --column user_id=customer --out data/shop
  ingle prepare --interactions clicks.jsonl --holdout-users 0.1 --seed 7 --out data/shop
  ingle prepare --interactions clicks.csv --split time --test-share 0.05 --out data/shop

Split leave-one-out (the usual one): every user's last click is for the test, the one before it for
validation, all others are for training. Split time: two moments divide the whole log. Clicks before the
first are for training; the first click of a user after it is predicted for validation, the first after
the second for the test, each from all of the user's clicks before the moment.

Interactions need the columns user_id, item_id and timestamp (a number, or text like
2024-05-31T12:00:00Z); items need item_id and may have title and category. Other columns are ignored.
Formats go by the file name: .csv, .tsv, .jsonl, .ndjson, .parquet.")]
pub struct Args {
    /// Interaction files
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    interactions: Vec<PathBuf>,
    /// Items file with titles and categories
    #[arg(long, value_name = "FILE")]
    items: Option<PathBuf>,
    /// Name of a column in the files, as in `--column user_id=customer`; may be repeated
    #[arg(long = "column", value_name = "OURS=THEIRS")]
    columns: Vec<String>,
    /// Drop users with fewer clicks, again and again until all left have enough
    #[arg(long, default_value_t = 5)]
    min_user_clicks: usize,
    /// Drop items with fewer clicks, likewise
    #[arg(long, default_value_t = 5)]
    min_item_clicks: usize,
    /// Count rows equal in user, item and timestamp once
    #[arg(long)]
    dedup: bool,
    /// Share of users kept out of training, to measure shoppers never seen
    #[arg(long, default_value_t = 0.0)]
    holdout_users: f64,
    /// Seed of the choice of those users
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How to divide clicks into those to learn from and those to predict
    #[arg(long, value_enum, default_value = "leave-one-out")]
    split: SplitBy,
    /// With --split time: share of the clicks in the validation period [default: 0.1]
    #[arg(long)]
    valid_share: Option<f64>,
    /// With --split time: share of the clicks in the test period, the latest [default: 0.1]
    #[arg(long)]
    test_share: Option<f64>,
    /// Stop at the first row that cannot be read
    #[arg(long)]
    strict: bool,
    /// Dataset folder to write
    #[arg(long)]
    out: PathBuf,
    /// Write into a folder that holds something else
    #[arg(long)]
    force: bool,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

/// What decides which clicks are predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum SplitBy {
    /// The position in the history
    LeaveOneOut,
    /// The time of the click
    Time,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    if !(0.0..1.0).contains(&args.holdout_users) {
        let share = args.holdout_users;
        bail!(InputError::other(format!(
            "--holdout-users is {share}, but must be at least 0 and below 1"
        )));
    }
    let started = Instant::now();
    let by_time = shares(args)?;
    if !args.force {
        check_target(&args.out)?;
    }
    let columns = columns(&args.columns)?;
    let (log, sources) = read_log(args, &columns)?;
    let mut bad_items = read::BadRows {
        strict: args.strict,
        ..Default::default()
    };
    let catalogue = match &args.items {
        Some(file) => read::items(file, &columns, &mut bad_items)?,
        None => Catalogue::default(),
    };
    skipped(&[&log.bad, &bad_items]);
    let options = Options {
        min_user_clicks: args.min_user_clicks,
        min_item_clicks: args.min_item_clicks,
        dedup: args.dedup,
        holdout_users: args.holdout_users,
        seed: args.seed,
        by_time,
    };
    let data = build(log, catalogue, file_name(&args.out), sources, options)?;
    if args.force {
        data.save_over(&args.out)?;
    } else {
        data.save(&args.out)?;
    }
    report(args, &data, started)
}

fn skipped(rows: &[&read::BadRows]) {
    for bad in rows {
        bad.shown.iter().for_each(|row| eprintln!("skipped {row}"));
        if bad.count > bad.shown.len() {
            eprintln!("skipped {} more rows", bad.count - bad.shown.len());
        }
    }
}

/// The shares of a split by time, if that is what is asked for.
fn shares(args: &Args) -> Result<Option<Shares>, InputError> {
    let (valid, test) = (args.valid_share, args.test_share);
    if args.split == SplitBy::LeaveOneOut {
        return match valid.or(test) {
            None => Ok(None),
            Some(_) => Err(InputError::other(
                "--valid-share and --test-share are of a split by time: add --split time",
            )),
        };
    }
    let (valid, test) = (valid.unwrap_or(0.1), test.unwrap_or(0.1));
    if valid > 0.0 && test > 0.0 && valid + test < 1.0 {
        return Ok(Some(Shares { valid, test }));
    }
    Err(InputError::other(format!(
        "--valid-share is {valid} and --test-share {test}, but they must be above 0 and together below 1"
    )))
}

fn columns(given: &[String]) -> Result<Columns, InputError> {
    const OURS: [&str; 5] = ["user_id", "item_id", "timestamp", "title", "category"];
    let column = |text: &String| match text.split_once('=') {
        Some((ours, theirs)) if OURS.contains(&ours) => Ok((ours.to_owned(), theirs.to_owned())),
        _ => Err(InputError::other(format!(
            "--column {text}: expected OURS=THEIRS, where OURS is one of {}",
            OURS.join(", ")
        ))),
    };
    given.iter().map(column).collect()
}

fn read_log(args: &Args, columns: &Columns) -> Result<(Log, Vec<Source>)> {
    let style =
        ProgressStyle::with_template("{spinner} {msg} {elapsed}").expect("the template is valid");
    let bar = ProgressBar::new_spinner().with_style(style);
    bar.enable_steady_tick(std::time::Duration::from_millis(100));
    let mut log = Log::default();
    log.bad.strict = args.strict;
    let mut sources = Vec::new();
    for file in &args.interactions {
        bar.set_message(format!(
            "reading {}, {} clicks so far",
            file.display(),
            log.clicks.len()
        ));
        let before = log.rows;
        read::interactions(file, columns, &mut log)?;
        sources.push(Source {
            file: file_name(file),
            bytes: std::fs::metadata(file).map_or(0, |meta| meta.len()),
            rows: (log.rows - before) as u64,
        });
    }
    bar.finish_and_clear();
    Ok((log, sources))
}

/// What is printed for machines: the summary, and what it took.
#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    summary: &'a Summary,
    seconds: f64,
    peak_memory: Option<u64>,
}

fn report(args: &Args, data: &Dataset, started: Instant) -> Result<()> {
    let report = Report {
        summary: &data.meta().summary,
        seconds: started.elapsed().as_secs_f64(),
        peak_memory: peak_memory(),
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(());
    }
    println!("{}", report.summary.table());
    println!("split: {}", data.meta().split);
    let memory = report.peak_memory.map_or_else(String::new, |bytes| {
        format!(", at most {:.2} GB of memory", bytes as f64 / 1e9)
    });
    println!("prepared in {:.1} s{memory}", report.seconds);
    println!("wrote {}", args.out.display());
    println!("next: ingle train --data {} --out RUN", args.out.display());
    Ok(())
}
