//! How files are to be read: names of columns, and what to take for granted instead of finding it out.

use super::Columns;
use encoding_rs::Encoding;

/// How to read files. What is not said is found out from the beginning of each file.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// Column names of the file, by standard name.
    pub columns: Columns,
    /// What stands between cells.
    pub delimiter: Option<String>,
    /// The text's encoding.
    pub encoding: Option<&'static Encoding>,
    /// Whether the first line names the columns; if not, they are called by their places, from 1.
    pub header: Option<bool>,
}

impl Reading {
    /// Reads files with these column names.
    pub fn of(columns: Columns) -> Self {
        Self {
            columns,
            ..Self::default()
        }
    }

    /// Takes this text for what stands between cells; `\t` and `tab` are a tab.
    ///
    /// # Errors
    /// If it is empty, or a letter that quotes or ends cells.
    pub fn delimited_by(&mut self, delimiter: &str) -> Result<(), String> {
        let delimiter = match delimiter {
            "tab" | "\\t" => "\t",
            other => other,
        };
        if delimiter.is_empty() || delimiter.contains(['"', '\n', '\r', '\0']) {
            return Err(format!(
                "{delimiter:?} cannot stand between cells: expected text such as , or ; or tab"
            ));
        }
        self.delimiter = Some(delimiter.to_owned());
        Ok(())
    }

    /// Takes text to be in the encoding of this name.
    ///
    /// # Errors
    /// If no encoding has this name.
    pub fn encoded_as(&mut self, name: &str) -> Result<(), String> {
        let label = if name == "utf-16" { "utf-16le" } else { name };
        let encoding = Encoding::for_label(label.as_bytes());
        self.encoding = Some(encoding.ok_or_else(|| {
            format!("{name:?} is no encoding: expected a name such as utf-8, latin1, utf-16 or shift_jis")
        })?);
        Ok(())
    }

    /// The name that a column has in the files.
    pub(super) fn theirs<'a>(&'a self, ours: &'a str) -> &'a str {
        self.columns.get(ours).map_or(ours, String::as_str)
    }
}
