//! Settings as text.

use serde::Serialize;

/// Settings by their paths, such as `training.epochs`.
///
/// # Panics
/// If they do not serialise to a TOML table, as all configurations do.
pub(super) fn settings(of: &impl Serialize) -> Vec<(String, String)> {
    let table = toml::Table::try_from(of).expect("a configuration is TOML");
    let mut settings = Vec::new();
    flatten("", &table, &mut settings);
    settings
}

fn flatten(path: &str, table: &toml::Table, settings: &mut Vec<(String, String)>) {
    for (key, value) in table {
        match value.as_table() {
            Some(inner) => flatten(&format!("{path}{key}."), inner, settings),
            None => settings.push((format!("{path}{key}"), plain(value))),
        }
    }
}

/// A value as text, without the superfluous digits of 32-bit floats.
fn plain(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Float(number) => {
            let short = (number * 1e6).round() / 1e6;
            let short = if short == 0.0 { *number } else { short };
            short.to_string()
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_shown_as_they_were_written() {
        let shown = |value: toml::Value| plain(&value);
        assert_eq!(shown(f64::from(0.1f32).into()), "0.1");
        assert_eq!(shown(0.001.into()), "0.001");
        assert_eq!(shown(1e-9.into()), "0.000000001");
        assert_eq!(shown("cosine".into()), "cosine");
    }
}
