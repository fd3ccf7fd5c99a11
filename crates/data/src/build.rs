//! Builds a dataset from a log: removes users and items with too few clicks, sorts by time, and numbers users
//! and items.

use super::histories::{Histories, Tie};
use super::read::{Catalogue, Log};
use super::{
    Dataset, Dropped, InputError, Item, Meta, Options, Parts, Protocol, Source, Summary, Texts,
    Ties,
};
use ingle_model::Rng;
use std::collections::HashSet;

/// Builds a dataset called `name`.
///
/// Clicks are sorted by time, and clicks of equal time by [`Options::ties`]. Items are numbered by descending popularity
/// and users by id; of equally popular ones the ids decide. Unless ties are kept as read, the order of the rows and of
/// the input files does not matter.
///
/// # Errors
/// If nothing is left, or a split by time leaves nothing for training or for evaluation.
pub fn build(
    log: Log,
    mut catalogue: Catalogue,
    name: String,
    sources: Vec<Source>,
    options: Options,
) -> Result<Dataset, InputError> {
    let mut dropped = Dropped {
        rows: log.rows as u64,
        bad_rows: log.bad.count as u64,
        repeated_items: catalogue.repeated.count,
        ..Dropped::default()
    };
    if log.clicks.is_empty() {
        let (rows, bad) = (log.rows, log.bad.count);
        return Err(InputError::Nothing(format!(
            "{rows} rows read, {bad} could not be used"
        )));
    }
    let weighted = log.worths.is_some();
    let (users, items) = (log.users.into_list(), log.items.into_list());
    let order = by_id(&users);
    let hashes: Vec<u64> = items.iter().map(hash).collect();
    let tie = |user: usize, item: u32, time: i64| {
        let user = mix(hash(&users[order[user] as usize]));
        mix(user ^ hashes[item as usize].rotate_left(17) ^ mix(time as u64))
    };
    let tie: Option<&Tie<'_>> = (options.ties == Ties::Mixed).then_some(&tie);
    let mut histories = Histories::group(&log.clicks, &log.weights, &places(&order), tie);
    drop(log.clicks);
    filter(&mut histories, items.len(), &options, &mut dropped);
    if histories.items.is_empty() {
        return Err(InputError::Nothing(format!(
            "no user has {} clicks on items of {} clicks; lower --min-user-clicks and --min-item-clicks",
            options.min_user_clicks, options.min_item_clicks
        )));
    }
    let split = (options.by_time).map_or(Protocol::LeaveOneOut, |shares| {
        Protocol::by_time(&histories.times, shares)
    });
    if weighted && histories.weights.iter().all(|&weight| weight == 0.0) {
        return Err(InputError::other(
            "every click has weight 0: no target is left to learn from",
        ));
    }
    let mut parts = number(histories, &users, &order, &items, &mut catalogue);

    hold_out(&mut parts, &options);
    dropped.unclicked_items = catalogue.items.len();
    let summary = Summary::of(&parts, split, dropped);
    check(&summary, split, true)?;
    let ingle = env!("CARGO_PKG_VERSION").to_owned();
    let meta = Meta {
        name,
        ingle,
        sources,
        options,
        split,
        summary,
        corruption: None,
    };
    Dataset::new(parts, meta).map_err(InputError::other)
}

/// The numbers of the texts, sorted by text.
pub(super) fn by_id(texts: &Texts) -> Vec<u32> {
    let mut order: Vec<u32> = (0..texts.len() as u32).collect();
    order.sort_unstable_by(|&a, &b| texts[a as usize].cmp(&texts[b as usize]));
    order
}

/// The inverse permutation of `order`.
fn places(order: &[u32]) -> Vec<u32> {
    let mut places = vec![0; order.len()];
    for (place, &number) in order.iter().enumerate() {
        places[number as usize] = place as u32;
    }
    places
}

/// A hash of a text (FNV-1a).
fn hash(text: &str) -> u64 {
    let step = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

/// Spreads the bits of a number (the last step of `SplitMix64`).
fn mix(mut bits: u64) -> u64 {
    bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Removes repeated clicks, if they count once, and then users and items with too few clicks.
fn filter(histories: &mut Histories, items: usize, options: &Options, dropped: &mut Dropped) {
    let before = histories.items.len();
    if options.dedup {
        let mut seen = HashSet::new();
        let mut of = 0;
        histories.retain(|user, item, time| {
            if user != of {
                seen = HashSet::new();
                of = user;
            }
            seen.insert((item, time))
        });
    }
    dropped.duplicates = before - histories.items.len();
    if options.merge_repeats {
        dropped.repeats = histories.merge();
    }
    core(histories, items, options, dropped);
}

/// Removes users and items with too few clicks, repeatedly, until all have enough (k-core).
fn core(histories: &mut Histories, items: usize, options: &Options, dropped: &mut Dropped) {
    let users = |histories: &Histories| histories.lengths().filter(|&clicks| clicks > 0).count();
    let present = |counts: &[usize]| counts.iter().filter(|&&count| count > 0).count();
    let all_users = users(histories);
    let all_items = present(&histories.counts(items));
    let all = histories.items.len();
    loop {
        let lengths: Vec<usize> = histories.lengths().collect();
        let counts = histories.counts(items);
        let before = histories.items.len();
        histories.retain(|user, item, _| {
            lengths[user] >= options.min_user_clicks
                && counts[item as usize] >= options.min_item_clicks
        });
        if histories.items.len() == before {
            dropped.core_users = all_users - users(histories);
            dropped.core_items = all_items - present(&counts);
            dropped.core_clicks = all - before;
            return;
        }
        dropped.core_rounds += 1;
    }
}

/// Gives users and items their final numbers. Titles and categories are moved out of the catalogue.
pub(super) fn number(
    mut histories: Histories,
    users: &Texts,
    order: &[u32],
    items: &Texts,
    catalogue: &mut Catalogue,
) -> Parts {
    let counts = histories.counts(items.len());
    let mut kept: Vec<usize> = (0..items.len()).filter(|&item| counts[item] > 0).collect();
    kept.sort_unstable_by(|&a, &b| {
        counts[b]
            .cmp(&counts[a])
            .then_with(|| items[a].cmp(&items[b]))
    });
    let mut index = vec![0u32; items.len()];
    for (place, &item) in kept.iter().enumerate() {
        index[item] = place as u32 + 1;
    }
    for item in &mut histories.items {
        *item = index[*item as usize];
    }
    let clicked = |(length, &user): (usize, &u32)| (length > 0).then_some(&users[user as usize]);
    let users: Texts = histories.lengths().zip(order).filter_map(clicked).collect();
    histories.offsets.dedup();
    // The filter may have left much unused capacity.
    histories.items.shrink_to_fit();
    histories.times.shrink_to_fit();
    histories.weights.shrink_to_fit();
    let item = |item: usize| {
        let id = items[item].to_owned();
        let labels = catalogue.items.remove(&id).unwrap_or_default();
        Item {
            id,
            title: labels.title,
            category: labels.category,
        }
    };
    Parts {
        items: kept.into_iter().map(item).collect(),
        unseen: vec![false; users.len()],
        users,
        offsets: histories.offsets,
        clicks: histories.items,
        timestamps: histories.times,
        weights: Some(histories.weights).filter(|weights| !weights.is_empty()),
        relabelled: None,
    }
}

/// Draws the held-out users among those with a history and a target.
fn hold_out(parts: &mut Parts, options: &Options) {
    let users = parts.users.len();
    let held_out = (users as f64 * options.holdout_users).round() as usize;
    if held_out == 0 {
        return;
    }
    let order = Rng::new(options.seed, &[4]).permutation(users).into_iter();
    let offsets = &parts.offsets;
    for user in order
        .filter(|&user| offsets[user + 1] - offsets[user] >= 2)
        .take(held_out)
    {
        parts.unseen[user] = true;
    }
}

/// Rejects a split by time with an empty period. (A split by position may be empty, as for a log of a few
/// short histories.)
pub(super) fn check(summary: &Summary, split: Protocol, tested: bool) -> Result<(), InputError> {
    let cases = summary.cases;
    let periods = [
        (cases.train, "click to learn from"),
        (cases.valid, "user to validate with"),
        (cases.test, "user to test with"),
    ];
    let empty = &periods[..if tested { 3 } else { 2 }];
    match empty.iter().find(|(users, _)| *users == 0) {
        Some((_, what)) if split != Protocol::LeaveOneOut => Err(InputError::other(format!(
            "the split {split} leaves no {what}: choose other shares with --valid-share and --test-share"
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
