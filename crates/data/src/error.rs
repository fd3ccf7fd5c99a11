//! Input errors: what is wrong with the user's files and options. `main` distinguishes them from other
//! failures.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Characters of an input file's text that a message shows.
const EXCERPT: usize = 60;
/// Bytes of the column names that a message lists.
const COLUMNS: usize = 1000;

/// A row of an input file that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadRow {
    /// The file.
    pub file: String,
    /// Line of the file, counted from 1; in a Parquet file the row.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.reason)
    }
}

/// An error in the input: a file, a folder or an option. The message says what was found and what to do.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// A file is missing or not readable.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file has no known format.
    #[error("{}: {reason}; CSV, TSV, JSON lines, a JSON array and Parquet are read, and text packed with gzip or zstd", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// A file's content does not match its format.
    #[error("{} is not a readable {format} file: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The format by its name.
        format: &'static str,
        /// What the reader found.
        reason: String,
    },
    /// A required column is missing.
    #[error("{} has no column {}; it has {}. {advice}", path.display(), quoted(missing), listed(found))]
    Columns {
        /// The file.
        path: PathBuf,
        /// The name that was looked for.
        missing: String,
        /// The names that are there.
        found: Vec<String>,
        /// The likely cause, and what to do.
        advice: String,
    },
    /// The first bad row, with `--strict`.
    #[error("{0} (--strict makes the first bad row fatal)")]
    Row(BadRow),
    /// The files are readable but contain nothing usable.
    #[error("nothing usable in the input: {0}")]
    Nothing(String),
    /// A folder is not a dataset, or is damaged or of a newer version.
    #[error("{}: {reason}", path.display())]
    Dataset {
        /// The folder.
        path: PathBuf,
        /// What was found and what to do.
        reason: String,
    },
    /// A split without users.
    #[error(
        "the dataset has no user in this split; `ingle prepare --holdout-users 0.1` makes unseen users, \
         and --windows-unseen reads them"
    )]
    Nobody,
    /// Any other error that the user can fix; the message says how.
    #[error("{0}")]
    Other(String),
}

impl InputError {
    /// An error with this message.
    pub fn other(message: impl Into<String>) -> Self {
        Self::Other(message.into())
    }

    pub(super) fn read(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Read { path, source }
    }

    pub(super) fn dataset(path: &Path, reason: impl Into<String>) -> Self {
        Self::Dataset {
            path: path.to_path_buf(),
            reason: reason.into(),
        }
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "no columns at all".to_owned();
    }
    let mut list = String::new();
    for (at, name) in names.iter().enumerate() {
        if list.len() > COLUMNS {
            return format!("{list}, and {} more", names.len() - at);
        }
        if at > 0 {
            list.push_str(", ");
        }
        list.push_str(&excerpt(name));
    }
    list
}

/// Text of an input file for a message: in quotes, with control characters escaped, and of a long text the
/// beginning.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", excerpt(text))
}

/// The beginning of a text, with control characters escaped.
pub(super) fn excerpt(text: &str) -> String {
    beginning(
        &beginning(text, EXCERPT).escape_debug().to_string(),
        EXCERPT,
    )
}

/// The first `most` characters of a text.
pub(super) fn beginning(text: &str, most: usize) -> String {
    let mut beginning: String = text.chars().take(most).collect();
    if beginning.len() < text.len() {
        beginning.push('…');
    }
    beginning
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_file_is_quoted_in_a_line_whatever_it_is() {
        assert_eq!(quoted("soon"), "\"soon\"");
        assert_eq!(quoted("a\tb\n"), "\"a\\tb\\n\"");
        for long in ["\u{1}", "é", "x"].map(|text| text.repeat(5000)) {
            let quoted = quoted(&long);
            assert!(quoted.len() < 200 && quoted.ends_with("…\""), "{quoted}");
        }
    }

    #[test]
    fn a_table_with_many_columns_is_listed_in_part() {
        assert_eq!(listed(&[]), "no columns at all");
        let names: Vec<String> = (0..1000).map(|at| format!("c{at}")).collect();
        assert_eq!(listed(&names[..2]), "c0, c1");
        let list = listed(&names);
        let named = list.matches('c').count();
        assert!(list.ends_with(&format!(", and {} more", 1000 - named)));
        assert!(list.starts_with("c0, c1, ") && list.len() < 1100);
    }
}
