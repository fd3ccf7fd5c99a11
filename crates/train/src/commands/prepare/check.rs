//! `ingle prepare --check`: what a file looks like, and the command that reads it.

use crate::data::read::{Look, Reading, files, look};
use crate::data::{InputError, grouped};
use crate::say::say;
use anyhow::Result;
use std::path::PathBuf;

/// Looks at files, and says what was seen.
pub(super) fn run(named: &[PathBuf], reading: &Reading, json: bool) -> Result<()> {
    let mut looks = Vec::new();
    for file in files(named)? {
        looks.push(look(&file, reading)?);
    }
    if looks.is_empty() {
        return Err(InputError::other("--check needs a file").into());
    }
    if json {
        say!("{}", serde_json::to_string_pretty(&looks)?);
        return Ok(());
    }
    for look in &looks {
        told(look);
    }
    Ok(())
}

fn told(look: &Look) {
    say!("{}: {}", look.file.display(), look.format);
    let rows = match look.rows {
        Some(rows) if rows == look.looked_at => format!("{} rows", grouped(rows as u64)),
        Some(rows) => format!(
            "about {} rows, of which {} were looked at",
            grouped(rows as u64),
            look.looked_at
        ),
        None => format!("more than {} rows", look.looked_at),
    };
    say!("{rows}, {} bytes", grouped(look.bytes));
    let widest = look
        .columns
        .iter()
        .map(|column| column.name.chars().count())
        .max();
    let width = widest.unwrap_or_default().min(40);
    for column in &look.columns {
        let ours = look
            .guesses
            .iter()
            .find(|(_, theirs)| *theirs == column.name);
        let ours = ours.map_or_else(String::new, |(ours, _)| format!(" = {ours}"));
        let blank = look.looked_at - column.filled.min(look.looked_at);
        let blank = if blank == 0 {
            String::new()
        } else {
            format!(", {blank} blank")
        };
        say!(
            "  {:width$}  {}{blank}{ours}",
            column.name,
            column.examples.join(" | ")
        );
    }
    if let Some(times) = &look.times {
        say!("times: {times}");
    }
    if !look.events.is_empty() {
        let events: Vec<String> = look
            .events
            .iter()
            .map(|(event, n)| format!("{event} {n}"))
            .collect();
        say!("kinds of events: {}", events.join(", "));
    }
    say!("try: {}", look.command);
    if look.command.contains("=THEIRS") {
        say!("THEIRS stands for a column that none of the names above gives away");
    }
}
