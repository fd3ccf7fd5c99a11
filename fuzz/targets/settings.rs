//! The settings of a training: TOML, overrides as on the command line, and a method.
//!
//! Lines that begin with `--set ` or `--method ` are taken from the text and given apart.

#![no_main]

use ingle_fuzz::within;
use ingle_settings::Config;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (mut file, mut sets, mut method) = (String::new(), Vec::new(), None);
    for line in text.lines() {
        if let Some(set) = line.strip_prefix("--set ") {
            sets.push(set.to_owned());
        } else if let Some(name) = line.strip_prefix("--method ") {
            method = Some(name);
        } else {
            file.push_str(line);
            file.push('\n');
        }
    }
    within(text.len(), || match Config::of(&file, &sets, method) {
        Ok(config) => check(&config),
        // An input error, which says what to do, and no other.
        Err(error) => {
            assert!(error.is::<ingle_data::InputError>(), "{error:?}");
            assert!(!error.to_string().is_empty());
        }
    });
});

/// What was read is written with the run and read again as it was.
fn check(config: &Config) {
    config.validate().expect("it was checked");
    for share in [0.0, 0.5, 1.0] {
        let pace = config.training.pace(share);
        assert!(pace.rate.is_finite() && pace.weight_decay.is_finite());
    }
    let text = toml::to_string(config).expect("settings are TOML");
    let again = Config::of(&text, &[], None).expect("what was written is read");
    assert_eq!(&again, config);
}
