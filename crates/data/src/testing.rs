//! Small datasets for tests.

use super::{Dataset, Item, Meta, Options, Parts, Protocol, Source, Summary};

/// The given histories of users `u0`, `u1`, ...; items `i1`, `i2`, ... up to the largest index.
pub fn parts(histories: &[&[u32]], unseen: &[usize]) -> Parts {
    let clicks = histories.concat();
    let largest = clicks.iter().copied().max().unwrap_or(0);
    let mut offsets = vec![0];
    for history in histories {
        offsets.push(offsets[offsets.len() - 1] + history.len());
    }
    Parts {
        offsets,
        timestamps: (0..clicks.len() as i64).collect(),
        clicks,
        unseen: (0..histories.len())
            .map(|user| unseen.contains(&user))
            .collect(),
        users: (0..histories.len())
            .map(|user| format!("u{user}"))
            .collect(),
        items: (1..=largest)
            .map(|index| Item {
                id: format!("i{index}"),
                title: None,
                category: None,
            })
            .collect(),
        weights: None,
        relabelled: None,
    }
}

/// The same as a checked dataset.
pub fn dataset(histories: &[&[u32]], unseen: &[usize]) -> Dataset {
    from_parts(parts(histories, unseen))
}

/// A dataset of these parts with some meta data.
pub fn from_parts(parts: Parts) -> Dataset {
    let meta = Meta {
        name: "test".to_owned(),
        ingle: "0.1.0".to_owned(),
        sources: vec![Source {
            file: "clicks.csv".to_owned(),
            bytes: 10,
            rows: 2,
        }],
        options: Options::default(),
        split: Protocol::default(),
        summary: Summary::default(),
        corruption: None,
    };
    Dataset::new(parts, meta).unwrap()
}
