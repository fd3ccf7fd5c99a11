//! Options of commands that read files: names of columns, and what to take for granted.

use crate::data::InputError;
use crate::data::read::{Columns, Reading};

/// How files are to be read.
#[derive(Debug, Default, clap::Args)]
pub struct ReadingArgs {
    /// Name of a column in the files, as in `--column user_id=customer`; a path leads into nested objects and lists, as
    /// in `--column item_id=events.aid`; may be repeated
    #[arg(long = "column", value_name = "OURS=THEIRS")]
    columns: Vec<String>,
    /// What stands between cells, such as ; or :: or tab [default: found out]
    #[arg(long, value_name = "TEXT")]
    delimiter: Option<String>,
    /// Encoding of the text, such as utf-8 or latin1 [default: found out]
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,
    /// The first line is data: columns are called by their places, from 1 [default: found out]
    #[arg(long)]
    no_header: bool,
}

impl ReadingArgs {
    /// Refuses these options where no file is read.
    pub fn need(&self, given: bool, option: &str) -> Result<(), InputError> {
        let any = !self.columns.is_empty() || self.delimiter.is_some() || self.encoding.is_some();
        if (any || self.no_header) && !given {
            return Err(InputError::other(format!(
                "--column, --delimiter, --encoding and --no-header are about the files of {option}"
            )));
        }
        Ok(())
    }

    /// How to read files.
    pub fn reading(&self) -> Result<Reading, InputError> {
        let mut reading = Reading::of(columns(&self.columns)?);
        if let Some(delimiter) = &self.delimiter {
            let told = reading.delimited_by(delimiter);
            told.map_err(|e| InputError::other(format!("--delimiter: {e}")))?;
        }
        if let Some(encoding) = &self.encoding {
            let told = reading.encoded_as(encoding);
            told.map_err(|e| InputError::other(format!("--encoding: {e}")))?;
        }
        reading.header = self.no_header.then_some(false);
        Ok(reading)
    }
}

fn columns(given: &[String]) -> Result<Columns, InputError> {
    const OURS: [&str; 7] = [
        "user_id",
        "item_id",
        "timestamp",
        "title",
        "category",
        "item_ids",
        "noise",
    ];
    let column = |text: &String| match text.split_once('=') {
        Some((ours, theirs)) if OURS.contains(&ours) => Ok((ours.to_owned(), theirs.to_owned())),
        _ => Err(InputError::other(format!(
            "--column {text}: expected OURS=THEIRS, where OURS is one of {}",
            OURS.join(", ")
        ))),
    };
    given.iter().map(column).collect()
}
