//! Rows from nested objects. A column's name may be a path (`user.id`, `events.aid`, `events[].aid`); every entry of a
//! list on the way makes a row of its own.

use super::Wanted;
use serde_json::{Map, Value};

/// Names that a message lists.
const LISTED: usize = 100;

/// Cells of a row.
pub(super) type Cells<const N: usize> = [Option<String>; N];

/// What becomes of a value that is a list.
#[derive(Clone, Copy, PartialEq)]
enum Many {
    /// Every entry is a row.
    Rows,
    /// The entries are joined by this.
    Joined(&'static str),
    /// The row is bad.
    Refused,
}

impl Many {
    fn of(ours: &str) -> Self {
        match ours {
            "item_id" | "timestamp" | "weight" | "event" | "price" | "quantity" => Self::Rows,
            "category" => Self::Joined(" > "),
            "title" | "brand" | "item_ids" | "noise" => Self::Joined(" "),
            _ => Self::Refused,
        }
    }

    /// Whether a value that is no text is left out, instead of the row.
    fn spared(ours: &str) -> bool {
        matches!(ours, "title" | "category" | "brand")
    }
}

/// A column on its way down: its number, and what is left of its path.
#[derive(Clone, Copy)]
struct Step<'a> {
    column: usize,
    path: &'a str,
}

/// Rows of objects, and what was met on the way.
pub(super) struct Tree<const N: usize> {
    names: [&'static str; N],
    theirs: [String; N],
    /// Which columns were met.
    pub(super) met: [bool; N],
    /// Names that were met.
    pub(super) found: Vec<String>,
    /// Objects whose lists are empty.
    pub(super) empty: usize,
    /// Values that were left out because they are neither text nor a number.
    pub(super) left_out: usize,
}

impl<const N: usize> Tree<N> {
    pub(super) fn new(wanted: &Wanted<'_, N>) -> Self {
        Self {
            names: *wanted.names,
            theirs: wanted.theirs.clone(),
            met: [false; N],
            found: Vec::new(),
            empty: 0,
            left_out: 0,
        }
    }

    /// The rows of an object.
    pub(super) fn rows(&mut self, object: &Map<String, Value>) -> Result<Vec<Cells<N>>, String> {
        let theirs = self.theirs.clone();
        let names = self.names;
        let mut steps = Vec::new();
        for column in 0..N {
            // A name given for one file need not exist in the other; the standard name is accepted as well.
            let path = [theirs[column].as_str(), names[column]];
            let path = path.into_iter().find(|path| leads(object, path));
            if let Some(path) = path {
                self.met[column] = true;
                steps.push(Step { column, path });
            }
        }
        if self.met.contains(&false) {
            list(object, "", &mut self.found);
        }
        let mut rows = self.spread(object, &steps)?;
        if rows.is_empty() {
            self.empty += 1;
        }
        rows.truncate(u32::MAX as usize);
        Ok(rows)
    }

    fn spread(
        &mut self,
        object: &Map<String, Value>,
        steps: &[Step<'_>],
    ) -> Result<Vec<Cells<N>>, String> {
        let mut base = [const { None }; N];
        let mut lists: Vec<(&[Value], Vec<Step<'_>>)> = Vec::new();
        for &step in steps {
            let (value, path) = walk(object, step.path);
            let column = step.column;
            match value {
                Some(Value::Array(list)) => {
                    let ours = self.names[column];
                    if path.is_empty() && Many::of(ours) != Many::Rows {
                        base[column] = self.joined(list, column)?;
                        continue;
                    }
                    let step = Step { column, path };
                    match lists
                        .iter_mut()
                        .find(|(other, _)| std::ptr::eq(*other, &raw const **list))
                    {
                        Some((_, steps)) => steps.push(step),
                        None => lists.push((list, vec![step])),
                    }
                }
                other => base[column] = self.text(other, column)?,
            }
        }
        let mut rows = vec![base];
        // A list that has but titles or categories belongs to the row.
        lists.retain(|(list, steps)| {
            let labels = (steps.iter())
                .all(|step| matches!(Many::of(self.names[step.column]), Many::Joined(_)));
            if labels {
                for step in steps {
                    let parts: Vec<String> = (list.iter().filter_map(Value::as_object))
                        .filter_map(|entry| walk(entry, step.path).0.and_then(plain))
                        .collect();
                    let Many::Joined(between) = Many::of(self.names[step.column]) else {
                        continue;
                    };
                    rows[0][step.column] = Some(parts.join(between)).filter(|t| !t.is_empty());
                }
            }
            !labels
        });
        let Some((first, rest)) = lists.split_first() else {
            return Ok(rows);
        };
        if let Some(other) = rest.iter().find(|(list, _)| list.len() != first.0.len()) {
            let name = |steps: &[Step<'_>]| self.theirs[steps[0].column].clone();
            return Err(format!(
                "{} and {} are in lists of unequal length",
                name(&first.1),
                name(&other.1)
            ));
        }
        let base = rows.remove(0);
        for at in 0..first.0.len() {
            let mut parts = vec![base.clone()];
            for (list, steps) in &lists {
                let found = self.entry(&list[at], steps)?;
                parts = (parts.iter())
                    .flat_map(|row| found.iter().map(|other| overlaid(row, other)))
                    .collect();
            }
            rows.append(&mut parts);
        }
        Ok(rows)
    }

    /// The rows of a list's entry.
    fn entry(&mut self, entry: &Value, steps: &[Step<'_>]) -> Result<Vec<Cells<N>>, String> {
        match entry {
            Value::Object(object) => {
                let (ended, steps): (Vec<Step<'_>>, _) =
                    steps.iter().partition(|step| step.path.is_empty());
                match ended.first() {
                    Some(step) => Err(self.refused(step.column, "a list of objects")),
                    None => self.spread(object, &steps),
                }
            }
            other => {
                let mut row = [const { None }; N];
                for step in steps {
                    if !step.path.is_empty() {
                        return Err(format!(
                            "{} leads into a list whose entries are no objects",
                            self.theirs[step.column]
                        ));
                    }
                    row[step.column] = self.text(Some(other), step.column)?;
                }
                Ok(vec![row])
            }
        }
    }

    fn text(&mut self, value: Option<&Value>, column: usize) -> Result<Option<String>, String> {
        let kind = match value {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Bool(_)) => "true or false",
            Some(Value::Array(_)) => "a list",
            Some(Value::Object(_)) => "an object",
            Some(value) => return Ok(plain(value)),
        };
        if Many::spared(self.names[column]) {
            self.left_out += 1;
            return Ok(None);
        }
        Err(self.refused(column, kind))
    }

    fn refused(&self, column: usize, kind: &str) -> String {
        format!(
            "{} is {kind}, neither text nor a number",
            self.theirs[column]
        )
    }

    /// The entries of a list as one text; of lists in a list, the first.
    fn joined(&mut self, list: &[Value], column: usize) -> Result<Option<String>, String> {
        let Many::Joined(between) = Many::of(self.names[column]) else {
            return self.text(Some(&Value::Array(Vec::new())), column);
        };
        if let Some(Value::Array(inner)) = list.iter().find(|entry| !entry.is_null()) {
            let inner: Vec<Value> = inner.iter().filter(|e| !e.is_array()).cloned().collect();
            return self.joined(&inner, column);
        }
        let mut parts = Vec::new();
        for entry in list {
            parts.extend(self.text(Some(entry), column)?);
        }
        Ok(Some(parts.join(between)).filter(|text| !text.is_empty()))
    }
}

fn overlaid<const N: usize>(row: &Cells<N>, over: &Cells<N>) -> Cells<N> {
    std::array::from_fn(|column| over[column].clone().or_else(|| row[column].clone()))
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Whether a path begins in an object.
fn leads(object: &Map<String, Value>, path: &str) -> bool {
    if object.contains_key(path) {
        return true;
    }
    match step(path) {
        Some((key, rest)) => match object.get(key) {
            Some(Value::Object(inner)) => leads(inner, rest),
            Some(Value::Array(list)) => {
                let mut inner = list.iter().filter_map(Value::as_object).peekable();
                inner.peek().is_none() || inner.any(|inner| leads(inner, rest))
            }
            Some(Value::Null) => true,
            _ => false,
        },
        None => false,
    }
}

/// The first key of a path of several, and the rest.
fn step(path: &str) -> Option<(&str, &str)> {
    let (key, rest) = path.split_once('.')?;
    Some((key.strip_suffix("[]").unwrap_or(key), rest))
}

/// Follows a path through objects to a value or to a list; returns what is left of the path there.
fn walk<'a, 'p>(
    mut object: &'a Map<String, Value>,
    mut path: &'p str,
) -> (Option<&'a Value>, &'p str) {
    loop {
        let whole = path.strip_suffix("[]").unwrap_or(path);
        if let Some(value) = object.get(path).or_else(|| object.get(whole)) {
            return (Some(value), "");
        }
        let Some((key, rest)) = step(path) else {
            return (None, "");
        };
        match object.get(key) {
            Some(Value::Object(inner)) => (object, path) = (inner, rest),
            Some(list @ Value::Array(_)) => return (Some(list), rest),
            _ => return (None, ""),
        }
    }
}

/// Adds the paths of an object's values to a list of names.
fn list(object: &Map<String, Value>, before: &str, found: &mut Vec<String>) {
    for (key, value) in object {
        if found.len() >= LISTED {
            return;
        }
        let name = format!("{before}{key}");
        let inner = match value {
            Value::Object(inner) => Some(inner),
            Value::Array(entries) => entries.iter().find_map(Value::as_object),
            _ => None,
        };
        match inner {
            // Deeper names are hardly wanted, and nesting has no end.
            Some(inner) if before.matches('.').count() < 3 => {
                list(inner, &format!("{name}."), found);
            }
            _ if !found.contains(&name) => found.push(name),
            _ => {}
        }
    }
}
