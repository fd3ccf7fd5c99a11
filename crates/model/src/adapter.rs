//! A small adapter, learnt from one shopper's own clicks by gradient descent. The model itself is constant.
//!
//! An [`Adapter`] is a bias, added to the user vector, and a weight of log-popularity, added to the scores. It lowers
//! the cross-entropy of the shopper's next clicks, each predicted from those before it. Recent clicks count more.
//!
//! With user vector `u`, row `e` and log-popularity `p` a logit is `u·e + (b·e + w·p)`. The first part is the model's
//! and constant, so its exponential is computed once for each click and row. The second is the same for all clicks.
//! A step therefore needs one exponential for each row, two products of the constant exponentials with a vector and
//! two passes over the table, however many clicks there are.
//!
//! This module has no files, clocks, threads or random numbers: equal clicks give equal adapters.

use ingle_kernel::vector::{add_scaled, dot, exponentials, largest, multiply};

/// What is added to the model's scores.
#[derive(Clone, Debug, PartialEq)]
pub struct Adapter {
    /// Added to the user vector, `[width]`.
    pub bias: Vec<f32>,
    /// Added to each logit, times the item's log-popularity.
    pub weight: f32,
}

impl Adapter {
    /// An adapter without a bias.
    pub fn of_popularity(width: usize, weight: f32) -> Self {
        Self {
            bias: vec![0.0; width],
            weight,
        }
    }

    /// From one vector: the bias, then the weight. `None` unless it has `width + 1` finite values.
    pub fn from_values(values: &[f32], width: usize) -> Option<Self> {
        let (weight, bias) = values.split_last()?;
        let fits = bias.len() == width && values.iter().all(|x| x.is_finite());
        fits.then(|| Self {
            bias: bias.to_vec(),
            weight: *weight,
        })
    }

    /// As one vector: the bias, then the weight.
    pub fn into_values(self) -> Vec<f32> {
        let mut values = self.bias;
        values.push(self.weight);
        values
    }

    fn is_finite(&self) -> bool {
        self.weight.is_finite() && self.bias.iter().all(|x| x.is_finite())
    }
}

/// The rows of the item table that a lesson compares.
pub trait Candidates {
    /// Inner products of the rows with a vector.
    fn scores(&self, vector: &[f32], out: &mut [f32]);

    /// Adds the rows, each times its factor, to a vector.
    fn add_scaled(&self, factors: &[f32], out: &mut [f32]);
}

/// A click to learn from.
#[derive(Clone, Copy, Debug)]
pub struct Example<'a> {
    /// The user vector before the click, `[width]`.
    pub user: &'a [f32],
    /// The clicked row among the candidates.
    pub target: usize,
    /// How much it counts; above 0.
    pub weight: f32,
    /// Rows that are not compared because they were clicked before. The target is always compared.
    pub hidden: &'a [usize],
}

/// Step sizes; a part with step size 0 is not learnt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// Of the bias.
    pub bias: f32,
    /// Of the weight of log-popularity.
    pub weight: f32,
}

/// One shopper's clicks, ready to be learnt from.
#[derive(Debug)]
pub struct Lesson<C> {
    pub(crate) candidates: C,
    /// Log-popularity of each candidate.
    pub(crate) popularity: Vec<f32>,
    /// How many rows of the catalogue each candidate stands for; 0 for one that is a target only.
    pub(crate) stands_for: Vec<f32>,
    /// Exponentials of the model's logits less the largest, times the rows that a candidate stands for,
    /// `[examples, candidates]`.
    pub(crate) likely: Vec<f32>,
    /// Weight of each example.
    pub(crate) weights: Vec<f32>,
    /// By candidate: the weights of the examples whose target it is.
    pub(crate) due: Vec<f32>,
}

impl<C: Candidates> Lesson<C> {
    /// A lesson without examples.
    ///
    /// # Panics
    /// If the two lists differ in length.
    pub fn new(candidates: C, popularity: Vec<f32>, stands_for: Vec<f32>) -> Self {
        assert_eq!(popularity.len(), stands_for.len(), "one of each candidate");
        Self {
            candidates,
            due: vec![0.0; popularity.len()],
            popularity,
            stands_for,
            likely: Vec::new(),
            weights: Vec::new(),
        }
    }

    /// Number of examples.
    pub fn len(&self) -> usize {
        self.weights.len()
    }

    /// Whether there are no examples.
    pub fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }

    /// Adds an example.
    ///
    /// # Panics
    /// If the target or a hidden row is not a candidate.
    pub fn add(&mut self, example: Example<'_>) {
        let mut row = vec![0.0; self.popularity.len()];
        self.candidates.scores(example.user, &mut row);
        let most = largest(&row);
        exponentials(&mut row, most);
        let own = row[example.target];
        multiply(&mut row, &self.stands_for);
        for &hidden in example.hidden {
            row[hidden] = 0.0;
        }
        row[example.target] = own;
        self.likely.extend_from_slice(&row);
        self.weights.push(example.weight);
        self.due[example.target] += example.weight;
    }

    /// The gradient of the mean loss with respect to the adapter.
    pub fn gradient(&self, adapter: &Adapter) -> Adapter {
        let count = self.popularity.len();
        // What the adapter multiplies each row's probability by, up to a factor.
        let mut tilts = vec![0.0; count];
        if adapter.bias.iter().any(|&x| x != 0.0) {
            self.candidates.scores(&adapter.bias, &mut tilts);
        }
        add_scaled(&mut tilts, adapter.weight, &self.popularity);
        let most = largest(&tilts);
        exponentials(&mut tilts, most);
        // The clicks' mean probabilities less what was clicked.
        let mut excess = vec![0.0; count];
        for (likely, weight) in self.likely.chunks_exact(count).zip(&self.weights) {
            add_scaled(&mut excess, weight / dot(likely, &tilts), likely);
        }
        multiply(&mut excess, &tilts);
        add_scaled(&mut excess, -1.0, &self.due);
        let mean = 1.0 / self.weights.iter().sum::<f32>();
        let mut bias = vec![0.0; adapter.bias.len()];
        self.candidates.add_scaled(&excess, &mut bias);
        for x in &mut bias {
            *x *= mean;
        }
        Adapter {
            bias,
            weight: mean * dot(&excess, &self.popularity),
        }
    }

    /// Takes a step; `false`, with the adapter unchanged, if it would not be finite.
    pub fn step(&self, adapter: &mut Adapter, rates: Rates) -> bool {
        let gradient = self.gradient(adapter);
        let mut next = adapter.clone();
        if rates.bias > 0.0 {
            add_scaled(&mut next.bias, -rates.bias, &gradient.bias);
        }
        if rates.weight > 0.0 {
            next.weight -= rates.weight * gradient.weight;
        }
        let finite = next.is_finite();
        if finite {
            *adapter = next;
        }
        finite
    }

    /// The adapter after some steps, before each of which it waits for `rest`; `None` if there is nothing to learn
    /// from, or a step is not finite.
    ///
    /// # Errors
    /// If `rest` fails.
    pub async fn learn<E>(
        &self,
        start: Adapter,
        rates: Rates,
        steps: usize,
        rest: &impl AsyncFn() -> Result<(), E>,
    ) -> Result<Option<Adapter>, E> {
        let mut adapter = start;
        let mut sound = !self.is_empty();
        for _ in 0..steps {
            rest().await?;
            sound = sound && self.step(&mut adapter, rates);
        }
        Ok(sound.then_some(adapter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::numbers;
    use proptest::prelude::*;

    const WIDTH: usize = 5;

    /// A table in floats.
    #[derive(Clone, Debug)]
    struct Table(Vec<f32>);

    impl Candidates for Table {
        fn scores(&self, vector: &[f32], out: &mut [f32]) {
            for (out, row) in out.iter_mut().zip(self.0.chunks_exact(WIDTH)) {
                *out = dot(row, vector);
            }
        }

        fn add_scaled(&self, factors: &[f32], out: &mut [f32]) {
            for (factor, row) in factors.iter().zip(self.0.chunks_exact(WIDTH)) {
                add_scaled(out, *factor, row);
            }
        }
    }

    /// The clicks of a lesson: user vector, target, weight, hidden rows.
    struct Clicks(Vec<(Vec<f32>, usize, f32, Vec<usize>)>);

    /// A lesson of that many clicks, with what it was made from.
    fn lesson(rows: usize, clicks: usize, seed: u64) -> (Lesson<Table>, Clicks) {
        let table = Table(numbers(rows * WIDTH, seed));
        let popularity = numbers(rows, seed ^ 1).iter().map(|x| x + 1.0).collect();
        let stands_for = (0..rows).map(|row| [1.0, 3.0, 0.0][row % 3]).collect();
        let mut lesson = Lesson::new(table, popularity, stands_for);
        let mut made = Vec::new();
        for click in 0..clicks {
            let user = numbers(WIDTH, seed ^ (7 + click as u64));
            let target = (click * 5 + seed as usize % rows) % rows;
            let hidden: Vec<usize> = (0..click % 4).map(|at| (at * 3 + click) % rows).collect();
            let weight = 0.25 + click as f32;
            lesson.add(Example {
                user: &user,
                target,
                weight,
                hidden: &hidden,
            });
            made.push((user, target, weight, hidden));
        }
        (lesson, Clicks(made))
    }

    /// The mean loss by its definition, in double precision.
    fn loss(lesson: &Lesson<Table>, clicks: &Clicks, adapter: &Adapter) -> f64 {
        let mut sum = 0.0;
        for (user, target, weight, hidden) in &clicks.0 {
            let logit = |row: usize| {
                let items = &lesson.candidates.0[row * WIDTH..][..WIDTH];
                let both = user.iter().zip(&adapter.bias).zip(items);
                let product: f64 = both
                    .map(|((u, b), e)| (f64::from(*u) + f64::from(*b)) * f64::from(*e))
                    .sum();
                product + f64::from(adapter.weight) * f64::from(lesson.popularity[row])
            };
            let all: f64 = (0..lesson.popularity.len())
                .map(|row| {
                    let counts = if row == *target {
                        1.0
                    } else if hidden.contains(&row) {
                        0.0
                    } else {
                        f64::from(lesson.stands_for[row])
                    };
                    counts * logit(row).exp()
                })
                .sum();
            sum += f64::from(*weight) * (all.ln() - logit(*target));
        }
        sum / clicks.0.iter().map(|click| f64::from(click.2)).sum::<f64>()
    }

    fn learn(
        lesson: &Lesson<Table>,
        start: Adapter,
        rates: Rates,
        steps: usize,
    ) -> Option<Adapter> {
        let rest = async || Ok::<(), ()>(());
        pollster::block_on(lesson.learn(start, rates, steps, &rest)).expect("rests")
    }

    fn moved(adapter: &Adapter, place: usize, by: f32) -> Adapter {
        let mut values = adapter.clone().into_values();
        values[place] += by;
        Adapter::from_values(&values, WIDTH).expect("fits")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn the_gradient_is_that_of_the_loss(rows in 2usize..40, clicks in 1usize..12, seed: u64) {
            let (lesson, made) = lesson(rows, clicks, seed);
            let adapter = Adapter::from_values(&numbers(WIDTH + 1, !seed), WIDTH).expect("fits");
            let gradient = lesson.gradient(&adapter).into_values();
            let by = 1e-3;
            for (place, gradient) in gradient.iter().enumerate() {
                let [above, below] =
                    [by, -by].map(|by| loss(&lesson, &made, &moved(&adapter, place, by)));
                let due = (above - below) / (2.0 * f64::from(by));
                prop_assert!((f64::from(*gradient) - due).abs() < 1e-3, "{gradient} {due}");
            }
        }

        #[test]
        fn steps_lower_the_loss(rows in 2usize..40, clicks in 1usize..12, seed: u64) {
            let (lesson, made) = lesson(rows, clicks, seed);
            let start = Adapter::of_popularity(WIDTH, 0.1);
            let rates = Rates { bias: 0.05, weight: 0.05 };
            let learnt = learn(&lesson, start.clone(), rates, 20).expect("learns");
            let [before, after] = [&start, &learnt].map(|adapter| loss(&lesson, &made, adapter));
            prop_assert!(after <= before + 1e-6, "{before} {after}");
        }
    }

    #[test]
    fn a_part_without_a_step_size_stays_as_it_is() {
        let (lesson, _) = lesson(20, 5, 3);
        let start = Adapter::of_popularity(WIDTH, 0.3);
        let of = |bias, weight| {
            let learnt = learn(&lesson, start.clone(), Rates { bias, weight }, 3);
            learnt.expect("learns")
        };
        let (bias, weight) = (of(0.1, 0.0), of(0.0, 0.1));
        assert_eq!(bias.weight, 0.3);
        assert_ne!(bias.bias, start.bias);
        assert_eq!(weight.bias, start.bias);
        assert_ne!(weight.weight, 0.3);
    }

    #[test]
    fn nothing_is_learnt_from_nothing_and_from_what_is_no_number() {
        let rates = Rates {
            bias: 0.1,
            weight: 0.1,
        };
        let start = Adapter::of_popularity(WIDTH, 0.0);
        let (empty, _) = lesson(4, 0, 1);
        assert!(empty.is_empty());
        assert_eq!(learn(&empty, start.clone(), rates, 3), None);
        let (mut broken, _) = lesson(4, 2, 1);
        broken.add(Example {
            user: &[f32::NAN; WIDTH],
            target: 1,
            weight: 1.0,
            hidden: &[],
        });
        let mut adapter = start.clone();
        assert!(!broken.step(&mut adapter, rates));
        assert_eq!(adapter, start);
        assert_eq!(learn(&broken, start, rates, 3), None);
    }

    #[test]
    fn steps_that_are_far_too_long_end_in_numbers_or_in_nothing() {
        let (lesson, _) = lesson(30, 8, 9);
        for rate in [1e3, 1e9, 1e30, f32::MAX] {
            let rates = Rates {
                bias: rate,
                weight: rate,
            };
            let learnt = learn(&lesson, Adapter::of_popularity(WIDTH, 0.0), rates, 10);
            assert!(learnt.is_none_or(|adapter| adapter.is_finite()), "{rate}");
        }
    }

    #[test]
    fn a_vector_of_another_length_or_of_what_is_no_number_is_no_adapter() {
        let adapter = Adapter::from_values(&[1.0, 2.0, 0.5], 2).expect("fits");
        assert_eq!((&adapter.bias[..], adapter.weight), (&[1.0, 2.0][..], 0.5));
        assert_eq!(adapter.into_values(), [1.0, 2.0, 0.5]);
        for bad in [
            &[][..],
            &[1.0, 2.0],
            &[1.0, f32::NAN, 0.0],
            &[0.0, 0.0, f32::INFINITY],
        ] {
            assert_eq!(Adapter::from_values(bad, 2), None);
        }
    }
}
