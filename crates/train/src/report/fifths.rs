//! Groups of about a fifth of clicks or users by popularity.

/// Five groups of about equal size; equal values stay together.
#[derive(Clone, Debug)]
pub struct Fifths(Vec<u32>);

impl Fifths {
    /// The groups of these values.
    pub fn of(values: impl IntoIterator<Item = u32>) -> Self {
        let mut sorted: Vec<u32> = values.into_iter().collect();
        sorted.sort_unstable();
        Self(sorted)
    }

    /// The group of a value, the lowest first: 0 to 4.
    pub fn number(&self, value: u32) -> usize {
        let below = self.0.partition_point(|&v| v < value);
        let up_to = self.0.partition_point(|&v| v <= value);
        // Equal values are grouped by the middle one of them.
        (5 * (below + up_to) / (2 * self.0.len()).max(1)).min(4)
    }
}
