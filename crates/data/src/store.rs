//! A dataset as a folder.
//!
//! `dataset.json` (layout version first, content hash, metadata), `sequences.safetensors` (offsets, items, timestamps,
//! unseen; weights if there are any; noise labels if there are any; and the original clicks if `ingle corrupt` replaced
//! some), `items.jsonl` and `users.jsonl`. They are written and read in blocks or lines, and the content hash is
//! computed and compared while reading: a damaged folder is rejected before it is used.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Write};
use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::dataset::{Dataset, Item, Parts};
use super::error::InputError;
use super::folder::{self, what_is};
use super::meta::Meta;
use super::sequences::{self, Wrong};

/// Version of the layout. Version 2 added windows, and labels without original clicks; version 3 inserted clicks;
/// version 4 weights. The contents of older versions are read unchanged.
const VERSION: u64 = 4;
/// The oldest version that can be read.
const OLDEST: u64 = 1;
const ABOUT: &str = "dataset.json";
const SEQUENCES: &str = "sequences.safetensors";
const ITEMS: &str = "items.jsonl";
const USERS: &str = "users.jsonl";

#[derive(Serialize, Deserialize)]
struct About {
    format: u64,
    hash: String,
    #[serde(flatten)]
    meta: Meta,
}

#[derive(Serialize, Deserialize)]
struct User<T> {
    user_id: T,
}

impl Dataset {
    /// Opens a folder written by [`Dataset::save`]; rejects other versions and damaged content.
    pub fn open(dir: &Path) -> Result<Self, InputError> {
        let about = read_about(dir)?;
        let mut parts = read_sequences(dir)?;
        read_lines(dir, ITEMS, |item: Item| parts.items.push(item))?;
        read_lines(dir, USERS, |user: User<String>| {
            parts.users.push(&user.user_id);
        })?;
        let data = Self::new(parts, about.meta).map_err(|reason| damaged(dir, &reason))?;
        if data.hash() != about.hash {
            return Err(damaged(dir, "its content is not what its hash says"));
        }
        Ok(data)
    }

    /// Writes the dataset as the folder `dir`, atomically. Replaces an older dataset or an empty folder; rejects
    /// anything else.
    pub fn save(&self, dir: &Path) -> Result<()> {
        check_target(dir)?;
        self.save_over(dir)
    }

    /// As [`Dataset::save`], but into any folder; its other files are kept.
    pub fn save_over(&self, dir: &Path) -> Result<()> {
        if dir.exists() && !dir.is_dir() {
            return Err(InputError::dataset(dir, "is a file; name a folder to write to").into());
        }
        let about = About {
            format: VERSION,
            hash: self.hash().to_owned(),
            meta: self.meta().clone(),
        };
        let mut json = serde_json::to_vec_pretty(&about)?;
        json.push(b'\n');
        let parts = self.parts();
        let users = || parts.users.iter().map(|user_id| User { user_id });
        let files: [(&str, folder::Content<'_>); 4] = [
            (SEQUENCES, &|file| sequences::write(parts, file)),
            (ITEMS, &|file| write_lines(file, parts.items.iter())),
            (USERS, &|file| write_lines(file, users())),
            (ABOUT, &|file| file.write_all(&json)),
        ];
        folder::replace(dir, &files)
    }
}

/// Rejects a folder that exists and is not a dataset.
pub fn check_target(dir: &Path) -> Result<(), InputError> {
    if !dir.exists() {
        return Ok(());
    }
    if !dir.is_dir() {
        return Err(InputError::dataset(
            dir,
            "is a file; name a folder to write to",
        ));
    }
    let mut entries = fs::read_dir(dir).map_err(InputError::read(dir))?;
    if entries.next().is_none() || is_dataset(dir) {
        return Ok(());
    }
    let reason =
        "is not empty and not a dataset; name another folder, or write into it with --force";
    Err(InputError::dataset(dir, reason))
}

/// Whether the folder holds a dataset of any version.
fn is_dataset(dir: &Path) -> bool {
    let about = fs::read(dir.join(ABOUT)).ok();
    let about = about.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    about.is_some_and(|about| about["format"].is_u64() && about["hash"].is_string())
}

fn read_about(dir: &Path) -> Result<About, InputError> {
    let path = dir.join(ABOUT);
    if !path.exists() {
        let reason = format!(
            "is no dataset (it has no {ABOUT}): {}. `ingle prepare --interactions FILE --out DATA` makes one",
            what_is(dir)
        );
        return Err(InputError::dataset(dir, reason));
    }
    let bytes = fs::read(&path).map_err(InputError::read(&path))?;
    let about: Value = serde_json::from_slice(&bytes)
        .map_err(|error| damaged(dir, &format!("{ABOUT} cannot be read ({error})")))?;
    match about["format"].as_u64() {
        Some(OLDEST..=VERSION) => {}
        Some(other) => {
            let reason = format!(
                "has layout version {other}, and this program reads {OLDEST} to {VERSION}: prepare it anew, \
                 or use the version of ingle that wrote it"
            );
            return Err(InputError::dataset(dir, reason));
        }
        None => return Err(damaged(dir, &format!("{ABOUT} has no format"))),
    }
    serde_json::from_value(about)
        .map_err(|error| damaged(dir, &format!("{ABOUT} cannot be read ({error})")))
}

fn damaged(dir: &Path, what: &str) -> InputError {
    InputError::dataset(
        dir,
        format!("is damaged: {what}; run `ingle prepare` again"),
    )
}

fn read_lines<T: DeserializeOwned>(
    dir: &Path,
    name: &str,
    mut each: impl FnMut(T),
) -> Result<(), InputError> {
    let path = dir.join(name);
    let mut file = BufReader::new(File::open(&path).map_err(InputError::read(&path))?);
    let mut line = String::new();
    for number in 1.. {
        line.clear();
        if file.read_line(&mut line).map_err(InputError::read(&path))? == 0 {
            break;
        }
        let value = serde_json::from_str(&line)
            .map_err(|error| damaged(dir, &format!("{name}, line {number}: {error}")))?;
        each(value);
    }
    Ok(())
}

fn write_lines<T: Serialize>(
    file: &mut dyn Write,
    values: impl Iterator<Item = T>,
) -> io::Result<()> {
    for value in values {
        serde_json::to_writer(&mut *file, &value)?;
        file.write_all(b"\n")?;
    }
    Ok(())
}

fn read_sequences(dir: &Path) -> Result<Parts, InputError> {
    let path = dir.join(SEQUENCES);
    sequences::read(&path).map_err(|error| match error {
        Wrong::System(source) => InputError::read(&path)(source),
        Wrong::Content(what) => damaged(dir, &format!("{SEQUENCES} {what}")),
    })
}

#[cfg(test)]
mod tests {
    use super::super::corrupt::{Asked, corrupt};
    use super::super::dataset::Relabelled;
    use super::super::testing::{dataset, from_parts, parts};
    use super::*;

    #[test]
    fn a_saved_dataset_opens_as_it_was() {
        let mut parts = parts(&[&[1, 2, 3, 4], &[2, 1]], &[1]);
        parts.users = ["anne, \"the\" 🛒\n", "u1"].into_iter().collect();
        parts.items[0].title = Some("ünïcode \u{2028} and \"quotes\"".to_owned());
        parts.items[1].category = Some("toys".to_owned());
        parts.timestamps[0] = i64::MAX;
        parts.weights = Some(vec![0.0, 0.25, 1.0, 0.5, 1.0, 0.05]);
        parts.relabelled = Some(Relabelled {
            noise: vec![0, 1, 0, 0, 0, 0],
            original: Some(vec![1, 3, 3, 4, 2, 1]),
        });
        let data = from_parts(parts);
        let home = tempfile::tempdir().unwrap();
        data.save(home.path()).unwrap();
        assert_eq!(Dataset::open(home.path()).unwrap(), data);
    }

    #[test]
    fn the_format_is_the_first_thing_in_the_file() {
        let home = tempfile::tempdir().unwrap();
        dataset(&[&[1]], &[]).save(home.path()).unwrap();
        let about = fs::read_to_string(home.path().join(ABOUT)).unwrap();
        assert!(about.starts_with("{\n  \"format\": 4,"), "{about}");
    }

    #[test]
    fn refuses_a_future_version() {
        let home = tempfile::tempdir().unwrap();
        dataset(&[&[1, 2]], &[]).save(home.path()).unwrap();
        let path = home.path().join(ABOUT);
        let about = fs::read_to_string(&path).unwrap();
        fs::write(&path, about.replace("\"format\": 4", "\"format\": 5")).unwrap();
        let error = Dataset::open(home.path()).unwrap_err().to_string();
        assert!(
            error.contains("version 5") && error.contains("reads 1 to 4"),
            "{error}"
        );
    }

    #[test]
    fn opens_a_dataset_of_the_first_version() {
        let home = tempfile::tempdir().unwrap();
        let asked = Asked {
            rate: Some(1.0),
            ..Asked::default()
        };
        let data = corrupt(&dataset(&[&[1, 2, 3]], &[]), &asked).unwrap();
        data.save(home.path()).unwrap();
        let path = home.path().join(ABOUT);
        let about = fs::read_to_string(&path).unwrap();
        let about = about.replace("\"noisy\"", "\"replaced\"");
        fs::write(&path, about.replace("\"format\": 4", "\"format\": 1")).unwrap();
        assert_eq!(Dataset::open(home.path()).unwrap(), data);
    }

    #[test]
    fn refuses_truncated_sequences() {
        let home = tempfile::tempdir().unwrap();
        dataset(&[&[1, 2, 3]], &[]).save(home.path()).unwrap();
        let path = home.path().join(SEQUENCES);
        let bytes = fs::read(&path).unwrap();
        for length in [0, 7, bytes.len() / 2, bytes.len() - 1] {
            fs::write(&path, &bytes[..length]).unwrap();
            let error = Dataset::open(home.path()).unwrap_err().to_string();
            assert!(
                error.contains("sequences.safetensors is truncated"),
                "{error}"
            );
        }
    }

    #[test]
    fn refuses_changed_content() {
        let home = tempfile::tempdir().unwrap();
        dataset(&[&[1, 2, 3]], &[]).save(home.path()).unwrap();
        fs::write(home.path().join(USERS), "{\"user_id\":\"somebody else\"}\n").unwrap();
        let error = Dataset::open(home.path()).unwrap_err().to_string();
        assert!(
            error.contains("hash") && error.contains("prepare"),
            "{error}"
        );
    }

    #[test]
    fn refuses_a_missing_file_and_a_folder_that_is_no_dataset() {
        let home = tempfile::tempdir().unwrap();
        let error = Dataset::open(home.path()).unwrap_err().to_string();
        assert!(error.contains("no dataset.json"), "{error}");
        dataset(&[&[1, 2, 3]], &[]).save(home.path()).unwrap();
        fs::remove_file(home.path().join(ITEMS)).unwrap();
        let error = Dataset::open(home.path()).unwrap_err().to_string();
        assert!(error.contains("items.jsonl"), "{error}");
    }

    #[test]
    fn never_writes_over_a_folder_that_is_no_dataset_unless_forced() {
        let home = tempfile::tempdir().unwrap();
        let treasure = home.path().join("treasure.txt");
        fs::write(&treasure, "gold").unwrap();
        let data = dataset(&[&[1, 2, 3]], &[]);
        let error = data.save(home.path()).unwrap_err();
        assert!(error.downcast_ref::<InputError>().is_some());
        assert!(error.to_string().contains("--force"), "{error}");
        data.save_over(home.path()).unwrap();
        assert_eq!(fs::read_to_string(&treasure).unwrap(), "gold");
        assert_eq!(Dataset::open(home.path()).unwrap().hash(), data.hash());
        data.save_over(&treasure).unwrap_err();
        assert_eq!(fs::read_to_string(&treasure).unwrap(), "gold");
    }

    #[test]
    fn replaces_an_older_dataset() {
        let home = tempfile::tempdir().unwrap();
        dataset(&[&[1, 2, 3]], &[]).save(home.path()).unwrap();
        let newer = dataset(&[&[3, 2, 1], &[1]], &[]);
        newer.save(home.path()).unwrap();
        assert_eq!(Dataset::open(home.path()).unwrap(), newer);
    }
}
