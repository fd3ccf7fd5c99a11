//! The frame of a chart: its scales, grid lines and labels.

use super::markup::Text;
use std::fmt::Write as _;

/// Width of every chart, in its own units.
pub(super) const WIDTH: f64 = 560.0;

/// Larger numbers are treated as infinite.
const BEYOND: f64 = 1e12;

/// The scale of one axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    step: f64,
}

impl Axis {
    /// A scale around the values, with round ends. Huge values of a diverged training are ignored and drawn at the
    /// end.
    pub(super) fn around(values: impl IntoIterator<Item = f64>) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.into_iter().filter(|value| value.abs() < BEYOND) {
            (low, high) = (low.min(value), high.max(value));
        }
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        let least = low.abs().max(high.abs()).max(1e-6) * 1e-6;
        if high - low < least {
            (low, high) = (low - least, high + least);
        }
        let step = round_step((high - low) / 4.0);
        Self {
            low: (low / step).floor() * step,
            high: (high / step).ceil() * step,
            step,
        }
    }

    /// A scale around the values and zero.
    pub(super) fn from_zero(values: impl IntoIterator<Item = f64>) -> Self {
        Self::around(values.into_iter().chain([0.0]))
    }

    /// A scale from zero to one.
    pub(super) fn unit() -> Self {
        Self {
            low: 0.0,
            high: 1.0,
            step: 0.2,
        }
    }

    /// A scale of epochs, `1..=last`.
    pub(super) fn epochs(last: usize) -> Self {
        Self {
            low: 1.0,
            high: last.max(2) as f64,
            step: round_step(last as f64 / 6.0).max(1.0).round(),
        }
    }

    /// A scale for a number of categories, each of width one.
    pub(super) fn categories(count: usize) -> Self {
        Self {
            low: 0.0,
            high: count.max(1) as f64,
            step: 1.0,
        }
    }

    /// Positions of grid lines, with labels.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        let first = (self.low / self.step - 1e-9).ceil() as i64;
        let last = (self.high / self.step + 1e-9).floor() as i64;
        let decimals = (-self.step.log10().floor()).clamp(0.0, 9.0) as usize;
        let ticks = (first..=last).map(|at| at as f64 * self.step);
        ticks.map(|at| (at, format!("{at:.decimals$}"))).collect()
    }

    /// The position of a value, `0.0..=1.0` from the low end to the high end.
    fn share(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }
}

/// The smallest of 1, 2 and 5 times a power of ten that is at least this.
fn round_step(at_least: f64) -> f64 {
    let power = 10f64.powf(at_least.max(1e-12).log10().floor());
    let factor = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|f| f * power >= at_least * 0.999_999);
    factor.unwrap_or(10.0) * power
}

/// Direction of the grid lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grid {
    /// Horizontal, at the labels of the vertical axis.
    Rows,
    /// Vertical, at the labels of the horizontal axis.
    Columns,
}

/// A rectangle with scales.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    /// Horizontal scale.
    pub(super) x: Axis,
    /// Vertical scale, upwards.
    pub(super) y: Axis,
    /// Labels along the bottom.
    pub(super) x_ticks: Vec<(f64, String)>,
    /// Labels along the left.
    pub(super) y_ticks: Vec<(f64, String)>,
    /// Title of the horizontal axis.
    pub(super) x_title: String,
    /// Title of the vertical axis, above it.
    pub(super) y_title: String,
    /// Height in the chart's units.
    pub(super) height: f64,
    /// Which lines are drawn.
    pub(super) grid: Grid,
}

const TOP: f64 = 28.0;
const BOTTOM: f64 = 46.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 14.0;

impl Frame {
    /// Numbers on both axes.
    pub(super) fn new(x: Axis, y: Axis, titles: (&str, &str)) -> Self {
        Self {
            x,
            y,
            x_ticks: x.ticks(),
            y_ticks: y.ticks(),
            x_title: titles.0.to_owned(),
            y_title: titles.1.to_owned(),
            height: 290.0,
            grid: Grid::Rows,
        }
    }

    /// Categories along the bottom.
    pub(super) fn of_categories(labels: &[String], y: Axis, titles: (&str, &str)) -> Self {
        let x_ticks = labels.iter().enumerate();
        Self {
            x_ticks: x_ticks
                .map(|(at, label)| (at as f64 + 0.5, label.clone()))
                .collect(),
            ..Self::new(Axis::categories(labels.len()), y, titles)
        }
    }

    /// Horizontal position, in the chart's units.
    pub(super) fn at_x(&self, value: f64) -> f64 {
        LEFT + self.x.share(value) * (WIDTH - LEFT - RIGHT)
    }

    /// Vertical position, in the chart's units.
    pub(super) fn at_y(&self, value: f64) -> f64 {
        let inside = self.height - TOP - BOTTOM;
        TOP + (1.0 - self.y.share(value)) * inside
    }

    /// The frame around `content`, as one picture with a text alternative.
    pub(super) fn draw(&self, says: &str, content: &str) -> String {
        let (right, bottom) = (WIDTH - RIGHT, self.height - BOTTOM);
        let mut svg = format!(
            "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"{}\"><g class=\"frame\">",
            self.height,
            Text(says)
        );
        for (value, label) in &self.y_ticks {
            let y = self.at_y(*value);
            if self.grid == Grid::Rows {
                let _ = write!(svg, "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{right}\"/>");
            }
            let (x, y, label) = (LEFT - 8.0, y + 4.0, Text(label));
            let _ = write!(
                svg,
                "<text class=\"end\" x=\"{x}\" y=\"{y:.1}\">{label}</text>"
            );
        }
        for (value, label) in &self.x_ticks {
            let x = self.at_x(*value);
            if self.grid == Grid::Columns {
                let _ = write!(svg, "<path class=\"grid\" d=\"M{x:.1} {TOP}V{bottom}\"/>");
            }
            let (y, label) = (bottom + 17.0, Text(label));
            let _ = write!(
                svg,
                "<text class=\"middle\" x=\"{x:.1}\" y=\"{y}\">{label}</text>"
            );
        }
        let middle = f64::midpoint(LEFT, right);
        let _ = write!(
            svg,
            "<path class=\"axis\" d=\"M{LEFT} {TOP}V{bottom}H{right}\"/>\
             <text class=\"title middle\" x=\"{middle}\" y=\"{}\">{}</text>\
             <text class=\"title\" x=\"{LEFT}\" y=\"14\">{}</text></g>{content}</svg>",
            self.height - 8.0,
            Text(&self.x_title),
            Text(&self.y_title)
        );
        svg
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ticks_are_round_numbers_that_enclose_the_values() {
        let labels = |axis: Axis| -> Vec<String> {
            axis.ticks().into_iter().map(|(_, label)| label).collect()
        };
        let axis = Axis::from_zero([0.031, 0.094]);
        assert_eq!(labels(axis), ["0.00", "0.05", "0.10"]);
        assert_eq!(
            labels(Axis::around([8.2, 9.1])),
            ["8.0", "8.5", "9.0", "9.5"]
        );
        assert_eq!(labels(Axis::epochs(5)), ["1", "2", "3", "4", "5"]);
        assert_eq!(labels(Axis::unit()).last().map(String::as_str), Some("1.0"));
    }

    #[test]
    fn nothing_and_a_single_value_have_an_axis() {
        for axis in [
            Axis::around([]),
            Axis::around([f64::NAN]),
            Axis::around([3.0]),
        ] {
            assert!(axis.high > axis.low && axis.ticks().len() >= 2, "{axis:?}");
        }
    }

    proptest! {
        #[test]
        fn every_value_lies_on_its_axis(values in prop::collection::vec(-1e6..1e6f64, 1..20)) {
            let axis = Axis::around(values.clone());
            let ticks = axis.ticks();
            prop_assert!((2..=12).contains(&ticks.len()), "{} ticks", ticks.len());
            for value in values {
                prop_assert!(axis.low - 1e-9 * axis.step <= value, "{:?} {}", axis, value);
                prop_assert!(value <= axis.high + 1e-9 * axis.step, "{:?} {}", axis, value);
            }
        }
    }
}
