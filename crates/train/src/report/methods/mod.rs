//! The table of methods: results of many runs, averaged over the seeds of each method.
//!
//! Runs are compared if dataset and backbone are the same. A row is a method, with mean and standard deviation over
//! its seeds; runs of a method that differ in more than the seed are separate rows.

pub(super) mod columns;
pub mod markdown;

use super::measured::Measured;
use super::settings::settings;
use crate::data::InputError;
use crate::metrics::spread::Spread;
pub use columns::tables;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The whole table.
#[derive(Clone, Debug, Serialize)]
pub struct Methods {
    /// Version of the program.
    pub ingle: String,
    /// Groups of methods that can be compared.
    pub sets: Vec<Set>,
}

/// Methods on the same dataset with the same backbone.
#[derive(Clone, Debug, Serialize)]
pub struct Set {
    /// Name of the dataset.
    pub dataset: String,
    /// Hash of its content.
    pub data_hash: String,
    /// Number of items.
    pub items: usize,
    /// The backbone's settings, in words.
    pub backbone: String,
    /// The methods, in the order in which they were first named.
    pub methods: Vec<Method>,
}

/// A method with all its seeds.
#[derive(Clone, Debug, Serialize)]
pub struct Method {
    /// Its name, and in brackets the settings in which it differs from another row of the method.
    pub name: String,
    /// Its runs, by seed.
    pub runs: Vec<Entry>,
}

/// A run with its measurements in a browser.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// Its name, for messages.
    pub run: String,
    /// Its measurements.
    pub measured: Measured,
    /// Its measurements in a browser, if there are any.
    pub browser: Option<Browser>,
}

/// Time of a bundle's recommendations in a browser.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Browser {
    /// Median time of an answer, in milliseconds.
    pub ms: f64,
    /// Clicks per history.
    pub history: usize,
    /// Names of the bundle's files, sorted, without the manifest.
    pub files: Vec<String>,
}

/// A table for display.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Table {
    /// Its title.
    pub title: String,
    /// Description of its columns.
    pub words: String,
    /// Names of the columns after the method's.
    pub head: Vec<String>,
    /// Method name and cells.
    pub rows: Vec<(String, Vec<Cell>)>,
}

/// A cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// Mean and standard deviation as text.
    pub text: String,
    /// Whether it is better than the next by more than the standard deviation.
    pub best: bool,
}

/// Groups runs by method.
///
/// # Errors
/// If a method has the same seed twice.
pub fn methods(entries: Vec<Entry>) -> Result<Methods, InputError> {
    let mut sets: Vec<(Set, Vec<Vec<Entry>>)> = Vec::new();
    for entry in entries {
        let new = set(&entry.measured);
        let same = |(set, _): &(Set, _)| {
            (&set.data_hash, &set.backbone) == (&new.data_hash, &new.backbone)
        };
        let at = sets.iter().position(same).unwrap_or_else(|| {
            sets.push((new.clone(), Vec::new()));
            sets.len() - 1
        });
        add(&mut sets[at].1, entry)?;
    }
    let sets = sets.into_iter().map(|(set, groups)| Set {
        methods: named(groups),
        ..set
    });
    Ok(Methods {
        ingle: env!("CARGO_PKG_VERSION").to_owned(),
        sets: sets.collect(),
    })
}

/// The set to which a run belongs, without methods.
fn set(of: &Measured) -> Set {
    let backbone = settings(&of.config.backbone);
    let words = backbone
        .iter()
        .map(|(key, value)| format!("{} {value}", key.replace('_', " ")));
    Set {
        dataset: of.dataset.clone(),
        data_hash: of.data_hash.clone(),
        items: of.items,
        backbone: words.collect::<Vec<_>>().join(", "),
        methods: Vec::new(),
    }
}

fn add(groups: &mut Vec<Vec<Entry>>, entry: Entry) -> Result<(), InputError> {
    let ours = apart_from_seed(&entry);
    let Some(group) = groups
        .iter_mut()
        .find(|group| apart_from_seed(&group[0]) == ours)
    else {
        groups.push(vec![entry]);
        return Ok(());
    };
    let seed = entry.measured.config.seed;
    if let Some(twin) = (group.iter()).find(|other| other.measured.config.seed == seed) {
        return Err(InputError::other(format!(
            "{} and {} are of the same settings and the same seed: name one of them",
            twin.run, entry.run
        )));
    }
    group.push(entry);
    group.sort_by_key(|entry| entry.measured.config.seed);
    Ok(())
}

fn apart_from_seed(entry: &Entry) -> BTreeMap<String, String> {
    let all = settings(&entry.measured.config).into_iter();
    all.filter(|(key, _)| key != "seed").collect()
}

/// Rows named by method, with the settings in which rows of the same method differ.
fn named(groups: Vec<Vec<Entry>>) -> Vec<Method> {
    let settings: Vec<_> = groups
        .iter()
        .map(|group| apart_from_seed(&group[0]))
        .collect();
    let method = |group: &[Entry]| group[0].measured.config.method.name();
    let names: Vec<String> = (groups.iter().zip(&settings))
        .map(|(group, own)| {
            let others = groups.iter().zip(&settings);
            let others = others.filter(|(other, _)| method(other) == method(group));
            let others: Vec<_> = others.map(|(_, settings)| settings).collect();
            let differs = own
                .iter()
                .filter(|(key, value)| others.iter().any(|other| other.get(*key) != Some(*value)));
            let differs: Vec<String> = differs
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            if differs.is_empty() {
                method(group).to_owned()
            } else {
                format!("{} ({})", method(group), differs.join(", "))
            }
        })
        .collect();
    let rows = names.into_iter().zip(groups);
    rows.map(|(name, runs)| Method { name, runs }).collect()
}

impl Method {
    /// Mean and standard deviation of a figure; `None` if a run does not have it.
    pub fn spread(&self, figure: impl Fn(&Entry) -> Option<f64>) -> Option<Spread> {
        let values: Option<Vec<f64>> = self.runs.iter().map(figure).collect();
        Spread::of(&values?)
    }
}

impl Entry {
    /// The time in a browser, if it was measured with this run's bundle.
    pub fn browser_ms(&self) -> Option<f64> {
        let browser = self.browser.as_ref()?;
        (browser.files == self.measured.bundle.files).then_some(browser.ms)
    }
}

#[cfg(test)]
pub(super) mod tests;
