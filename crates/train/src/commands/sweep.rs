//! `ingle train --sweep`: trains one run for every combination of some settings.

use crate::data::{Dataset, InputError};
use crate::metrics::spread::Spread;
use crate::training::checkpoint::write_atomically;
use crate::training::progress::{Progress, forget_peak_memory};
use crate::training::{Compute, Config, Run, inherit};
use anyhow::{Context, Result, bail};
use comfy_table::Table;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// A sweep.
#[derive(Debug)]
pub struct Sweep {
    config: Option<PathBuf>,
    /// Key and values of each setting that varies; the seed is last.
    grid: Vec<(String, Vec<toml::Value>)>,
}

/// What all combinations share.
#[derive(Clone, Copy, Debug)]
pub struct Base<'a> {
    /// TOML file with settings; the sweep's own override them.
    pub config: Option<&'a Path>,
    /// Settings that override it, as `key=value`.
    pub sets: &'a [String],
    /// The method, if the grid does not vary it.
    pub method: Option<&'a str>,
    /// The device.
    pub compute: Compute,
    /// The run from which all of them take over finished phases, if there is one.
    pub from: Option<&'a Path>,
}

/// One combination: key and value of each setting that varies.
type Settings = Vec<(String, toml::Value)>;

/// The result of a combination.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// Name of its folder.
    pub run: String,
    /// The settings that vary.
    pub settings: Map<String, Value>,
    /// Best validation figure of each phase, in training order.
    pub figures: Vec<(String, f64)>,
    /// Seconds of training.
    pub seconds: f64,
}

/// Results that differ only in the seed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SeedGroup {
    /// The settings they share.
    pub settings: Map<String, Value>,
    /// Number of seeds.
    pub seeds: usize,
    /// Mean and standard deviation of each figure over the seeds.
    pub figures: Vec<NamedSpread>,
}

/// A figure over several seeds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NamedSpread {
    /// The figure's name.
    pub figure: String,
    /// Its mean and standard deviation.
    #[serde(flatten)]
    pub spread: Spread,
}

/// The results of all combinations, best first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcomes {
    /// One per run.
    pub runs: Vec<Outcome>,
    /// Grouped over seeds.
    pub over_seeds: Vec<SeedGroup>,
}

/// Trains all combinations of the grid in `file` into `out`. Finished runs are kept, an interrupted one is resumed.
/// `None` if training was stopped by the user.
pub fn train(
    file: &Path,
    base: &Base<'_>,
    data: (&Path, &Dataset),
    out: &Path,
    stop: &AtomicBool,
) -> Result<Option<Outcomes>> {
    let sweep = Sweep::read(file)?;
    let planned = sweep.plan(base)?;
    let mut outcomes = Outcomes::of(Vec::new());
    for (number, (name, settings, config)) in planned.iter().enumerate() {
        eprintln!("{} of {}: {name}", number + 1, planned.len());
        let Some(run) = finish(&out.join(name), config, base, data, stop)? else {
            return Ok(None);
        };
        let mut runs = outcomes.runs;
        runs.push(outcome(name, settings, &run));
        outcomes = Outcomes::of(runs);
        let text = serde_json::to_vec_pretty(&outcomes)?;
        write_atomically(&out.join("sweep.json"), &text)?;
    }
    Ok(Some(outcomes))
}

/// The results as tables of text.
pub fn tables(outcomes: &Outcomes) -> String {
    let runs = runs_table(&outcomes.runs);
    if outcomes.over_seeds.iter().all(|group| group.seeds < 2) {
        return runs.to_string();
    }
    format!("{runs}\n{}", seeds_table(&outcomes.over_seeds))
}

impl Outcomes {
    fn of(mut runs: Vec<Outcome>) -> Self {
        sort(&mut runs);
        let over_seeds = by_seed(&runs);
        Self { runs, over_seeds }
    }
}

impl Sweep {
    /// Reads a sweep file: a table `[grid]` of lists and optionally `config`, a path relative to its folder.
    pub fn read(path: &Path) -> Result<Self, InputError> {
        let bad = |what: String| InputError::other(format!("{}: {what}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|e| bad(e.to_string()))?;
        let mut table: toml::Table = text.parse().map_err(|e| bad(format!("{e}")))?;
        let config = match table.remove("config") {
            None => None,
            Some(toml::Value::String(file)) => {
                Some(path.parent().unwrap_or(Path::new("")).join(file))
            }
            Some(_) => return Err(bad("config must be the path of a TOML file".to_owned())),
        };
        let Some(toml::Value::Table(lists)) = table.remove("grid") else {
            let example = "[grid]\n\"training.learning_rate\" = [0.001, 0.002]\nseed = [1, 2, 3]";
            return Err(bad(format!("it has no [grid]; expected\n{example}")));
        };
        if let Some(key) = table.keys().next() {
            return Err(bad(format!(
                "it has {key}, but only config and [grid] have a meaning"
            )));
        }
        let mut grid = Vec::new();
        flatten("", lists, &mut grid).map_err(bad)?;
        grid.sort_by_key(|(key, _)| key == "seed");
        Ok(Self { config, grid })
    }

    /// Name, settings and configuration of every combination. All are checked before any is trained.
    fn plan(&self, base: &Base<'_>) -> Result<Vec<(String, Settings, Config)>> {
        let file = base.config.or(self.config.as_deref());
        let mut planned: Vec<(String, Settings, Config)> = Vec::new();
        for settings in combinations(&self.grid) {
            let of_grid = |key: &str| settings.iter().find(|(name, _)| name == key);
            let chosen = of_grid("method").or_else(|| of_grid("method.name"));
            let chosen = chosen.and_then(|(_, value)| value.as_str()).or(base.method);
            let varied = settings
                .iter()
                .filter(|(key, _)| key != "method" && key != "method.name");
            let mut all = base.sets.to_vec();
            all.extend(varied.map(|(key, value)| format!("{key}={value}")));
            let name = name(&settings);
            let config = Config::resolve(file, &all, chosen).with_context(|| name.clone())?;
            if planned.iter().any(|(other, ..)| *other == name) {
                bail!(InputError::other(format!(
                    "two combinations of the grid are called {name}: a value is there twice"
                )));
            }
            planned.push((name, settings, config));
        }
        Ok(planned)
    }
}

/// The lists of a grid by path; `a.b = []` and `"a.b" = []` mean the same.
fn flatten(
    path: &str,
    table: toml::Table,
    grid: &mut Vec<(String, Vec<toml::Value>)>,
) -> Result<(), String> {
    for (key, value) in table {
        let key = format!("{path}{key}");
        match value {
            toml::Value::Table(inner) => flatten(&format!("{key}."), inner, grid)?,
            toml::Value::Array(values) if !values.is_empty() => grid.push((key, values)),
            _ => return Err(format!("grid.{key} must be a list of values")),
        }
    }
    Ok(())
}

/// The Cartesian product of the lists; the last list varies fastest.
fn combinations(grid: &[(String, Vec<toml::Value>)]) -> Vec<Settings> {
    grid.iter().fold(vec![Vec::new()], |so_far, (key, values)| {
        let longer = so_far.iter().flat_map(|settings: &Settings| {
            values.iter().map(move |value| {
                let mut longer = settings.clone();
                longer.push((key.clone(), value.clone()));
                longer
            })
        });
        longer.collect()
    })
}

/// A folder's name: `learning_rate-0.001_seed-1`, with whole paths if last parts are equal.
fn name(settings: &[(String, toml::Value)]) -> String {
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let part = |(key, value): &(String, toml::Value)| {
        let alike = settings
            .iter()
            .filter(|(other, _)| last(other) == last(key));
        let key = if alike.count() > 1 {
            key.clone()
        } else {
            last(key)
        };
        format!("{key}-{}", plain(value))
    };
    let parts: Vec<String> = settings.iter().map(part).collect();
    if parts.is_empty() {
        return "run".to_owned();
    }
    parts.join("_")
}

/// A value in characters that are valid in file names.
fn plain(value: &toml::Value) -> String {
    let text = value.to_string();
    let safe = |c: char| c.is_alphanumeric() || c == '.' || c == '-';
    let words = text.split(|c| !safe(c)).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}

/// The finished run of these settings in a folder: the existing one, resumed if it was interrupted, or a new one.
/// `None` if training was stopped by the user.
pub(super) fn finish(
    dir: &Path,
    config: &Config,
    base: &Base<'_>,
    data: (&Path, &Dataset),
    stop: &AtomicBool,
) -> Result<Option<Run>> {
    forget_peak_memory();
    let mut run = open_or_create(dir, config, base, data)?;
    let device = base.compute.open()?;
    let done = run.finished() || run.train(data.1, &device, stop, &Progress::new())?;
    Ok(done.then_some(run))
}

/// The run of a combination: the existing one if it has these settings, else a new one.
fn open_or_create(
    dir: &Path,
    config: &Config,
    base: &Base<'_>,
    data: (&Path, &Dataset),
) -> Result<Run> {
    if !dir.join("run.json").exists() {
        let donor = base.from.map(Run::open).transpose()?;
        return inherit::begin(
            dir,
            config.clone(),
            base.compute,
            data,
            donor.as_ref(),
            None,
            None,
        );
    }
    let run = Run::open(dir)?;
    let changed = if run.config != *config {
        "other settings"
    } else if run.about.device != base.compute {
        "another device"
    } else if run.about.data_hash != data.1.hash() {
        "another dataset"
    } else {
        return Ok(run);
    };
    bail!(InputError::other(format!(
        "{} holds a run with {changed}: choose another --out",
        dir.display()
    )))
}

fn outcome(name: &str, settings: &Settings, run: &Run) -> Outcome {
    let value = |value: &toml::Value| serde_json::to_value(value).unwrap_or_default();
    Outcome {
        run: name.to_owned(),
        settings: settings
            .iter()
            .map(|(key, v)| (key.clone(), value(v)))
            .collect(),
        figures: (run.about.best())
            .map(|(_, best)| (best.figure.clone(), best.value))
            .collect(),
        seconds: run.about.seconds,
    }
}

/// Best first: sorted by the first phase's figure, then by the next.
fn sort(outcomes: &mut [Outcome]) {
    outcomes.sort_by(|a, b| {
        let pairs = a.figures.iter().zip(&b.figures);
        let orders = pairs.map(|((_, a), (_, b))| b.total_cmp(a));
        orders.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    });
}

/// Groups the results that differ only in the seed, sorted by mean.
pub fn by_seed(outcomes: &[Outcome]) -> Vec<SeedGroup> {
    let mut groups: BTreeMap<String, (Map<String, Value>, Vec<&Outcome>)> = BTreeMap::new();
    for outcome in outcomes {
        let mut settings = outcome.settings.clone();
        settings.shift_remove("seed");
        let key = Value::Object(settings.clone()).to_string();
        let group = groups.entry(key).or_insert_with(|| (settings, Vec::new()));
        group.1.push(outcome);
    }
    let mut groups: Vec<SeedGroup> = groups.into_values().map(seed_group).collect();
    let first = |group: &SeedGroup| group.figures.first().map_or(f64::MIN, |of| of.spread.mean);
    groups.sort_by(|a, b| first(b).total_cmp(&first(a)));
    groups
}

fn seed_group((settings, members): (Map<String, Value>, Vec<&Outcome>)) -> SeedGroup {
    let names = members[0].figures.iter().map(|(name, _)| name);
    let spread = |(at, name): (usize, &String)| {
        let values = members.iter().filter_map(|member| member.figures.get(at));
        let values: Vec<f64> = values.map(|(_, value)| *value).collect();
        Some(NamedSpread {
            figure: name.clone(),
            spread: Spread::of(&values)?,
        })
    };
    SeedGroup {
        figures: names.enumerate().filter_map(spread).collect(),
        settings,
        seeds: members.len(),
    }
}

fn runs_table(outcomes: &[Outcome]) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_BORDERS_ONLY);
    let longest = outcomes.iter().max_by_key(|outcome| outcome.figures.len());
    let figures = longest
        .into_iter()
        .flat_map(|o| o.figures.iter().map(|(name, _)| &**name));
    let figures: Vec<&str> = figures.collect();
    table.set_header(["run"].iter().chain(&figures).chain(&["seconds"]));
    for outcome in outcomes {
        let mut row = vec![outcome.run.clone()];
        row.extend((0..figures.len()).map(|at| {
            let value = outcome.figures.get(at);
            value.map_or_else(String::new, |(_, value)| format!("{value:.4}"))
        }));
        row.push(format!("{:.0}", outcome.seconds));
        table.add_row(row);
    }
    table
}

fn seeds_table(groups: &[SeedGroup]) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_BORDERS_ONLY);
    table.set_header(["over seeds", "seeds", "mean and standard deviation"]);
    for group in groups {
        let settings: Vec<String> = (group.settings.iter())
            .map(|(key, value)| format!("{key} {value}"))
            .collect();
        let figures: Vec<String> = (group.figures.iter())
            .map(|NamedSpread { figure, spread }| {
                let deviation = spread.deviation.unwrap_or(0.0);
                format!("{figure} {:.4} ± {deviation:.4}", spread.mean)
            })
            .collect();
        table.add_row([
            settings.join(", "),
            group.seeds.to_string(),
            figures.join(", "),
        ]);
    }
    table
}

#[cfg(test)]
mod tests;
