//! Damaged bundles of every kind: the answer is a bundle or a refusal, never a panic.
//!
//! A damaged byte alone only ever meets the hash check, so the files are also damaged and then sealed
//! again, with a manifest that agrees, and what reads their contents has to cope.

use ingle_bundle::MANIFEST;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::support::Files;

/// One change of some bytes.
#[derive(Clone, Debug)]
enum Damage {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Truncate(Index),
    Repeat(Index, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    // Bytes with a meaning in JSON and in safetensors headers come more often than chance has it.
    let telling = proptest::sample::select(b"0123456789-.eE\"{}[],:nNtf\\/\0\xff".to_vec());
    let byte = prop_oneof![telling, any::<u8>()];
    prop_oneof![
        (any::<Index>(), byte.clone()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        (any::<Index>(), vec(byte, 1..12)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        (any::<Index>(), 1_usize..40).prop_map(|(at, length)| Damage::Remove(at, length)),
        any::<Index>().prop_map(Damage::Truncate),
        (any::<Index>(), 1_usize..200).prop_map(|(at, length)| Damage::Repeat(at, length)),
    ]
}

impl Damage {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let place = |at: &Index| at.index(bytes.len() + 1);
        match self {
            Self::Set(at, byte) => {
                let at = place(at);
                if let Some(old) = bytes.get_mut(at) {
                    *old = *byte;
                }
            }
            Self::Insert(at, more) => {
                let at = place(at);
                bytes.splice(at..at, more.iter().copied());
            }
            Self::Remove(at, length) => {
                let at = place(at);
                bytes.drain(at..bytes.len().min(at + length));
            }
            Self::Truncate(at) => {
                let at = place(at);
                bytes.truncate(at);
            }
            Self::Repeat(at, length) => {
                let at = place(at);
                let span = at..bytes.len().min(at + length);
                bytes.extend_from_within(span);
            }
        }
    }
}

/// What opens must hold together: one popularity and one id for each row, and every row readable.
fn open_or_refuse(files: &Files) {
    match files.open() {
        Ok(bundle) => {
            assert_eq!(bundle.items.rows, bundle.manifest.items.count);
            assert_eq!(bundle.ids.len(), bundle.items.rows);
            assert_eq!(bundle.popularity.len(), bundle.items.rows);
            let code_width = bundle.manifest.items.code_width;
            assert_eq!(bundle.codes.len(), bundle.items.rows * code_width);
            let mut row = vec![0.0; bundle.items.width];
            for r in 0..bundle.items.rows {
                bundle.items.row(r, &mut row);
                assert!(row.iter().all(|x| x.is_finite()), "row {r} is {row:?}");
            }
        }
        Err(error) => {
            assert!(error.code().starts_with("bundle/"));
            assert!(error.to_string().len() > 20, "{error}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_damaged_manifest_never_panics(damages in vec(damage(), 1..4)) {
        let mut files = Files::golden();
        let manifest = files.0.get_mut(MANIFEST).unwrap();
        for damage in &damages {
            damage.apply(manifest);
        }
        open_or_refuse(&files);
    }

    #[test]
    fn a_damaged_file_with_a_manifest_that_agrees_never_panics(
        role in proptest::sample::select(vec!["model", "items", "ids"]),
        damages in vec(damage(), 1..4),
    ) {
        let files = Files::golden().replace(role, |bytes| {
            for damage in &damages {
                damage.apply(bytes);
            }
        });
        open_or_refuse(&files);
    }
}
