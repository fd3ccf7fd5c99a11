//! The page: one HTML file that loads nothing, in light and dark, on a screen and on paper.

mod chart;
mod details;
mod frame;
mod gates;
mod markup;
mod sections;
mod views;

use super::Report;
use crate::data::grouped;
use markup::{Markup, Text};

/// Sections of the page: id, title, and the body where there is something to say.
type Section = (&'static str, &'static str, Option<Markup>);

/// All sections, in order.
fn sections(report: &Report) -> [Section; 12] {
    [
        ("short", "In short", Some(sections::short(report))),
        (
            "comparison",
            "Which run is better",
            sections::comparison(report),
        ),
        (
            "ranking",
            "Ranking figures",
            Some(sections::ranking(report)),
        ),
        (
            "groups",
            "For whom it works",
            Some(sections::groups(report)),
        ),
        ("noise", "Finding noise", sections::noise(report)),
        ("robustness", "What noise costs", views::robustness(report)),
        ("gates", "Choosing the gate", gates::gates(report)),
        ("rounds", "Two views", views::rounds(report)),
        (
            "learning",
            "Learning curves",
            Some(details::learning(report)),
        ),
        ("data", "The data", Some(details::data(report))),
        ("cost", "Time and memory", Some(details::cost(report))),
        (
            "configuration",
            "Configuration",
            Some(details::configuration(report)),
        ),
    ]
}

/// The report as a page.
pub fn html(report: &Report) -> String {
    let sections = sections(report);
    let written = || {
        sections
            .iter()
            .filter_map(|(id, title, body)| Some((id, title, body.as_ref()?)))
    };
    let links: String = written()
        .map(|(id, title, _)| format!("<a href=\"#{id}\">{title}</a>"))
        .collect();
    let body: Markup = written()
        .map(|(id, title, body)| markup::section(id, title, body))
        .collect();
    let names: Vec<&str> = report.runs.iter().map(|run| &*run.name).collect();
    let title = Text(names.join(", ")).to_string();
    let (style, header, method) = (
        include_str!("style.css"),
        header(report),
        details::method(report),
    );
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title} - Ingle report</title>\n<style>\n{style}</style>\n</head>\n<body>\n\
         <header><p class=\"kicker\">Ingle report</p><h1>{title}</h1>{header}</header>\n\
         <nav aria-label=\"Sections\">{links}<a href=\"#method\">How it was measured</a></nav>\n\
         <main>\n{body}{method}</main>\n\
         <footer>Written by <code>ingle report</code> {version}. This file loads nothing and \
         sends nothing.</footer>\n</body>\n</html>\n",
        version = Text(&report.ingle),
    )
}

/// What was judged, in a line.
fn header(report: &Report) -> Markup {
    let data = &report.dataset;
    Markup::ours(format!(
        "<p class=\"lead\">{} on <b>{}</b>. Predicted is {}: {} users, {} items ranked for each.</p>",
        match report.runs.len() {
            1 => "One run".to_owned(),
            n => format!("{n} runs"),
        },
        Text(&data.name),
        split_words(report.split),
        grouped(data.users_judged as u64),
        grouped(data.summary.items as u64),
    ))
}

/// Whose click is predicted, in words.
fn split_words(split: &str) -> &'static str {
    match split {
        "valid" => "the last click but one of users seen in training",
        "unseen" => "the last click of users held out of training",
        _ => "the last click of users seen in training",
    }
}

#[cfg(test)]
mod tests;
