//! The page: one HTML file that loads nothing else, for light and dark mode, screen and paper.

mod chart;
mod details;
mod frame;
mod kept;
mod markup;
pub mod methods;
mod sections;
mod simple;
mod views;

use super::Report;
use crate::data::grouped;
use markup::{Markup, Text};

/// Sections of the page: id, title, and the body unless it is empty.
type Section = (&'static str, &'static str, Option<Markup>);

/// All sections, in order.
fn sections(report: &Report) -> [Section; 13] {
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
        ("simple", "Is a network worth it?", simple::simple(report)),
        (
            "groups",
            "For whom it works",
            Some(sections::groups(report)),
        ),
        ("noise", "Finding noise", sections::noise(report)),
        ("robustness", "What noise costs", views::robustness(report)),
        ("kept", "Choosing which clicks count", kept::kept(report)),
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
    let sections = sections(report).into_iter();
    let written: Vec<(String, String, Markup)> = sections
        .filter_map(|(id, title, body)| Some((id.to_owned(), title.to_owned(), body?)))
        .collect();
    let names: Vec<&str> = report.runs.iter().map(|run| &*run.name).collect();
    document(Document {
        title: &names.join(", "),
        header: header(report),
        sections: &written,
        method: details::method(report),
        version: &report.ingle,
    })
}

/// Parts of a page.
struct Document<'a> {
    /// Its title, as text.
    title: &'a str,
    /// Markup below the title.
    header: Markup,
    /// Id, title and body of each section; the title is markup.
    sections: &'a [(String, String, Markup)],
    /// The last section, with the id `method`.
    method: Markup,
    /// Version of the program.
    version: &'a str,
}

fn document(page: Document<'_>) -> String {
    let links: String = (page.sections.iter())
        .map(|(id, title, _)| format!("<a href=\"#{id}\">{title}</a>"))
        .collect();
    let body: Markup = (page.sections.iter())
        .map(|(id, title, body)| markup::section(id, title, body))
        .collect();
    let title = Text(page.title).to_string();
    let (header, method, style) = (page.header, page.method, include_str!("style.css"));
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
        version = Text(page.version),
    )
}

/// What was evaluated, in one line.
fn header(report: &Report) -> Markup {
    let data = &report.dataset;
    Markup::ours(format!(
        "<p class=\"lead\">{} on <b>{}</b>. The target is {}: {} users, {} items ranked for each.</p>",
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

/// Whose clicks are predicted, in words.
fn split_words(split: &str) -> &'static str {
    match split {
        "valid" => "the last click but one of users seen in training",
        "unseen" => "the last click of users held out of training",
        _ => "the last click of users seen in training",
    }
}

#[cfg(test)]
mod tests;
