//! JSON lines: one object per line; ids and times are strings or numbers.

use super::{Sink, Wanted};
use crate::InputError;
use serde_json::{Map, Value};
use std::io::{BufRead as _, BufReader};

pub(super) fn read<const N: usize>(
    wanted: &Wanted<'_, N>,
    sink: &mut Sink<'_, N>,
) -> Result<(), InputError> {
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
                // A column that no object has is an error of the call, not of a row.
                let found: Vec<String> = object.keys().cloned().collect();
                wanted.places(&found)?;
                checked = true;
            }
            let cells = object
                .map_err(|e| format!("no JSON object: {e}"))
                .and_then(|object| cells(object, wanted));
            let row = cells
                .as_ref()
                .map(|cells| cells.each_ref().map(Option::as_deref));
            sink(line, row.map_err(Clone::clone))?;
        }
        bytes.clear();
    }
    if line == 0 {
        return Err(wanted.unreadable("JSON lines", "it is empty"));
    }
    Ok(())
}

fn cells<const N: usize>(
    mut object: Map<String, Value>,
    wanted: &Wanted<'_, N>,
) -> Result<[Option<String>; N], String> {
    let mut cells = [const { None }; N];
    for (cell, (name, ours)) in cells.iter_mut().zip(wanted.theirs.iter().zip(wanted.names)) {
        *cell = match object.remove(name).or_else(|| object.remove(*ours)) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text),
            Some(Value::Number(number)) => Some(number.to_string()),
            Some(other) => {
                let kind = match other {
                    Value::Bool(_) => "true or false",
                    Value::Array(_) => "a list",
                    _ => "an object",
                };
                return Err(format!("{name} is {kind}, neither text nor a number"));
            }
        };
    }
    Ok(cells)
}
