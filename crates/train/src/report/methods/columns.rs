//! The tables' columns.

use super::{Cell, Entry, Method, Set, Table};
use crate::data::corrupt::Kind;
use crate::evaluation::LATEST;
use crate::metrics::spread::Spread;
use crate::report::measured::{
    DRAWS, KINDS, LAST, NOISES, OfKind, OfNoise, OfSplit, RATE, SPLITS, SplitKey,
};
use crate::report::robustness::{RATES, Robustness};
use crate::report::words::{duration, share};

/// The content of an empty cell.
const NOTHING: &str = "–";

/// Gets a column's figure.
type Figure = Box<dyn Fn(&Entry) -> Option<f64>>;

/// A column: its figure, whether higher is better, and its format.
struct Column {
    name: String,
    figure: Figure,
    more_is_better: bool,
    written: fn(f64) -> String,
    missing: &'static str,
}

impl Column {
    /// A share; higher is better.
    fn of(name: impl Into<String>, figure: impl Fn(&Entry) -> Option<f64> + 'static) -> Self {
        Self {
            name: name.into(),
            figure: Box::new(figure),
            more_is_better: true,
            written: share,
            missing: NOTHING,
        }
    }

    /// A share; lower is better.
    fn of_cost(name: impl Into<String>, figure: impl Fn(&Entry) -> Option<f64> + 'static) -> Self {
        Self {
            more_is_better: false,
            ..Self::of(name, figure)
        }
    }
}

/// All tables of a set.
pub fn tables(set: &Set) -> Vec<Table> {
    let mut tables = Vec::new();
    for key in SPLITS {
        if users(set, key).is_some() {
            tables.extend([ranking(set, key), noise(set, key), corruption(set, key)]);
            tables.extend(noises().map(|name| gains(set, key, name)));
            tables.push(drops(set, key));
        }
    }
    tables.push(cost(set));
    tables.retain(|table| {
        let cells = || table.rows.iter().flat_map(|(_, cells)| cells);
        cells().any(|cell| cell.text != NOTHING)
    });
    tables
}

/// Number of users of a split.
fn users(set: &Set, key: SplitKey) -> Option<usize> {
    let runs = set.methods.iter().flat_map(|method| &method.runs);
    runs.filter_map(|entry| entry.measured.splits.get(&key))
        .map(|split| split.users)
        .next()
}

fn words_for(key: SplitKey) -> &'static str {
    match key {
        SplitKey::Test => "users of the log",
        SplitKey::Unseen => "unseen users",
    }
}

fn ranking(set: &Set, key: SplitKey) -> Table {
    let figures = ["HR@10", "NDCG@10", "HR@20", "NDCG@20"];
    let masked = figures.map(|name| {
        let path = name.to_lowercase();
        Column::of(name, move |entry| {
            split(entry, key)?.masked.get(&path).copied()
        })
    });
    let unmasked = figures.map(|name| {
        let path = name.to_lowercase();
        Column::of(format!("{name}, unmasked"), move |entry| {
            split(entry, key)?.unmasked.get(&path).copied()
        })
    });
    let count = users(set, key).unwrap_or(0);
    table(
        set,
        format!("Ranking, {}", words_for(key)),
        format!(
            "The next click of {count} users, all {} items ranked, by the method's kept histories. \
             Masked (without the items of the history) and unmasked.",
            set.items
        ),
        masked.into_iter().chain(unmasked).collect(),
    )
}

fn noise(set: &Set, key: SplitKey) -> Table {
    let columns = KINDS.into_iter().flat_map(move |kind| {
        let detection = move |entry: &Entry| Some(of_kind(entry, key, kind)?.detection);
        let name = kind_name(kind);
        [
            Column::of(format!("{name} AUC"), move |entry| {
                Some(detection(entry)?.auc)
            }),
            Column::of(format!("{name} AP"), move |entry| {
                Some(detection(entry)?.ap)
            }),
            Column::of_cost(format!("{name} ECE"), move |entry| {
                Some(detection(entry)?.ece)
            }),
        ]
    });
    table(
        set,
        format!("Finding noise, {}", words_for(key)),
        format!(
            "{:.0} % of the latest {LAST} clicks of each history were replaced: by any item (uniform), by \
             items in proportion to their clicks (popularity), by similar items (hard).",
            100.0 * RATE
        ),
        columns.collect(),
    )
}

fn corruption(set: &Set, key: SplitKey) -> Table {
    let columns = |suffix: &'static str, of: fn(&Robustness) -> f64| {
        let columns = RATES.iter().enumerate().map(move |(at, rate)| {
            let name = format!("{:.0} %{suffix}", 100.0 * rate);
            Column::of(name, move |entry| {
                split(entry, key)?.robustness.get(at).map(of)
            })
        });
        columns.collect::<Vec<_>>()
    };
    let model = columns("", |at| at.model);
    let all = columns(", all", |at| at.all);
    table(
        set,
        format!("What noise costs, {}", words_for(key)),
        format!(
            "NDCG@10, masked, after a share of the latest {LAST} clicks was replaced by any item, with \
             the kept histories and with all clicks."
        ),
        model.into_iter().chain(all).collect(),
    )
}

/// Names of the noise conditions whose won-back share is shown, and of "none".
fn noises() -> impl Iterator<Item = &'static str> {
    let drawn = NOISES.into_iter().map(|(name, ..)| name);
    ["none", "as it is"].into_iter().chain(drawn)
}

fn gains(set: &Set, key: SplitKey, name: &'static str) -> Table {
    let column = |what: &str, of: fn(&OfNoise) -> Option<f64>| {
        let figure = move |entry: &Entry| {
            let gains = &split(entry, key)?.gains;
            gains.iter().find(|found| found.name == name).and_then(of)
        };
        Column {
            written: |difference| format!("{difference:+.4}"),
            ..Column::of(what, figure)
        }
    };
    let columns = vec![
        Column {
            written: share,
            ..column("every click", |found| Some(found.all))
        },
        column("kept", |found| Some(found.model?.value)),
        Column {
            more_is_better: false,
            written: share,
            ..column("standard error", |found| found.model?.error)
        },
        column("random", |found| Some(found.random?.value)),
        column("oracle", |found| Some(found.oracle?.value)),
        Column {
            written: |share| format!("{:.0} %", 100.0 * share),
            ..column("won back", |found| found.won_back)
        },
    ];
    table(
        set,
        format!("Gain of the kept clicks, {}, noise: {name}", words_for(key)),
        format!(
            "NDCG@10, masked, with every click kept, and the gains over it: of the kept histories, with \
             the paired standard error; of the random control, which leaves out as many \
             clicks; and of the oracle, which leaves out exactly the noise. Won back is the share of the cost of \
             noise. For an unseen user up to {LATEST} latest clicks are predicted, and noise is drawn {DRAWS} times."
        ),
        columns,
    )
}

fn drops(set: &Set, key: SplitKey) -> Table {
    let of = |name: &str, shares: fn(&OfKind) -> [Option<f64>; 5]| {
        let columns = (0..5).map(|fifth| {
            Column::of_cost(format!("{name}, {}", FIFTHS[fifth]), move |entry| {
                shares(of_kind(entry, key, KINDS[0])?)[fifth]
            })
        });
        columns.collect::<Vec<_>>()
    };
    let found = Column::of("kept, noise found", move |entry| {
        Some(of_kind(entry, key, KINDS[0])?.drops.found)
    });
    let kept = of("kept", |found| found.drops.kept);
    let half = of("half", |found| found.drops.half);
    table(
        set,
        format!("Clean clicks that are dropped, {}", words_for(key)),
        "Share of the clean clicks that stand in less than half of the histories, by fifths of the clicks from the \
         least popular items to the most popular: as the method keeps them, and with a threshold that \
         drops half of the uniform noise."
            .to_owned(),
        std::iter::once(found).chain(kept).chain(half).collect(),
    )
}

/// Names of the fifths of the clicks by popularity.
pub(crate) const FIFTHS: [&str; 5] = ["coldest fifth", "2nd", "3rd", "4th", "most popular"];

fn cost(set: &Set) -> Table {
    let written = |column: Column, written| Column { written, ..column };
    let columns = vec![
        written(
            Column::of_cost("training", |entry| Some(entry.measured.seconds)),
            duration,
        ),
        written(
            Column::of_cost("memory in training", |entry| {
                entry.measured.peak_memory.map(|bytes| bytes as f64)
            }),
            |bytes| format!("{:.2} GB", bytes / 1e9),
        ),
        written(
            Column::of_cost("bundle", |entry| Some(entry.measured.bundle.bytes as f64)),
            |bytes| format!("{:.2} MB", bytes / 1e6),
        ),
        Column {
            missing: "not measured",
            ..written(
                Column::of_cost("recommendation in a browser", Entry::browser_ms),
                |ms| format!("{ms:.2} ms"),
            )
        },
    ];
    table(
        set,
        "Time, memory and bytes".to_owned(),
        "Training includes phases taken over from another run; the bundle is \
         uncompressed; a browser's time is the median over histories of the log, on the CPU."
            .to_owned(),
        columns,
    )
}

fn table(set: &Set, title: String, words: String, columns: Vec<Column>) -> Table {
    let mut rows: Vec<(String, Vec<Cell>)> = (set.methods.iter())
        .map(|method| (row_name(method), Vec::new()))
        .collect();
    for column in &columns {
        let spreads = set
            .methods
            .iter()
            .map(|method| method.spread(&column.figure));
        let spreads: Vec<Option<Spread>> = spreads.collect();
        let best = best(&spreads, column.more_is_better);
        for (at, (spread, row)) in spreads.into_iter().zip(&mut rows).enumerate() {
            row.1.push(Cell {
                text: spread
                    .map_or_else(|| column.missing.to_owned(), |s| write(s, column.written)),
                best: best == Some(at),
            });
        }
    }
    Table {
        title,
        words,
        head: columns.into_iter().map(|column| column.name).collect(),
        rows,
    }
}

/// A method's name with its number of seeds.
fn row_name(method: &Method) -> String {
    match method.runs.len() {
        1 => format!("{}, 1 seed", method.name),
        n => format!("{}, {n} seeds", method.name),
    }
}

/// The index of the best mean, if its distance to the next best is more than the standard deviation of either; `None`
/// without deviations.
fn best(spreads: &[Option<Spread>], more_is_better: bool) -> Option<usize> {
    let known = spreads.iter().enumerate();
    let mut known: Vec<(usize, Spread)> = known.filter_map(|(at, s)| Some((at, (*s)?))).collect();
    let sign = if more_is_better { -1.0 } else { 1.0 };
    known.sort_by(|(_, a), (_, b)| (sign * a.mean).total_cmp(&(sign * b.mean)));
    let [(at, first), rest @ ..] = &known[..] else {
        return None;
    };
    // A lower-ranked method may vary so much that it could be the best.
    let clear = |other: &Spread| {
        let deviation = first.deviation?.max(other.deviation?);
        Some((first.mean - other.mean).abs() > deviation)
    };
    let clear = rest.iter().all(|(_, other)| clear(other) == Some(true));
    (clear && !rest.is_empty()).then_some(*at)
}

fn write(spread: Spread, written: fn(f64) -> String) -> String {
    let mean = written(spread.mean);
    match spread.deviation {
        None => mean,
        Some(deviation) => format!("{mean} ± {}", written(deviation)),
    }
}

/// A run's measurements on a split.
pub(crate) fn split(entry: &Entry, key: SplitKey) -> Option<&OfSplit> {
    entry.measured.splits.get(&key)
}

/// A run's noise detection on a kind; for a dataset with labels, the first entry.
pub(crate) fn of_kind(entry: &Entry, key: SplitKey, kind: Kind) -> Option<&OfKind> {
    let found = &split(entry, key)?.noise;
    found
        .iter()
        .find(|found| found.kind.unwrap_or(KINDS[0]) == kind)
}

/// The kind's name.
pub(crate) fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Uniform => "uniform",
        Kind::Popularity => "popularity",
        Kind::Hard => "hard",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(mean: f64, deviation: f64) -> Spread {
        Spread {
            mean,
            deviation: Some(deviation),
        }
    }

    #[test]
    fn only_what_is_better_by_more_than_the_deviation_is_the_best() {
        let clear = [Some(spread(0.5, 0.02)), None, Some(spread(0.6, 0.05))];
        assert_eq!(best(&clear, true), Some(2));
        assert_eq!(best(&clear, false), Some(0));
        assert_eq!(
            best(&[spread(0.5, 0.02), spread(0.6, 0.1)].map(Some), true),
            None
        );
        let third = [spread(0.6, 0.01), spread(0.5, 0.01), spread(0.45, 0.2)].map(Some);
        assert_eq!(best(&third, true), None, "the third could be better");
        assert_eq!(
            best(&[spread(0.6, 0.0), spread(0.6, 0.0)].map(Some), true),
            None
        );
    }

    #[test]
    fn one_alone_and_one_seed_alone_are_not_the_best() {
        assert_eq!(best(&[Some(spread(0.6, 0.0)), None], true), None);
        let one = Spread {
            mean: 0.1,
            deviation: None,
        };
        assert_eq!(best(&[spread(0.6, 0.0), one].map(Some), true), None);
    }
}
