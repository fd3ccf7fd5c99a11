//! The hash of a dataset's content. Values are hashed, not files, so that the hash does not depend on the
//! layout.

use sha2::{Digest as _, Sha256};

use super::dataset::{Parts, Relabelled};
use super::protocol::Protocol;

/// SHA-256 in hex over all values that training or evaluation uses.
pub(super) fn content(parts: &Parts, split: Protocol) -> String {
    let mut hasher = Sha256::new();
    hasher.update(b"ingle dataset 1\n");
    let moments = match split {
        Protocol::LeaveOneOut => None,
        Protocol::Time {
            valid_from,
            test_from,
        } => Some(("split by time", [valid_from, test_from])),
        Protocol::Windows {
            valid_from,
            test_from,
        } => Some(("split by windows", [valid_from, test_from])),
    };
    if let Some((by, moments)) = moments {
        hasher.update(by);
        numbers(&mut hasher, &moments, |n| n.to_le_bytes());
    }
    numbers(&mut hasher, &parts.offsets, |&n| (n as u64).to_le_bytes());
    numbers(&mut hasher, &parts.clicks, |n| n.to_le_bytes());
    numbers(&mut hasher, &parts.timestamps, |n| n.to_le_bytes());
    if let Some(weights) = &parts.weights {
        hasher.update(b"weights");
        numbers(&mut hasher, weights, |x| x.to_le_bytes());
    }
    numbers(&mut hasher, &parts.unseen, |&b| [u8::from(b)]);
    labels(&mut hasher, parts.relabelled.as_ref());
    hasher.update((parts.users.len() as u64).to_le_bytes());
    for user in parts.users.iter() {
        text(&mut hasher, Some(user));
    }
    hasher.update((parts.items.len() as u64).to_le_bytes());
    for item in &parts.items {
        text(&mut hasher, Some(&item.id));
        text(&mut hasher, item.title.as_deref());
        text(&mut hasher, item.category.as_deref());
    }
    hex(&hasher.finalize())
}

/// Hashes the labels: none, with the original clicks, or alone.
fn labels(hasher: &mut Sha256, truth: Option<&Relabelled>) {
    let Some(Relabelled { noise, original }) = truth else {
        return hasher.update([0]);
    };
    hasher.update([if original.is_some() { 1 } else { 2 }]);
    numbers(hasher, noise, |&b| [b]);
    if let Some(original) = original {
        numbers(hasher, original, |n| n.to_le_bytes());
    }
}

/// Hashes a list with its length first, in blocks that fit into the cache.
fn numbers<T, const N: usize>(hasher: &mut Sha256, values: &[T], bytes: impl Fn(&T) -> [u8; N]) {
    hasher.update((values.len() as u64).to_le_bytes());
    let mut block = Vec::with_capacity(4096 * N);
    for chunk in values.chunks(4096) {
        block.clear();
        block.extend(chunk.iter().flat_map(&bytes));
        hasher.update(&block);
    }
}

/// Hashes a text with its length first; `None` differs from an empty text.
fn text(hasher: &mut Sha256, text: Option<&str>) {
    let length = text.map_or(u64::MAX, |t| t.len() as u64);
    hasher.update(length.to_le_bytes());
    hasher.update(text.unwrap_or_default().as_bytes());
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::parts;
    use super::*;

    #[test]
    fn changes_with_every_part_of_the_content() {
        type Change<'a> = (&'a str, &'a dyn Fn(&mut Parts));
        let base = parts(&[&[1, 2, 3], &[3, 1]], &[]);
        let truth = |noise: [u8; 5], original: [u32; 5]| {
            let (noise, original) = (noise.to_vec(), Some(original.to_vec()));
            Some(Relabelled { noise, original })
        };
        let changes: [Change<'_>; 9] = [
            ("clicks", &|p| p.clicks[0] = 3),
            ("offsets", &|p| p.offsets[1] = 2),
            ("timestamps", &|p| p.timestamps[4] += 1),
            ("unseen", &|p| p.unseen[1] = true),
            ("users", &|p| p.users = ["u0x", "u1"].into_iter().collect()),
            ("title", &|p| p.items[0].title = Some(String::new())),
            ("labels", &|p| p.relabelled = truth([0; 5], [1, 2, 3, 3, 1])),
            ("truth", &|p| {
                p.relabelled = truth([0, 1, 0, 0, 0], [1, 3, 3, 3, 1]);
            }),
            ("labels alone", &|p| {
                let noise = vec![0, 1, 0, 0, 0];
                let original = None;
                p.relabelled = Some(Relabelled { noise, original });
            }),
        ];
        let mut seen = vec![content(&base, Protocol::LeaveOneOut)];
        assert_eq!(seen[0].len(), 64);
        for (what, change) in changes {
            let mut changed = base.clone();
            change(&mut changed);
            let hash = content(&changed, Protocol::LeaveOneOut);
            assert!(!seen.contains(&hash), "{what} is not in the hash");
            seen.push(hash);
        }
        for (valid_from, test_from) in [(1, 2), (2, 2)] {
            let time = Protocol::Time {
                valid_from,
                test_from,
            };
            let windows = Protocol::Windows {
                valid_from,
                test_from,
            };
            for split in [time, windows] {
                let hash = content(&base, split);
                assert!(!seen.contains(&hash), "the split is not in the hash");
                seen.push(hash);
            }
        }
    }

    #[test]
    fn a_boundary_between_texts_cannot_move_unnoticed() {
        let mut left = parts(&[&[1], &[2]], &[]);
        let mut right = left.clone();
        left.users = ["ab", "c"].into_iter().collect();
        right.users = ["a", "bc"].into_iter().collect();
        let hash = |parts| content(parts, Protocol::LeaveOneOut);
        assert_ne!(hash(&left), hash(&right));
    }
}
