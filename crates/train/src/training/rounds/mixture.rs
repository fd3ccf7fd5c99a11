//! Soft labels from learning dynamics: a mixture of two Gaussians over the clicks' statistics, one for clicks
//! that fit and one for noise.
//!
//! Late clicks and popular items are easier to predict, noise or not. So each statistic is first standardised
//! against clicks at about the same place in a history and of about the same popularity, by median and median
//! absolute deviation. The weight of the noise component is the prior's noise probability of each click: this
//! is DC4SR's fusion of prior and posterior at the level of labels. The mixture is fitted by expectation
//! maximisation ([Dempster et al., 1977](https://doi.org/10.1111/j.2517-6161.1977.tb01600.x)).

use super::dynamics::Trajectory;

/// Iterations of the fit; it changes little after a dozen.
const STEPS: usize = 60;
/// Smallest standard deviation of a component, in median absolute deviations.
const NARROWEST: f64 = 0.25;
/// Least clicks from which a median and a deviation are taken.
const ENOUGH: usize = 30;
/// Number of popularity classes, equal in clicks.
const FIFTHS: usize = 5;

/// A click of the log.
#[derive(Clone, Copy, Debug)]
pub struct Click {
    /// Its learning dynamics.
    pub trajectory: Trajectory,
    /// Number of clicks before it in its history.
    pub place: usize,
    /// Number of training clicks of its item.
    pub popularity: u32,
    /// Noise probability by the prior view, `0..=1`.
    pub believed: f32,
}

/// The noise probability of each click, `0..=1`. It is `believed` unchanged if there are too few clicks or
/// the noise component has no higher mean loss than the other one.
pub fn responsibilities(clicks: &[Click]) -> Vec<f32> {
    let believed = || clicks.iter().map(|click| click.believed).collect();
    if clicks.len() < ENOUGH {
        return believed();
    }
    let usual = against_usual(clicks);
    let weights: Vec<f64> = (clicks.iter())
        .map(|click| f64::from(click.believed).clamp(0.01, 0.99))
        .collect();
    // Start: clicks whose loss is clearly above the median are likely noise.
    let mut found: Vec<f64> = (usual.iter().zip(&weights))
        .map(|(x, weight)| {
            if x[0] > 1.0 {
                weight.max(0.5)
            } else {
                weight * 0.5
            }
        })
        .collect();
    for _ in 0..STEPS {
        let noise = Component::fitted(&usual, &found, |r| r);
        let clean = Component::fitted(&usual, &found, |r| 1.0 - r);
        if noise.mean[0] <= clean.mean[0] {
            return believed();
        }
        for ((r, x), weight) in found.iter_mut().zip(&usual).zip(&weights) {
            let odds =
                weight.ln() - (1.0 - weight).ln() + noise.log_density(x) - clean.log_density(x);
            *r = 1.0 / (1.0 + (-odds).exp());
        }
    }
    found.into_iter().map(|r| r as f32).collect()
}

/// A Gaussian with a diagonal covariance matrix.
struct Component {
    mean: [f64; 3],
    deviation: [f64; 3],
}

impl Component {
    fn fitted(points: &[[f64; 3]], found: &[f64], share: impl Fn(f64) -> f64) -> Self {
        let total = found.iter().map(|&r| share(r)).sum::<f64>().max(1e-9);
        let over = |value: &dyn Fn(&[f64; 3]) -> f64| -> f64 {
            let sum = points.iter().zip(found).map(|(x, &r)| share(r) * value(x));
            sum.sum::<f64>() / total
        };
        let mean: [f64; 3] = std::array::from_fn(|k| over(&|x| x[k]));
        let deviation = std::array::from_fn(|k| {
            let variance = over(&|x| (x[k] - mean[k]).powi(2));
            variance.sqrt().max(NARROWEST)
        });
        Self { mean, deviation }
    }

    fn log_density(&self, x: &[f64; 3]) -> f64 {
        let each = (0..3).map(|k| {
            let off = (x[k] - self.mean[k]) / self.deviation[k];
            -self.deviation[k].ln() - 0.5 * off * off
        });
        each.sum()
    }
}

/// The statistics standardised against similar clicks, clamped to `-5..=5` median absolute deviations.
fn against_usual(clicks: &[Click]) -> Vec<[f64; 3]> {
    let mut by_popularity: Vec<u32> = clicks.iter().map(|click| click.popularity).collect();
    by_popularity.sort_unstable();
    let bounds: Vec<u32> = (1..FIFTHS)
        .map(|k| by_popularity[k * clicks.len() / FIFTHS])
        .collect();
    let cell = |click: &Click| {
        // Classes of places: 0 and 1, 2 and 3, 4 to 7, 8 to 15, and so on.
        let place = click.place.max(1).ilog2() as usize;
        let fifth = bounds
            .iter()
            .filter(|&&bound| click.popularity >= bound)
            .count();
        place * FIFTHS + fifth
    };
    let cells: Vec<usize> = clicks.iter().map(cell).collect();
    let mut members = vec![Vec::new(); cells.iter().max().map_or(0, |most| most + 1)];
    for (click, &cell) in cells.iter().enumerate() {
        members[cell].push(click);
    }
    let everyone: Vec<usize> = (0..clicks.len()).collect();
    let usual: Vec<[[f64; 2]; 3]> = (members.iter())
        .map(|own| usual(clicks, if own.len() < ENOUGH { &everyone } else { own }))
        .collect();
    let against = |(click, &cell): (&Click, &usize)| {
        std::array::from_fn(|k| {
            let [median, deviation] = usual[cell][k];
            ((f64::from(click.trajectory[k]) - median) / deviation).clamp(-5.0, 5.0)
        })
    };
    clicks.iter().zip(&cells).map(against).collect()
}

/// Median and median absolute deviation (scaled to a Gaussian's standard deviation) of each statistic over
/// some clicks.
fn usual(clicks: &[Click], members: &[usize]) -> [[f64; 2]; 3] {
    std::array::from_fn(|k| {
        let values = members
            .iter()
            .map(|&click| f64::from(clicks[click].trajectory[k]));
        let values: Vec<f64> = values.collect();
        let centre = median(values.clone());
        let off = values.into_iter().map(|x| (x - centre).abs()).collect();
        [centre, (1.4826 * median(off)).max(1e-3)]
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::detection::detection;
    use ingle_model::Rng;

    /// Clicks whose loss falls with place and popularity, of which noise has a higher loss.
    fn log(believed: impl Fn(bool, &mut Rng) -> f32) -> (Vec<Click>, Vec<bool>) {
        let mut rng = Rng::new(1, &[]);
        let clicks = (0..5000).map(|_| {
            let noisy = rng.uniform() < 0.1;
            let (place, popularity) = (1 + rng.below(20), 1 + rng.below(500) as u32);
            let usual = 9.0 - 0.1 * place as f32 - 0.5 * (popularity as f32).ln();
            let extra = if noisy { 2.0 } else { 0.0 };
            let mean = usual + extra + rng.normal(1.0);
            let click = Click {
                trajectory: [mean, 0.3 + rng.uniform() * 0.2, rng.uniform()],
                place,
                popularity,
                believed: believed(noisy, &mut rng),
            };
            (click, noisy)
        });
        clicks.unzip()
    }

    fn auc(found: &[f32], noisy: &[bool]) -> f64 {
        detection(found, noisy).expect("both occur").auc
    }

    #[test]
    fn finds_what_is_more_surprising_than_is_usual_there() {
        let (clicks, noisy) = log(|_, _| 0.1);
        let found = responsibilities(&clicks);
        let plain: Vec<f32> = (clicks.iter())
            .map(|click| click.trajectory[0] / 20.0)
            .collect();
        let (found, plain) = (auc(&found, &noisy), auc(&plain, &noisy));
        assert!(found > 0.88 && found > plain + 0.02, "{found} {plain}");
    }

    #[test]
    fn hears_the_prior() {
        let (clicks, noisy) = log(|_, _| 0.1);
        let alone = auc(&responsibilities(&clicks), &noisy);
        let (clicks, noisy) = log(|noisy, rng| {
            let lean = if noisy { 0.1 } else { 0.0 };
            (0.02 + lean + 0.15 * rng.uniform()).min(1.0)
        });
        let with = auc(&responsibilities(&clicks), &noisy);
        assert!(with > alone + 0.01, "{with} {alone}");
    }

    #[test]
    fn where_nothing_is_known_it_is_what_was_believed() {
        let click = Click {
            trajectory: [1.0; 3],
            place: 1,
            popularity: 1,
            believed: 0.3,
        };
        assert!(responsibilities(&[]).is_empty());
        assert_eq!(responsibilities(&[click; 3]), [0.3; 3]);
        assert_eq!(responsibilities(&[click; 100]), [0.3; 100]);
    }
}
