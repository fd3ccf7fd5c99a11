//! JSON: an object a line, or one array of objects. Ids and times are strings or numbers.

use super::delimited::next_line;
use super::python;
use super::tree::{Cells, Tree};
use super::{Sink, Wanted};
use crate::InputError;
use serde::Deserializer as _;
use serde::de::{Error as _, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;
use std::io::{BufReader, Read};

/// Objects after which a column that none of them had is an error.
const LOOKED_AT: usize = 10_000;

/// The rows of an object, or why there are none.
type Rows<const N: usize> = Result<Vec<Cells<N>>, String>;

/// Gives objects' rows to a sink. Rows wait until every needed column was met: a column that no object has is an error
/// of the call and not of each row.
pub(super) struct Objects<'a, 'w, 's, const N: usize> {
    wanted: &'a mut Wanted<'w, N>,
    sink: &'a mut Sink<'s, N>,
    tree: Tree<N>,
    waiting: Option<Vec<(usize, Rows<N>)>>,
}

impl<'a, 'w, 's, const N: usize> Objects<'a, 'w, 's, N> {
    pub(super) fn new(wanted: &'a mut Wanted<'w, N>, sink: &'a mut Sink<'s, N>) -> Self {
        let tree = Tree::new(wanted);
        Self {
            wanted,
            sink,
            tree,
            waiting: Some(Vec::new()),
        }
    }

    /// The error of a file whose format is not what it seems.
    pub(super) fn unreadable(
        &self,
        format: &'static str,
        reason: impl std::fmt::Display,
    ) -> InputError {
        self.wanted.unreadable(format, reason)
    }

    /// Takes an object, or the reason why there is none.
    pub(super) fn take(
        &mut self,
        line: usize,
        object: Result<Map<String, Value>, String>,
    ) -> Result<(), InputError> {
        let rows = object.and_then(|object| self.tree.rows(&object));
        if let Some(waiting) = &mut self.waiting {
            waiting.push((line, rows));
            let all = self.tree.met[..self.wanted.needed].iter().all(|&met| met);
            if all || waiting.len() == LOOKED_AT {
                self.release()?;
            }
            return Ok(());
        }
        give(self.sink, line, rows)
    }

    fn release(&mut self) -> Result<(), InputError> {
        let waiting = self.waiting.take().unwrap_or_default();
        let objects = waiting.iter().any(|(_, rows)| rows.is_ok());
        let missing = self.tree.met[..self.wanted.needed]
            .iter()
            .position(|&met| !met);
        if let Some(missing) = missing.filter(|_| objects) {
            return Err(self.wanted.missing(missing, &self.tree.found, ""));
        }
        for (line, rows) in waiting {
            give(self.sink, line, rows)?;
        }
        Ok(())
    }

    /// Gives the last rows, and tells what was left out.
    pub(super) fn end(mut self) -> Result<(), InputError> {
        self.release()?;
        let file = self.wanted.file.display();
        let (empty, left_out) = (self.tree.empty, self.tree.left_out);
        if empty > 0 {
            (self.wanted.notes).push(format!(
                "{file}: {empty} objects have an empty list, and no row"
            ));
        }
        if left_out > 0 {
            self.wanted.notes.push(format!(
                "{file}: {left_out} titles or categories are neither text nor a number, and left out"
            ));
        }
        Ok(())
    }
}

fn give<const N: usize>(
    sink: &mut Sink<'_, N>,
    line: usize,
    rows: Rows<N>,
) -> Result<(), InputError> {
    match rows {
        Ok(rows) => {
            (rows.iter()).try_for_each(|row| sink(line, Ok(row.each_ref().map(Option::as_deref))))
        }
        Err(reason) => sink(line, Err(reason)),
    }
}

pub(super) fn lines<const N: usize>(
    wanted: &mut Wanted<'_, N>,
    text: impl Read,
    sink: &mut Sink<'_, N>,
) -> Result<(), InputError> {
    let mut reader = BufReader::new(text);
    let mut bytes = Vec::new();
    let mut line = 0;
    let file = wanted.file.to_owned();
    let unreadable = |e: std::io::Error| super::open::damaged(&file, None, &e);
    let mut objects = Objects::new(wanted, sink);
    while next_line(&mut reader, &mut bytes).map_err(unreadable)? {
        line += 1;
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        let object = serde_json::from_slice(&bytes);
        if let Some(python) = object.as_ref().err().and_then(|_| python::object(&bytes)) {
            objects.take(line, Ok(python))?;
            continue;
        }
        if line == 1 && object.as_ref().is_err_and(serde_json::Error::is_eof) {
            let reason = "its first object does not end in its line: expected an object a line, or an array of objects";
            return Err(objects.unreadable("JSON", reason));
        }
        objects.take(line, object.map_err(|e| format!("no JSON object: {e}")))?;
    }
    objects.end()
}

pub(super) fn array<const N: usize>(
    wanted: &mut Wanted<'_, N>,
    text: impl Read,
    sink: &mut Sink<'_, N>,
) -> Result<(), InputError> {
    let mut failed = None;
    let mut objects = Objects::new(wanted, sink);
    let mut reader = serde_json::Deserializer::from_reader(BufReader::new(text));
    let entries = Entries {
        objects: &mut objects,
        failed: &mut failed,
    };
    let read = reader.deserialize_seq(entries).and_then(|()| reader.end());
    if let Some(error) = failed {
        return Err(error);
    }
    read.map_err(|e| objects.unreadable("JSON", e))?;
    objects.end()
}

/// Takes the entries of an array one by one; rows are counted from 1.
struct Entries<'o, 'a, 'w, 's, const N: usize> {
    objects: &'o mut Objects<'a, 'w, 's, N>,
    failed: &'o mut Option<InputError>,
}

impl<'de, const N: usize> Visitor<'de> for Entries<'_, '_, '_, '_, N> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut row = 0;
        while let Some(entry) = entries.next_element()? {
            row += 1;
            let object = match entry {
                Value::Object(object) => Ok(object),
                _ => Err("no JSON object".to_owned()),
            };
            if let Err(error) = self.objects.take(row, object) {
                *self.failed = Some(error);
                return Err(A::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}
