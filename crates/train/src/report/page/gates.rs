//! The section about how the gate's thresholds were chosen.

use super::markup::{Markup, Text, figure, paragraph, share, table};
use crate::report::{Report, RunFigures};
use crate::training::thresholds::{Choice, Tried};

/// Every gate that was tried, of the runs that chose theirs.
pub(super) fn gates(report: &Report) -> Option<Markup> {
    let mut chosen = (report.runs.iter())
        .filter_map(|run| Some(tried(run, run.gate.as_ref()?)))
        .peekable();
    chosen.peek()?;
    let words = paragraph(
        "A click whose probability of being noise is below the first threshold counts in full, above the second \
         not at all. The thresholds were chosen on validation clicks of training users, each ranked by the \
         recommender of a fold that had not seen the user: the best mean over the rates of replaced clicks, \
         among the gates that cost next to nothing where nothing was replaced.",
    );
    Some(std::iter::once(words).chain(chosen).collect())
}

fn tried(run: &RunFigures, choice: &Choice) -> Markup {
    let mut head = vec!["gate".to_owned()];
    head.extend((choice.rates.iter()).map(|rate| format!("{:.0} % replaced", 100.0 * rate)));
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let figures = |name: Markup, ndcg10: &[f64]| {
        let figures = ndcg10.iter().map(|&figure| Markup::text(share(figure)));
        std::iter::once(name).chain(figures).collect::<Vec<_>>()
    };
    let open = figures(Markup::text("every click counts"), &choice.open);
    let rows = (choice.tried.iter().enumerate())
        .map(|(place, gate)| figures(name(gate, place == choice.taken), &gate.ndcg10));
    let rows: Vec<Vec<Markup>> = std::iter::once(open).chain(rows).collect();
    let caption = format!(
        "{}: NDCG@10, masked, of users new to a fold",
        Text(&run.name)
    );
    figure(&caption, &table(&head, &rows))
}

fn name(gate: &Tried, taken: bool) -> Markup {
    let range = format!("{} to {}", gate.tau_low, gate.tau_high);
    if taken {
        Markup::ours(format!("<b>{range}, taken</b>"))
    } else {
        Markup::text(range)
    }
}
