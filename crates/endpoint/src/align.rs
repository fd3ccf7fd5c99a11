//! Where the tokens that a server names stand in the text that was sent.
//!
//! Servers name tokens in different ways. vLLM counts characters over tokens decoded one by one, in which
//! a leading space or half a character is lost; `SGLang` gives no offsets (-1); llama-cpp-python gives
//! exact ones and names half characters by nothing. So offsets are believed where every token is found
//! at its own, and otherwise the tokens are looked for in the text one after the other.

use std::ops::Range;

/// What a decoder puts where bytes are no character.
const LOST: char = char::REPLACEMENT_CHARACTER;
/// How many characters of the text a token that cannot be read may stand for.
const MOST_CHARS: usize = 16;
/// How many tokens in a row may be unreadable. Longer runs are of a server that does not name tokens.
const MOST_UNREAD: usize = 64;

/// The bytes of `text` that each token stands for; those that were generated after it stand at its end.
/// A token that is part of a character stands for all of it, one that is not in the text for nothing.
/// Nothing where the tokens are not those of the text.
pub(crate) fn spans(
    text: &str,
    tokens: &[&str],
    offsets: Option<&[i64]>,
) -> Option<Vec<Range<usize>>> {
    offsets
        .and_then(|offsets| by_offsets(text, tokens, offsets))
        .or_else(|| by_walking(text, tokens))
}

fn is_readable(token: &str) -> bool {
    !token.is_empty() && !token.contains(LOST)
}

/// How many spaces a tokeniser has put before a text that begins with this token, if it does.
fn space_before(text: &str, token: &str) -> Option<usize> {
    let bare = token.trim_start_matches(' ');
    if text.starts_with(token) {
        return Some(0);
    }
    (!bare.is_empty() && text.starts_with(bare)).then_some(token.len() - bare.len())
}

/// Offsets are in characters; a server may count what is before the text, such as `<s>` or a space.
fn by_offsets(text: &str, tokens: &[&str], offsets: &[i64]) -> Option<Vec<Range<usize>>> {
    if offsets.len() != tokens.len() || !offsets.is_sorted() {
        return None;
    }
    let first = (tokens.iter())
        .position(|token| is_readable(token) && space_before(text, token).is_some())?;
    let space = space_before(text, tokens[first])?;
    let shift = offsets[first].saturating_add(space as i64);
    let bytes: Vec<usize> = text
        .char_indices()
        .map(|(at, _)| at)
        .chain([text.len()])
        .collect();
    let start = |offset: i64| {
        let chars = usize::try_from(offset.saturating_sub(shift)).unwrap_or(0);
        bytes.get(chars).copied().unwrap_or(text.len())
    };
    let starts: Vec<usize> = offsets.iter().map(|&offset| start(offset)).collect();
    let mut end = text.len();
    let mut spans = vec![0..0; tokens.len()];
    for i in (first..tokens.len()).rev() {
        // Tokens at one place are parts of the same character.
        if i + 1 < tokens.len() && starts[i + 1] > starts[i] {
            end = starts[i + 1];
        }
        spans[i] = starts[i]..end;
    }
    let is_there = |i: usize| match &text[spans[i].clone()] {
        "" => true,
        found if i == first => tokens[i].trim_start_matches(' ') == found.trim_start_matches(' '),
        found if is_readable(tokens[i]) => tokens[i] == found,
        found => found.chars().count() <= MOST_CHARS,
    };
    (shift >= 0 && (first..tokens.len()).all(is_there)).then_some(spans)
}

fn by_walking(text: &str, tokens: &[&str]) -> Option<Vec<Range<usize>>> {
    let mut spans = vec![text.len()..text.len(); tokens.len()];
    let (mut at, mut unread) = (0, 0);
    for (i, token) in tokens.iter().enumerate() {
        if at == text.len() {
            break;
        }
        match find(&text[at..], token, at == 0, unread) {
            Some(found) => {
                let begin = if unread > 0 { at + found.start } else { at };
                spans[i - unread..i].fill(at..at + found.start);
                at += found.end;
                spans[i] = begin..at;
                unread = 0;
            }
            None => unread += 1,
        }
        if unread > MOST_UNREAD {
            return None;
        }
    }
    (at == text.len()).then_some(spans)
}

/// Where in `text` the token stands: at its beginning, after white space that was lost in decoding, or
/// behind what the `unread` tokens before it stand for.
fn find(text: &str, token: &str, is_first: bool, unread: usize) -> Option<Range<usize>> {
    if !is_readable(token) {
        return None;
    }
    if is_first && unread == 0 {
        return space_before(text, token).map(|space| 0..token.len() - space);
    }
    let reach = if unread == 0 { 1 } else { unread * MOST_CHARS };
    let candidates = text.char_indices().take(reach + 1).map(|(at, _)| at);
    for at in candidates {
        if text[at..].starts_with(token) {
            return Some(at..at + token.len());
        }
        if unread == 0 && !text[at..].starts_with(char::is_whitespace) {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "A: \"café 🧴\"";

    fn read(tokens: &[&str], offsets: Option<&[i64]>) -> Option<Vec<&'static str>> {
        let spans = spans(TEXT, tokens, offsets)?;
        Some(spans.into_iter().map(|span| &TEXT[span]).collect())
    }

    #[test]
    fn tokens_stand_where_they_are_said_to() {
        let tokens = ["A", ":", " \"", "café", " ", "", "", "🧴", "\"", " next"];
        let offsets = [0, 1, 2, 4, 8, 9, 9, 9, 10, 11];
        let expected = ["A", ":", " \"", "café", " ", "🧴", "🧴", "🧴", "\"", ""];
        assert_eq!(read(&tokens, Some(&offsets)).expect("found"), expected);
        assert_eq!(by_walking(TEXT, &tokens).expect("found").len(), 10);
    }

    #[test]
    fn offsets_may_count_what_stands_before_the_text() {
        let tokens = ["<s>", "A:", " \"caf", "é 🧴", "\""];
        let expected = ["", "A:", " \"caf", "é 🧴", "\""];
        let offsets = [0, 3, 5, 10, 13];
        assert!(by_offsets(TEXT, &tokens, &offsets).is_some());
        assert_eq!(read(&tokens, Some(&offsets)).expect("found"), expected);
        assert_eq!(read(&tokens, None).expect("found"), expected);
    }

    #[test]
    fn offsets_that_are_wrong_are_not_believed() {
        let tokens = ["A:", " \"", "café 🧴", "\""];
        for offsets in [
            &[-1; 4][..],
            &[0, 1, 2, 3],
            &[0, 2],
            &[3, 2, 1, 0],
            &[0, 2, 4, 9],
        ] {
            assert!(by_offsets(TEXT, &tokens, offsets).is_none(), "{offsets:?}");
            assert_eq!(read(&tokens, Some(offsets)).expect("found"), tokens);
        }
    }

    #[test]
    fn tokens_decoded_one_by_one_are_found_again() {
        // Spaces are lost, and so are the parts of a character.
        let tokens = [
            "<s>", "A", ":", "\"", "caf", "\u{fffd}", "\u{fffd}", "", "\u{fffd}", "\"", ".",
        ];
        let expected = [
            "", "A", ":", " \"", "caf", "é 🧴", "é 🧴", "é 🧴", "é 🧴", "\"", "",
        ];
        assert_eq!(read(&tokens, None).expect("found"), expected);
        assert_eq!(
            read(&[" A: \"café 🧴", "\""], None).expect("found"),
            ["A: \"café 🧴", "\""]
        );
        let composed = spans("cafe\u{301}s", &["caf", "é", "s"], None).expect("found");
        assert_eq!(composed, [0..3, 3..6, 6..7]);
    }

    #[test]
    fn what_was_added_to_a_text_is_not_taken_for_it() {
        assert_eq!(read(&["A"], Some(&[11])), None);
        assert_eq!(read(&["A", ":"], Some(&[11, 12])), None);
    }

    #[test]
    fn refuses_tokens_that_are_not_of_the_text() {
        for tokens in [
            &["token_id:1", "token_id:2", "token_id:3"][..],
            &[],
            &["A:"],
            &["A:", " \"", "caf"],
            &["A:", "", "", ""],
        ] {
            assert_eq!(read(tokens, None), None, "{tokens:?}");
        }
        assert!(spans(&"a b ".repeat(90), &["\u{fffd}"; 200], None).is_none());
    }

    proptest! {
        #[test]
        fn whole_characters_are_found_with_and_without_offsets(
            parts in prop::collection::vec("[a-c é中\"]{1,3}", 1..12),
        ) {
            let text = parts.concat();
            let tokens: Vec<&str> = parts.iter().map(String::as_str).collect();
            let mut chars = 0;
            let offsets: Vec<i64> = (tokens.iter())
                .map(|token| { chars += token.chars().count(); (chars - token.chars().count()) as i64 })
                .collect();
            for offsets in [None, Some(&offsets[..])] {
                let spans = spans(&text, &tokens, offsets).expect("found");
                let found: Vec<&str> = spans.into_iter().map(|span| &text[span]).collect();
                prop_assert_eq!(&found, &tokens);
            }
        }

        #[test]
        fn no_answer_makes_it_panic(
            text in any::<String>(),
            tokens in prop::collection::vec(any::<String>(), 0..12),
            offsets in prop::collection::vec(any::<i64>(), 0..12),
        ) {
            let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
            for offsets in [None, Some(&offsets[..])] {
                let spans = spans(&text, &tokens, offsets);
                prop_assert!(spans.is_none_or(|spans| spans.len() == tokens.len()));
            }
        }
    }
}
