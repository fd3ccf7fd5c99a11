//! Keys of the configuration: overrides, and messages about unknown keys.

use super::{Config, Denoising};
use anyhow::{Result, bail};
use ingle_data::InputError;
use ingle_model::backbone::Kind;
use ingle_model::kept::Rule;
use ingle_model::methods::{self, MethodConfig};

/// Settings that earlier versions had, and what to write instead or why they are gone.
const REMOVED: &[(&str, &str)] = &[
    (
        "gate",
        "what is recommended is ranked over histories without the clicks above thresholds on the probability of noise, \
         which are chosen in training; to set them write keep = [0.125, 0.375, 0.625, 0.875], with thresholds of your own",
    ),
    (
        "training.average",
        "a mean of the weights over epochs gained nothing",
    ),
    (
        "training.mask_seen",
        "leaving a history's items out of the loss gained nothing",
    ),
    (
        "training.replaced",
        "histories without likely noise (keep) gain more than training on replaced clicks",
    ),
    ("training.weight_decay", "it gained nothing"),
    (
        "denoising.attention",
        "the recommender is no longer trained on kept histories, which gained nothing",
    ),
    (
        "denoising.disputed",
        "the language model is refined on the 500 most disputed histories",
    ),
    (
        "denoising.inserted",
        "denoising.sessions inserts clicks of other users",
    ),
    (
        "denoising.patience",
        "all denoising.epochs are run and the best one is kept",
    ),
    (
        "denoising.reader_epochs",
        "the language model is trained for two epochs",
    ),
    (
        "denoising.recommender_epochs",
        "training the recommender on kept histories gained nothing",
    ),
    (
        "denoising.recommender_rates",
        "training the recommender on kept histories gained nothing",
    ),
    (
        "denoising.seen",
        "a tenth of the users is always judged by the recommender that was trained on them as well",
    ),
    (
        "denoising.round_epochs",
        "rounds after the first have a quarter of denoising.epochs",
    ),
];

/// Takes settings out of a configuration that were removed and whose value has no effect on what is done: settings of
/// methods that ask for what the method always does.
///
/// # Errors
/// An input error that says what became of the setting, for the others.
pub(super) fn take_removed(given: &mut toml::Table) -> Result<(), InputError> {
    for &(path, now) in REMOVED {
        let found = match path.split_once('.') {
            None => given.get(path),
            Some((table, key)) => (given.get(table)).and_then(|table| table.get(key)),
        };
        if found.is_some() {
            return Err(InputError::other(format!(
                "there is no {path} any more: {now}"
            )));
        }
    }
    let Some(method) = given.get_mut("method").and_then(toml::Value::as_table_mut) else {
        return Ok(());
    };
    let name = method.get("name").and_then(toml::Value::as_str);
    let name = name.unwrap_or_default().to_owned();
    let taken = methods::take_removed(&name, |key| Some(method.remove(key)?.to_string()));
    taken.map_err(|message| InputError::other(format!("method.{message}")))
}

/// Settings of `[denoising]` that only a method with soft labels (`taught`) reads.
fn of_teachers(settings: &Denoising) -> [(&'static str, f32); 4] {
    [
        ("consistency", settings.consistency),
        ("dynamics", settings.dynamics),
        ("reader_histories", settings.reader_histories as f32),
        ("reading", settings.reading),
    ]
}

/// Refuses settings that the method does not read. 0, which switches off what the method does not have, and the default
/// are no such settings: a configuration that was saved with a run names them all.
///
/// # Errors
/// An input error that names the setting.
pub(super) fn refuse_inapplicable(config: &Config) -> Result<(), InputError> {
    if config.method.taught() {
        return Ok(());
    }
    let usual = of_teachers(&Denoising::default());
    let mut each = of_teachers(&config.denoising).into_iter().zip(usual);
    match each.find(|((_, found), (_, usual))| ![0.0, *usual].contains(found)) {
        None => Ok(()),
        Some(((key, _), _)) => {
            let method = config.method.name();
            Err(InputError::other(format!(
                "denoising.{key} has no effect on the method {method}, which has no soft labels: leave it out"
            )))
        }
    }
}

/// The error for the first unknown key, with the most similar known one.
pub(super) fn misspelt(given: &toml::Table) -> Option<InputError> {
    let mut known = Config {
        keep: Some(Rule::all()),
        ..Config::default()
    };
    // Settings that are absent from the default configuration.
    known.backbone.kind = Kind::GRU4REC;
    known.denoising.log_labels = Some(true);
    let method = given.get("method").and_then(|method| method.get("name"));
    if let Some(method) = method
        .and_then(toml::Value::as_str)
        .and_then(MethodConfig::named)
    {
        known.method = method;
    }
    let known = toml::Table::try_from(known).expect("a configuration is TOML");
    let (path, nearest) = unknown_key(given, &known, "")?;
    Some(InputError::other(format!(
        "the configuration has no {path}{}",
        nearest.map_or_else(String::new, |key| format!("; did you mean {key}?"))
    )))
}

/// Path of the first key of `given` that is not in `known`, and the most similar key of that table.
fn unknown_key(
    given: &toml::Table,
    known: &toml::Table,
    path: &str,
) -> Option<(String, Option<String>)> {
    for (key, value) in given {
        let here = format!("{path}{key}");
        let Some(expected) = known.get(key) else {
            let nearest = (known.keys())
                .map(|other| (strsim::jaro_winkler(key, other), other))
                .filter(|(similarity, _)| *similarity > 0.7)
                .max_by(|a, b| a.0.total_cmp(&b.0));
            return Some((here, nearest.map(|(_, other)| format!("{path}{other}"))));
        };
        if let (Some(given), Some(known)) = (value.as_table(), expected.as_table()) {
            let found = unknown_key(given, known, &format!("{here}."));
            if found.is_some() {
                return found;
            }
        }
    }
    None
}

/// Sets `method.name`. The file's settings for another method are left out.
pub(super) fn choose(table: &mut toml::Table, name: &str) -> Result<()> {
    let Some(chosen) = MethodConfig::named(name) else {
        let all = methods::names().join(", ");
        return Err(
            InputError::other(format!("there is no method {name:?}; there is {all}")).into(),
        );
    };
    let same = (table.get("method").and_then(|m| m.get("name")))
        .and_then(|found| MethodConfig::named(found.as_str()?))
        .is_some_and(|found| found.name() == chosen.name());
    if !same {
        let method = toml::Table::from_iter([("name".to_owned(), name.into())]);
        table.insert("method".to_owned(), method.into());
        let taught = chosen.taught();
        if let Some(denoising) = table
            .get_mut("denoising")
            .and_then(toml::Value::as_table_mut)
        {
            let taught_alone = of_teachers(&Denoising::default()).map(|(key, _)| key);
            denoising.retain(|key, _| taught || !taught_alone.contains(&key));
        }
    }
    Ok(())
}

/// Applies one `a.b=value`. The value is TOML, or else text.
pub fn apply(table: &mut toml::Table, set: &str) -> Result<()> {
    let Some((key, value)) = set.split_once('=') else {
        return Err(InputError::other(format!("--set {set}: expected key=value")).into());
    };
    let value = format!("value = {value}")
        .parse::<toml::Table>()
        .ok()
        .and_then(|mut parsed| parsed.remove("value"))
        .unwrap_or_else(|| value.into());
    let mut parts: Vec<&str> = key.trim().split('.').collect();
    let last = parts.pop().unwrap_or_default();
    let mut place = table;
    for part in parts {
        let entry = (place.entry(part.to_owned())).or_insert_with(|| toml::Table::new().into());
        match entry.as_table_mut() {
            Some(inner) => place = inner,
            None => bail!(InputError::other(format!(
                "--set {set}: {part} is not a table"
            ))),
        }
    }
    place.insert(last.to_owned(), value);
    Ok(())
}
