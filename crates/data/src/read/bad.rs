//! Rows that could not be read, by kind.

use crate::{BadRow, InputError};
use std::path::Path;

/// Rows of a kind that are shown; all are counted.
const SHOWN: usize = 3;
/// Kinds that are told apart.
const KINDS: usize = 20;

/// Rows that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BadRows {
    /// Whether the first one is an error.
    pub strict: bool,
    /// Number of such rows.
    pub count: usize,
    /// The rows by what is wrong with them.
    pub kinds: Vec<Kind>,
}

/// Rows that could not be read for one reason.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Kind {
    /// The reason, without what differs from row to row.
    pub reason: String,
    /// Number of such rows.
    pub rows: usize,
    /// The first few.
    pub first: Vec<BadRow>,
}

impl BadRows {
    /// Counts a bad row.
    ///
    /// # Errors
    /// If bad rows are errors.
    pub fn note(&mut self, file: &Path, line: usize, reason: String) -> Result<(), InputError> {
        let mut kind = common(&reason);
        let row = BadRow {
            file: file.display().to_string(),
            line: line as u64,
            reason,
        };
        if self.strict {
            return Err(InputError::Row(row));
        }
        self.count += 1;
        let mut place = self.kinds.iter().position(|known| known.reason == kind);
        if place.is_none() && self.kinds.len() + 1 >= KINDS {
            "other reasons".clone_into(&mut kind);
            place = self.kinds.iter().position(|known| known.reason == kind);
        }
        let place = place.unwrap_or_else(|| {
            let (rows, first) = (0, Vec::new());
            self.kinds.push(Kind {
                reason: kind,
                rows,
                first,
            });
            self.kinds.len() - 1
        });
        let kind = &mut self.kinds[place];
        kind.rows += 1;
        if kind.first.len() < SHOWN {
            kind.first.push(row);
        }
        Ok(())
    }

    /// The rows that are shown, by kind.
    pub fn shown(&self) -> Vec<&BadRow> {
        self.kinds.iter().flat_map(|kind| &kind.first).collect()
    }
}

/// A reason without quoted text and numbers.
fn common(reason: &str) -> String {
    let mut common = String::new();
    let (mut quoted, mut escaped) = (false, false);
    for letter in reason.chars() {
        match letter {
            '"' if !escaped => {
                common.push_str(if quoted { "…\"" } else { "\"" });
                quoted = !quoted;
            }
            _ if quoted => {}
            '0'..='9' if common.ends_with('N') => {}
            '0'..='9' => common.push('N'),
            _ => common.push(letter),
        }
        escaped = letter == '\\' && !escaped;
    }
    common
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_told_by_kind_with_the_first_of_each() {
        let mut bad = BadRows::default();
        for line in 2..12 {
            let reason = format!("timestamp \"{line} \\\" o'clock\" is no time");
            bad.note(Path::new("a.csv"), line, reason).expect("counted");
            let reason = format!("{line} cells where the first line has 3");
            bad.note(Path::new("a.csv"), line, reason).expect("counted");
        }
        let kinds: Vec<(&str, usize, usize)> = (bad.kinds.iter())
            .map(|kind| (&*kind.reason, kind.rows, kind.first.len()))
            .collect();
        let due = [
            ("timestamp \"…\" is no time", 10, 3),
            ("N cells where the first line has N", 10, 3),
        ];
        assert_eq!(kinds, due);
        assert_eq!((bad.count, bad.shown().len()), (20, 6));
        for at in 0..100_u8 {
            let reason = "x".repeat(usize::from(at));
            bad.note(Path::new("a.csv"), 1, reason).expect("counted");
        }
        assert!(bad.kinds.len() <= KINDS && bad.count == 120);
        assert_eq!(bad.kinds.iter().map(|kind| kind.rows).sum::<usize>(), 120);
    }
}
