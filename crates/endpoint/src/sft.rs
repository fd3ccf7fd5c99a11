//! The set that a model is fine-tuned with: labelled histories as instructions, in Alpaca's form.
//!
//! One line of JSON a history: `instruction`, `input` (its titles) and `output`, which names the noisy
//! titles in quotes, or says none. They are the words that [`Endpoint`](crate::Endpoint) asks in, so a
//! tuner that uses the same [`Template`](crate::Template) tunes what is asked.

use crate::prompt::{ANSWER, INSTRUCTION, NONE, input};
use crate::title::{escape, tidy};
use serde::Serialize;
use std::io::{self, Write};

/// Why a line was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SftError {
    /// As many labels as titles are needed.
    #[error("a history of {titles} titles has {labels} labels")]
    Labels {
        /// How many titles there are.
        titles: usize,
        /// How many labels there are.
        labels: usize,
    },
    /// The line could not be written.
    #[error("cannot write the fine-tuning set: {0}")]
    Write(#[from] io::Error),
}

#[derive(Serialize)]
struct Line<'a> {
    instruction: &'a str,
    input: &'a str,
    output: &'a str,
}

/// Writes a fine-tuning set line by line.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    lines: usize,
}

impl<W: Write> Writer<W> {
    /// A set that goes to `out`, which is best buffered.
    pub fn new(out: W) -> Self {
        Self { out, lines: 0 }
    }

    /// Writes a history, oldest click first; `noise` is true where a title is. Equal titles are named
    /// once. False, and nothing written, if none of the titles has anything to read.
    ///
    /// # Errors
    /// [`SftError::Labels`] if there are not as many labels as titles, [`SftError::Write`].
    pub fn write<T: AsRef<str>>(&mut self, titles: &[T], noise: &[bool]) -> Result<bool, SftError> {
        if titles.len() != noise.len() {
            let (titles, labels) = (titles.len(), noise.len());
            return Err(SftError::Labels { titles, labels });
        }
        let input = input(titles.iter().map(AsRef::as_ref));
        if input.is_empty() {
            return Ok(false);
        }
        let noisy = titles.iter().zip(noise).filter(|(_, noise)| **noise);
        let line = Line {
            instruction: INSTRUCTION,
            input: &input,
            output: &output(noisy.map(|(title, _)| title.as_ref())),
        };
        serde_json::to_writer(&mut self.out, &line).map_err(io::Error::from)?;
        self.out.write_all(b"\n")?;
        self.lines += 1;
        Ok(true)
    }

    /// How many lines were written, when all have left the buffer.
    ///
    /// # Errors
    /// [`SftError::Write`].
    pub fn finish(mut self) -> Result<usize, SftError> {
        self.out.flush()?;
        Ok(self.lines)
    }
}

/// The answer that names these titles.
fn output<'a>(noisy: impl Iterator<Item = &'a str>) -> String {
    let mut named: Vec<String> = Vec::new();
    for title in noisy.map(tidy).filter(|title| !title.is_empty()) {
        let quoted = format!("\"{}\"", escape(&title));
        if !named.contains(&quoted) {
            named.push(quoted);
        }
    }
    match named[..] {
        [] => format!("{ANSWER}{NONE}"),
        _ => format!("{ANSWER}{}", named.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prompt::{Question, Template, context};
    use proptest::prelude::*;
    use serde_json::Value;

    fn line(titles: &[&str], noise: &[bool]) -> Value {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out);
        assert!(writer.write(titles, noise).expect("written"));
        assert_eq!(writer.finish().expect("written"), 1);
        assert!(out.ends_with(b"\n"));
        serde_json::from_slice(&out).expect("JSON")
    }

    /// The titles between quotes in a text.
    fn quoted(text: &str) -> Vec<String> {
        let (mut found, mut title, mut chars) = (Vec::new(), None::<String>, text.chars());
        while let Some(c) = chars.next() {
            match (c, &mut title) {
                ('"', None) => title = Some(String::new()),
                ('"', Some(_)) => found.extend(title.take()),
                ('\\', Some(title)) => title.extend(chars.next()),
                (c, Some(title)) => title.push(c),
                (_, None) => {}
            }
        }
        found
    }

    #[test]
    fn a_line_names_the_noise() {
        let titles = ["Red lipstick", "A 5\" pan", "", "Dry shampoo", "A 5\" pan"];
        let found = line(&titles, &[false, true, true, true, true]);
        let keys: Vec<&String> = found.as_object().expect("an object").keys().collect();
        assert_eq!(keys, ["instruction", "input", "output"]);
        assert_eq!(
            found["output"],
            r#"Noise Items: "A 5\" pan", "Dry shampoo""#
        );
        assert_eq!(
            found["input"],
            "1. \"Red lipstick\"\n2. \"A 5\\\" pan\"\n3. \"Dry shampoo\"\n4. \"A 5\\\" pan\""
        );
        assert_eq!(line(&["a"], &[false])["output"], "Noise Items: none");
        assert_eq!(
            line(&["a", ""], &[false, true])["output"],
            "Noise Items: none"
        );
    }

    #[test]
    fn a_history_without_titles_is_left_out() {
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out);
        assert!(!writer.write::<&str>(&[], &[]).expect("nothing"));
        assert!(!writer.write(&["", " \n"], &[true, false]).expect("nothing"));
        assert_eq!(writer.finish().expect("nothing"), 0);
        assert!(out.is_empty());
    }

    #[test]
    fn refuses_labels_that_do_not_fit() {
        let error = Writer::new(io::sink())
            .write(&["a", "b"], &[true])
            .expect_err("labels");
        assert_eq!(error.to_string(), "a history of 2 titles has 1 labels");
    }

    #[test]
    fn says_that_a_disk_is_full() {
        let mut room = [0_u8; 40];
        let error = Writer::new(&mut room[..])
            .write(&["a"], &[true])
            .expect_err("full");
        assert!(matches!(error, SftError::Write(_)), "{error}");
    }

    proptest! {
        #[test]
        fn titles_and_labels_come_back(
            clicks in prop::collection::vec((any::<String>(), any::<bool>()), 1..8),
        ) {
            let clicks: Vec<_> = clicks.into_iter().filter(|(t, _)| !tidy(t).is_empty()).collect();
            prop_assume!(!clicks.is_empty());
            let (titles, noise): (Vec<&str>, Vec<bool>) =
                clicks.iter().map(|(title, noise)| (title.as_str(), *noise)).unzip();
            let found = line(&titles, &noise);
            let tidied: Vec<String> = titles.iter().map(|title| tidy(title)).collect();
            prop_assert_eq!(quoted(found["input"].as_str().unwrap()), tidied.clone());
            let mut expected: Vec<String> = Vec::new();
            for (title, _) in tidied.into_iter().zip(noise).filter(|(_, noise)| *noise) {
                if !expected.contains(&title) {
                    expected.push(title);
                }
            }
            prop_assert_eq!(quoted(found["output"].as_str().unwrap()), expected);
        }

        #[test]
        fn what_is_tuned_is_what_is_asked(
            titles in prop::collection::vec(any::<String>(), 2..6),
            noisy in 0_usize..6,
        ) {
            let noisy = noisy % titles.len();
            prop_assume!(!tidy(&titles[noisy]).is_empty());
            let noise: Vec<bool> = (0..titles.len()).map(|i| i == noisy).collect();
            let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
            let found = line(&titles, &noise);
            let text = |name: &str| found[name].as_str().unwrap();
            let template = Template::default();
            let tuned = template.fill(text("instruction"), text("input")) + text("output");
            let asked = context(&template, titles.iter().copied());
            prop_assert_eq!(Question::new(&asked, &tidy(titles[noisy])).prompt, tuned);
        }
    }
}
