//! The sections about the cost of noise, and about the two views and their disagreement.

use super::chart::{Line, lines};
use super::markup::{Markup, Text, figure, keys, paragraph, share, side_by_side, table};
use crate::report::robustness::Robustness;
use crate::report::{Report, RunFigures};
use crate::training::rounds::account::Account;
use crate::training::rounds::disputes::{Shown, ShownClick};

/// A series of a chart: its number, its name, and its value by place.
type Series<T> = (usize, &'static str, fn(&T) -> Option<f64>);

/// A chart of some series over the same places, with a legend in the caption.
fn chart<T>(
    (caption, x_title, y_title): (&str, &str, &str),
    over: &[T],
    place: fn(&T) -> usize,
    series: &[Series<T>],
) -> Markup {
    let drawn: Vec<Line> = (series.iter())
        .map(|(number, name, value)| Line {
            series: *number,
            name: (*name).to_owned(),
            points: (over.iter())
                .filter_map(|at| Some((place(at), value(at)?)))
                .collect(),
            marked: None,
        })
        .filter(|line| !line.points.is_empty())
        .collect();
    let names = keys(drawn.iter().map(|line| (line.series, &*line.name)));
    figure(
        &format!("{caption}{names}"),
        &lines(caption, (x_title, y_title), &drawn),
    )
}

/// NDCG@10 by share of replaced clicks, of the runs that have a scorer.
pub(super) fn robustness(report: &Report) -> Option<Markup> {
    let with = |run: &&RunFigures| !run.robustness.is_empty();
    let judged: Vec<&RunFigures> = report.runs.iter().filter(with).collect();
    judged.first()?;
    let words = paragraph(
        "A share of the latest clicks of the evaluated histories was replaced, as in training, with the same \
         targets. The cost of noise is the difference with every click kept to the figure without noise. <b>Labels</b> \
         leaves out exactly the replaced clicks (an oracle); the clicks that they replaced stay lost. <b>Random</b> leaves \
         out as many as the run, at random: a gain that it has too is not due to the scorer.",
    );
    let charts = judged.iter().map(|run| {
        let name = Text(&run.name);
        chart(
            (
                &format!("{name}: NDCG@10, masked, by the share of replaced clicks"),
                "percent replaced",
                "NDCG@10",
            ),
            &run.robustness,
            |at: &Robustness| (100.0 * at.rate).round() as usize,
            &[
                (0, "the run's clicks", |at| Some(at.model)),
                (1, "every click counts", |at| Some(at.all)),
                (2, "labels", |at| Some(at.oracle)),
                (3, "random", |at| Some(at.random)),
            ],
        )
    });
    let charts = side_by_side(charts);
    let rows: Vec<Vec<Markup>> = (judged.iter())
        .flat_map(|run| run.robustness.iter().map(|at| cost_row(run, at)))
        .collect();
    let head = [
        "run, replaced",
        "the run's clicks",
        "every click counts",
        "gain",
        "won back",
        "random wins back",
        "labels win back",
    ];
    Some([words, charts, table(&head, &rows)].into_iter().collect())
}

fn cost_row(run: &RunFigures, at: &Robustness) -> Vec<Markup> {
    let clean = run.robustness.first().map_or(at.all, |clean| clean.all);
    let cost = clean - at.all;
    let won = |figure: f64| {
        let share = 100.0 * (figure - at.all) / cost;
        let text = if cost > 0.0 {
            format!("{share:.0} %")
        } else {
            "–".to_owned()
        };
        Markup::text(text)
    };
    let error = at
        .gain
        .error
        .map_or_else(String::new, |error| format!(" ± {error:.4}"));
    vec![
        Markup::text(format!("{}, {:.0} %", run.name, 100.0 * at.rate)),
        Markup::text(share(at.model)),
        Markup::text(share(at.all)),
        Markup::text(format!("{:+.4}{error}", at.gain.value)),
        won(at.model),
        won(at.random),
        won(at.oracle),
    ]
}

/// The views' figures by round, and the disputed histories.
pub(super) fn rounds(report: &Report) -> Option<Markup> {
    let trained: Vec<&RunFigures> = report
        .runs
        .iter()
        .filter(|run| !run.rounds.is_empty())
        .collect();
    trained.first()?;
    let words = paragraph(
        "A click is judged by two views: the <b>prior</b> judges by what the clicked items are, the <b>posterior</b> \
         by how shoppers use them. Both are trained again in every round, with soft labels of the log's clicks \
         from the language model and the learning dynamics; the language model is refined for the next round \
         on the histories on which the views disagree most. Figures are of validation histories, judged like \
         those of unseen users.",
    );
    let each = trained.iter().map(|run| of_run(run));
    Some(std::iter::once(words).chain(each).collect())
}

fn of_run(run: &RunFigures) -> Markup {
    let name = Text(&run.name);
    let charts = side_by_side([
        chart(
            (&format!("{name}: noise detection"), "round", "AUC"),
            &run.rounds,
            |round: &Account| round.round,
            &[
                (0, "prior", |round| Some(round.prior_auc)),
                (1, "posterior", |round| Some(round.posterior_auc)),
                (2, "both", |round| Some(round.fused_auc)),
                (3, "language model", |round| round.reader_auc),
            ],
        ),
        chart(
            (
                &format!("{name}: disagreement of the views"),
                "round",
                "divergence, nats",
            ),
            &run.rounds,
            |round: &Account| round.round,
            &[(0, "Jensen-Shannon divergence", |round| {
                Some(round.disagreement)
            })],
        ),
        chart(
            (&format!("{name}: ranking"), "round", "NDCG@10"),
            &run.rounds,
            |round: &Account| round.round,
            &[
                (0, "histories as they are", |round| Some(round.ndcg10[0])),
                (1, "corrupted", |round| Some(round.ndcg10[1])),
            ],
        ),
    ]);
    let head = [
        "run, round",
        "prior",
        "posterior",
        "both",
        "language model",
        "prior like it",
        "ECE before",
        "ECE after",
    ];
    let rows: Vec<Vec<Markup>> = run
        .rounds
        .iter()
        .map(|round| round_row(run, round))
        .collect();
    let disputed = run.rounds.last().map(|round| disputed(&round.disputed));
    [charts, table(&head, &rows)]
        .into_iter()
        .chain(disputed)
        .collect()
}

fn round_row(run: &RunFigures, round: &Account) -> Vec<Markup> {
    let or_dash = |value: Option<f64>| Markup::text(value.map_or_else(|| "–".to_owned(), share));
    vec![
        Markup::text(format!("{}, {}", run.name, round.round)),
        Markup::text(share(round.prior_auc)),
        Markup::text(share(round.posterior_auc)),
        Markup::text(share(round.fused_auc)),
        or_dash(round.reader_auc),
        or_dash(round.similarity),
        Markup::text(share(round.ece[0])),
        Markup::text(share(round.ece[1])),
    ]
}

/// The histories of the log on which the views disagree most.
fn disputed(histories: &[Shown]) -> Markup {
    let words = Markup::ours(
        "<h3>The most disputed histories</h3>\
         <p>Original clicks of the log, oldest first, with the noise probabilities of each view and of both. \
         Their true labels are unknown.</p>",
    );
    let numbered = (1..).zip(histories);
    let tables = numbered.map(|(number, history)| {
        let rows: Vec<Vec<Markup>> = history.clicks.iter().map(disputed_row).collect();
        let table = table(&["clicked", "prior", "posterior", "verdict"], &rows);
        let open = if number == 1 { " open" } else { "" };
        Markup::ours(format!(
            "<details{open}><summary>History {number}: {} clicks, divergence {:.3}</summary>{table}</details>",
            history.clicks.len(),
            history.divergence
        ))
    });
    std::iter::once(words).chain(tables).collect()
}

fn disputed_row(click: &ShownClick) -> Vec<Markup> {
    let percent = |p: f32| Markup::text(format!("{:.0} %", 100.0 * p));
    vec![
        Markup::text(&click.title),
        percent(click.prior),
        percent(click.posterior),
        percent(click.fused),
    ]
}
