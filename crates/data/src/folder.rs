//! Folders: what they are, and their atomic replacement.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// Writes the content of a file.
pub(super) type Content<'a> = &'a dyn Fn(&mut dyn Write) -> io::Result<()>;

/// Writes `files` into the folder `dir`. They are written into a folder beside it, which then replaces it by
/// renaming, so that a reader or a crash finds either the old folder or the new one. Other files of the old
/// folder are kept.
pub(super) fn replace(dir: &Path, files: &[(&str, Content<'_>)]) -> Result<()> {
    let dir = absolute(dir).with_context(|| format!("cannot write {}", dir.display()))?;
    let new = sibling(&dir, "new");
    let old = sibling(&dir, "old");
    let written = fill(&new, files).and_then(|()| swap(&dir, &new, &old, files));
    if written.is_err() {
        // Best effort: the first error is reported.
        let _ = fs::remove_dir_all(&new);
    }
    written.with_context(|| format!("cannot write {}", dir.display()))
}

/// What a folder is, by the files in it. For messages about a folder that is not what was expected.
pub fn what_is(dir: &Path) -> &'static str {
    const KINDS: [(&str, &str); 4] = [
        ("run.json", "it is a run"),
        ("dataset.json", "it is a dataset"),
        ("manifest.json", "it is a bundle"),
        ("reader.json", "it is a trained language model"),
    ];
    if !dir.exists() {
        return "it does not exist";
    }
    let kind = KINDS.iter().find(|(file, _)| dir.join(file).exists());
    kind.map_or("it is a folder of another kind", |(_, kind)| kind)
}

fn fill(new: &Path, files: &[(&str, Content<'_>)]) -> io::Result<()> {
    fs::create_dir_all(new)?;
    for (name, content) in files {
        let mut file = BufWriter::new(File::create(new.join(name))?);
        content(&mut file)?;
        file.into_inner()?.sync_all()?;
    }
    Ok(())
}

fn swap(dir: &Path, new: &Path, old: &Path, files: &[(&str, Content<'_>)]) -> io::Result<()> {
    if !dir.exists() {
        return fs::rename(new, dir);
    }
    fs::rename(dir, old)?;
    if let Err(error) = fs::rename(new, dir) {
        fs::rename(old, dir)?;
        return Err(error);
    }
    for entry in fs::read_dir(old)? {
        let entry = entry?;
        if files.iter().all(|(name, _)| entry.file_name() != *name) {
            fs::rename(entry.path(), dir.join(entry.file_name()))?;
        }
    }
    fs::remove_dir_all(old)
}

/// The path with its parent resolved; `.` and `..` cannot be renamed.
fn absolute(dir: &Path) -> io::Result<PathBuf> {
    if dir.exists() {
        return dir.canonicalize();
    }
    let dir = std::path::absolute(dir)?;
    if let Some(parent) = dir.parent() {
        fs::create_dir_all(parent)?;
    }
    Ok(dir)
}

/// A hidden folder next to `dir`, unique to this process.
fn sibling(dir: &Path, what: &str) -> PathBuf {
    let name = dir.file_name().unwrap_or_default().to_string_lossy();
    dir.with_file_name(format!(".{name}.{what}-{}", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).unwrap();
        let mut names: Vec<String> = entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_folder_is_told_by_its_files() {
        let dir = tempfile::tempdir().expect("a folder");
        assert_eq!(what_is(&dir.path().join("none")), "it does not exist");
        assert_eq!(what_is(dir.path()), "it is a folder of another kind");
        fs::write(dir.path().join("manifest.json"), "{}").expect("writes");
        assert_eq!(what_is(dir.path()), "it is a bundle");
        // A run may have its bundle in it.
        fs::write(dir.path().join("run.json"), "{}").expect("writes");
        assert_eq!(what_is(dir.path()), "it is a run");
    }

    #[test]
    fn replaces_its_own_files_and_keeps_others() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("deep/data");
        let [one, two] = [b"1", b"2"].map(|text| move |file: &mut dyn Write| file.write_all(text));
        replace(&dir, &[("a", &one), ("b", &one)]).unwrap();
        fs::write(dir.join("notes.txt"), "mine").unwrap();
        replace(&dir, &[("a", &two), ("b", &two)]).unwrap();
        assert_eq!(names(&dir), ["a", "b", "notes.txt"]);
        assert_eq!(fs::read(dir.join("a")).unwrap(), b"2");
        assert_eq!(
            names(dir.parent().unwrap()),
            ["data"],
            "nothing is left beside it"
        );
    }

    #[test]
    fn leaves_the_old_folder_when_writing_fails() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("data");
        replace(&dir, &[("a", &|file| file.write_all(b"1"))]).unwrap();
        let full = |_: &mut dyn Write| Err(io::ErrorKind::StorageFull.into());
        let other = |file: &mut dyn Write| file.write_all(b"2");
        for name in ["no/such/folder", "b"] {
            replace(&dir, &[("a", &other), (name, &full)]).unwrap_err();
        }
        assert_eq!(fs::read(dir.join("a")).unwrap(), b"1");
        assert_eq!(names(home.path()), ["data"]);
    }
}
