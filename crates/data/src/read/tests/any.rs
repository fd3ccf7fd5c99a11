//! Damaged files of every kind: they are read or refused, and nothing panics.

use super::*;
use rand::{RngExt as _, SeedableRng as _};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Files of every format, as sources have them.
fn files_of_all_kinds() -> Vec<(String, Vec<u8>)> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/import/fixtures");
    let mut kinds: Vec<(String, Vec<u8>)> = files(&[fixtures])
        .expect("fixtures")
        .into_iter()
        .map(|path| {
            let name = path
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            (name, fs::read(&path).expect("a fixture"))
        })
        .collect();
    let log = "user_id,item_id,timestamp\nann,x,5\nbob,\"y\ny\",1700000000123\ncat,1.0,2024-05-03 10:00:00 +0100\n";
    let users: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
    let items: ArrayRef = Arc::new(StringArray::from(vec!["x", "y", "z"]));
    let table = parquet(vec![
        ("user_id", users.clone()),
        ("item_id", items),
        ("timestamp", users),
    ]);
    kinds.push(("log.parquet".to_owned(), table));
    kinds.push(("log.csv.gz".to_owned(), shapes::gzip(log)));
    kinds.push((
        "log.csv.zst".to_owned(),
        zstd::encode_all(log.as_bytes(), 1).expect("packs"),
    ));
    kinds.push(("log.csv".to_owned(), log.as_bytes().to_vec()));
    kinds
}

fn damaged(bytes: &[u8], rng: &mut Xoshiro256PlusPlus) -> Vec<u8> {
    const PIECES: [&[u8]; 10] = [
        b"\"",
        b"\n",
        b",",
        b"[",
        b"{",
        b"}",
        b"\xff\xfe",
        b"\x00",
        b"</",
        b"1e999",
    ];
    let mut bytes = bytes.to_vec();
    for _ in 0..rng.random_range(1..6) {
        let at = rng.random_range(0..=bytes.len());
        match rng.random_range(0..4) {
            0 => bytes.truncate(at),
            1 => {
                let piece = PIECES[rng.random_range(0..PIECES.len())];
                bytes.splice(at..at, piece.iter().copied());
            }
            2 if at < bytes.len() => bytes[at] = rng.random(),
            _ => {
                let end = (at + rng.random_range(0..40)).min(bytes.len());
                bytes.drain(at..end);
            }
        }
    }
    bytes
}

#[test]
fn damaged_files_of_every_kind_are_read_or_refused_in_few_words() {
    let dir = Folder::new();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(26);
    let columns = [
        ("user_id", "session"),
        ("timestamp", "events.ts"),
        ("title", "name"),
    ];
    let named = Reading::of(columns.map(|(a, b)| (a.to_owned(), b.to_owned())).into());
    let mut placed = Reading::of(
        [("user_id", "1"), ("item_id", "2"), ("timestamp", "3")]
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .into(),
    );
    placed.header = Some(false);
    let told = |error: InputError| {
        let message = error.to_string();
        assert!(
            !message.is_empty() && message.len() < 4096,
            "{} bytes: {message:.200}",
            message.len()
        );
    };
    for (name, bytes) in files_of_all_kinds() {
        for _ in 0..30 {
            let file = dir.file(&name, damaged(&bytes, &mut rng));
            for reading in [&Reading::default(), &named, &placed] {
                let mut log = Log::default();
                match interactions(&file, reading, &mut log) {
                    Ok(()) => {
                        assert_eq!(log.rows, log.clicks.len() + log.bad.count, "{name}");
                        assert!(
                            log.bad.shown().iter().all(|row| row.reason.len() < 3000),
                            "{name}"
                        );
                        assert!(log.said().iter().all(|note| note.len() < 4096), "{name}");
                    }
                    Err(error) => told(error),
                }
                let mut bad = BadRows::default();
                let catalogue = items(&file, reading, false, &mut bad)
                    .map_err(told)
                    .unwrap_or_default();
                settle(&mut log, &catalogue);
                let mut found = Windows::default();
                windows(&file, reading, false, &mut found)
                    .map_err(told)
                    .unwrap_or_default();
                match look(&file, reading) {
                    Ok(seen) => assert!(seen.command.starts_with("ingle prepare"), "{name}"),
                    Err(error) => told(error),
                }
            }
        }
    }
}
