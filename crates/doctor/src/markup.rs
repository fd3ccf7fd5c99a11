//! Finds the few elements of a page that the checks need, without a browser.

use std::collections::BTreeMap;

/// The attributes of every element of this name, in document order. Comments are skipped.
pub(crate) fn elements(page: &str, name: &str) -> Vec<BTreeMap<String, String>> {
    let mut found = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
            continue;
        }
        let length = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
            .unwrap_or(rest.len());
        if rest[..length].eq_ignore_ascii_case(name) {
            let (attributes, after) = attributes(&rest[length..]);
            found.push(attributes);
            rest = after;
        }
    }
    found
}

/// Attributes up to the end of a tag, by lower-case name, and the text after the tag.
fn attributes(mut rest: &str) -> (BTreeMap<String, String>, &str) {
    let mut attributes = BTreeMap::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        if rest.is_empty() {
            return (attributes, rest);
        }
        if let Some(after) = rest.strip_prefix('>') {
            return (attributes, after);
        }
        // A name has at least one character.
        let end = rest
            .char_indices()
            .skip(1)
            .find(|(_, c)| c.is_whitespace() || "=>/".contains(*c))
            .map_or(rest.len(), |(at, _)| at);
        let name = rest[..end].to_ascii_lowercase();
        rest = rest[end..].trim_start();
        let mut value = "";
        if let Some(given) = rest.strip_prefix('=') {
            (value, rest) = value_of(given.trim_start());
        }
        attributes.entry(name).or_insert_with(|| unescape(value));
    }
}

fn value_of(given: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(quoted) = given.strip_prefix(quote) {
            return quoted.split_once(quote).unwrap_or((quoted, ""));
        }
    }
    let end = given.find(|c: char| c.is_whitespace() || c == '>');
    given.split_at(end.unwrap_or(given.len()))
}

/// Decodes the character references that occur in addresses and policies.
fn unescape(value: &str) -> String {
    value
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&#x27;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_elements_with_their_attributes_however_they_are_written() {
        let page = "<!-- <ingle-shelf src=no> --><INGLE-SHELF a src = '/b/' k=4 hidden data-x=\"a > b &amp; c\"/>\
                    <ingle-shelfish src=x><p><ingle-shelf src=/c/>x</ingle-shelf><ingle-shelf src=";
        let sources: Vec<_> = elements(page, "ingle-shelf")
            .iter()
            .map(|element| element.get("src").cloned())
            .collect();
        let expected = ["/b/", "/c/", ""].map(|src| Some(src.to_owned()));
        assert_eq!(sources, expected);
        assert_eq!(elements(page, "ingle-shelf")[0]["data-x"], "a > b & c");
    }

    #[test]
    fn ends_on_whatever_it_is_given() {
        for page in [
            "<",
            "<!--",
            "<meta",
            "<meta =",
            "<meta a=\"",
            "<meta ä='é",
            "< <<meta/>>",
        ] {
            elements(page, "meta");
        }
    }
}
