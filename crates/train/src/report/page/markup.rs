//! Creates markup. Everything from data goes through [`Text`] or [`Markup::text`], which escape it; only this
//! folder's own text is written unescaped.

use crate::report::bootstrap::Estimate;
pub(super) use crate::report::words::share;
use std::fmt::{self, Display, Write};

/// Displays a value with HTML's special characters escaped.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<T>(pub(super) T);

impl<T: Display> Display for Text<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaper(f), "{}", self.0)
    }
}

struct Escaper<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl Write for Escaper<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for letter in text.chars() {
            match letter {
                '&' => self.0.write_str("&amp;")?,
                '<' => self.0.write_str("&lt;")?,
                '>' => self.0.write_str("&gt;")?,
                '"' => self.0.write_str("&quot;")?,
                '\'' => self.0.write_str("&#39;")?,
                _ => self.0.write_char(letter)?,
            }
        }
        Ok(())
    }
}

/// HTML or SVG that is safe to put into the page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Markup(String);

impl Markup {
    /// Escaped text.
    pub(super) fn text(text: impl Display) -> Self {
        Self(Text(text).to_string())
    }

    /// Markup of our own; every value in it must be [`Markup`], [`Text`] or a number.
    pub(super) fn ours(markup: impl Into<String>) -> Self {
        Self(markup.into())
    }
}

impl Display for Markup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromIterator<Markup> for Markup {
    fn from_iter<I: IntoIterator<Item = Markup>>(parts: I) -> Self {
        Self(parts.into_iter().map(|part| part.0).collect())
    }
}

/// A section with a heading that can be linked to.
pub(super) fn section(id: &str, title: &str, body: &Markup) -> Markup {
    Markup(format!(
        "<section id=\"{id}\"><h2>{title}</h2>{body}</section>\n"
    ))
}

/// A paragraph of our own text.
pub(super) fn paragraph(words: impl Display) -> Markup {
    Markup(format!("<p>{words}</p>"))
}

/// A table whose first column names its rows.
pub(super) fn table<H: Display>(head: &[H], rows: &[Vec<Markup>]) -> Markup {
    let head: String = head
        .iter()
        .map(|name| format!("<th scope=\"col\">{}</th>", Text(name)))
        .collect();
    let rows: String = rows.iter().map(|cells| row(cells)).collect();
    Markup(format!(
        "<div class=\"scroll\"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    ))
}

fn row(cells: &[Markup]) -> String {
    let (name, rest) = cells.split_first().expect("a row has cells");
    let rest: String = rest.iter().map(|cell| format!("<td>{cell}</td>")).collect();
    format!("<tr><th scope=\"row\">{name}</th>{rest}</tr>")
}

/// A chart with its caption above.
pub(super) fn figure(caption: &str, chart: &Markup) -> Markup {
    Markup(format!(
        "<figure><figcaption>{caption}</figcaption>{chart}</figure>"
    ))
}

/// Figures side by side, as many as fit.
pub(super) fn side_by_side(figures: impl IntoIterator<Item = Markup>) -> Markup {
    let figures: Markup = figures.into_iter().collect();
    Markup(format!("<div class=\"figures\">{figures}</div>"))
}

/// The legend of runs; empty for a single run.
pub(super) fn legend<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> Markup {
    if names.len() < 2 {
        return Markup::default();
    }
    keys(names.enumerate())
}

/// The legend of series.
pub(super) fn keys<'a>(series: impl Iterator<Item = (usize, &'a str)>) -> Markup {
    let entry = |(at, name): (usize, &str)| {
        let mark = super::chart::mark(at, 8.0, 8.0, 5.0);
        let class = super::chart::class(at);
        format!(
            "<li><svg class=\"key {class}\" viewBox=\"0 0 16 16\" aria-hidden=\"true\">{mark}</svg>{}</li>",
            Text(name)
        )
    };
    let entries: String = series.map(entry).collect();
    Markup(format!("<ul class=\"legend\">{entries}</ul>"))
}

/// A difference with four digits and its sign.
pub(super) fn signed(value: f64) -> String {
    let sign = if value < 0.0 { '\u{2212}' } else { '+' };
    format!("{sign}{}", share(value.abs()))
}

/// A figure with its interval beneath.
pub(super) fn estimate(e: &Estimate) -> Markup {
    let [value, low, high] = [e.value, e.low, e.high].map(share);
    Markup(format!(
        "<b>{value}</b><small><span>{low}</span> to <span>{high}</span></small>"
    ))
}

/// A difference with its interval beneath, marked if the interval excludes zero.
pub(super) fn difference(e: &Estimate) -> Markup {
    let class = match (e.is_clear(), e.value > 0.0) {
        (false, _) => "even",
        (true, true) => "up",
        (true, false) => "down",
    };
    let [value, low, high] = [e.value, e.low, e.high].map(signed);
    Markup(format!(
        "<b class=\"{class}\">{value}</b><small><span>{low}</span> to <span>{high}</span></small>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_cannot_become_markup() {
        let name = "<script>alert('x')</script> & \"more\"";
        let shown = Markup::text(name).to_string();
        let meaning = ['<', '>', '"', '\''];
        assert!(!shown.contains(meaning), "{shown}");
        assert!(shown.contains("&amp; &quot;more&quot;"), "{shown}");
        let table = table(&[name], &[vec![Markup::text(name)]]).to_string();
        assert!(!table.contains("<script"), "{table}");
        assert!(
            !legend([name, name].into_iter())
                .to_string()
                .contains("<script")
        );
    }

    #[test]
    fn only_differences_clear_of_zero_are_marked() {
        let shown = |value, low, high| difference(&Estimate { value, low, high }).to_string();
        assert!(shown(0.2, 0.1, 0.3).contains("up"));
        assert!(shown(-0.2, -0.3, -0.1).contains("down"));
        assert!(shown(0.2, -0.1, 0.5).contains("even"));
    }

    #[test]
    fn figures_are_written_as_papers_write_them() {
        let written = [0.0911, 1.0, 0.0].map(share);
        assert_eq!(written, [".0911", "1.0000", ".0000"]);
        let written = [0.012, -0.5].map(signed);
        assert_eq!(written, ["+.0120", "\u{2212}.5000"]);
    }
}
