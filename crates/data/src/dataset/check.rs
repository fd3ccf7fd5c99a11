//! Checks of a dataset's parts.

use super::{Meta, Parts, Relabelled};
use crate::Protocol;

/// Rejects inconsistent parts, which would make an accessor wrong or panic.
pub(super) fn check(parts: &Parts) -> Result<(), String> {
    let clicks = parts.clicks.len();
    let users = parts.users.len();
    if users == 0 || parts.items.is_empty() || clicks == 0 {
        return Err("it has no users, no items or no clicks".to_owned());
    }
    let bounded = parts.offsets.first() == Some(&0) && parts.offsets.last() == Some(&clicks);
    if parts.offsets.len() != users + 1 || !bounded || !parts.offsets.is_sorted() {
        return Err(format!(
            "its offsets do not divide {clicks} clicks among {users} users"
        ));
    }
    if parts.timestamps.len() != clicks || parts.unseen.len() != users {
        return Err("its sequences differ in length".to_owned());
    }
    if let Some(weights) = &parts.weights {
        let share = |weight: &f32| (0.0..=1.0).contains(weight);
        if weights.len() != clicks || !weights.iter().all(share) {
            return Err("its weights are not one a click, from 0 to 1".to_owned());
        }
    }
    check_indices(&parts.clicks, parts.items.len())?;
    (parts.relabelled.as_ref()).map_or(Ok(()), |truth| check_labels(truth, parts))
}

/// Rejects labels that contradict the clicks.
fn check_labels(truth: &Relabelled, parts: &Parts) -> Result<(), String> {
    let Relabelled { noise, original } = truth;
    let clicks = &parts.clicks;
    if [Some(noise.len()), original.as_ref().map(Vec::len)]
        .iter()
        .flatten()
        .any(|&length| length != clicks.len())
    {
        return Err("its noise labels differ in length from its clicks".to_owned());
    }
    if noise.iter().any(|&label| label > 1) {
        return Err("its noise labels are not all 0 or 1".to_owned());
    }
    let Some(original) = original else {
        return Ok(());
    };
    if let Some(item) = original
        .iter()
        .find(|&&item| item as usize > parts.items.len())
    {
        return Err(format!(
            "a click was on item {item}, and there are items 1 to {}",
            parts.items.len()
        ));
    }
    let replaced = clicks.iter().zip(original).map(|(a, b)| u8::from(a != b));
    if !replaced.eq(noise.iter().copied()) {
        return Err("its noise labels do not say which clicks were replaced or put in".to_owned());
    }
    Ok(())
}

/// Checks that every history is sorted by time, as splits by time assume.
pub(super) fn check_times(parts: &Parts, meta: &Meta) -> Result<(), String> {
    let ordered = |ends: &[usize]| parts.timestamps[ends[0]..ends[1]].is_sorted();
    if meta.split == Protocol::LeaveOneOut || parts.offsets.windows(2).all(ordered) {
        return Ok(());
    }
    Err("it is split by time, and its clicks are not in order of time".to_owned())
}

fn check_indices(clicks: &[u32], items: usize) -> Result<(), String> {
    let wrong = clicks.iter().find(|&&i| i == 0 || i as usize > items);
    match wrong {
        Some(item) => Err(format!(
            "a click is on item {item}, and there are items 1 to {items}"
        )),
        None => Ok(()),
    }
}
