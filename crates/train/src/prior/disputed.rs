//! Disputed histories: those on which the recommender and the prior disagree, with soft labels, one JSON
//! line each.

use super::learner::Labelled;
use crate::data::{BadRow, Dataset, InputError};
use serde::Deserialize;
use std::collections::HashMap;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    user: String,
    items: Vec<String>,
    noise: Vec<f32>,
}

/// Reads `{"user": id, "items": [ids], "noise": [how likely each is noise, 0 to 1]}`, one a line; empty
/// lines are passed over.
///
/// # Errors
/// An input error with file and line: no such JSON, a user or an item that the dataset does not have, a
/// user held out of training, not one label an item, or one that is no probability. Also if there is no
/// line at all.
pub fn read(path: &Path, data: &Dataset) -> Result<Vec<Labelled>, InputError> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| InputError::other(format!("cannot read {}: {e}", path.display())))?;
    let known = Known::of(data);
    let mut histories = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        if text.trim().is_empty() {
            continue;
        }
        histories.push(known.history(text).map_err(|reason| {
            let file = path.display().to_string();
            InputError::other(BadRow { file, line, reason }.to_string())
        })?);
    }
    if histories.is_empty() {
        let path = path.display();
        return Err(InputError::other(format!("{path}: no disputed history")));
    }
    Ok(histories)
}

/// What a line may name.
struct Known<'a> {
    users: HashMap<&'a str, bool>,
    items: HashMap<&'a str, u32>,
}

impl<'a> Known<'a> {
    fn of(data: &'a Dataset) -> Self {
        let users = (0..data.n_users()).map(|user| (data.user_id(user), data.is_unseen(user)));
        let items = data.items().iter().zip(1..);
        Self {
            users: users.collect(),
            items: items
                .map(|(item, index)| (item.id.as_str(), index))
                .collect(),
        }
    }

    /// One line's history, or what is wrong with it.
    fn history(&self, line: &str) -> Result<Labelled, String> {
        let line: Line = serde_json::from_str(line).map_err(|e| e.to_string())?;
        match self.users.get(line.user.as_str()) {
            None => return Err(format!("the dataset has no user {:?}", line.user)),
            Some(true) => return Err(format!("user {:?} is held out of training", line.user)),
            Some(false) => (),
        }
        let (items, labels) = (line.items.len(), line.noise.len());
        if items == 0 || items != labels {
            return Err(format!(
                "{items} items and {labels} labels; it needs one label an item"
            ));
        }
        if let Some(label) = line.noise.iter().find(|x| !(0.0..=1.0).contains(*x)) {
            return Err(format!("a label is {label}, but must be between 0 and 1"));
        }
        let index = |id: &String| {
            let found = self.items.get(id.as_str()).copied();
            found.ok_or_else(|| format!("the dataset has no item {id:?}"))
        };
        Ok(Labelled {
            items: line.items.iter().map(index).collect::<Result<_, _>>()?,
            noise: line.noise,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::dataset;

    fn read_lines(text: &str) -> Result<Vec<Labelled>, InputError> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("written");
        read(file.path(), &dataset(&[&[1, 2, 3], &[1, 2, 3]], &[1]))
    }

    #[test]
    fn reads_histories_with_soft_labels() {
        let text = "{\"user\":\"u0\",\"items\":[\"i1\",\"i3\"],\"noise\":[0.25,1]}\n\n";
        let expected = Labelled {
            items: vec![1, 3],
            noise: vec![0.25, 1.0],
        };
        assert_eq!(read_lines(text).expect("reads"), [expected]);
    }

    #[test]
    fn a_bad_line_is_refused_with_file_and_line() {
        let good = r#"{"user":"u0","items":["i1"],"noise":[0.5]}"#;
        for (bad, part) in [
            ("{", "EOF"),
            (r#"{"user":"u0","items":["i1"]}"#, "noise"),
            (
                r#"{"user":"u9","items":["i1"],"noise":[0]}"#,
                "no user \"u9\"",
            ),
            (r#"{"user":"u1","items":["i1"],"noise":[0]}"#, "held out"),
            (
                r#"{"user":"u0","items":["i7"],"noise":[0]}"#,
                "no item \"i7\"",
            ),
            (
                r#"{"user":"u0","items":["i1"],"noise":[0,1]}"#,
                "1 items and 2 labels",
            ),
            (r#"{"user":"u0","items":[],"noise":[]}"#, "0 items"),
            (r#"{"user":"u0","items":["i1"],"noise":[1.5]}"#, "1.5"),
            (r#"{"user":"u0","items":["i1"],"noise":[-0.1]}"#, "-0.1"),
            (r#"{"user":"u0","items":["i1"],"noise":[null]}"#, "null"),
            (r#"{"user":"u0","items":["i1"],"noise":[1],"x":2}"#, "`x`"),
        ] {
            let error = read_lines(&format!("{good}\n{bad}\n"))
                .expect_err(bad)
                .to_string();
            assert!(error.contains(part) && error.contains(":2: "), "{error}");
        }
        let error = read_lines("\n").expect_err("nothing").to_string();
        assert!(error.contains("no disputed history"), "{error}");
    }
}
