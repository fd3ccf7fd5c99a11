//! Ids that a program wrote as floating-point numbers: `1002.0` is the item 1002.

use super::{Catalogue, Log, Windows};
use crate::error::quoted;
use crate::{Names, Texts};

/// Makes whole the ids of a log that became floating-point numbers, and says so; says as well if no item of the log is
/// in the catalogue, whose own ids are whole already.
pub fn settle(log: &mut Log, catalogue: &Catalogue) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(found) = whole(&log.users) {
        for click in &mut log.clicks {
            click.user = found.numbers[click.user as usize];
        }
        notes.push(changed("user", found.count, &found.example));
        log.users = found.names;
    }
    if let Some(found) = whole(&log.items) {
        for click in &mut log.clicks {
            click.item = found.numbers[click.item as usize];
        }
        notes.push(changed("item", found.count, &found.example));
        log.items = found.names;
    }
    notes.extend(unlisted(log.items.list(), catalogue));
    notes
}

/// Makes whole the item ids of windows, likewise. Windows are known by their shoppers' ids as they stand.
pub fn settle_windows(windows: &mut Windows, catalogue: &Catalogue) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(found) = whole(&windows.items) {
        let items = windows.list.iter_mut().flat_map(|window| &mut window.items);
        for item in items {
            *item = found.numbers[*item as usize];
        }
        notes.push(changed("item", found.count, &found.example));
        windows.items = found.names;
    }
    notes.extend(unlisted(windows.items.list(), catalogue));
    notes
}

/// Makes whole the ids of a catalogue, and says so.
pub(super) fn settle_catalogue(catalogue: &mut Catalogue) {
    let items = &mut catalogue.items;
    let mut floats: Vec<String> = items
        .keys()
        .filter(|id| cut(id).is_some())
        .cloned()
        .collect();
    if !items.keys().all(|id| is_whole(id) || cut(id).is_some()) {
        return;
    }
    floats.sort_unstable();
    let note = floats
        .first()
        .map(|example| changed("catalogue", floats.len(), example));
    catalogue.notes.extend(note);
    for id in floats {
        if let (Some(labels), Some(cut)) = (items.remove(&id), cut(&id)) {
            items.entry(cut.to_owned()).or_insert(labels);
        }
    }
}

fn changed(what: &str, count: usize, example: &str) -> String {
    format!(
        "{count} {what} ids such as {example} were written as decimal numbers: read as whole ones"
    )
}

/// A note if there are titles, and none is of an item of the log.
fn unlisted(items: &Texts, catalogue: &Catalogue) -> Option<String> {
    let first = items.iter().next()?;
    let other = catalogue.items.keys().min()?;
    (!items.iter().any(|id| catalogue.items.contains_key(id))).then(|| {
        format!(
            "none of the log's {} items is in the items file: the log has ids such as {}, the file such as {}",
            items.len(),
            quoted(first),
            quoted(other)
        )
    })
}

/// Names that were made whole.
struct Whole {
    names: Names,
    /// The new number of each name.
    numbers: Vec<u32>,
    /// How many were changed, and one of them.
    count: usize,
    example: String,
}

/// The names without `.0`, if every id is a whole number and some are written so.
fn whole(names: &Names) -> Option<Whole> {
    let list = names.list();
    let count = list.iter().filter(|id| cut(id).is_some()).count();
    if count == 0 || !list.iter().all(|id| is_whole(id) || cut(id).is_some()) {
        return None;
    }
    let mut names = Names::default();
    let numbers = list
        .iter()
        .map(|id| names.number(cut(id).unwrap_or(id)))
        .collect();
    let example = list.iter().find(|id| cut(id).is_some()).unwrap_or_default();
    Some(Whole {
        names,
        numbers,
        count,
        example: example.to_owned(),
    })
}

fn cut(id: &str) -> Option<&str> {
    id.strip_suffix(".0").filter(|id| is_whole(id))
}

fn is_whole(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::{Click, Labels, Window};

    fn log(rows: &[(&str, &str)]) -> Log {
        let mut log = Log::default();
        for (user, item) in rows {
            let (user, item) = (log.users.number(user), log.items.number(item));
            log.clicks.push(Click {
                user,
                item,
                time: 1,
            });
        }
        log
    }

    fn catalogue(ids: &[&str]) -> Catalogue {
        let items = ids.iter().map(|id| ((*id).to_owned(), Labels::default()));
        Catalogue {
            items: items.collect(),
            ..Catalogue::default()
        }
    }

    #[test]
    fn ids_that_became_decimal_numbers_are_whole_again() {
        let mut log = log(&[("7.0", "1002.0"), ("7", "1003.0"), ("8.0", "1002")]);
        let mut items = catalogue(&["1002", "1003.0"]);
        settle_catalogue(&mut items);
        let notes = [settle(&mut log, &items), items.notes.clone()].concat();
        let ids = |names: &Names| names.list().iter().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(
            (ids(&log.users), ids(&log.items)),
            (
                vec!["7".to_owned(), "8".to_owned()],
                vec!["1002".to_owned(), "1003".to_owned()]
            )
        );
        let clicks: Vec<(u32, u32)> = log.clicks.iter().map(|c| (c.user, c.item)).collect();
        assert_eq!(clicks, [(0, 0), (0, 1), (1, 0)]);
        assert!(items.items.contains_key("1003") && items.items.len() == 2);
        assert_eq!(notes.len(), 3, "{notes:?}");
        assert!(notes[1].contains("2 item ids such as 1002.0"), "{notes:?}");
    }

    #[test]
    fn ids_that_only_look_like_numbers_stay() {
        let mut log = log(&[("1.0", "v1"), ("1.1", "2.0")]);
        let mut items = catalogue(&["v1", "2.0"]);
        settle_catalogue(&mut items);
        assert_eq!(settle(&mut log, &items), [""; 0]);
        assert_eq!(&log.users.list()[0], "1.0");
        assert!(items.items.contains_key("2.0"));
    }

    #[test]
    fn a_catalogue_of_other_items_is_told() {
        let notes = settle(&mut log(&[("a", "sku-1")]), &catalogue(&["17", "18"]));
        assert!(
            notes.len() == 1 && notes[0].contains("\"sku-1\"") && notes[0].contains("\"17\""),
            "{notes:?}"
        );
    }

    #[test]
    fn windows_of_items_that_became_decimal_numbers_are_of_whole_ones() {
        let mut windows = Windows::default();
        let items = ["12.0", "7", "12"]
            .map(|id| windows.items.number(id))
            .to_vec();
        windows.shoppers.number("3.0");
        windows.list.push(Window {
            shopper: 0,
            number: 1,
            items,
            noise: vec![0, 0, 1],
            time: 1,
            unseen: false,
        });
        let notes = settle_windows(&mut windows, &catalogue(&["12"]));
        assert_eq!((&*windows.list[0].items, notes.len()), (&[0, 1, 0][..], 1));
        assert_eq!(
            (&windows.items.list()[0], &windows.shoppers.list()[0]),
            ("12", "3.0")
        );
    }
}
