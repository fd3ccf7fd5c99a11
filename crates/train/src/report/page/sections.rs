//! The sections about the quality of the runs.

use super::chart::{bars, differences, dots, reliability};
use super::markup::{
    Markup, Text, difference, estimate, figure, keys, legend, paragraph, share, side_by_side,
    signed, table,
};
use crate::data::grouped;
use crate::metrics::detection::Detection;
use crate::metrics::ranking::names;
use crate::report::bootstrap::Estimate;
use crate::report::figures::{Group, HR10, NDCG10};
use crate::report::noise::{HISTOGRAM, Noise};
use crate::report::words::duration;
use crate::report::{Comparison, Report, RunFigures};
use ingle_model::methods::Views;

/// The main figures, and what they mean.
pub(super) fn short(report: &Report) -> Markup {
    let best = report.runs.iter().reduce(|best, run| {
        let better = run.masked.0[NDCG10].value > best.masked.0[NDCG10].value;
        if better { run } else { best }
    });
    let best = best.expect("a report has a run");
    let hr = best.masked.0[HR10];
    let items = grouped(report.dataset.summary.items as u64);
    let users = grouped(report.dataset.users_judged as u64);
    let which = if report.runs.len() > 1 {
        format!("<b>{}</b> has the highest NDCG@10. ", Text(&best.name))
    } else {
        String::new()
    };
    let lead = paragraph(format!(
        "{which}For {:.1} % of {users} users, the item they went on to click is among the first ten \
         of {items} (95 % interval: {:.1} to {:.1} %).",
        100.0 * hr.value,
        100.0 * hr.low,
        100.0 * hr.high
    ));
    let rows: Vec<Vec<Markup>> = report.runs.iter().map(overview).collect();
    let head = [
        "run",
        "method",
        "seed",
        "HR@10",
        "NDCG@10",
        "noise AUC",
        "trained in",
    ];
    [lead, table(&head, &rows)].into_iter().collect()
}

fn overview(run: &RunFigures) -> Vec<Markup> {
    let auc = run.noise.as_ref().map_or_else(
        || Markup::text("–"),
        |noise| Markup::ours(format!("<b>{}</b>", share(noise.detection.auc))),
    );
    vec![
        Markup::text(&run.name),
        Markup::text(run.method),
        Markup::text(run.config.seed),
        estimate(&run.masked.0[HR10]),
        estimate(&run.masked.0[NDCG10]),
        auc,
        Markup::text(duration(run.seconds)),
    ]
}

/// Every run compared with the first; `None` for a single run.
pub(super) fn comparison(report: &Report) -> Option<Markup> {
    let base = &report.comparisons.first()?.base;
    let verdicts: String = report.comparisons.iter().map(verdict).collect();
    let number = report.comparisons.iter().enumerate();
    let series: Vec<_> = number
        .map(|(at, c)| (at + 1, c.run.clone(), c.masked.0.to_vec()))
        .collect();
    let chart = differences(
        "Difference of every figure to the first run, with intervals",
        "difference, masked",
        &names(),
        &series,
    );
    let mut head = vec![format!("less {base}")];
    head.extend(names());
    let rows: Vec<Vec<Markup>> = (report.comparisons.iter())
        .map(|c| {
            let cells = c.masked.0.iter().map(difference);
            std::iter::once(Markup::text(&c.run)).chain(cells).collect()
        })
        .collect();
    let how = paragraph(format!(
        "Every run is compared with the first, <b>{}</b>, user by user: both are judged on the same \
         resampled users, so that users whom both find hard or easy cancel out (paired bootstrap). A \
         difference counts as clear when its interval leaves out zero; it then holds for other users \
         of this kind, but says nothing of another training seed.",
        Text(base)
    ));
    let keys = legend(report.runs.iter().map(|run| &*run.name));
    let chart = figure(
        "Right of the dashed line the run is better than the first",
        &chart,
    );
    let list = Markup::ours(format!("<ul class=\"verdicts\">{verdicts}</ul>"));
    let words = Markup::ours(format!("<div>{list}{how}{keys}</div>"));
    let both = side_by_side([words, chart]);
    Some([both, table(&head, &rows)].into_iter().collect())
}

/// One comparison in words, by NDCG@10.
fn verdict(comparison: &Comparison) -> String {
    let e = &comparison.masked.0[NDCG10];
    let (run, base) = (Text(&comparison.run), Text(&comparison.base));
    let [value, low, high] = [e.value, e.low, e.high].map(signed);
    let interval =
        format!("<span>{value}</span>, interval <span>{low}</span> to <span>{high}</span>");
    match (e.is_clear(), e.value > 0.0) {
        (true, true) => {
            format!("<li><b>{run}</b> ranks better than {base}: NDCG@10 {interval}.</li>")
        }
        (true, false) => {
            format!("<li><b>{run}</b> ranks worse than {base}: NDCG@10 {interval}.</li>")
        }
        _ => format!("<li><b>{run}</b> and {base} cannot be told apart: NDCG@10 {interval}.</li>"),
    }
}

/// All figures of all runs, masked and unmasked, and what they mean.
pub(super) fn ranking(report: &Report) -> Markup {
    let mut head = vec!["run".to_owned()];
    head.extend(names());
    let rows = |estimates: fn(&RunFigures) -> &[Estimate]| -> Vec<Vec<Markup>> {
        let row = |run: &RunFigures| {
            let cells = estimates(run).iter().map(estimate);
            std::iter::once(Markup::text(&run.name))
                .chain(cells)
                .collect()
        };
        report.runs.iter().map(row).collect()
    };
    let meaning = Markup::ours(
        "<dl class=\"meaning\">\
         <div><dt>HR@10</dt><dd>hit rate: the share of users whose next item is among the first ten</dd></div>\
         <div><dt>NDCG@10</dt><dd>the same, but a hit at place <i>p</i> counts 1 / log<sub>2</sub>(<i>p</i> + 1): first place 1, second 0.63, tenth 0.29</dd></div>\
         <div><dt>MRR@10</dt><dd>the same, but a hit at place <i>p</i> counts 1 / <i>p</i>: first place 1, second 0.5, tenth 0.1</dd></div>\
         </dl>",
    );
    [
        meaning,
        Markup::ours("<h3>Masked: items of the history are not recommended again</h3>"),
        table(&head, &rows(|run| &run.masked.0)),
        Markup::ours("<h3>Unmasked: every item may be recommended</h3>"),
        table(&head, &rows(|run| &run.unmasked.0)),
        paragraph(format!(
            "The two numbers under a figure are its interval: of a hundred such intervals, about {:.0} \
             hold the value that all users of this kind would give.",
            100.0 * report.bootstrap.level
        )),
    ]
    .into_iter()
    .collect()
}

/// Figures by length of the history and popularity of the target.
pub(super) fn groups(report: &Report) -> Markup {
    let split = |by: fn(&RunFigures) -> &[Group], x: &str, caption: &str, first: &str| {
        let labels: Vec<String> = by(&report.runs[0])
            .iter()
            .map(|g| g.label.clone())
            .collect();
        let series = |pick: fn(&Group) -> Estimate| -> Vec<(String, Vec<Estimate>)> {
            let runs = report.runs.iter();
            runs.map(|run| (run.name.clone(), by(run).iter().map(pick).collect()))
                .collect()
        };
        let chart = |name: &str, pick| dots(caption, (x, name), &labels, &series(pick));
        let charts = side_by_side([
            figure(caption, &chart("NDCG@10, masked", |group| group.ndcg10)),
            figure("&nbsp;", &chart("HR@10, masked", |group| group.hr10)),
        ]);
        [charts, group_table(report, by, first)]
            .into_iter()
            .collect::<Markup>()
    };
    let words = paragraph(
        "A mean over all users hides who is served badly. A dot is the mean of a group, the line \
         through it its interval: where few users are in a group, the line is \
         long. Where none of a group was served, there is nothing to resample and no line: that is \
         ignorance, not certainty.",
    );
    [
        words,
        legend(report.runs.iter().map(|run| &*run.name)),
        split(
            |run| &run.by_history,
            "clicks in the history",
            "By how many clicks are known of the user",
            "clicks in the history",
        ),
        split(
            |run| &run.by_popularity,
            "training clicks of the item to be found",
            "By how popular the item to be found is (fifths of the users)",
            "training clicks of the item",
        ),
    ]
    .into_iter()
    .collect()
}

fn group_table(report: &Report, by: fn(&RunFigures) -> &[Group], first: &str) -> Markup {
    let mut head = vec![first.to_owned(), "users".to_owned()];
    for run in &report.runs {
        let of = if report.runs.len() > 1 {
            format!(", {}", run.name)
        } else {
            String::new()
        };
        head.extend([format!("NDCG@10{of}"), format!("HR@10{of}")]);
    }
    let groups = by(&report.runs[0]).iter().enumerate();
    let rows: Vec<Vec<Markup>> = groups
        .map(|(at, group)| {
            let users = Markup::text(grouped(group.users as u64));
            let figures = report.runs.iter().flat_map(|run| {
                let group = &by(run)[at];
                [estimate(&group.ndcg10), estimate(&group.hr10)]
            });
            [Markup::text(&group.label), users]
                .into_iter()
                .chain(figures)
                .collect()
        })
        .collect();
    let table = table(&head, &rows);
    Markup::ours(format!(
        "<details><summary>The same as a table</summary>{table}</details>"
    ))
}

/// What the figures of noise detection mean.
const NOISE_MEANING: &str = "<dl class=\"meaning\">\
         <div><dt>AUC</dt><dd>how often a noise click gets a higher noise probability than a clean one; 0.5 is chance, 1 is perfect</dd></div>\
         <div><dt>AP</dt><dd>average precision, the mean precision at each noise click when clicks are sorted by noise probability; chance gives the share of noise</dd></div>\
         <div><dt>ECE</dt><dd>expected calibration error, the mean distance of predicted probabilities from observed shares; 0 is perfect</dd></div>\
         <div><dt>prior, posterior</dt><dd>the AUC of each of the two views alone: the prior judges by what the items are, the posterior by how shoppers use them</dd></div>\
         <div><dt>gain</dt><dd>the change of NDCG@10 when items are ranked by the kept histories</dd></div>\
         </dl>";

/// Noise detection of the runs that have a scorer.
pub(super) fn noise(report: &Report) -> Option<Markup> {
    let judges = report
        .runs
        .iter()
        .filter_map(|run| Some((run, run.noise.as_ref()?)));
    let judges: Vec<(&RunFigures, &Noise)> = judges.collect();
    judges.first()?;
    let rows: Vec<Vec<Markup>> = judges
        .iter()
        .map(|(run, noise)| noise_row(run, noise))
        .collect();
    let head = [
        "run",
        "AUC",
        "AP",
        "ECE",
        "clicks judged",
        "of them noise",
        "prior",
        "posterior",
        "NDCG@10, gain over every click",
    ];
    let numbered = report.runs.iter().enumerate();
    let charts: Markup = numbered
        .filter_map(|(number, run)| Some(noise_charts(number, run, run.noise.as_ref()?)))
        .collect();
    Some(
        [
            paragraph(noise_words(report, &judges)),
            Markup::ours(NOISE_MEANING),
            table(&head, &rows),
            charts,
        ]
        .into_iter()
        .collect(),
    )
}

fn noise_row(run: &RunFigures, noise: &Noise) -> Vec<Markup> {
    let d = &noise.detection;
    let percent = 100.0 * d.noisy as f64 / d.clicks as f64;
    let view = |of: fn(&Views<Detection>) -> f64| {
        let auc = noise.views.as_ref().map(|views| share(of(views)));
        Markup::text(auc.unwrap_or_default())
    };
    vec![
        Markup::text(&run.name),
        Markup::ours(format!("<b>{}</b>", share(d.auc))),
        Markup::ours(format!("<b>{}</b>", share(d.ap))),
        Markup::ours(format!("<b>{}</b>", share(d.ece))),
        Markup::text(grouped(d.clicks as u64)),
        Markup::text(format!("{} ({percent:.1} %)", grouped(d.noisy as u64))),
        view(|views| views.prior.auc),
        view(|views| views.posterior.auc),
        difference(&noise.gain),
    ]
}

/// Where the labels come from.
fn noise_words(report: &Report, judges: &[(&RunFigures, &Noise)]) -> String {
    if judges.iter().all(|(_, noise)| noise.labels_of_dataset) {
        return "The noise of this dataset is labelled. The labels were not used for training the runs."
            .to_owned();
    }
    let of = |run: &RunFigures| {
        let settings = &run.config.denoising;
        let kinds: Vec<String> = settings
            .kinds
            .iter()
            .map(|k| format!("{k:?}").to_lowercase())
            .collect();
        format!(
            "{:.0} % of the latest {} clicks, drawn {}, seed {}",
            100.0 * settings.rate,
            settings.last,
            kinds.join(" and "),
            run.config.seed
        )
    };
    let mut ways: Vec<String> = judges.iter().map(|(run, _)| of(run)).collect();
    ways.dedup();
    let ways = ways.join("; ");
    let figures = &report.bootstrap;
    format!(
        "To know which clicks are noise, clicks of the judged histories were replaced by other items \
         for this section alone, as in training ({}). Ranking figures above are over the histories \
         as they are, and the interval of the last column is from {} resamples.",
        Text(ways),
        grouped(figures.resamples as u64)
    )
}

fn noise_charts(number: usize, run: &RunFigures, noise: &Noise) -> Markup {
    let labels: Vec<String> = (0..HISTOGRAM)
        .map(|at| format!("{:.1}", at as f64 / HISTOGRAM as f64))
        .collect();
    // Colours that no run has unless there are many runs.
    let series = [
        (5, "real clicks", noise.untouched.to_vec()),
        (4, "replaced clicks", noise.replaced.to_vec()),
    ];
    let keys = keys(series.iter().map(|(colour, name, _)| (*colour, *name)));
    let titles = (
        "predicted probability of noise, from",
        "share of such clicks",
    );
    let says = "How noise probabilities are distributed over real and over replaced clicks";
    let calibration = "Predicted probability against observed share";
    let name = Text(&run.name);
    side_by_side([
        figure(
            &format!("{name}: on the dashed line, probabilities are what they say"),
            &reliability(calibration, number, &noise.reliability),
        ),
        figure(
            &format!("{name}: the further apart, the better is noise told from clicks{keys}"),
            &bars(says, titles, &labels, &series),
        ),
    ])
}
