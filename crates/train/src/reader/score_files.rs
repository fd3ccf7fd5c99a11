//! Files of noise probabilities per click, one JSON line per history. A reader is refined on them, and any model that
//! reads titles can write them.

use super::learner::Labelled;
use super::{ScoredSplit, Scores};
use crate::data::{BadRow, Dataset, InputError};
use crate::training::samples::latest;
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

/// Reads disputed histories: `{"user": id, "items": [ids], "noise": [noise probabilities, 0 to 1]}`, one per line.
/// Empty lines are skipped.
///
/// # Errors
/// An input error with file and line: invalid JSON, an unknown user or item, a held-out user, a number of labels that
/// is not the number of items, or a value that is not a probability. Also if there are no lines.
pub fn disputed(path: &Path, data: &Dataset) -> Result<Vec<Labelled>, InputError> {
    let mut histories = Vec::new();
    each(path, data, |user, history| {
        if data.is_unseen(user) {
            return Err(format!(
                "user {:?} is held out of training",
                data.user_id(user)
            ));
        }
        histories.push(history);
        Ok(())
    })?;
    if histories.is_empty() {
        let path = path.display();
        return Err(InputError::other(format!("{path}: no disputed history")));
    }
    Ok(histories)
}

/// Reads the answers of another model on a split's histories, in the same form, as noise logits. A line may contain
/// only the latest clicks of a history.
///
/// # Errors
/// The same, except for held-out users; and if a line has other items than the history, a user occurs twice, or a
/// history has no line.
pub fn answers(path: &Path, data: &Dataset, split: ScoredSplit) -> Result<Scores, InputError> {
    let mut rows = vec![Vec::new(); data.n_users()];
    each(path, data, |user, history| {
        let clicks = latest(split.history(data, user), history.items.len());
        if history.items != clicks {
            let (id, split) = (data.user_id(user), split.name());
            return Err(format!(
                "these are not the latest clicks of user {id:?} in split {split}"
            ));
        }
        if !rows[user].is_empty() {
            return Err(format!("user {:?} stands here twice", data.user_id(user)));
        }
        rows[user] = history.noise.into_iter().map(logit).collect();
        Ok(())
    })?;
    let open: Vec<usize> = (0..data.n_users())
        .filter(|&user| rows[user].is_empty() && !split.history(data, user).is_empty())
        .collect();
    if let Some(&first) = open.first() {
        return Err(InputError::other(format!(
            "{}: {} histories have no line, the first is of user {:?}",
            path.display(),
            open.len(),
            data.user_id(first)
        )));
    }
    let name = path.file_name().unwrap_or_default().display().to_string();
    Ok(Scores::new(&rows, data, split, name))
}

/// The logit of a probability, clamped to a millionth from 0 and 1.
fn logit(probability: f32) -> f32 {
    let p = probability.clamp(1e-6, 1.0 - 1e-6);
    (p / (1.0 - p)).ln()
}

/// Passes the user and the history of each line of a file to a function.
fn each(
    path: &Path,
    data: &Dataset,
    mut take: impl FnMut(usize, Labelled) -> Result<(), String>,
) -> Result<(), InputError> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| InputError::other(format!("cannot read {}: {e}", path.display())))?;
    let known = ItemFeatures::of(data);
    for (line, text) in (1..).zip(text.lines()) {
        if text.trim().is_empty() {
            continue;
        }
        let read = known.history(text);
        read.and_then(|(user, history)| take(user, history))
            .map_err(|reason| {
                let file = path.display().to_string();
                InputError::other(BadRow { file, line, reason }.to_string())
            })?;
    }
    Ok(())
}

/// The users and items that a line may name.
struct ItemFeatures<'a> {
    users: HashMap<&'a str, usize>,
    items: HashMap<&'a str, u32>,
}

impl<'a> ItemFeatures<'a> {
    fn of(data: &'a Dataset) -> Self {
        let users = (0..data.n_users()).map(|user| (data.user_id(user), user));
        let items = data.items().iter().zip(1..);
        Self {
            users: users.collect(),
            items: items
                .map(|(item, index)| (item.id.as_str(), index))
                .collect(),
        }
    }

    /// Parses a line into user and history, or says what is wrong with it.
    fn history(&self, line: &str) -> Result<(usize, Labelled), String> {
        let line: Line = serde_json::from_str(line).map_err(|e| e.to_string())?;
        let user = self.users.get(line.user.as_str());
        let user = *user.ok_or_else(|| format!("the dataset has no user {:?}", line.user))?;
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
        let items = line.items.iter().map(index).collect::<Result<_, _>>()?;
        let noise = line.noise;
        Ok((user, Labelled { items, noise }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::dataset;

    fn read_lines(text: &str) -> Result<Vec<Labelled>, InputError> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("written");
        disputed(file.path(), &dataset(&[&[1, 2, 3], &[1, 2, 3]], &[1]))
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
    #[test]
    fn another_models_answers_become_logits() {
        let data = dataset(&[&[1, 2, 3, 4, 5], &[1, 2, 3]], &[1]);
        let file = tempfile::NamedTempFile::new().expect("a file");
        let read = |text: &str, split| {
            std::fs::write(file.path(), text).expect("written");
            answers(file.path(), &data, split)
        };
        let seen = r#"{"user":"u0","items":["i2","i3"],"noise":[0.5,1]}"#;
        let scores = read(seen, ScoredSplit::Valid).expect("reads");
        assert_eq!(scores.of(0)[0], 0.0);
        assert!(scores.of(0)[1] > 10.0 && scores.of(0)[1].is_finite());
        assert!(scores.of(1).is_empty());
        let unseen = r#"{"user":"u1","items":["i1","i2"],"noise":[0,0.5]}"#;
        assert_eq!(
            read(unseen, ScoredSplit::Unseen)
                .expect("reads")
                .of(1)
                .len(),
            2
        );

        for (text, split, part) in [
            (seen.to_owned(), ScoredSplit::Test, "not the latest clicks"),
            (format!("{seen}\n{seen}"), ScoredSplit::Valid, ":2: "),
            (unseen.to_owned(), ScoredSplit::Valid, ":1: "),
            (
                String::new(),
                ScoredSplit::Valid,
                "1 histories have no line",
            ),
        ] {
            let error = read(&text, split).expect_err(part).to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
