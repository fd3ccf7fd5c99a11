//! Windows: each row has a shopper's clicks up to one of them, and a label for each that says whether it was
//! replaced. The original clicks are not known.

use super::super::InputError;
use super::super::error::quoted;
use super::super::names::{Names, Texts};
use super::time::{Clock, Time};
use super::{BadRows, LONGEST_ID, Reading, Row, id, rows, time};
use std::path::Path;

/// All windows of some files, in the order read.
#[derive(Clone, Debug, Default)]
pub struct Windows {
    /// Shopper ids.
    pub shoppers: Names,
    /// Item ids.
    pub items: Names,
    /// The windows.
    pub list: Vec<Window>,
    /// The unit of their times.
    pub clock: Clock,
    /// Rows read, good and bad.
    pub rows: usize,
    /// Rows that could not be read.
    pub bad: BadRows,
    /// How files were read, where that is not plain from their names.
    pub notes: Vec<String>,
}

/// Clicks of a shopper, oldest first: a history, and a last click as its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Number of the shopper in [`Windows::shoppers`].
    pub shopper: u32,
    /// Number of the window among the shopper's, from 1 in the order read.
    pub number: u32,
    /// Numbers of the items in [`Windows::items`], two or more.
    pub items: Vec<u32>,
    /// 1 for replaced clicks, 0 for the others.
    pub noise: Vec<u8>,
    /// Time of the last click, in the unit of [`Windows::clock`].
    pub time: i64,
    /// Whether it is held out from training.
    pub unseen: bool,
}

impl Windows {
    /// The unique name of a window: the shopper's id, `#`, and the number of the window. It is the same
    /// whenever these files are read in this order.
    pub fn name(&self, window: &Window) -> String {
        let shopper = &self.shoppers.list()[window.shopper as usize];
        format!("{shopper}#{}", window.number)
    }

    /// What is to be said when all files have been read: how they were read, and units of time that were mixed.
    pub fn said(&self) -> Vec<String> {
        self.clock.after(&self.notes)
    }

    fn push(&mut self, row: Parsed<'_>, at: (&Path, usize), counts: &mut Vec<u32>, unseen: bool) {
        let list = &mut self.list;
        let rescale = |factor| list.iter_mut().for_each(|window| window.time *= factor);
        let time = self.clock.take(row.time, at, rescale);
        let shopper = self.shoppers.number(row.shopper);
        counts.resize(self.shoppers.list().len(), 0);
        counts[shopper as usize] += 1;
        let items = row.items.iter().map(|item| self.items.number(item));
        self.list.push(Window {
            shopper,
            number: counts[shopper as usize],
            items: items.collect(),
            noise: row.noise,
            time,
            unseen,
        });
    }

    /// Number of windows of each shopper.
    fn counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.shoppers.list().len()];
        for window in &self.list {
            counts[window.shopper as usize] += 1;
        }
        counts
    }
}

/// Reads one file of windows. A row has a user id, item ids and noise labels (separated by spaces, equally
/// many), and the time of the last click. `unseen` windows are held out from training.
///
/// # Errors
/// If the file or a column is missing, the file is damaged, or a row is bad and `bad.strict` is set.
pub fn windows(
    file: &Path,
    reading: &Reading,
    unseen: bool,
    windows: &mut Windows,
) -> Result<(), InputError> {
    let names = ["user_id", "item_ids", "noise", "timestamp"];
    let mut counts = windows.counts();
    let notes = rows(file, &names, 4, reading, &mut |line, row| {
        windows.rows += 1;
        match row.and_then(parse) {
            Ok(row) => {
                windows.push(row, (file, line), &mut counts, unseen);
                Ok(())
            }
            Err(reason) => windows.bad.note(file, line, reason),
        }
    })?;
    windows.notes.extend(notes);
    Ok(())
}

struct Parsed<'a> {
    shopper: &'a str,
    items: Texts,
    noise: Vec<u8>,
    time: Time,
}

fn parse([shopper, items, noise, time]: Row<'_, 4>) -> Result<Parsed<'_>, String> {
    let shopper = id("user_id", shopper)?;
    let items: Texts = words("item_ids", items)?.collect();
    if let Some(long) = items.iter().find(|item| item.len() > LONGEST_ID) {
        return Err(format!("an item id is {} bytes long", long.len()));
    }
    let noise: Vec<u8> = words("noise", noise)?
        .map(label)
        .collect::<Result<_, _>>()?;
    let (clicks, labels) = (items.len(), noise.len());
    if clicks != labels {
        return Err(format!("{clicks} item_ids and {labels} noise labels"));
    }
    if clicks < 2 {
        return Err("a window of one click: there is nothing to predict it from".to_owned());
    }
    Ok(Parsed {
        shopper,
        items,
        noise,
        time: time::parse(id("timestamp", time)?)?,
    })
}

fn words<'a>(
    name: &str,
    cell: Option<&'a str>,
) -> Result<impl Iterator<Item = &'a str> + use<'a>, String> {
    let words = cell.unwrap_or_default().split_ascii_whitespace();
    if words.clone().next().is_none() {
        return Err(format!("{name} is empty"));
    }
    Ok(words)
}

fn label(word: &str) -> Result<u8, String> {
    match word {
        "0" => Ok(0),
        "1" => Ok(1),
        other => Err(format!("noise label {} is neither 0 nor 1", quoted(other))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn read(name: &str, text: &str) -> Result<Windows, String> {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join(name);
        fs::write(&file, text).expect("writes");
        let mut read = Windows::default();
        for unseen in [false, true] {
            windows(&file, &Reading::default(), unseen, &mut read).map_err(|e| e.to_string())?;
        }
        Ok(read)
    }

    #[test]
    fn every_row_is_a_window_with_a_name_of_its_own() {
        let csv = "user_id,item_ids,noise,timestamp\n7,a b  c,0 1 0,5\n8,c a,0 0,6\n7,b c,1 1,7\n";
        let jsonl = "{\"timestamp\":5,\"user_id\":7,\"noise\":\"0 1 0\",\"item_ids\":\"a b c\"}\n\
            {\"timestamp\":6,\"user_id\":8,\"noise\":\"0 0\",\"item_ids\":\"c a\"}\n\
            {\"timestamp\":7,\"user_id\":7,\"noise\":\"1 1\",\"item_ids\":\"b c\"}\n";
        for (name, text) in [("a.csv", csv), ("a.jsonl", jsonl)] {
            let found = read(name, text).expect("reads");
            let names: Vec<String> = found.list.iter().map(|w| found.name(w)).collect();
            assert_eq!(names, ["7#1", "8#1", "7#2", "7#3", "8#2", "7#4"]);
            let first = &found.list[0];
            assert_eq!(
                (&first.items[..], &first.noise[..]),
                (&[0, 1, 2][..], &[0, 1, 0][..])
            );
            let unseen: Vec<bool> = found.list.iter().map(|window| window.unseen).collect();
            assert_eq!(unseen, [false, false, false, true, true, true]);
            assert_eq!((found.rows, found.list[2].time), (6, 7));
        }
    }

    #[test]
    fn bad_rows_are_counted_with_their_lines() {
        let text = "user_id,item_ids,noise,timestamp\n7,a b,0 1,5\n7,a b,0,5\n7,a b,0 2,5\n7,,,5\n\
            7,a,0,5\n,a b,0 0,5\n7,a b,0 0,soon\n7,a b,0 0\n7,a b, ,5\n";
        let found = read("a.csv", text).expect("reads");
        assert_eq!((found.list.len(), found.bad.count, found.rows), (2, 16, 18));
        let shown: Vec<String> = found
            .bad
            .shown()
            .into_iter()
            .map(ToString::to_string)
            .collect();
        let shown = shown.join("\n");
        for part in [
            ":3: 2 item_ids and 1 noise labels",
            ":4: noise label \"2\" is neither 0 nor 1",
            ":5: item_ids is empty",
            ":6: a window of one click",
            ":7: user_id is empty",
            ":8: timestamp \"soon\"",
            ":9: 3 cells",
            ":10: noise is empty",
        ] {
            assert!(shown.contains(part), "{part} not in {shown}");
        }
    }

    #[test]
    fn a_missing_column_names_those_there_and_the_flag() {
        let error = read("a.csv", "user_id,items,noise,timestamp\n").expect_err("item_ids");
        assert!(error.contains("--column item_ids="), "{error}");
    }
}
