//! Plans which histories share a step. Histories of similar length go together, so that there is little
//! padding. A batch is filled up to a number of clicks, so that every step learns from about as many targets.

use ingle_model::Rng;

/// Random jitter of the lengths by which histories are sorted, in clicks.
const JITTER: f32 = 1.5;

/// Splits histories into batches for one epoch.
///
/// `lengths[i]` is the number of clicks of history `i`; those of length 0 are left out. Each batch holds
/// about `clicks` clicks. The order of the batches and the histories in each of them are random.
pub fn plan(lengths: &[usize], clicks: usize, rng: &mut Rng) -> Vec<Vec<usize>> {
    let mut order: Vec<(f32, usize)> = (lengths.iter().enumerate())
        .filter(|(_, length)| **length > 0)
        .map(|(history, &length)| (length as f32 + JITTER * rng.uniform(), history))
        .collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut batches = Vec::new();
    let mut batch = Vec::new();
    let mut held = 0;
    for (_, history) in order {
        batch.push(history);
        held += lengths[history];
        if held >= clicks {
            batches.push(std::mem::take(&mut batch));
            held = 0;
        }
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    let shuffled = rng.permutation(batches.len());
    shuffled
        .into_iter()
        .map(|i| std::mem::take(&mut batches[i]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ingle_model::Rng;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_history_is_in_exactly_one_batch(
            lengths in prop::collection::vec(0usize..60, 0..300),
            clicks in 1usize..500,
            seed in 0u64..9,
        ) {
            let batches = plan(&lengths, clicks, &mut Rng::new(seed, &[]));
            let mut seen: Vec<usize> = batches.iter().flatten().copied().collect();
            seen.sort_unstable();
            let expected: Vec<usize> = (0..lengths.len()).filter(|&i| lengths[i] > 0).collect();
            prop_assert_eq!(seen, expected);
            prop_assert!(batches.iter().all(|batch| !batch.is_empty()));
        }
    }

    #[test]
    fn little_is_padded_and_epochs_differ() {
        let mut rng = Rng::new(1, &[]);
        let lengths: Vec<usize> = (0..5000).map(|_| 3 + rng.below(12)).collect();
        let batches = plan(&lengths, 1000, &mut rng);
        let padded: usize = (batches.iter())
            .map(|b| b.len() * b.iter().map(|&i| lengths[i]).max().unwrap_or(0))
            .sum();
        let real: usize = lengths.iter().sum();
        assert!(padded as f64 / (real as f64) < 1.2, "{padded} {real}");
        assert_ne!(batches, plan(&lengths, 1000, &mut rng));
    }
}
