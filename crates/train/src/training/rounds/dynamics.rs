//! Learning dynamics: the loss of each click of the log when predicted from the clicks before it, over the
//! epochs.
//!
//! Clicks that fit a history are learnt early and stay learnt. The loss of clicks that do not fit stays high
//! or rises again (forgetting, counted for images by [Toneva et al.,
//! 2019](https://arxiv.org/abs/1812.05159)). The losses are a by-product of the training step, so no
//! additional pass is needed; they take 18 bytes per click. DC4SR counts a click as forgotten when its rank
//! gets worse. Here a click counts as forgotten when its loss rises, because the training's softmax never
//! stores the scores that a rank needs.

use crate::data::Dataset;
use crate::training::checkpoint::write_atomically;
use anyhow::{Context, Result, ensure};
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use std::path::Path;
use std::time::{Duration, Instant};

/// Weight of earlier epochs in the moving averages.
const DECAY: f32 = 0.8;

/// A click's statistics: mean loss in nats, standard deviation of the loss over epochs, and share of the
/// epochs in which the loss was higher than in the epoch before.
pub type Trajectory = [f32; 3];

/// The statistics of all training clicks.
#[derive(Clone, Debug)]
pub struct Dynamics {
    /// Index of each user's first click, and one past the last click.
    offsets: Vec<usize>,
    mean: Vec<f32>,
    variance: Vec<f32>,
    latest: Vec<f32>,
    /// Number of epochs in which the loss was above that of the epoch before.
    forgotten: Vec<u16>,
    /// Number of epochs in which the click was predicted.
    epochs: Vec<u16>,
    spent: Duration,
}

impl Dynamics {
    /// Statistics of no epoch yet.
    pub fn new(data: &Dataset) -> Self {
        let mut offsets = vec![0];
        for user in 0..data.n_users() {
            offsets.push(offsets[user] + data.train(user).len());
        }
        let clicks = offsets[data.n_users()];
        Self {
            offsets,
            mean: vec![0.0; clicks],
            variance: vec![0.0; clicks],
            latest: vec![0.0; clicks],
            forgotten: vec![0; clicks],
            epochs: vec![0; clicks],
            spent: Duration::ZERO,
        }
    }

    /// Adds an epoch's losses of users' latest clicks, concatenated user by user; `counts` gives the number
    /// of each user.
    ///
    /// # Panics
    /// If the losses are not as many as `counts` says, or more than a user has clicks.
    pub fn observe(&mut self, users: &[usize], counts: &[usize], losses: &[f32]) {
        let since = Instant::now();
        assert_eq!(
            counts.iter().sum::<usize>(),
            losses.len(),
            "one loss a click"
        );
        let mut rest = losses;
        for (&user, &count) in users.iter().zip(counts) {
            let (own, others) = rest.split_at(count);
            rest = others;
            let first = self.offsets[user + 1] - count;
            assert!(first >= self.offsets[user], "no more losses than clicks");
            for (click, &loss) in (first..).zip(own) {
                self.add(click, loss);
            }
        }
        self.spent += since.elapsed();
    }

    fn add(&mut self, click: usize, loss: f32) {
        if self.epochs[click] == 0 {
            self.mean[click] = loss;
        } else {
            // Exponentially weighted mean and variance, updated as in West (1979).
            let off = loss - self.mean[click];
            self.mean[click] += (1.0 - DECAY) * off;
            self.variance[click] = DECAY * (self.variance[click] + (1.0 - DECAY) * off * off);
            self.forgotten[click] += u16::from(loss > self.latest[click]);
        }
        self.latest[click] = loss;
        self.epochs[click] = self.epochs[click].saturating_add(1);
    }

    /// The statistics of a user's training clicks; `None` for clicks that were never predicted, such as the
    /// first.
    pub fn of(&self, user: usize) -> Vec<Option<Trajectory>> {
        let clicks = self.offsets[user]..self.offsets[user + 1];
        let trajectory = |click: usize| {
            let epochs = self.epochs[click];
            let again = f32::from(epochs.saturating_sub(1)).max(1.0);
            (epochs > 0).then(|| {
                let forgotten = f32::from(self.forgotten[click]) / again;
                [self.mean[click], self.variance[click].sqrt(), forgotten]
            })
        };
        clicks.map(trajectory).collect()
    }

    /// Size in bytes.
    pub fn bytes(&self) -> usize {
        self.mean.len() * (3 * size_of::<f32>() + 2 * size_of::<u16>())
            + self.offsets.len() * size_of::<usize>()
    }

    /// Time spent on recording since it was created or loaded.
    pub fn spent(&self) -> Duration {
        self.spent
    }

    fn floats(&mut self) -> [(&'static str, &mut Vec<f32>); 3] {
        [
            ("mean", &mut self.mean),
            ("variance", &mut self.variance),
            ("latest", &mut self.latest),
        ]
    }

    fn counts(&mut self) -> [(&'static str, &mut Vec<u16>); 2] {
        [
            ("forgotten", &mut self.forgotten),
            ("epochs", &mut self.epochs),
        ]
    }

    /// Writes the statistics to a file.
    pub fn save(&mut self, path: &Path) -> Result<()> {
        let clicks = self.mean.len();
        let mut columns: Vec<(&str, Dtype, Vec<u8>)> = Vec::new();
        for (name, values) in self.floats() {
            let bytes = values.iter().flat_map(|x| x.to_le_bytes()).collect();
            columns.push((name, Dtype::F32, bytes));
        }
        for (name, values) in self.counts() {
            let bytes = values.iter().flat_map(|x| x.to_le_bytes()).collect();
            columns.push((name, Dtype::U16, bytes));
        }
        let views = (columns.iter())
            .map(|(name, kind, bytes)| Ok((*name, TensorView::new(*kind, vec![clicks], bytes)?)))
            .collect::<Result<Vec<_>>>()?;
        write_atomically(path, &serialize(views, None)?)
    }

    /// Loads the statistics of the same dataset.
    ///
    /// # Errors
    /// If the file is missing, damaged, or has another number of clicks.
    pub fn load(&mut self, path: &Path) -> Result<()> {
        let bytes =
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let damaged = || format!("{} is damaged", path.display());
        let file = SafeTensors::deserialize(&bytes).with_context(damaged)?;
        let column = |name: &str, bytes: usize| -> Result<Vec<u8>> {
            let data = file.tensor(name).with_context(damaged)?.data();
            ensure!(data.len() == bytes, damaged());
            Ok(data.to_vec())
        };
        for (name, values) in self.floats() {
            let data = column(name, 4 * values.len())?;
            let words = data.as_chunks::<4>().0.iter();
            *values = words.map(|word| f32::from_le_bytes(*word)).collect();
        }
        for (name, values) in self.counts() {
            let data = column(name, 2 * values.len())?;
            let words = data.as_chunks::<2>().0.iter();
            *values = words.map(|word| u16::from_le_bytes(*word)).collect();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::dataset;

    fn data() -> Dataset {
        // The last two clicks of each are for validation and test.
        dataset(&[&[1, 2, 3, 4, 1, 2], &[2, 3, 1, 4]], &[])
    }

    #[test]
    fn follows_mean_spread_and_forgetting_of_each_click() {
        let mut dynamics = Dynamics::new(&data());
        dynamics.observe(&[1, 0], &[1, 3], &[5.0, 1.0, 2.0, 3.0]);
        dynamics.observe(&[0], &[3], &[2.0, 1.0, 3.0]);
        dynamics.observe(&[0], &[3], &[3.0, 0.5, 3.0]);
        let of = dynamics.of(0);
        assert_eq!(of[0], None);
        let [mean, spread, forgotten] = of[1].expect("predicted");
        // 1, then 1 + .2 * 1, then 1.2 + .2 * 1.8.
        assert!((mean - 1.56).abs() < 1e-6, "{mean}");
        // .8 * (0 + .2 * 1), then .8 * (.16 + .2 * 1.8 * 1.8).
        assert!((spread * spread - 0.6464).abs() < 1e-5, "{spread}");
        assert_eq!(forgotten, 1.0);
        assert_eq!(of[2].expect("predicted")[2], 0.0);
        assert_eq!(of[3], Some([3.0, 0.0, 0.0]));
        assert_eq!(dynamics.of(1)[1], Some([5.0, 0.0, 0.0]));
    }

    #[test]
    fn what_is_written_goes_on_and_that_of_another_log_is_refused() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("dynamics.safetensors");
        let mut through = Dynamics::new(&data());
        through.observe(&[0], &[3], &[1.0, 2.0, 3.0]);
        through.save(&path).expect("written");
        let mut resumed = Dynamics::new(&data());
        resumed.load(&path).expect("read");
        for dynamics in [&mut through, &mut resumed] {
            dynamics.observe(&[0], &[3], &[2.0, 2.0, 1.0]);
        }
        assert_eq!(through.of(0), resumed.of(0));
        let mut other = Dynamics::new(&dataset(&[&[1, 2, 3, 4, 1, 2, 3]], &[]));
        let told = other.load(&path).expect_err("another log").to_string();
        assert!(told.contains("damaged"), "{told}");
    }
}
