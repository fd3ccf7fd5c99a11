//! `ingle evaluate`: ranking figures of a run over the whole catalogue.

use super::export::{self, TableKind};
use super::{SplitName, model_for, unlabelled};
use crate::adapting::{self, Plan};
use crate::data::{Dataset, InputError, Split};
use crate::evaluation::{
    Asked, ByName, Evaluation, Keep, LATEST, OfTargets, Question, Way, evaluate,
};
use crate::metrics::paired::Difference;
use crate::metrics::ranking::{HR10, NDCG10, names};
use crate::say::say;
use crate::training::Run;
use crate::training::judge::{self, Answer};
use crate::training::newcomers::Newcomers;
use anyhow::{Result, bail};
use comfy_table::Table;
use indicatif::ProgressBar;
use ingle_bundle::Learning;
use ingle_model::Model;
use ingle_model::kept::Rule;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// Rank every item for every user and print HR, NDCG and MRR
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ingle evaluate runs/dc4sr
  ingle evaluate runs/dc4sr --split unseen --json
  ingle evaluate runs/dc4sr --keep all                      every click counts
  ingle evaluate runs/dc4sr --data data/beauty-noisy        histories corrupted, targets clean
  ingle evaluate runs/dc4sr --data data/inserted --split unseen      all draws of `ingle corrupt --draws`
  ingle evaluate runs/dc4sr --against runs/sasrec
  ingle evaluate runs/dc4sr --adapt                         what learning from a shopper's clicks would gain
  ingle evaluate runs/dc4sr --thresholds 0.0625,0.1875,0.3125,0.4375,0.5625,0.6875,0.8125,0.9375

The whole catalogue is ranked. `masked` leaves out what was clicked before, on purpose where it is known which
clicks are noise, `unmasked` leaves out nothing; the target ranks after items of equal score. Of an unseen user
up to six latest clicks are predicted, each from those before it.

What a run gains by leaving clicks out stands beside two others: random, where as many are left out without
looking at them, and oracle, where exactly those are that are known to be noise. Errors are standard errors of
the mean difference, case by case, with all cases of a user taken together.

Where clicks have weights (`ingle prepare --weight`), targets of .5 and more were liked and those below .2 were
not: the figures of both are given as well. Fewer of those that were not liked among the first ten are better.")]
pub struct Args {
    /// Run folder
    run: PathBuf,
    /// Dataset folders, or folders of several draws of noise [default: the one the run was trained on]
    #[arg(long, num_args = 1..)]
    data: Vec<PathBuf>,
    /// Users and clicks it is about
    #[arg(long, value_enum, default_value = "test")]
    split: SplitName,
    /// Which clicks count
    #[arg(long, value_enum, default_value = "model")]
    keep: Keep,
    /// Another run, to be compared with case by case
    #[arg(long, value_name = "RUN")]
    against: Option<PathBuf>,
    /// Latest clicks of each unseen user that are predicted, at most
    #[arg(long, default_value_t = LATEST)]
    latest: usize,
    /// Thresholds on the noise probability, ascending, each of which makes a history of the clicks up to it
    /// [default: what the run says]
    #[arg(long, value_delimiter = ',', value_name = "P,P,...")]
    thresholds: Option<Vec<f32>>,
    /// Seed of the clicks that are left out at random
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What an adapter would gain: a weight of popularity, or what a page learns from the shopper's own clicks, on
    /// users held out of training; settings are chosen for each half of them by the other
    #[arg(long, conflicts_with_all = ["keep", "against", "thresholds", "split"])]
    adapt: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let run = Run::open(&args.run)?;
    let draws = draws(&args.data, &run)?;
    let model = model_for(&run, &draws[0])?;
    if args.adapt {
        return adapt(args, &run, &draws, &model);
    }
    let rule = args.thresholds.clone().map(Rule::new).transpose();
    let rule = rule.map_err(|e| InputError::other(format!("--thresholds: {e}")))?;
    let asked = Asked::new(&run, &model, rule.clone(), args.seed)?;
    check(args, &asked, &draws)?;
    let other = args.against.as_deref().map(Run::open).transpose()?;
    let other_model = other
        .as_ref()
        .map(|run| model_for(run, &draws[0]))
        .transpose()?;
    let against = (other.as_ref().zip(other_model.as_ref()))
        .map(|(run, model)| Asked::new(run, model, rule, args.seed))
        .transpose()?;
    let name = other.as_ref().map(|run| run.dir.display().to_string());
    let question = Question {
        split: args.split.split(),
        latest: args.latest,
        keep: args.keep,
        against: against.as_ref().zip(name.as_deref()),
    };
    let bar = ProgressBar::new(0).with_message("cases");
    let found = evaluate(&asked, &draws, question, &bar);
    bar.finish_and_clear();
    if found.cases == 0 {
        bail!(InputError::Nobody);
    }
    if args.json {
        let mut report = serde_json::to_value(&found)?;
        report["protocol"] = serde_json::to_value(draws[0].meta().split)?;
        report["noise"] = serde_json::to_value(&draws[0].meta().corruption)?;
        say!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(());
    }
    say!("{}", figures(&found));
    if found.ways.len() > 1 {
        say!("{}", gains(&found));
    }
    if let Some(against) = &found.against {
        let NdcgAndHr { ndcg, hr } = NdcgAndHr::of(&against.gain);
        say!("above {}: NDCG@10 {ndcg}, HR@10 {hr}", against.run);
    }
    if let Some(outcome) = &found.by_outcome {
        for (what, targets) in [("liked", &outcome.liked), ("not liked", &outcome.disliked)] {
            say!("{}", of_targets(what, targets));
        }
    }
    say!("{}", closing(&found, &draws[0]));
    say!("{MASKED}");
    if found.ways.len() > 1 {
        say!("{GAIN}");
    }
    Ok(())
}

/// What each kind of adapter gains.
fn adapt(args: &Args, run: &Run, draws: &[Dataset], model: &Model) -> Result<()> {
    let [data] = draws else {
        bail!(InputError::other("--adapt is for one dataset"));
    };
    let bundle = export::bundle(
        (run, data, model),
        Newcomers::default(),
        TableKind::Int8,
        None,
    )?;
    let bar = ProgressBar::new(0).with_message("cases");
    let found = adapting::measure(bundle, data, args.latest, &bar)?;
    bar.finish_and_clear();
    let Some(found) = found else {
        bail!(InputError::other(format!(
            "--adapt needs {} users held out of training with two clicks or more: prepare with --holdout-users",
            adapting::USERS
        )));
    };
    if args.json {
        say!("{}", serde_json::to_string_pretty(&found)?);
        return Ok(());
    }
    let mut table = framed();
    table.set_header([
        "added",
        "NDCG@10",
        "gain",
        "over popularity",
        "HR@10",
        "gain",
        "settings",
    ]);
    for of in &found.kinds {
        let [ndcg, hr] = [NDCG10, HR10].map(|at| format!("{:.4}", of.masked.0[at]));
        let (gain, over) = (NdcgAndHr::of(&of.gain), NdcgAndHr::of(&of.over_popularity));
        let name = of.kind.name().to_owned();
        table.add_row([
            name,
            ndcg,
            gain.ndcg,
            over.ndcg,
            hr,
            gain.hr,
            settings(&of.plan),
        ]);
    }
    say!("{table}");
    let (users, cases) = (found.users, found.cases);
    say!(
        "{users} users held out of training, {cases} targets; gains ± one standard error of the paired difference"
    );
    say!("the settings of each half of the users are chosen by the other half; those shown by all");
    match found.best() {
        None => say!("export would write no adapter: none wins beyond its standard error"),
        Some(best) => say!("export would write {}", serde_json::to_string(&best)?),
    }
    Ok(())
}

fn settings(plan: &Plan) -> String {
    let popularity = format!("popularity {}", plan.popularity);
    plan.learning.as_ref().map_or(popularity.clone(), |own| {
        let Learning { bias_rate, weight_rate, steps, half_life, clicks, .. } = own;
        format!(
            "{popularity}, rates {bias_rate:.3} and {weight_rate:.3}, {steps} steps, half-life {half_life}, from {clicks} clicks"
        )
    })
}

/// Rejects parameters that do not apply to this run and these datasets.
fn check(args: &Args, asked: &Asked<'_>, draws: &[Dataset]) -> Result<()> {
    if args.keep == Keep::Oracle && !draws.iter().all(Dataset::has_labels) {
        bail!(unlabelled());
    }
    if args.latest == 0 {
        bail!(InputError::other("--latest is 0, but must be at least 1"));
    }
    if !asked.judges() && (args.keep == Keep::Random || args.thresholds.is_some()) {
        bail!(InputError::other(
            "the run's method judges no clicks: it keeps them all, and so would a control"
        ));
    }
    Ok(())
}

/// The named datasets, or the one on which the run was trained.
fn draws(named: &[PathBuf], run: &Run) -> Result<Vec<Dataset>> {
    if named.is_empty() {
        return Ok(vec![Dataset::open(&run.about.data)?]);
    }
    let mut draws = Vec::new();
    for dir in named {
        for dir in folders(dir) {
            draws.push((Dataset::open(&dir)?, dir));
        }
    }
    let source = |data: &Dataset| {
        data.meta()
            .corruption
            .as_ref()
            .map(|done| done.source.clone())
    };
    let first = draws.first().and_then(|(data, _)| source(data));
    for (data, dir) in draws.iter().skip(1) {
        if first.is_none() || source(data) != first {
            let (dir, other) = (dir.display(), draws[0].1.display());
            bail!(InputError::other(format!(
                "{other} and {dir} are not draws of noise in the same dataset: evaluate each alone"
            )));
        }
    }
    Ok(draws.into_iter().map(|(data, _)| data).collect())
}

/// The folder itself if it is a dataset, or else the numbered datasets that `ingle corrupt --draws` wrote into it.
fn folders(dir: &Path) -> Vec<PathBuf> {
    let is_dataset = |dir: &Path| dir.join("dataset.json").exists();
    let number = |dir: &Path| dir.file_name()?.to_str()?.parse::<usize>().ok();
    let inside = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut numbered: Vec<(usize, PathBuf)> = inside
        .map(|entry| entry.path())
        .filter_map(|path| Some((number(&path).filter(|_| is_dataset(&path))?, path)))
        .collect();
    if is_dataset(dir) || numbered.is_empty() {
        return vec![dir.to_owned()];
    }
    numbered.sort();
    numbered.into_iter().map(|(_, path)| path).collect()
}

/// Ranks the latest target of each user of a split by the run.
pub fn answers(run: &Run, data: &Dataset, model: &Model, split: Split) -> Result<Vec<Answer>> {
    let asked = Asked::new(run, model, None, 0)?;
    let cases = judge::cases(data, split);
    let bar = ProgressBar::new(cases.len() as u64).with_message("users");
    let keep = if asked.judges() {
        Keep::Model
    } else {
        Keep::All
    };
    let answers = asked.answers(&cases, &[keep], 0, |done| bar.inc(done as u64));
    bar.finish_and_clear();
    Ok(answers.into_iter().next().unwrap_or_default())
}

/// `{"masked": {...}, "unmasked": {...}, "users": ..., "seed": ...}`
pub fn report(answers: &[Answer], seed: u64) -> Value {
    json!({
        "masked": judge::masked(answers).to_json(),
        "unmasked": judge::unmasked(answers).to_json(),
        "users": answers.len(),
        "seed": seed,
    })
}

fn figures(found: &Evaluation) -> Table {
    let mut table = framed();
    table.set_header(std::iter::once(String::new()).chain(names()));
    for (name, figures) in [("masked", &found.masked), ("unmasked", &found.unmasked)] {
        let cells = figures.0.iter().map(|value| format!("{value:.4}"));
        table.add_row(std::iter::once(name.to_owned()).chain(cells));
    }
    table
}

fn gains(found: &Evaluation) -> Table {
    let mut table = framed();
    table.set_header([
        "clicks kept",
        "NDCG@10",
        "gain",
        "of the cost of noise",
        "HR@10",
        "gain",
    ]);
    for way in &found.ways {
        table.add_row(gain(way));
    }
    if let (Some(clean), Some(cost)) = (&found.clean, &found.cost) {
        let cost = NdcgAndHr::of(cost);
        let [ndcg, hr] = [NDCG10, HR10].map(|at| format!("{:.4}", clean.0[at]));
        let all = "100 %".to_owned();
        table.add_row([
            "without noise".to_owned(),
            ndcg,
            cost.ndcg,
            all,
            hr,
            cost.hr,
        ]);
    }
    table
}

fn gain(way: &Way) -> [String; 6] {
    let [ndcg, hr] = [NDCG10, HR10].map(|at| format!("{:.4}", way.masked.0[at]));
    let gain = way.gain.as_ref().map(NdcgAndHr::of).unwrap_or_default();
    let won_back = way.won_back.map(|share| format!("{:.0} %", 100.0 * share));
    let name = way.keep.name().to_owned();
    [
        name,
        ndcg,
        gain.ndcg,
        won_back.unwrap_or_default(),
        hr,
        gain.hr,
    ]
}

/// Two differences as text.
#[derive(Default)]
struct NdcgAndHr {
    ndcg: String,
    hr: String,
}

impl NdcgAndHr {
    fn of(gain: &ByName<Difference>) -> Self {
        let shown = |at: usize| {
            let Difference { value, error } = gain.0[at];
            let error = error.map_or_else(String::new, |error| format!(" ± {error:.4}"));
            format!("{value:+.4}{error}")
        };
        Self {
            ndcg: shown(NDCG10),
            hr: shown(HR10),
        }
    }
}

fn of_targets(what: &str, targets: &OfTargets) -> String {
    let [ndcg, hr] = [NDCG10, HR10].map(|at| targets.masked.0[at]);
    let above = targets.gain.as_ref().map(NdcgAndHr::of);
    let above = above.map_or_else(String::new, |NdcgAndHr { ndcg, hr }| {
        format!(", above the other run: NDCG@10 {ndcg}, HR@10 {hr}")
    });
    let cases = targets.cases;
    format!("{cases} targets that were {what}: NDCG@10 {ndcg:.4}, HR@10 {hr:.4}{above}")
}

fn framed() -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_BORDERS_ONLY);
    table
}

const MASKED: &str = "masked: ranked without the items that the user has clicked, as in a page";
const GAIN: &str = "gain: over keeping all clicks, ± one standard error of the paired difference";

fn closing(found: &Evaluation, data: &Dataset) -> String {
    let plural = if found.draws == 1 { "" } else { "s" };
    let noise = data
        .meta()
        .corruption
        .as_ref()
        .map_or_else(String::new, |_| {
            format!(", {} draw{plural} of noise", found.draws)
        });
    format!(
        "{} users, {} targets, clicks kept: {}, all {} items ranked{noise}, split {}, seed {}",
        found.users,
        found.cases,
        found.keep.name(),
        data.n_items(),
        data.meta().split,
        found.seed
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_draws_is_taken_in_the_order_of_its_numbers() {
        let home = tempfile::tempdir().expect("a folder");
        for name in ["10", "2", "1", "other"] {
            let dir = home.path().join(name);
            fs::create_dir(&dir).expect("makes");
            fs::write(dir.join("dataset.json"), "").expect("writes");
        }
        fs::create_dir(home.path().join("3")).expect("makes");
        let found = folders(home.path());
        assert_eq!(found, ["1", "2", "10"].map(|name| home.path().join(name)));
        let one = home.path().join("2");
        assert_eq!(folders(&one), std::slice::from_ref(&one));
        let none = home.path().join("3");
        assert_eq!(folders(&none), std::slice::from_ref(&none));
    }
}
