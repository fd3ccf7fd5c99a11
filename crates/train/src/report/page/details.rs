//! The sections about training and the protocol.

use super::chart::{Line, bars, lines};
use super::markup::{Markup, Text, figure, legend, paragraph, section, side_by_side, table};
use super::split_words;
use crate::data::corrupt::How;
use crate::data::grouped;
use crate::report::curves::{Curve, Epoch};
use crate::report::settings::settings;
use crate::report::words::duration;
use crate::report::{DatasetFigures, Report, RunFigures};
use std::collections::BTreeSet;

/// Loss and validation figure over the epochs of every phase.
pub(super) fn learning(report: &Report) -> Markup {
    let mut phases: Vec<&str> = Vec::new();
    for curve in report.runs.iter().flat_map(|run| &run.curves) {
        if !phases.contains(&&*curve.phase) {
            phases.push(&curve.phase);
        }
    }
    let words = paragraph(
        "After every epoch, a pass over the training clicks, the model is tried on validation clicks \
         that it does not learn from. The weights of the best epoch, the one with the large mark, are \
         kept. A loss that goes on falling while the validation figure falls too means learning by \
         heart. Losses of different methods or settings measure different things; validation figures \
         can be compared.",
    );
    let keys = legend(report.runs.iter().map(|run| &*run.name));
    let charts = phases.iter().map(|phase| phase_charts(report, phase));
    [words, keys].into_iter().chain(charts).collect()
}

fn phase_charts(report: &Report, phase: &str) -> Markup {
    let runs = || {
        let runs = report.runs.iter().enumerate();
        runs.filter_map(|(at, run)| Some((at, run, run.curves.iter().find(|c| c.phase == phase)?)))
    };
    let line = |value: fn(&Epoch) -> f64| -> Vec<Line> {
        runs()
            .map(|(series, run, curve)| Line {
                series,
                name: run.name.clone(),
                points: curve.epochs.iter().map(|e| (e.epoch, value(e))).collect(),
                marked: curve.best().map(|best| best.epoch),
            })
            .collect()
    };
    let valid = runs().next().map_or("", |(_, _, curve)| figure_name(curve));
    let title = Text(phase);
    side_by_side([
        figure(
            &format!("Phase {title}: training loss"),
            &lines(
                "Training loss over the epochs",
                ("epoch", "loss"),
                &line(|e| e.loss),
            ),
        ),
        figure(
            &format!("Phase {title}: {valid} on validation clicks"),
            &lines(
                "Validation figure over the epochs",
                ("epoch", valid),
                &line(|e| e.valid),
            ),
        ),
    ])
}

fn figure_name(curve: &Curve) -> &'static str {
    match &*curve.figure {
        "auc" => "noise AUC",
        _ => "NDCG@10",
    }
}

/// The dataset's figures by name.
fn data_rows(data: &DatasetFigures) -> Vec<Vec<Markup>> {
    let mut rows = vec![
        ("name".to_owned(), data.name.clone()),
        ("content hash".to_owned(), format!("{:.16}", data.hash)),
    ];
    rows.extend(data.summary.rows());
    if let Some(done) = &data.corruption {
        let drawn = done.kind.map_or_else(
            || "of other users".to_owned(),
            |kind| format!("drawn {kind:?}").to_lowercase(),
        );
        let (noisy, rate) = (grouped(done.noisy as u64), 100.0 * done.rate);
        let name = match done.how {
            How::Replace => "replaced on purpose",
            How::Insert | How::Session => "put in on purpose",
        };
        let done = format!("{noisy} clicks, {drawn} at {rate:.0} %, seed {}", done.seed);
        rows.push((name.to_owned(), done));
    }
    rows.into_iter()
        .map(|(name, value)| vec![Markup::text(name), Markup::text(value)])
        .collect()
}

/// Size and shape of the dataset.
pub(super) fn data(report: &Report) -> Markup {
    let data = &report.dataset;
    let rows = data_rows(data);
    let labels: Vec<String> = data
        .lengths
        .iter()
        .map(|bar| grouped(bar.from as u64))
        .collect();
    let counts = data.lengths.iter().map(|bar| bar.count as f64).collect();
    let chart = bars(
        "Users by how many clicks they have",
        ("clicks of the user, from", "users"),
        &labels,
        &[(0, "users", counts)],
    );
    let other = if data.trained_on {
        Markup::default()
    } else {
        paragraph(
            "<b>This is not the dataset that the runs were trained on</b>, but one over the same \
             catalogue.",
        )
    };
    let parts = side_by_side([
        table(&["dataset", ""], &rows),
        figure("How many users have how many clicks", &chart),
    ]);
    [other, parts].into_iter().collect()
}

/// Time and memory of the trainings.
pub(super) fn cost(report: &Report) -> Markup {
    let rows: Vec<Vec<Markup>> = report
        .runs
        .iter()
        .flat_map(|run| run.curves.iter().map(|curve| cost_row(run, curve)))
        .collect();
    let head = [
        "run, phase",
        "epochs",
        "best epoch",
        "best on validation",
        "training",
        "clicks a second",
    ];
    let totals: Vec<Vec<Markup>> = (report.runs.iter())
        .map(|run| {
            let memory = run.peak_memory.map_or_else(
                || "not known".to_owned(),
                |bytes| format!("{:.2} GB", bytes as f64 / 1e9),
            );
            vec![
                Markup::text(&run.name),
                Markup::text(duration(run.seconds)),
                Markup::text(memory),
            ]
        })
        .collect();
    let total = table(
        &["run", "all in all, with validation", "most memory held"],
        &totals,
    );
    [total, table(&head, &rows)].into_iter().collect()
}

fn cost_row(run: &RunFigures, curve: &Curve) -> Vec<Markup> {
    let best = curve.best();
    vec![
        Markup::text(format!("{}, {}", run.name, curve.phase)),
        Markup::text(curve.epochs.len()),
        Markup::text(best.map_or(0, |epoch| epoch.epoch)),
        Markup::text(format!(
            "{} {:.4}",
            figure_name(curve),
            best.map_or(0.0, |epoch| epoch.valid)
        )),
        Markup::text(duration(curve.seconds())),
        Markup::text(grouped(curve.speed() as u64)),
    ]
}

/// The settings of every run; those in which the runs differ come first.
pub(super) fn configuration(report: &Report) -> Markup {
    let settings: Vec<Vec<(String, String)>> =
        (report.runs.iter().map(|run| settings(&run.config))).collect();
    let keys: BTreeSet<&String> = settings.iter().flatten().map(|(key, _)| key).collect();
    let value = |settings: &[(String, String)], key: &str| -> String {
        let found = settings.iter().find(|(name, _)| name == key);
        found.map_or_else(|| "–".to_owned(), |(_, value)| value.clone())
    };
    let (mut different, mut same) = (Vec::new(), Vec::new());
    for key in keys {
        let values: Vec<String> = settings.iter().map(|s| value(s, key)).collect();
        let place = if values.iter().any(|v| *v != values[0]) {
            &mut different
        } else {
            &mut same
        };
        let cells = values.into_iter().map(Markup::text);
        place.push(
            std::iter::once(Markup::text(key))
                .chain(cells)
                .collect::<Vec<_>>(),
        );
    }
    let mut head = vec!["setting"];
    head.extend(report.runs.iter().map(|run| &*run.name));
    let mut parts = Vec::new();
    if report.runs.len() > 1 {
        let title = if different.is_empty() {
            "No setting differs"
        } else {
            "What differs"
        };
        parts.push(Markup::ours(format!("<h3>{title}</h3>")));
        if !different.is_empty() {
            parts.push(table(&head, &different));
        }
        parts.push(Markup::ours("<h3>What is the same</h3>"));
        head.truncate(1);
        head.push("all runs");
        for row in &mut same {
            row.truncate(2);
        }
    }
    parts.push(Markup::ours(format!(
        "<div class=\"settings\">{}</div>",
        table(&head, &same)
    )));
    parts.into_iter().collect()
}

/// The evaluation protocol.
pub(super) fn method(report: &Report) -> Markup {
    let resampling = &report.bootstrap;
    let words = format!(
        "<ul>\
         <li><b>The target is {split}</b>, predicted from all clicks before it. Targets are not part of \
         training, and weights and settings are selected on other, validation clicks{valid}.</li>\
         <li><b>The whole catalogue is ranked</b> for every user, all {items} items, not a sample of \
         them.</li>\
         <li><b>Masked</b> leaves the items of the history out of the ranking, except for a target \
         that the user clicks again. <b>Unmasked</b> leaves nothing out.</li>\
         <li><b>Ties are decided against the run</b>: the target ranks after all items of \
         equal score.</li>\
         <li><b>Intervals</b> are from the {low} to the {high} percentile of {resamples} resamples of \
         the users (seed {seed}). They show how figures vary with the users, not with the seed of the \
         training: for that, train with several seeds.</li>\
         <li>Runs with a scorer rank by their kept histories, as their exported bundles do.</li>\
         </ul>",
        split = split_words(report.split),
        valid = if report.split == "valid" {
            "  - except in this report, which is on validation clicks: its figures are too good"
        } else {
            ""
        },
        items = grouped(report.dataset.summary.items as u64),
        low = percent((1.0 - resampling.level) / 2.0),
        high = percent(f64::midpoint(1.0, resampling.level)),
        resamples = grouped(resampling.resamples as u64),
        seed = resampling.seed,
    );
    section("method", "How it was measured", &Markup::ours(words))
}

fn percent(share: f64) -> String {
    format!("{:.1}th", 100.0 * share)
}
