//! `ingle report --by-method`: the table of methods.

use super::{Args, folder_name, open_data, progress, write};
use crate::commands::{export, model_for};
use crate::data::{Dataset, InputError};
use crate::report::measured::{self, BundleFiles, Measured};
use crate::report::methods::{Browser, Entry, markdown, methods};
use crate::report::page;
use crate::say::say;
use crate::training::Run;
use anyhow::{Context, Result};
use indicatif::ProgressBar;
use std::fs;

/// File beside a run with the benchmark's measurements of its bundle in a browser.
const BROWSER: &str = "browser.json";

pub(super) fn run(args: &Args, runs: &[Run]) -> Result<()> {
    // Checked before the measurements, which take minutes.
    if let Some(run) = runs.iter().find(|run| !run.finished()) {
        return Err(run.unfinished().into());
    }
    let mut opened: Option<Dataset> = None;
    let mut entries = Vec::new();
    for run in runs {
        entries.push(Entry {
            run: run.dir.display().to_string(),
            measured: measured_of(run, &mut opened)?,
            browser: browser(run)?,
        });
    }
    let table = methods(entries)?;
    write(&args.out, &page::methods::html(&table))?;
    if let Some(file) = &args.json {
        write(file, &serde_json::to_string_pretty(&table)?)?;
    }
    if let Some(file) = &args.markdown {
        write(file, &markdown::markdown(&table, 2))?;
    }
    if let Some(folder) = &args.pictures {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        for (name, picture) in page::methods::pictures(&table) {
            write(&folder.join(name), &picture)?;
        }
    }
    say!("wrote {}", args.out.display());
    Ok(())
}

/// A run's measurements, read from its folder or made now. The dataset stays open for the next run.
fn measured_of(run: &Run, opened: &mut Option<Dataset>) -> Result<Measured> {
    if let Some(measured) = measured::read(run)? {
        return Ok(measured);
    }
    let same = |data: &Dataset| data.hash() == run.about.data_hash;
    if !opened.as_ref().is_some_and(same) {
        *opened = Some(open_data(None, run)?);
    }
    let data = opened.as_ref().expect("opened just now");
    let bar = progress();
    let name = folder_name(&run.dir);
    if bar.is_hidden() {
        eprintln!("measuring {name}");
    }
    bar.set_message(name);
    let measured = measure(run, data, &bar)?;
    bar.finish_and_clear();
    measured::write(run, &measured)?;
    Ok(measured)
}

fn measure(run: &Run, data: &Dataset, bar: &ProgressBar) -> Result<Measured> {
    let model = model_for(run, data)?;
    let files = export::shipped(run, data, &model)?;
    let bytes = files.iter().map(|(_, bytes)| bytes.len() as u64).sum();
    let (_manifest, others) = files.split_last().context("a bundle has files")?;
    let mut files: Vec<String> = others.iter().map(|(name, _)| name.clone()).collect();
    files.sort_unstable();
    measured::measure(run, data, &model, BundleFiles { bytes, files }, bar)
}

/// The measurements in a browser, if there are any.
fn browser(run: &Run) -> Result<Option<Browser>> {
    let path = run.dir.join(BROWSER);
    let Ok(text) = fs::read(&path) else {
        return Ok(None);
    };
    let damaged = |error| InputError::other(format!("{} is damaged: {error}", path.display()));
    Ok(Some(serde_json::from_slice(&text).map_err(damaged)?))
}
