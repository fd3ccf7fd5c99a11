use super::*;
use proptest::prelude::*;

/// Every number that an attribute of the picture holds, by the attribute's name.
fn numbers(svg: &str, attribute: &str) -> Vec<f64> {
    let start = format!(" {attribute}=\"");
    let values = svg
        .split(&*start)
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    let apart = |c: char| !(c.is_ascii_digit() || c == '.' || c == '-');
    values
        .flat_map(|value| value.split(apart))
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().expect("a number"))
        .collect()
}

fn estimate(value: f64) -> Estimate {
    let (low, high) = (value - 0.01, value + 0.01);
    Estimate { value, low, high }
}

fn line(points: &[(usize, f64)]) -> Line {
    Line {
        series: 0,
        name: "a <b>".to_owned(),
        points: points.to_vec(),
        marked: Some(2),
    }
}

#[test]
fn a_line_goes_right_with_the_epochs_and_up_with_the_values() {
    let svg = lines(
        "says",
        ("epoch", "loss"),
        &[line(&[(1, 1.0), (2, 3.0), (3, 2.0)])],
    )
    .to_string();
    let points = numbers(&svg, "points");
    let (x, y): (Vec<f64>, Vec<f64>) = points.chunks(2).map(|p| (p[0], p[1])).unzip();
    assert!(x.is_sorted() && x.len() == 3, "{x:?}");
    assert!(y[1] < y[2] && y[2] < y[0], "{y:?}");
    let sizes = numbers(&svg, "r");
    assert!(sizes[1] > sizes[0], "the marked epoch is larger: {sizes:?}");
    assert!(svg.contains("epoch 2: 3.0000, the best"), "{svg}");
    assert!(svg.contains("a &lt;b&gt;") && !svg.contains("<b>"), "{svg}");
}

#[test]
fn intervals_enclose_their_marks_and_series_do_not_hide_each_other() {
    let labels = ["few".to_owned(), "many".to_owned()];
    let series: Vec<_> = (0..3)
        .map(|n| (format!("run {n}"), vec![estimate(0.1), estimate(0.2)]))
        .collect();
    let svg = dots("says", ("x", "y"), &labels, &series).to_string();
    let whiskers: Vec<(f64, f64, f64)> = (svg.split("class=\"whisker\" d=\"M").skip(1))
        .map(|rest| {
            let path = rest.split('"').next().expect("a path");
            let parts: Vec<f64> = (path.split([' ', 'V']))
                .map(|part| part.parse().expect("a number"))
                .collect();
            (parts[0], parts[1], parts[2])
        })
        .collect();
    assert_eq!(whiskers.len(), 6);
    let (x, y) = (numbers(&svg, "cx")[0], numbers(&svg, "cy")[0]);
    assert_eq!(whiskers[0].0, x);
    assert!(whiskers[0].1 > y && y > whiskers[0].2, "{whiskers:?} {y}");
    let mut places: Vec<i64> = whiskers.iter().map(|w| (w.0 * 10.0) as i64).collect();
    places.sort_unstable();
    places.dedup();
    assert_eq!(places.len(), 6, "every whisker has a place of its own");
}

#[test]
fn bars_are_as_high_as_their_values() {
    let labels: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
    let svg = bars(
        "says",
        ("x", "y"),
        &labels,
        &[(0, "users", vec![10.0, 20.0, 0.0])],
    )
    .to_string();
    let heights = numbers(&svg, "height");
    assert!((heights[1] - 2.0 * heights[0]).abs() < 0.2, "{heights:?}");
    assert_eq!(heights[2], 0.0);
}

#[test]
fn a_calibrated_judge_is_on_the_diagonal() {
    let bin = |share: f64, clicks| Bin {
        clicks,
        predicted: share,
        observed: share,
    };
    let bins = [bin(0.1, 900), bin(0.0, 0), bin(0.9, 100)];
    let svg = reliability("says", 0, &bins).to_string();
    let diagonal = svg
        .split("class=\"ideal\" d=\"M")
        .nth(1)
        .expect("a diagonal");
    let ends: Vec<f64> = (diagonal
        .split('"')
        .next()
        .expect("a path")
        .split([' ', 'L']))
    .map(|part| part.parse().expect("a number"))
    .collect();
    let slope = (ends[3] - ends[1]) / (ends[2] - ends[0]);
    let (x, y) = (numbers(&svg, "cx"), numbers(&svg, "cy"));
    assert_eq!(x.len(), 2, "an empty bin has no mark");
    for (x, y) in x.iter().zip(&y) {
        assert!((ends[1] + slope * (x - ends[0]) - y).abs() < 0.3, "{x} {y}");
    }
    let sizes = numbers(&svg, "r");
    assert!(sizes[0] > sizes[1], "more clicks, a larger mark: {sizes:?}");
}

#[test]
fn a_gain_is_right_of_the_line_and_a_loss_left_of_it() {
    let labels: Vec<String> = ["HR@10", "MRR@10"].map(str::to_owned).to_vec();
    let series = [(0, "run".to_owned(), vec![estimate(0.05), estimate(-0.05)])];
    let svg = differences("says", "difference", &labels, &series).to_string();
    let zero = svg.split("class=\"ideal\" d=\"M").nth(1).expect("a line");
    let zero: f64 = zero
        .split(' ')
        .next()
        .expect("x")
        .parse()
        .expect("a number");
    let (x, y) = (numbers(&svg, "cx"), numbers(&svg, "cy"));
    assert!(x[0] > zero && zero > x[1], "{x:?} {zero}");
    assert!(y[0] < y[1], "the first row is on top: {y:?}");
}

proptest! {
    #[test]
    fn whatever_the_values_all_is_drawn_inside_the_picture(
        values in prop::collection::vec(prop::num::f64::ANY, 0..60),
    ) {
        let points: Vec<_> = values.iter().enumerate().map(|(at, v)| (at + 1, *v)).collect();
        let svg = lines("says", ("epoch", "loss"), &[line(&points)]).to_string();
        prop_assert!(!svg.contains("NaN") && !svg.contains("inf"));
        for point in numbers(&svg, "points").chunks(2) {
            prop_assert!((0.0..=560.0).contains(&point[0]) && (0.0..=290.0).contains(&point[1]));
        }
    }
}
