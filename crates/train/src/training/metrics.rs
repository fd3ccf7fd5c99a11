//! `metrics.jsonl`: one line for each epoch of a training.

use super::checkpoint::write_atomically;
use anyhow::{Context as _, Result};
use serde_json::Value;
use std::fs;
use std::io::Write as _;
use std::path::Path;

const FILE: &str = "metrics.jsonl";

/// Adds a line to a run's metrics.
pub(super) fn add(run: &Path, line: &Value) -> Result<()> {
    let path = run.join(FILE);
    let file = fs::OpenOptions::new().create(true).append(true).open(&path);
    let written = file.and_then(|mut file| writeln!(file, "{line}"));
    written.with_context(|| format!("cannot write {}", path.display()))
}

/// Removes the lines that a resumed training will write again: all but those that `kept` accepts by stage and epoch.
pub(super) fn keep(run: &Path, kept: impl Fn(&str, usize) -> bool) -> Result<()> {
    if !run.join(FILE).exists() {
        return Ok(());
    }
    let mut text = String::new();
    for (line, told) in read(run)? {
        let epoch = told["epoch"].as_u64().unwrap_or(0) as usize;
        if kept(told["phase"].as_str().unwrap_or(""), epoch) {
            text += &line;
        }
    }
    write_atomically(&run.join(FILE), text.as_bytes())
}

/// Copies a run's lines of some stages, given with their names in both runs, to another run; returns the seconds that
/// these epochs took.
pub(super) fn copy(from: &Path, to: &Path, stages: &[(String, String)]) -> Result<f64> {
    let (mut text, mut seconds) = (String::new(), 0.0);
    for (line, told) in read(from)? {
        let taken = stages.iter().find(|(theirs, _)| told["phase"] == **theirs);
        if let Some((theirs, ours)) = taken {
            let named = |name: &str| format!("\"phase\":\"{name}\"");
            text += &line.replacen(&named(theirs), &named(ours), 1);
            let spent = ["seconds", "validation_seconds"].map(|key| told[key].as_f64());
            seconds += spent.into_iter().flatten().sum::<f64>();
        }
    }
    write_atomically(&to.join(FILE), text.as_bytes())?;
    Ok(seconds)
}

/// All whole lines, as they are and what they say. A line that a crash cut off says nothing.
fn read(run: &Path) -> Result<Vec<(String, Value)>> {
    let path = run.join(FILE);
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let whole = text
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n'));
    let line = |line: &str| {
        let told = serde_json::from_str(line);
        let told = told.with_context(|| format!("{} is damaged", path.display()))?;
        Ok((line.to_owned(), told))
    };
    whole.map(line).collect()
}
