//! The files of a log: a folder stands for the files in it, as a cluster writes one table in parts.

use crate::InputError;
use std::path::{Path, PathBuf};

/// Folders in folders that are followed.
const DEEPEST: usize = 16;

/// The files that are named, and for a folder those in it and in its folders, by name. Files whose names begin with a
/// dot or an underscore are marks of programs and left out.
///
/// # Errors
/// If a folder cannot be read or holds no file.
pub fn files(named: &[PathBuf]) -> Result<Vec<PathBuf>, InputError> {
    let mut files = Vec::new();
    for path in named {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let before = files.len();
        inside(path, 0, &mut files)?;
        if files.len() == before {
            return Err(InputError::Nothing(format!(
                "{} is a folder without files",
                path.display()
            )));
        }
    }
    Ok(files)
}

fn inside(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), InputError> {
    let entries = std::fs::read_dir(folder).map_err(InputError::read(folder))?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(InputError::read(folder))?.path());
    }
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(['.', '_']) {
            continue;
        }
        if !path.is_dir() {
            files.push(path);
        } else if depth < DEEPEST {
            inside(&path, depth + 1, files)?;
        }
    }
    Ok(())
}
