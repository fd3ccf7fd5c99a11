//! `ingle prepare`: reads interaction logs and writes a dataset.

mod check;

use super::file_name;
use super::reading::ReadingArgs;
use crate::data::read::{self, BadRows, Catalogue, Kind, Log, Reading, Windows, Worths};
use crate::data::{
    Dataset, InputError, Options, Shares, Source, Summary, Ties, check_target, grouped,
};
use crate::data::{build, windows};
use crate::say::say;
use crate::training::progress::peak_memory;
use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Read interaction logs or windows, filter and split them, and write a dataset
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("log").required(true).args(["interactions", "windows", "check"])))]
#[command(after_help = "Examples:
  ingle prepare --check clicks.csv
  ingle prepare --interactions clicks.csv --items items.csv --out data/shop
  ingle prepare --interactions jan.parquet feb.parquet --column user_id=customer --out data/shop
  ingle prepare --interactions clicks.jsonl --holdout-users 0.1 --seed 7 --out data/shop
  ingle prepare --interactions clicks.csv --split time --test-share 0.05 --out data/shop
  ingle prepare --interactions ratings.csv --weight rating --weight-of 5=1 --weight-of 4=1 --weight-of 3=0.4 \
    --weight-of 2=0.05 --weight-of 1=0.05 --out data/rated
  ingle prepare --interactions events.csv --weight event --weight-of view=0.2 --weight-of cart=0.6 \
    --weight-of purchase=1 --out data/shop
  ingle prepare --interactions sessions.jsonl.gz --column user_id=session --column item_id=events.aid \
    --column timestamp=events.ts --out data/otto
  ingle prepare --interactions UserBehavior.csv --column user_id=1 --column item_id=2 --column timestamp=5 --out data/taobao
  ingle prepare --windows train.csv --windows-unseen valid.csv --items items.csv --out data/toys

Split leave-one-out (the usual one): every user's last click is for the test, the one before it for
validation, all others are for training. Split time: two moments divide the whole log. Clicks before the
first are for training; the first click of a user after it is predicted for validation, the first after
the second for the test, each from all of the user's clicks before the moment.

Interactions need the columns user_id, item_id and timestamp (a number, or text like
2024-05-31T12:00:00Z); items need item_id and may have title and category. Other columns are ignored.

Windows are histories of which it is known which clicks are noise. Each row is a user of its own, with the
columns user_id, item_ids and noise (as many 0s and 1s as items, with spaces between them, 1 where another
item replaced the one that was clicked) and timestamp, the time of the last click. All windows stay. The
latest are for validation and test, where their last click is predicted; all clicks of the others are for
training. Last clicks that are noise are not predicted.

Files are lines of cells (CSV, TSV and the like), JSON lines, a JSON array or Parquet, plain or packed with
gzip or zstd; their first bytes tell. A folder stands for the files in it. What stands between cells, the
encoding, and whether the first line names the columns are found out and said. A path names what is nested:
--column user_id=user.id. Every entry of a list makes a row: --column item_id=events.aid.")]
pub struct Args {
    /// Interaction files
    #[arg(long, num_args = 1.., value_name = "FILE")]
    interactions: Vec<PathBuf>,
    /// Files of windows of known noise
    #[arg(long, num_args = 1.., value_name = "FILE")]
    windows: Vec<PathBuf>,
    /// Files of windows kept out of training, to measure shoppers never seen
    #[arg(long, num_args = 1.., value_name = "FILE", requires = "windows")]
    windows_unseen: Vec<PathBuf>,
    /// Say what files look like and propose the command that reads them; nothing is written
    #[arg(long, num_args = 1.., value_name = "FILE")]
    check: Vec<PathBuf>,
    /// Items file with titles and categories
    #[arg(long, value_name = "FILE")]
    items: Option<PathBuf>,
    #[command(flatten)]
    reading: ReadingArgs,
    /// Column that says what came of a click, such as a rating or a kind of event: how much it counts as a target in
    /// training, a number from 0 to 1 unless --weight-of says what its values are worth
    #[arg(long, value_name = "COLUMN", conflicts_with = "windows")]
    weight: Option<String>,
    /// Weight of a value of that column, as in `--weight-of 5=1`; may be repeated
    #[arg(long, value_name = "VALUE=WEIGHT", requires = "weight")]
    weight_of: Vec<String>,
    /// Drop users with fewer clicks, again and again until all left have enough
    #[arg(long, default_value_t = 5, conflicts_with = "windows")]
    min_user_clicks: usize,
    /// Drop items with fewer clicks, likewise
    #[arg(long, default_value_t = 5, conflicts_with = "windows")]
    min_item_clicks: usize,
    /// Count rows equal in user, item and timestamp once
    #[arg(long, conflicts_with = "windows")]
    dedup: bool,
    /// Count clicks of a user that follow each other on one item once, as views that are repeated or a view, a cart and a
    /// purchase
    #[arg(long, conflicts_with = "windows")]
    merge_repeats: bool,
    /// Order of a user's clicks of one moment, which the log does not tell
    #[arg(long, value_enum, default_value = "mixed", conflicts_with = "windows")]
    ties: Ties,
    /// Share of users kept out of training, to measure shoppers never seen
    #[arg(long, default_value_t = 0.0, conflicts_with = "windows")]
    holdout_users: f64,
    /// Seed of the choice of those users
    #[arg(long, default_value_t = 1, conflicts_with = "windows")]
    seed: u64,
    /// How to divide clicks into those to learn from and those to predict
    #[arg(
        long,
        value_enum,
        default_value = "leave-one-out",
        conflicts_with = "windows"
    )]
    split: SplitBy,
    /// With --split time or --windows: share of the clicks or windows for validation [default: 0.1]
    #[arg(long)]
    valid_share: Option<f64>,
    /// With --split time or --windows: share of them for the test, the latest [default: 0.1]
    #[arg(long)]
    test_share: Option<f64>,
    /// Stop at the first row that cannot be read
    #[arg(long)]
    strict: bool,
    /// Dataset folder to write
    #[arg(long, required_unless_present = "check")]
    out: Option<PathBuf>,
    /// Write into a folder that holds something else
    #[arg(long)]
    force: bool,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

/// How targets are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum SplitBy {
    /// The position in the history
    LeaveOneOut,
    /// The time of the click
    Time,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let Some(out) = args.out.as_deref().filter(|_| args.check.is_empty()) else {
        return check::run(&args.check, &args.reading.reading()?, args.json);
    };
    if !(0.0..1.0).contains(&args.holdout_users) {
        let share = args.holdout_users;
        bail!(InputError::other(format!(
            "--holdout-users is {share}, but must be at least 0 and below 1"
        )));
    }
    let started = Instant::now();
    let shares = shares(args)?;
    if !args.force {
        check_target(out)?;
    }
    let mut reading = args.reading.reading()?;
    (reading.columns).extend((args.weight.clone()).map(|theirs| ("weight".to_owned(), theirs)));
    let (data, kinds) = match shares {
        Some(shares) if !args.windows.is_empty() => from_windows(args, out, &reading, shares)?,
        by_time => from_log(args, out, &reading, by_time)?,
    };
    if args.force {
        data.save_over(out)?;
    } else {
        data.save(out)?;
    }
    report(args, out, &data, &kinds, started)
}

fn from_log(
    args: &Args,
    out: &Path,
    reading: &Reading,
    by_time: Option<Shares>,
) -> Result<(Dataset, Vec<Kind>)> {
    let (mut log, sources) = read_log(args, reading)?;
    let (catalogue, bad_items) = catalogue(args, reading)?;
    noted(&log.said());
    noted(&catalogue.notes);
    noted(&read::settle(&mut log, &catalogue));
    let kinds = skipped(&[&log.bad, &bad_items, &catalogue.repeated]);
    let options = Options {
        min_user_clicks: args.min_user_clicks,
        min_item_clicks: args.min_item_clicks,
        dedup: args.dedup,
        merge_repeats: args.merge_repeats,
        ties: args.ties,
        holdout_users: args.holdout_users,
        seed: args.seed,
        by_time,
    };
    let name = file_name(out);
    Ok((build::build(log, catalogue, name, sources, options)?, kinds))
}

fn from_windows(
    args: &Args,
    out: &Path,
    reading: &Reading,
    shares: Shares,
) -> Result<(Dataset, Vec<Kind>)> {
    let mut read = Windows::default();
    read.bad.strict = args.strict;
    let mut sources = Vec::new();
    for (files, unseen) in [(&args.windows, false), (&args.windows_unseen, true)] {
        for file in &read::files(files)? {
            let before = read.rows;
            read::windows(file, reading, unseen, &mut read)?;
            sources.push(source(file, read.rows - before));
        }
    }
    let (catalogue, bad_items) = catalogue(args, reading)?;
    noted(&read.said());
    noted(&catalogue.notes);
    noted(&read::settle_windows(&mut read, &catalogue));
    let kinds = skipped(&[&read.bad, &bad_items, &catalogue.repeated]);
    let name = file_name(out);
    let data = windows::build(&read, catalogue, name, sources, shares)?;
    Ok((data, kinds))
}

/// Reads the items file, if there is one.
fn catalogue(args: &Args, reading: &Reading) -> Result<(Catalogue, BadRows), InputError> {
    let mut bad = BadRows {
        strict: args.strict,
        ..BadRows::default()
    };
    let catalogue = match &args.items {
        Some(file) => read::items(file, reading, false, &mut bad)?,
        None => Catalogue::default(),
    };
    Ok((catalogue, bad))
}

fn source(file: &Path, rows: usize) -> Source {
    Source {
        file: file_name(file),
        bytes: std::fs::metadata(file).map_or(0, |meta| meta.len()),
        rows: rows as u64,
    }
}

pub(super) fn noted(notes: &[String]) {
    for note in notes {
        eprintln!("note: {note}");
    }
}

/// Prints the rows that could not be used, by kind and with the first of each; returns the kinds.
pub(super) fn skipped(rows: &[&BadRows]) -> Vec<Kind> {
    let kinds: Vec<Kind> = rows
        .iter()
        .flat_map(|bad| bad.kinds.iter().cloned())
        .collect();
    for kind in &kinds {
        kind.first.iter().for_each(|row| eprintln!("skipped {row}"));
        if kind.rows > kind.first.len() {
            let more = kind.rows - kind.first.len();
            eprintln!(
                "skipped {} more rows: {}",
                grouped(more as u64),
                kind.reason
            );
        }
    }
    kinds
}

/// The shares of a split by time or of windows, if one is requested.
fn shares(args: &Args) -> Result<Option<Shares>, InputError> {
    let (valid, test) = (args.valid_share, args.test_share);
    let windows = !args.windows.is_empty();
    if args.split == SplitBy::LeaveOneOut && !windows {
        return match valid.or(test) {
            None => Ok(None),
            Some(_) => Err(InputError::other(
                "--valid-share and --test-share are of windows or a split by time: add --split time",
            )),
        };
    }
    let (valid, test) = (valid.unwrap_or(0.1), test.unwrap_or(0.1));
    if valid > 0.0 && (test > 0.0 || (windows && test == 0.0)) && valid + test < 1.0 {
        return Ok(Some(Shares { valid, test }));
    }
    Err(InputError::other(format!(
        "--valid-share is {valid} and --test-share {test}, but they must be above 0 and together below 1"
    )))
}

fn read_log(args: &Args, reading: &Reading) -> Result<(Log, Vec<Source>)> {
    let style =
        ProgressStyle::with_template("{spinner} {msg} {elapsed}").expect("the template is valid");
    let bar = ProgressBar::new_spinner().with_style(style);
    bar.enable_steady_tick(std::time::Duration::from_millis(100));
    let mut log = Log::default();
    log.bad.strict = args.strict;
    if args.weight.is_some() {
        let worths = Worths::new(&args.weight_of);
        log.worths = Some(worths.map_err(|e| InputError::other(format!("--weight-of {e}")))?);
    }
    let mut sources = Vec::new();
    for file in &read::files(&args.interactions)? {
        bar.set_message(format!(
            "reading {}, {} clicks so far",
            file.display(),
            log.clicks.len()
        ));
        let before = log.rows;
        read::interactions(file, reading, &mut log)?;
        sources.push(source(file, log.rows - before));
    }
    bar.finish_and_clear();
    Ok((log, sources))
}

/// JSON output: the summary, time and memory.
#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    summary: &'a Summary,
    /// Rows that could not be used, by kind.
    skipped: &'a [Kind],
    seconds: f64,
    peak_memory: Option<u64>,
}

fn report(args: &Args, out: &Path, data: &Dataset, kinds: &[Kind], started: Instant) -> Result<()> {
    let report = Report {
        summary: &data.meta().summary,
        skipped: kinds,
        seconds: started.elapsed().as_secs_f64(),
        peak_memory: peak_memory(),
    };
    if args.json {
        say!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(());
    }
    let mut table = report.summary.table();
    for kind in kinds {
        let first = kind
            .first
            .first()
            .map(|row| format!("{}:{}", row.file, row.line));
        let rows = grouped(kind.rows as u64);
        let figure = format!("{rows} rows, the first {}", first.unwrap_or_default());
        table.add_row([format!("skipped: {}", kind.reason), figure]);
    }
    say!("{table}");
    say!("split: {}", data.meta().split);
    let memory = report.peak_memory.map_or_else(String::new, |bytes| {
        format!(", at most {:.2} GB of memory", bytes as f64 / 1e9)
    });
    say!("prepared in {:.1} s{memory}", report.seconds);
    say!("wrote {}", out.display());
    say!("{}", next(args, out, data));
    Ok(())
}

/// What to do next: train, or what a log needs to be trained on.
fn next(args: &Args, out: &Path, data: &Dataset) -> String {
    if !data.is_trainable() {
        return "not enough to train on: no user has two clicks besides those that are predicted; \
                with the split leave-one-out, some users need four clicks"
            .to_owned();
    }
    if data.n_items() < 2 {
        return "not enough to train on: there is one item".to_owned();
    }
    // The configuration that `ingle new` wrote beside the log.
    let log = args.interactions.first().and_then(|file| file.parent());
    let beside = log.map(|folder| folder.join("ingle.toml"));
    let config = beside.filter(|file| file.is_file());
    let config = config.map_or_else(String::new, |file| format!(" --config {}", file.display()));
    format!(
        "next: ingle train --data {}{config} --out RUN",
        out.display()
    )
}
