//! Keys of the configuration: overrides, and messages about unknown keys.

use super::Config;
use anyhow::{Result, bail};
use ingle_data::InputError;
use ingle_model::backbone::Kind;
use ingle_model::kept::Rule;
use ingle_model::methods::{MethodConfig, NAMES};

/// The error for a setting that was removed, if there is one.
pub(super) fn outdated(given: &toml::Table) -> Option<InputError> {
    given.contains_key("gate").then(|| {
        InputError::other(
            "there is no [gate] any more: what is recommended is ranked over histories without the clicks above \
             thresholds on the probability of noise, which are chosen in training; to set them write \
             keep = [0.125, 0.375, 0.625, 0.875] in place of the table, with thresholds of your own",
        )
    })
}

/// The error for the first unknown key, with the most similar known one.
pub(super) fn misspelt(given: &toml::Table) -> Option<InputError> {
    if let Some(error) = outdated(given) {
        return Some(error);
    }
    let mut known = Config {
        keep: Some(Rule::all()),
        ..Config::default()
    };
    // Settings that are absent from the default configuration.
    known.backbone.kind = Kind::Gru4rec;
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
                .filter(|(likeness, _)| *likeness > 0.7)
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

/// Sets `method.name`; the file's method settings are kept if they are for that method.
pub(super) fn choose(table: &mut toml::Table, name: &str) -> Result<()> {
    if !NAMES.contains(&name) {
        let all = NAMES.join(", ");
        return Err(
            InputError::other(format!("there is no method {name:?}; there is {all}")).into(),
        );
    }
    let same = (table.get("method").and_then(|m| m.get("name")))
        .is_some_and(|found| found.as_str() == Some(name));
    if !same {
        let method = toml::Table::from_iter([("name".to_owned(), name.into())]);
        table.insert("method".to_owned(), method.into());
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
