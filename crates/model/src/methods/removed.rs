//! Settings of methods that earlier versions had. Bundles and configurations that name them are read as long as they
//! ask for what is still done.

/// Method, setting, and the only value that is still read, as JSON; empty if every value is, since the setting had an
/// effect on training alone.
const REMOVED: &[(&str, &str, &str)] = &[
    ("dc4sr", "fusion", "\"net\""),
    ("dc4sr", "base_rate", ""),
    ("iadsr", "labels", ""),
    ("iadsr", "semantics", "true"),
    ("mgsd-wss", "kernel", "\"gaussian\""),
    ("mgsd-wss", "pooled", "true"),
    ("mgsd-wss", "target", ""),
    ("mgsd-wss", "gumbel_temperature", ""),
    ("mgsd-wss", "contrast_temperature", ""),
    ("mgsd-wss", "weak_signal", ""),
    ("mgsd-wss", "item_contrast", ""),
    ("mgsd-wss", "interest_contrast", ""),
    ("mgsd-wss", "recommendation", ""),
];

/// Takes settings that were removed out of a method's settings: `take` removes one by name and returns its value as JSON
/// or TOML text.
///
/// # Errors
/// A message, if a setting has a value that is no longer read.
pub fn take_removed(
    method: &str,
    mut take: impl FnMut(&str) -> Option<String>,
) -> Result<(), String> {
    for &(_, key, read) in REMOVED.iter().filter(|(of, ..)| *of == method) {
        match take(key) {
            Some(found) if !read.is_empty() && found != read => {
                return Err(format!(
                    "{key} = {found} is no longer supported; {method} always has {key} = {read}"
                ));
            }
            _ => (),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Map, Value, json};

    fn taken(method: &str, settings: Value) -> Result<Value, String> {
        let mut settings: Map<String, Value> = serde_json::from_value(settings).expect("settings");
        take_removed(method, |key| Some(settings.remove(key)?.to_string()))?;
        Ok(settings.into())
    }

    #[test]
    fn settings_that_ask_for_what_is_still_done_are_taken_out_and_others_are_refused() {
        let old = json!({ "scorer_width": 32, "fusion": "net", "base_rate": 0.1 });
        assert_eq!(taken("dc4sr", old), Ok(json!({ "scorer_width": 32 })));
        let error = taken("dc4sr", json!({ "fusion": "poe" })).expect_err("refused");
        assert!(error.contains("fusion = \"poe\""), "{error}");
        let error = taken("mgsd-wss", json!({ "pooled": false })).expect_err("refused");
        assert!(error.contains("pooled = false"), "{error}");
        let error = taken("iadsr", json!({ "semantics": false })).expect_err("refused");
        assert!(error.contains("semantics = false"), "{error}");
        let other = json!({ "fusion": "net" });
        assert_eq!(
            taken("iadsr", other.clone()),
            Ok(other),
            "of another method"
        );
    }
}
