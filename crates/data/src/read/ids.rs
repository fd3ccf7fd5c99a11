//! Ids that a program wrote as floating-point numbers: `1002.0` is the item 1002.

use super::{Catalogue, Log};
use crate::error::quoted;
use crate::{Names, Texts};

/// Makes whole the ids of a log and of a catalogue that became floating-point numbers, and says so; says as well if no
/// item of the log is in the catalogue.
pub fn settle(log: &mut Log, catalogue: &mut Catalogue) -> Vec<String> {
    let mut notes = Vec::new();
    let changed = |what: &str, count: usize, example: &str| {
        format!(
            "{count} {what} ids such as {example} were written as decimal numbers: read as whole ones"
        )
    };
    if let Some((names, numbers, count, example)) = whole(&log.users) {
        log.clicks
            .iter_mut()
            .for_each(|click| click.user = numbers[click.user as usize]);
        log.users = names;
        notes.push(changed("user", count, &example));
    }
    if let Some((names, numbers, count, example)) = whole(&log.items) {
        log.clicks
            .iter_mut()
            .for_each(|click| click.item = numbers[click.item as usize]);
        log.items = names;
        notes.push(changed("item", count, &example));
    }
    let mut floats: Vec<String> = (catalogue.items.keys())
        .filter(|id| cut(id).is_some())
        .cloned()
        .collect();
    if catalogue
        .items
        .keys()
        .all(|id| is_whole(id) || cut(id).is_some())
    {
        floats.sort_unstable();
        if let Some(example) = floats.first() {
            notes.push(changed("catalogue", floats.len(), example));
        }
        for id in floats {
            if let (Some(labels), Some(cut)) = (catalogue.items.remove(&id), cut(&id)) {
                catalogue.items.entry(cut.to_owned()).or_insert(labels);
            }
        }
    }
    notes.extend(strangers(log.items.list(), catalogue));
    notes
}

/// A note if there are titles, and none is of an item of the log.
fn strangers(items: &Texts, catalogue: &Catalogue) -> Option<String> {
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

/// If every id is a whole number and some are written with `.0`: the names without it, the new number of each, how
/// many were changed, and one of them.
fn whole(names: &Names) -> Option<(Names, Vec<u32>, usize, String)> {
    let list = names.list();
    let count = list.iter().filter(|id| cut(id).is_some()).count();
    if count == 0 || !list.iter().all(|id| is_whole(id) || cut(id).is_some()) {
        return None;
    }
    let mut whole = Names::default();
    let numbers = list
        .iter()
        .map(|id| whole.number(cut(id).unwrap_or(id)))
        .collect();
    let example = list.iter().find(|id| cut(id).is_some()).unwrap_or_default();
    Some((whole, numbers, count, example.to_owned()))
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
    use crate::read::{Click, Labels};

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
        let notes = settle(&mut log, &mut items);
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
        assert_eq!(settle(&mut log, &mut items), [""; 0]);
        assert_eq!(&log.users.list()[0], "1.0");
        assert!(items.items.contains_key("2.0"));
    }

    #[test]
    fn a_catalogue_of_other_items_is_told() {
        let notes = settle(&mut log(&[("a", "sku-1")]), &mut catalogue(&["17", "18"]));
        assert!(
            notes.len() == 1 && notes[0].contains("\"sku-1\"") && notes[0].contains("\"17\""),
            "{notes:?}"
        );
    }
}
