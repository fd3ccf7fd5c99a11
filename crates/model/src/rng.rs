//! Random numbers: initial weights and dropout masks are drawn on the host from one seed. The same seed gives
//! the same weights on every device and with any number of threads, and a resumed training draws the same
//! numbers as an uninterrupted one.

#[cfg(feature = "burn")]
mod tensors;

#[cfg(feature = "burn")]
pub use tensors::{dropout, layer_norm, linear, normal};

use rand_core::{Rng as _, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// A seeded generator.
#[derive(Clone, Debug)]
pub struct Rng(Xoshiro256PlusPlus);

impl Rng {
    /// A generator for one purpose. `stream` separates the uses of one `seed` (an epoch and a step, for
    /// example), so that none depends on how much another has drawn.
    pub fn new(seed: u64, stream: &[u64]) -> Self {
        let mixed = stream.iter().fold(seed, |state, &part| {
            mix(state.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ mix(part.wrapping_add(1)))
        });
        Self(Xoshiro256PlusPlus::seed_from_u64(mixed))
    }

    /// Uniform 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in `0.0..1.0`.
    pub fn uniform(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1u64 << 24) as f32
    }

    /// Uniform in `0..n`. `n` must be at least 1.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }

    /// A normal variate with the given standard deviation (Box-Muller).
    pub fn normal(&mut self, deviation: f32) -> f32 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        deviation * radius * (std::f32::consts::TAU * self.uniform()).cos()
    }

    /// The numbers `0..n` in random order (Fisher-Yates).
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        for last in (1..n).rev() {
            order.swap(last, self.below(last + 1));
        }
        order
    }
}

/// The finaliser of `SplitMix64`: spreads every input bit over the word.
fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// Dropout factors of `count` elements: 0 with probability `rate`, else `1 / (1 - rate)`.
pub fn dropout_mask(count: usize, rate: f32, rng: &mut Rng) -> Vec<f32> {
    // Each element takes 16 random bits: the rate is exact to 1 in 65,536.
    let threshold = (rate * 65_536.0) as u64;
    let scale = 1.0 / (1.0 - rate);
    let mut mask = Vec::with_capacity(count + 3);
    while mask.len() < count {
        let bits = rng.bits();
        for shift in [0, 16, 32, 48] {
            let kept = (bits >> shift) & 0xffff >= threshold;
            mask.push(if kept { scale } else { 0.0 });
        }
    }
    mask.truncate(count);
    mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_one_seed_differ_and_repeat() {
        let draw = |seed, stream: &[u64]| Rng::new(seed, stream).bits();
        assert_eq!(draw(7, &[1, 2]), draw(7, &[1, 2]));
        assert_ne!(draw(7, &[1, 2]), draw(7, &[2, 1]));
        assert_ne!(draw(7, &[1]), draw(8, &[1]));
        assert_ne!(draw(7, &[0]), draw(7, &[0, 0]));
    }

    #[test]
    fn normal_variates_have_the_asked_moments() {
        let mut rng = Rng::new(1, &[]);
        let draws: Vec<f32> = (0..20_000).map(|_| rng.normal(0.5)).collect();
        let mean = draws.iter().sum::<f32>() / draws.len() as f32;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / draws.len() as f32;
        assert!(mean.abs() < 0.02, "mean {mean}");
        assert!((variance.sqrt() - 0.5).abs() < 0.02, "variance {variance}");
    }

    #[test]
    fn a_permutation_holds_every_number_once() {
        let mut order = Rng::new(3, &[]).permutation(100);
        assert_ne!(order, (0..100).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..100).collect::<Vec<_>>());
    }
}
