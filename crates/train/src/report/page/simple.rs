//! The section that compares the runs with simple recommenders.

use super::markup::{Markup, Text, difference, estimate, paragraph, share, table};
use crate::metrics::beyond::Beyond;
use crate::report::figures::{HR10, NDCG10};
use crate::report::simple::SimpleFigures;
use crate::report::{Report, RunFigures};

/// The runs and the simple recommenders in one table; `None` if there are none.
pub(super) fn simple(report: &Report) -> Option<Markup> {
    let best = report.baselines.iter().reduce(|best, next| {
        let better = next.masked.0[NDCG10].value > best.masked.0[NDCG10].value;
        if better { next } else { best }
    })?;
    let words = paragraph(verdict(best, report.best()));
    let run = |run: &RunFigures| {
        row(
            &run.name,
            [&run.masked.0[HR10], &run.masked.0[NDCG10]].map(estimate),
            Markup::text(""),
            &run.beyond,
        )
    };
    let simple = |simple: &SimpleFigures| {
        let figures = [&simple.masked.0[HR10], &simple.masked.0[NDCG10]].map(estimate);
        let less = difference(&simple.best_run_less.0[NDCG10]);
        row(
            simple.settings.method().name(),
            figures,
            less,
            &simple.beyond,
        )
    };
    let rows: Vec<Vec<Markup>> = (report.runs.iter().map(run))
        .chain(report.baselines.iter().map(simple))
        .collect();
    let less = format!("NDCG@10 of {}, less its own", report.best().name);
    let head = [
        "",
        "HR@10",
        "NDCG@10",
        &less,
        "coverage",
        "diversity",
        "novelty, bits",
        "best-selling tenth",
        "Gini",
    ];
    Some(
        [words, table(&head, &rows), Markup::ours(MEANING)]
            .into_iter()
            .collect(),
    )
}

const MEANING: &str = "<dl class=\"meaning\">\
    <div><dt>popular</dt><dd>what is clicked most</dd></div>\
    <div><dt>recent</dt><dd>what was clicked most lately</dd></div>\
    <div><dt>itemknn</dt><dd>items that the same users clicked</dd></div>\
    <div><dt>ease</dt><dd>a linear model from items to items</dd></div>\
    <div><dt>bpr</dt><dd>matrix factorisation</dd></div>\
    <div><dt>coverage</dt><dd>the share of the catalogue that is in anybody’s first ten</dd></div>\
    <div><dt>diversity</dt><dd>one minus the cosine of the users of two items, over all pairs of a list</dd></div>\
    <div><dt>novelty</dt><dd>the mean of −log<sub>2</sub> of an item’s share of the training clicks</dd></div>\
    <div><dt>best-selling tenth</dt><dd>the share of recommended items that are among the tenth of the catalogue with the most clicks</dd></div>\
    <div><dt>Gini</dt><dd>how unequally often items are recommended: 0 if equally, 1 if always the same one</dd></div>\
    </dl>";

fn row(name: &str, [hr, ndcg]: [Markup; 2], less: Markup, beyond: &Beyond) -> Vec<Markup> {
    let Beyond {
        coverage,
        diversity,
        novelty,
        popularity: _,
        head,
        gini,
    } = *beyond;
    let mut cells = vec![Markup::text(name), hr, ndcg, less];
    cells.extend([coverage, diversity].map(share).map(Markup::text));
    cells.push(Markup::text(format!("{novelty:.1}")));
    cells.extend([head, gini].map(share).map(Markup::text));
    cells
}

/// Whether a network is worth its training here, in words.
fn verdict(simple: &SimpleFigures, run: &RunFigures) -> String {
    let less = &simple.best_run_less.0[NDCG10];
    let (name, run) = (simple.settings.method().name(), Text(&run.name));
    let percent = 100.0 * (less.value / simple.masked.0[NDCG10].value.max(f64::MIN_POSITIVE)).abs();
    match (less.is_clear(), less.value > 0.0) {
        (true, true) => format!(
            "<b>{run}</b> ranks better than every simple recommender: its NDCG@10 is {percent:.0} % above that of \
             <b>{name}</b>, the best of them."
        ),
        (true, false) => format!(
            "<b>A simple recommender is better here:</b> the NDCG@10 of <b>{name}</b> is clearly above that of {run}. \
             It needs no training of a network."
        ),
        _ => format!(
            "<b>A simple recommender is as good here:</b> the NDCG@10 of <b>{name}</b> and {run} cannot be told apart \
             on these users."
        ),
    }
}
