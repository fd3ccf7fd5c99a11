//! The table of methods as a page, and its charts.

use super::chart::{Line, bars, class, lines, mark};
use super::frame::WIDTH;
use super::markup::{Markup, Text, figure, keys, paragraph, section, side_by_side, table};
use super::{Document, document};
use crate::report::measured::{KINDS, SEED, SplitKey};
use crate::report::methods::columns::{FIFTHS, kind_name, of_kind, split};
use crate::report::methods::{Cell, Entry, Method, Methods, Set, Table, tables};
use crate::report::robustness::RATES;

/// The users whose figures are drawn: unseen users, as in a browser, if there are any.
fn drawn(set: &Set) -> SplitKey {
    let runs = set.methods.iter().flat_map(|method| &method.runs);
    let mut splits = runs.map(|entry| &entry.measured.splits);
    if splits.any(|splits| splits.contains_key(&SplitKey::Unseen)) {
        SplitKey::Unseen
    } else {
        SplitKey::Test
    }
}

/// A chart for a file: its name, description, content, and the indices of the methods in it.
struct Picture {
    name: &'static str,
    caption: String,
    chart: Markup,
    methods: Vec<(usize, String)>,
}

fn pictures_of(set: &Set) -> Vec<Picture> {
    let drawn = [corruption(set), false_drops(set), found(set)];
    drawn
        .into_iter()
        .filter(|picture| !picture.methods.is_empty())
        .collect()
}

/// NDCG@10 by the share of replaced clicks.
fn corruption(set: &Set) -> Picture {
    let key = drawn(set);
    let of = |(series, method): (usize, &Method)| {
        let figure = |at: usize| {
            let kept = move |entry: &Entry| Some(split(entry, key)?.robustness.get(at)?.model);
            method.spread(kept).map(|spread| spread.mean)
        };
        let percents = RATES.iter().map(|rate| (100.0 * rate).round() as usize);
        let points = percents.enumerate();
        Line {
            series,
            name: method.name.clone(),
            points: points
                .filter_map(|(at, percent)| Some((percent, figure(at)?)))
                .collect(),
            marked: None,
        }
    };
    let drawn: Vec<Line> = (set.methods.iter().enumerate().map(of))
        .filter(|line| !line.points.is_empty())
        .collect();
    let caption = format!(
        "NDCG@10, masked, by the share of replaced clicks, {}",
        whose(key)
    );
    Picture {
        name: "corruption",
        chart: lines(&caption, ("percent replaced", "NDCG@10"), &drawn),
        methods: drawn
            .iter()
            .map(|line| (line.series, line.name.clone()))
            .collect(),
        caption,
    }
}

/// Share of clean clicks dropped where half of the noise is dropped.
fn false_drops(set: &Set) -> Picture {
    let key = drawn(set);
    let share =
        |fifth: usize| move |entry: &Entry| of_kind(entry, key, KINDS[0])?.drops.half[fifth];
    let labels = FIFTHS.map(str::to_owned);
    let caption = format!(
        "Clean clicks dropped with half of the noise, by popularity of the item, {}",
        whose(key)
    );
    let titles = (
        "clicks by popularity of the item",
        "share of the clean clicks",
    );
    bars_of(set, "drops", caption, titles, &labels, |method, fifth| {
        method.spread(share(fifth)).map(|spread| spread.mean)
    })
}

/// AUC by kind of noise.
fn found(set: &Set) -> Picture {
    let key = drawn(set);
    let labels = KINDS.map(|kind| kind_name(kind).to_owned());
    let caption = format!("AUC of noise detection by kind, {}", whose(key));
    bars_of(
        set,
        "noise",
        caption,
        ("how clicks were replaced", "AUC"),
        &labels,
        |method, at| {
            let auc = |entry: &Entry| Some(of_kind(entry, key, KINDS[at])?.detection.auc);
            method.spread(auc).map(|spread| spread.mean)
        },
    )
}

/// Bars of the methods that have a value in every category.
fn bars_of(
    set: &Set,
    name: &'static str,
    caption: String,
    titles: (&str, &str),
    labels: &[String],
    value: impl Fn(&Method, usize) -> Option<f64>,
) -> Picture {
    let values = |method: &Method| -> Option<Vec<f64>> {
        (0..labels.len()).map(|at| value(method, at)).collect()
    };
    let numbered = set.methods.iter().enumerate();
    let series: Vec<(usize, &str, Vec<f64>)> = numbered
        .filter_map(|(at, method)| Some((at, &*method.name, values(method)?)))
        .collect();
    Picture {
        name,
        chart: bars(&caption, titles, labels, &series),
        methods: series
            .iter()
            .map(|(at, name, _)| (*at, (*name).to_owned()))
            .collect(),
        caption,
    }
}

fn whose(key: SplitKey) -> &'static str {
    match key {
        SplitKey::Test => "users of the log",
        SplitKey::Unseen => "unseen users",
    }
}

/// The table as a page.
pub fn html(methods: &Methods) -> String {
    let ids = (1..).map(|number| format!("set-{number}"));
    let bodies = methods.sets.iter().map(of_set);
    let sections = ids.zip(&methods.sets).zip(bodies);
    let sections: Vec<(String, String, Markup)> = sections
        .map(|((id, set), body)| (id, Text(&set.dataset).to_string(), body))
        .collect();
    let lead = paragraph(
        "Mean and standard deviation over the seeds of each method. Bold is better than every other \
         method by more than the deviation of either.",
    );
    document(Document {
        title: "Methods",
        header: lead,
        sections: &sections,
        method: method(),
        version: &methods.ingle,
    })
}

fn of_set(set: &Set) -> Markup {
    let words = paragraph(format!(
        "Backbone: {}. Content of the dataset: {}.",
        Text(&set.backbone),
        Text(format_args!("{:.12}", set.data_hash))
    ));
    let pictures = pictures_of(set).into_iter().map(|picture| {
        let names = keys(picture.methods.iter().map(|(at, name)| (*at, &**name)));
        figure(&format!("{}{names}", picture.caption), &picture.chart)
    });
    let pictures = side_by_side(pictures);
    let tables = tables(set);
    let tables = tables.iter().map(table_of);
    [words, pictures].into_iter().chain(tables).collect()
}

fn table_of(shown: &Table) -> Markup {
    let cell = |cell: &Cell| {
        let text = Markup::text(&cell.text);
        if cell.best {
            Markup::ours(format!("<b>{text}</b>"))
        } else {
            text
        }
    };
    let rows: Vec<Vec<Markup>> = (shown.rows.iter())
        .map(|(name, cells)| {
            std::iter::once(Markup::text(name))
                .chain(cells.iter().map(cell))
                .collect()
        })
        .collect();
    let head = std::iter::once("method").chain(shown.head.iter().map(String::as_str));
    let head: Vec<&str> = head.collect();
    let (title, words) = (Text(&shown.title), Text(&shown.words));
    [
        Markup::ours(format!("<h3>{title}</h3><p>{words}</p>")),
        table(&head, &rows),
    ]
    .into_iter()
    .collect()
}

/// The evaluation protocol.
fn method() -> Markup {
    section(
        "method",
        "How it was measured",
        &Markup::ours(format!(
            "<ul>\
             <li><b>The target is the last click</b> of each user, predicted from all clicks before it; weights and \
             settings were selected on other, validation clicks.</li>\
             <li><b>The whole catalogue is ranked</b>; ties are decided against the method.</li>\
             <li><b>Noise is the same for all</b>: which clicks are replaced, and by what, is drawn with seed \
             {SEED} for every run. The deviation is over trainings, not over draws.</li>\
             <li><b>Clean clicks</b> are those that were not replaced: some of them are unlabelled noise.</li>\
             <li><b>Training times</b> depend on the machine and its load; phases that one run took over from \
             another are counted in both.</li>\
             </ul>"
        )),
    )
}

/// The charts as files: names and SVG. With several datasets, each has its number in the name.
pub fn pictures(methods: &Methods) -> Vec<(String, String)> {
    let several = methods.sets.len() > 1;
    let sets = (1..).zip(&methods.sets);
    let drawn = sets.flat_map(|(number, set)| {
        pictures_of(set).into_iter().map(move |picture| {
            let place = if several {
                format!("-{number}")
            } else {
                String::new()
            };
            (format!("{}{place}.svg", picture.name), alone(&picture))
        })
    });
    drawn.collect()
}

/// Style of a chart outside the page.
const STYLE: &str = ".chart{--line:#e4d8c5;--soft:#6f5f56;--card:#fffcf6;--c0:#b5472c;--c1:#2b6a93;--c2:#5d7a2c;\
--c3:#8a4b8f;--c4:#b07a10;--c5:#4b5563;font:12px system-ui,sans-serif}\
.chart text{fill:var(--soft)}.end{text-anchor:end}.middle{text-anchor:middle}\
.grid{stroke:var(--line);fill:none}.axis{stroke:var(--soft);fill:none}\
.c0{--c:var(--c0)}.c1{--c:var(--c1)}.c2{--c:var(--c2)}.c3{--c:var(--c3)}.c4{--c:var(--c4)}.c5{--c:var(--c5)}\
.line{stroke:var(--c);stroke-width:2;fill:none}.mark{fill:var(--c);stroke:var(--card)}.bar{fill:var(--c)}";
/// Height of the legend's line.
const KEYS: f64 = 26.0;

/// A chart with its own background, style and legend.
fn alone(picture: &Picture) -> String {
    let svg = picture.chart.to_string();
    let height = svg
        .split_once("viewBox=\"0 0 ")
        .and_then(|(_, rest)| {
            rest.split_once('"')?
                .0
                .split(' ')
                .nth(1)?
                .parse::<f64>()
                .ok()
        })
        .expect("a chart says how high it is");
    let all = height + KEYS;
    let step = WIDTH / picture.methods.len() as f64;
    let keys: String = (picture.methods.iter().enumerate())
        .map(|(place, (series, name))| {
            let (x, y) = (14.0 + step * place as f64, height + 12.0);
            let (class, mark, text) = (class(*series), mark(*series, x, y, 5.0), x + 10.0);
            format!(
                "<g class=\"{class}\">{mark}</g><text x=\"{text:.1}\" y=\"{:.1}\">{}</text>",
                y + 4.0,
                Text(name)
            )
        })
        .collect();
    let paper = format!("<rect width=\"{WIDTH}\" height=\"{all}\" fill=\"#fffcf6\"/>");
    let opened = svg.replacen("<svg ", "<svg xmlns=\"http://www.w3.org/2000/svg\" ", 1);
    let taller = opened.replacen(
        &format!("viewBox=\"0 0 {WIDTH} {height}\""),
        &format!("viewBox=\"0 0 {WIDTH} {all}\""),
        1,
    );
    let styled = taller.replacen('>', &format!("><style>{STYLE}</style>{paper}"), 1);
    let body = styled.strip_suffix("</svg>").unwrap_or(&styled);
    format!("{body}{keys}</svg>\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::methods::{methods, tests::two};

    #[test]
    fn the_page_loads_nothing_and_shows_names_as_text() {
        let html = html(&methods(two()).expect("alike"));
        for loads in ["://", " src=", "<script", "<link", "@import", "url("] {
            assert!(!html.contains(loads), "{loads}");
        }
        assert!(html.contains("shop | &lt;b&gt;one"), "names are text");
        assert!(
            html.contains("<section id=\"set-1\">") && html.contains("<section id=\"method\">")
        );
        assert!(
            html.contains("<td><b>.0710 ± .0014</b></td>"),
            "the best is bold"
        );
    }

    #[test]
    fn pictures_stand_alone() {
        let pictures = pictures(&methods(two()).expect("alike"));
        let names: Vec<&str> = pictures.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["corruption.svg", "drops.svg"]);
        for (name, svg) in &pictures {
            assert!(
                svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"),
                "{name}"
            );
            assert!(
                svg.contains("<style>") && svg.contains(">dc4sr</text>"),
                "{name}"
            );
            assert_eq!(svg.matches("<g").count(), svg.matches("</g>").count());
        }
        assert!(
            !pictures[1].1.contains(">sasrec</text>"),
            "who drops nothing is not drawn"
        );
    }
}
