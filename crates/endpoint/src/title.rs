//! Titles as they stand in a prompt: on one line, of a bounded length, between quotes.

/// How many characters of a title the model reads. The rest of longer titles is left out.
pub const MAX_TITLE_CHARS: usize = 300;

/// The title on one line: white space and control characters in a row become one space, none at the
/// ends, and what goes beyond [`MAX_TITLE_CHARS`] is cut. Empty where there is nothing to read.
pub(crate) fn tidy(title: &str) -> String {
    let mut tidy = String::new();
    let blank = |c: char| c.is_whitespace() || c.is_control();
    for (n, c) in title
        .split(blank)
        .filter(|word| !word.is_empty())
        .enumerate()
        .flat_map(|(n, word)| (n > 0).then_some(' ').into_iter().chain(word.chars()))
        .enumerate()
    {
        if n == MAX_TITLE_CHARS {
            break;
        }
        tidy.push(c);
    }
    tidy.truncate(tidy.trim_end().len());
    tidy
}

/// The tidy title as it stands between quotes: `"` and `\` after a `\`.
pub(crate) fn escape(tidy: &str) -> String {
    let mut escaped = String::with_capacity(tidy.len());
    for c in tidy.chars() {
        if matches!(c, '"' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_title_is_one_line() {
        assert_eq!(
            tidy("  red\r\n\tlipstick\u{0}, \u{a0}matte "),
            "red lipstick , matte"
        );
        assert_eq!(tidy(" \n\t"), "");
        assert_eq!(tidy(""), "");
    }

    #[test]
    fn a_long_title_is_cut_by_characters() {
        let long = "é".repeat(5_000);
        assert_eq!(tidy(&long), "é".repeat(MAX_TITLE_CHARS));
        let words = format!("{} b", "a".repeat(MAX_TITLE_CHARS - 1));
        assert_eq!(tidy(&words), "a".repeat(MAX_TITLE_CHARS - 1));
    }

    #[test]
    fn quotes_cannot_end_a_title() {
        assert_eq!(escape(r#"12" \ pan"#), r#"12\" \\ pan"#);
    }

    proptest! {
        #[test]
        fn tidying_twice_changes_nothing(title in any::<String>()) {
            let once = tidy(&title);
            prop_assert!(once.chars().count() <= MAX_TITLE_CHARS);
            prop_assert_eq!(tidy(&once), once);
        }
    }
}
