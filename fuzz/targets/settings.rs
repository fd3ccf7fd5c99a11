//! The settings of a training: TOML, overrides as on the command line, and a method.
//!
//! Lines that begin with `--set ` or `--method ` are taken from the text and given apart.

#![no_main]

use ingle_fuzz::json::Chance;
use ingle_fuzz::within;
use ingle_settings::Config;
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

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

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    match changed(&data[..size], seed).filter(|text| text.len() <= max_size) {
        Some(text) => {
            data[..text.len()].copy_from_slice(text.as_bytes());
            text.len()
        }
        None => fuzzer_mutate(data, size, max_size),
    }
});

/// The same settings with one value, or one of a list, put in another's place; nothing in half of the cases.
fn changed(text: &[u8], seed: u32) -> Option<String> {
    if seed.is_multiple_of(2) {
        return None;
    }
    let mut chance = Chance(u64::from(seed));
    let text = str::from_utf8(text).ok()?;
    let values: Vec<(usize, &str)> = text
        .split_inclusive(['=', ',', '[', ']', '\n'])
        .scan(0, |end, part| {
            let start = *end;
            *end += part.len();
            Some((start, part.trim_end_matches([',', ']', '\n'])))
        })
        .filter(|(start, part)| {
            text[..*start].ends_with(['=', ',', '[']) && !part.trim().is_empty()
        })
        .collect();
    let (start, value) = values.get(chance.below(values.len().max(1)))?;
    let strange = STRANGE[chance.below(STRANGE.len())];
    Some([&text[..*start], strange, &text[start + value.len()..]].concat())
}

const STRANGE: [&str; 18] = [
    "0",
    "1",
    "2",
    "-1",
    "0.5",
    "1.0",
    "-0.5",
    "1e-46",
    "1e39",
    "inf",
    "-inf",
    "nan",
    "4294967296",
    "9223372036854775807",
    "true",
    "\"\"",
    "[]",
    "{}",
];

/// What was read is written with the run and read again as it was.
fn check(config: &Config) {
    config.validate().expect("it was checked");
    for share in [0.0, 0.5, 1.0] {
        assert!(config.training.rate(share).is_finite());
    }
    let text = toml::to_string(config).expect("settings are TOML");
    let again = Config::of(&text, &[], None).expect("what was written is read");
    assert_eq!(&again, config);
}
