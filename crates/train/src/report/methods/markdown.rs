//! The table of methods as Markdown.

use super::{Methods, Table, tables};
use std::fmt::Write as _;

/// The whole table; `heading` is the level of the headings of datasets, 2 for `##`.
pub fn markdown(methods: &Methods, heading: usize) -> String {
    let mut text = String::new();
    for set in &methods.sets {
        let (mark, below) = ("#".repeat(heading), "#".repeat(heading + 1));
        let _ = write!(
            text,
            "{mark} {}\n\nBackbone: {}.\n",
            escaped(&set.dataset),
            set.backbone
        );
        for table in tables(set) {
            let _ = write!(text, "\n{below} {}\n\n{}\n\n", table.title, table.words);
            write(&table, &mut text);
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn write(table: &Table, text: &mut String) {
    let _ = writeln!(text, "| method | {} |", table.head.join(" | "));
    let _ = writeln!(text, "|{}", "---|".repeat(table.head.len() + 1));
    for (name, cells) in &table.rows {
        let cells = cells.iter().map(|cell| {
            if cell.best {
                format!("**{}**", cell.text)
            } else {
                cell.text.clone()
            }
        });
        let cells: Vec<String> = cells.collect();
        let _ = writeln!(text, "| {} | {} |", escaped(name), cells.join(" | "));
    }
}

/// Escapes text from data so that it neither ends a cell nor begins markup.
fn escaped(text: &str) -> String {
    let meaning = ['\\', '|', '<', '>', '*', '_', '`', '[', ']', '#'];
    let letters = text.chars().flat_map(|letter| {
        let mark = meaning.contains(&letter).then_some('\\');
        let letter = if letter.is_control() { ' ' } else { letter };
        mark.into_iter().chain([letter])
    });
    letters.collect()
}
