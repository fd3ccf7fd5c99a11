//! The charts of a report. A series has the same colour and mark in all of them; the marks distinguish series without
//! colour.

use super::frame::{Axis, Frame, Grid};
use super::markup::{Markup, Text};
use crate::metrics::detection::Bin;
use crate::report::bootstrap::Estimate;
use std::fmt::Write as _;

/// Number of colours; then they repeat.
const COLOURS: usize = 6;

/// Class that colours a series.
pub(super) fn class(series: usize) -> String {
    format!("c{}", series % COLOURS)
}

/// The mark of a series: circle, square, diamond or triangle, of about the same size.
pub(super) fn mark(series: usize, x: f64, y: f64, r: f64) -> String {
    match series % 4 {
        0 => format!("<circle class=\"mark\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{r}\"/>"),
        1 => {
            let (left, top, side) = (x - 0.9 * r, y - 0.9 * r, 1.8 * r);
            format!(
                "<rect class=\"mark\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{side:.1}\" height=\"{side:.1}\"/>"
            )
        }
        2 => {
            let r = 1.2 * r;
            format!(
                "<path class=\"mark\" d=\"M{x:.1} {:.1}l{r:.1} {r:.1}l-{r:.1} {r:.1}l-{r:.1} -{r:.1}z\"/>",
                y - r
            )
        }
        _ => {
            let (half, height) = (1.1 * r, 2.0 * r);
            format!(
                "<path class=\"mark\" d=\"M{x:.1} {:.1}l{half:.1} {height:.1}h-{:.1}z\"/>",
                y - 1.1 * r,
                2.0 * half
            )
        }
    }
}

/// Values over epochs or other whole numbers.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// Number of the series.
    pub(super) series: usize,
    /// Its name.
    pub(super) name: String,
    /// Epoch and value.
    pub(super) points: Vec<(usize, f64)>,
    /// The epoch that is marked.
    pub(super) marked: Option<usize>,
}

/// A line chart over epochs or other whole numbers. `titles` name the axes.
pub(super) fn lines(says: &str, titles: (&str, &str), lines: &[Line]) -> Markup {
    let points = || lines.iter().flat_map(|line| &line.points);
    let places = || points().map(|(place, _)| *place);
    // Epochs and rounds begin at 1, shares at 0.
    let x = match places().min() {
        Some(0) => Axis::around(places().map(|place| place as f64)),
        _ => Axis::epochs(places().max().unwrap_or(1)),
    };
    let y = Axis::around(points().map(|(_, value)| *value));
    let frame = Frame::new(x, y, titles);
    let mut content = String::new();
    for line in lines {
        let at = |(epoch, value): &(usize, f64)| (frame.at_x(*epoch as f64), frame.at_y(*value));
        let drawn = || line.points.iter().filter(|(_, value)| value.is_finite());
        let path: Vec<String> = (drawn().map(at))
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        let class = class(line.series);
        let _ = write!(
            content,
            "<g class=\"{class}\"><polyline class=\"line\" points=\"{}\"/>",
            path.join(" ")
        );
        for point in drawn() {
            let (x, y) = at(point);
            let marked = line.marked == Some(point.0);
            let dot = match (marked, line.points.len() <= 40) {
                (true, _) => mark(line.series, x, y, 5.0),
                (false, true) => mark(line.series, x, y, 2.2),
                (false, false) => continue,
            };
            let best = if marked { ", the best" } else { "" };
            let name = Text(&line.name);
            let _ = write!(
                content,
                "<g><title>{name}, {} {}: {:.4}{best}</title>{dot}</g>",
                Text(titles.0),
                point.0,
                point.1
            );
        }
        content.push_str("</g>");
    }
    Markup::ours(frame.draw(says, &content))
}

/// Figures with their intervals, of one or several series by category.
pub(super) fn dots(
    says: &str,
    titles: (&str, &str),
    labels: &[String],
    series: &[(String, Vec<Estimate>)],
) -> Markup {
    let ends = series.iter().flat_map(|(_, estimates)| estimates);
    let y = Axis::from_zero(ends.map(|e| e.high.max(e.value)));
    let frame = Frame::of_categories(labels, y, titles);
    let mut content = String::new();
    for (number, (name, estimates)) in series.iter().enumerate() {
        let _ = write!(content, "<g class=\"{}\">", class(number));
        for (at, (e, label)) in estimates.iter().zip(labels).enumerate() {
            let x = frame.at_x(at as f64 + place(number, series.len()));
            let (low, high) = (frame.at_y(e.low), frame.at_y(e.high));
            let _ = write!(
                content,
                "<g><title>{}, {}: {:.4} ({:.4} to {:.4})</title><path class=\"whisker\" d=\"M{x:.1} {low:.1}V{high:.1}\"/>{}</g>",
                Text(name),
                Text(label),
                e.value,
                e.low,
                e.high,
                mark(number, x, frame.at_y(e.value), 5.0)
            );
        }
        content.push_str("</g>");
    }
    Markup::ours(frame.draw(says, &content))
}

/// Horizontal offset of a series within its category.
fn place(number: usize, count: usize) -> f64 {
    0.5 + (number as f64 - (count as f64 - 1.0) / 2.0) * (0.6 / count as f64)
}

/// Bars by category, side by side for several series.
pub(super) fn bars(
    says: &str,
    titles: (&str, &str),
    labels: &[String],
    series: &[(usize, &str, Vec<f64>)],
) -> Markup {
    let y = Axis::from_zero(
        series
            .iter()
            .flat_map(|(_, _, values)| values.iter().copied()),
    );
    let frame = Frame::of_categories(labels, y, titles);
    let width = 0.76 / series.len().max(1) as f64;
    let mut content = String::new();
    for (number, (colour, name, values)) in series.iter().enumerate() {
        let _ = write!(content, "<g class=\"{}\">", class(*colour));
        for (at, (value, label)) in values.iter().zip(labels).enumerate() {
            let left = frame.at_x(at as f64 + 0.12 + width * number as f64);
            let right = frame.at_x(at as f64 + 0.12 + width * (number + 1) as f64);
            let (top, bottom) = (frame.at_y(*value), frame.at_y(0.0));
            let shown = (value * 1e4).round() / 1e4;
            let _ = write!(
                content,
                "<g><title>{}, {}: {shown}</title><rect class=\"bar\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\"/></g>",
                Text(name),
                Text(label),
                (right - left - 1.0).max(1.0),
                bottom - top
            );
        }
        content.push_str("</g>");
    }
    Markup::ours(frame.draw(says, &content))
}

/// Reliability diagram: predicted probabilities against observed shares. Perfect calibration is the diagonal; the
/// size of a mark shows its number of clicks.
pub(super) fn reliability(says: &str, series: usize, bins: &[Bin]) -> Markup {
    let titles = ("predicted probability of noise", "share that was noise");
    let frame = Frame::new(Axis::unit(), Axis::unit(), titles);
    let all: usize = bins.iter().map(|bin| bin.clicks).sum();
    let (left, right) = (frame.at_x(0.0), frame.at_x(1.0));
    let (bottom, top) = (frame.at_y(0.0), frame.at_y(1.0));
    let mut content = format!(
        "<path class=\"ideal\" d=\"M{left:.1} {bottom:.1}L{right:.1} {top:.1}\"/><g class=\"{}\">",
        class(series)
    );
    let filled: Vec<&Bin> = bins.iter().filter(|bin| bin.clicks > 0).collect();
    let at = |bin: &Bin| (frame.at_x(bin.predicted), frame.at_y(bin.observed));
    let path: Vec<String> = (filled.iter().map(|bin| at(bin)))
        .map(|(x, y)| format!("{x:.1},{y:.1}"))
        .collect();
    let _ = write!(
        content,
        "<polyline class=\"line\" points=\"{}\"/>",
        path.join(" ")
    );
    for bin in filled {
        let (x, y) = at(bin);
        let size = 3.0 + 9.0 * (bin.clicks as f64 / all as f64).sqrt();
        let _ = write!(
            content,
            "<g><title>{} clicks: predicted {:.3}, observed {:.3}</title>{}</g>",
            bin.clicks,
            bin.predicted,
            bin.observed,
            mark(series, x, y, (size * 10.0).round() / 10.0)
        );
    }
    content.push_str("</g>");
    Markup::ours(frame.draw(says, &content))
}

/// Differences with their intervals, one row per figure, with a line at zero.
pub(super) fn differences(
    says: &str,
    x_title: &str,
    labels: &[String],
    series: &[(usize, String, Vec<Estimate>)],
) -> Markup {
    let ends = series.iter().flat_map(|(_, _, estimates)| estimates);
    let x = Axis::from_zero(ends.flat_map(|e| [e.low, e.high]));
    let rows = labels.len();
    let y_ticks = labels.iter().enumerate();
    let frame = Frame {
        y_ticks: y_ticks
            .map(|(at, label)| (rows as f64 - at as f64 - 0.5, label.clone()))
            .collect(),
        height: 80.0 + rows as f64 * (14.0 + 12.0 * series.len() as f64),
        grid: Grid::Columns,
        ..Frame::new(x, Axis::categories(rows), (x_title, ""))
    };
    let zero = frame.at_x(0.0);
    let (top, bottom) = (frame.at_y(rows as f64), frame.at_y(0.0));
    let mut content = format!("<path class=\"ideal\" d=\"M{zero:.1} {top:.1}V{bottom:.1}\"/>");
    for (place_at, (number, name, estimates)) in series.iter().enumerate() {
        let _ = write!(content, "<g class=\"{}\">", class(*number));
        for (at, (e, label)) in estimates.iter().zip(labels).enumerate() {
            let y = frame.at_y(rows as f64 - at as f64 - place(place_at, series.len()));
            let (low, high) = (frame.at_x(e.low), frame.at_x(e.high));
            let _ = write!(
                content,
                "<g><title>{}, {}: {:+.4} ({:+.4} to {:+.4})</title><path class=\"whisker\" d=\"M{low:.1} {y:.1}H{high:.1}\"/>{}</g>",
                Text(name),
                Text(label),
                e.value,
                e.low,
                e.high,
                mark(*number, frame.at_x(e.value), y, 4.5)
            );
        }
        content.push_str("</g>");
    }
    Markup::ours(frame.draw(says, &content))
}

#[cfg(test)]
mod tests;
