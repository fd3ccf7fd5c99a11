//! JSON lines: one object a line; ids and times may be strings or numbers.

use super::{Row, Sink, Wanted};
use crate::data::InputError;
use serde_json::{Map, Value};
use std::io::{BufRead as _, BufReader};

pub(super) fn read(wanted: &Wanted<'_>, sink: &mut Sink<'_>) -> Result<(), InputError> {
    let mut reader = BufReader::new(wanted.open()?);
    let mut bytes = Vec::new();
    let mut line = 0;
    let mut checked = false;
    while reader
        .read_until(b'\n', &mut bytes)
        .map_err(InputError::read(wanted.file))?
        > 0
    {
        line += 1;
        if !bytes.trim_ascii().is_empty() {
            let object = serde_json::from_slice::<Map<String, Value>>(&bytes);
            if let (Ok(object), false) = (&object, checked) {
                // Names that are not there at all are a mistake of the call, not of a row.
                let found: Vec<String> = object.keys().cloned().collect();
                wanted.places(&found)?;
                checked = true;
            }
            sink(
                line,
                object.map_or_else(
                    |e| Err(format!("no JSON object: {e}")),
                    |o| cells(o, wanted),
                ),
            )?;
        }
        bytes.clear();
    }
    if line == 0 {
        return Err(wanted.unreadable("JSON lines", "it is empty"));
    }
    Ok(())
}

fn cells(mut object: Map<String, Value>, wanted: &Wanted<'_>) -> Result<Row, String> {
    let mut cell =
        |(name, ours): (&String, &&str)| match object.remove(name).or_else(|| object.remove(*ours))
        {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(other) => Err(format!("{name} is {other}, neither text nor a number")),
        };
    wanted
        .theirs
        .iter()
        .zip(wanted.names)
        .map(&mut cell)
        .collect()
}
