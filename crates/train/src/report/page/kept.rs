//! The section about the choice of the keep rule.

use super::markup::{Markup, Text, figure, paragraph, share, table};
use crate::metrics::paired::Difference;
use crate::report::{Report, RunFigures};
use crate::training::choice::{Choice, Condition, Tried};

/// Every rule that was tried, for the runs that chose theirs.
pub(super) fn kept(report: &Report) -> Option<Markup> {
    let mut chosen = (report.runs.iter())
        .filter_map(|run| Some(tried(run, run.keep.as_ref()?)))
        .peekable();
    chosen.peek()?;
    let words = paragraph(
        "What is recommended is ranked by the mean over the histories without the clicks whose probability of being \
         noise is above each of some thresholds. These were chosen on validation clicks of training users, each \
         ranked by the recommender of a fold that had not seen the user: the best mean over all noise \
         among those that cost no more than a standard error where there is none, and of what is within a standard \
         error of the best the one that reads the fewest histories.",
    );
    Some(std::iter::once(words).chain(chosen).collect())
}

fn tried(run: &RunFigures, choice: &Choice) -> Markup {
    let mut head = vec!["thresholds".to_owned()];
    head.extend(choice.noise.iter().map(Condition::to_string));
    head.extend(["over every click", "histories"].map(str::to_owned));
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let rows = choice.tried.iter().enumerate();
    let rows: Vec<Vec<Markup>> = rows
        .map(|(place, tried)| row(tried, place == choice.taken))
        .collect();
    let caption = format!(
        "{}: NDCG@10, masked, of users new to a fold",
        Text(&run.name)
    );
    figure(&caption, &table(&head, &rows))
}

fn row(tried: &Tried, taken: bool) -> Vec<Markup> {
    let figures = tried
        .ndcg10
        .iter()
        .map(|&figure| Markup::text(share(figure)));
    std::iter::once(name(tried, taken))
        .chain(figures)
        .chain([
            Markup::text(gain(&tried.gain)),
            Markup::text(format!("{:.2}", tried.histories)),
        ])
        .collect()
}

fn gain(gain: &Difference) -> String {
    let error = gain
        .error
        .map_or_else(String::new, |error| format!(" ± {error:.4}"));
    format!("{:+.4}{error}", gain.value)
}

fn name(tried: &Tried, taken: bool) -> Markup {
    let thresholds: Vec<String> = (tried.keep.thresholds().iter())
        .map(f32::to_string)
        .collect();
    let name = match thresholds.join(", ") {
        all if all == "1" => "every click counts".to_owned(),
        several => several,
    };
    if taken {
        Markup::ours(format!("<b>{name}, taken</b>"))
    } else {
        Markup::text(name)
    }
}
