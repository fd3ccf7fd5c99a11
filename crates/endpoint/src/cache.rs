//! Answers on disk, so that nothing is asked twice.
//!
//! One line an answer, only ever appended: the SHA-256 of model, prompt and title, the mean
//! log-probability, and how many tokens it is of. Titles, prompts and keys are not in it. A line that a
//! crash tore is dropped when the file is opened again; one program has the file at a time.

use crate::error::EndpointError;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead as _, BufReader, Seek as _, Write as _};
use std::path::{Path, PathBuf};

/// Begins what is hashed; changes with anything that changes the meaning of an answer.
const FORMAT: &str = "ingle-endpoint 1";

/// The SHA-256 of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct Key([u8; 32]);

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl TryFrom<String> for Key {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let mut key = [0; 32];
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(format!("{text} is no SHA-256"));
        }
        for (byte, digits) in key.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = str::from_utf8(digits).map_err(|e| e.to_string())?;
            *byte = u8::from_str_radix(digits, 16).map_err(|e| e.to_string())?;
        }
        Ok(Self(key))
    }
}

/// Makes the keys of one context's questions, which is hashed once.
#[derive(Clone)]
pub(crate) struct KeyMaker(Sha256);

impl KeyMaker {
    pub(crate) fn new(model: &str, context: &str) -> Self {
        Self(Sha256::new()).with(FORMAT).with(model).with(context)
    }

    pub(crate) fn key(&self, candidate: &str) -> Key {
        Key(self.clone().with(candidate).0.finalize().into())
    }

    /// With the length before it, no two lists of texts are hashed alike.
    fn with(mut self, text: &str) -> Self {
        self.0.update((text.len() as u64).to_le_bytes());
        self.0.update(text);
        self
    }
}

/// How well a title answers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// Mean log-probability of its tokens, in nats. Never above 0, but for rounding.
    pub(crate) mean: f32,
    /// How many these are, 1 or more.
    pub(crate) tokens: u32,
}

#[derive(Serialize, Deserialize)]
struct Line {
    key: Key,
    #[serde(flatten)]
    answer: Answer,
}

/// The file, and all that is in it.
#[derive(Debug)]
pub(crate) struct Cache {
    path: PathBuf,
    file: File,
    /// Bytes of the file that are whole lines.
    whole: u64,
    answers: HashMap<Key, Answer>,
}

impl Cache {
    /// Opens the file, or makes it, and keeps others from it until it is dropped.
    pub(crate) fn open(path: &Path) -> Result<Self, EndpointError> {
        let bad = |what: String| EndpointError::Cache {
            path: path.to_owned(),
            what,
        };
        let io = |e: std::io::Error| bad(e.to_string());
        let mut options = OpenOptions::new();
        let mut file = options
            .read(true)
            .append(true)
            .create(true)
            .open(path)
            .map_err(io)?;
        file.try_lock().map_err(|e| match e {
            TryLockError::WouldBlock => bad("another program has them open".to_owned()),
            TryLockError::Error(e) => io(e),
        })?;
        let (answers, whole) = read(&file).map_err(bad)?;
        if file.seek(std::io::SeekFrom::End(0)).map_err(io)? > whole {
            file.set_len(whole).map_err(io)?;
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            whole,
            answers,
        })
    }

    pub(crate) fn get(&self, key: &Key) -> Option<Answer> {
        self.answers.get(key).copied()
    }

    /// Keeps answers: they are on the disk when this returns.
    pub(crate) fn append(&mut self, answers: &[(Key, Answer)]) -> Result<(), EndpointError> {
        let mut lines = Vec::new();
        let written = answers
            .iter()
            .try_for_each(|&(key, answer)| {
                serde_json::to_writer(&mut lines, &Line { key, answer })?;
                lines.push(b'\n');
                Ok(())
            })
            .and_then(|()| self.file.write_all(&lines))
            .and_then(|()| self.file.sync_data());
        written.map_err(|e| {
            // What was written in part must not stand before what is written next.
            self.file.set_len(self.whole).ok();
            let (path, what) = (self.path.clone(), e.to_string());
            EndpointError::Cache { path, what }
        })?;
        self.whole += lines.len() as u64;
        self.answers.extend(answers.iter().copied());
        Ok(())
    }
}

/// The answers in a file, and how many bytes of it are whole lines.
fn read(file: &File) -> Result<(HashMap<Key, Answer>, u64), String> {
    let mut reader = BufReader::new(file);
    let (mut answers, mut whole, mut number) = (HashMap::new(), 0, 0);
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = reader
            .read_until(b'\n', &mut line)
            .map_err(|e| e.to_string())?;
        if !line.ends_with(b"\n") {
            return Ok((answers, whole));
        }
        number += 1;
        let Line { key, answer } = serde_json::from_slice(&line).map_err(|e| {
            format!("line {number} is no answer ({e}); remove that line, or the file")
        })?;
        answers.insert(key, answer);
        whole += length as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(model: &str, context: &str, candidate: &str) -> Key {
        KeyMaker::new(model, context).key(candidate)
    }

    const ANSWER: Answer = Answer {
        mean: -1.234_567_9,
        tokens: 7,
    };

    #[test]
    fn what_was_answered_is_there_when_opened_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("answers.jsonl");
        let keys = ["a", "b", "c"].map(|candidate| key("m", "p", candidate));
        let mut cache = Cache::open(&path).expect("made");
        cache.append(&[(keys[0], ANSWER)]).expect("kept");
        cache
            .append(&[(
                keys[1],
                Answer {
                    mean: 0.0,
                    tokens: 1,
                },
            )])
            .expect("kept");
        drop(cache);
        let cache = Cache::open(&path).expect("opened");
        assert_eq!(cache.get(&keys[0]), Some(ANSWER));
        assert_eq!(
            cache.get(&keys[1]),
            Some(Answer {
                mean: 0.0,
                tokens: 1
            })
        );
        assert_eq!(cache.get(&keys[2]), None);
    }

    #[test]
    fn a_torn_line_is_dropped_wherever_it_is_torn() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("answers.jsonl");
        let keys = ["a", "b"].map(|candidate| key("m", "p", candidate));
        Cache::open(&path)
            .and_then(|mut c| c.append(&[(keys[0], ANSWER), (keys[1], ANSWER)]))
            .expect("kept");
        let bytes = std::fs::read(&path).expect("a file");
        let first = bytes.iter().position(|&byte| byte == b'\n').expect("lines") + 1;
        for end in first..bytes.len() {
            std::fs::write(&path, &bytes[..end]).expect("torn");
            let mut cache = Cache::open(&path).expect("opened");
            assert_eq!(
                (cache.get(&keys[0]), cache.get(&keys[1])),
                (Some(ANSWER), None)
            );
            cache.append(&[(keys[1], ANSWER)]).expect("kept");
            drop(cache);
            assert_eq!(std::fs::read(&path).expect("a file"), bytes);
        }
    }

    #[test]
    fn refuses_a_file_that_is_something_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("notes.txt");
        std::fs::write(&path, "my\nnotes\n").expect("written");
        let error = Cache::open(&path).expect_err("notes").to_string();
        assert!(
            error.contains("notes.txt") && error.contains("line 1"),
            "{error}"
        );
        assert_eq!(std::fs::read(&path).expect("still there"), b"my\nnotes\n");
        let error = Cache::open(&folder.path().join("no/where")).expect_err("no folder");
        assert!(matches!(error, EndpointError::Cache { .. }));
    }

    #[test]
    fn two_programs_do_not_write_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("answers.jsonl");
        let first = Cache::open(&path).expect("made");
        let error = Cache::open(&path).expect_err("taken").to_string();
        assert!(error.contains("another program"), "{error}");
        drop(first);
        Cache::open(&path).expect("free again");
    }

    #[test]
    fn another_model_prompt_or_title_is_another_question() {
        let keys = [
            key("m", "p", "t"),
            key("n", "p", "t"),
            key("m", "q", "t"),
            key("m", "p", "u"),
            key("mp", "", "t"),
            key("m", "pt", ""),
        ];
        for (i, a) in keys.iter().enumerate() {
            assert!(keys[..i].iter().all(|b| a != b), "{i}");
        }
        assert_eq!(keys[0], key("m", "p", "t"));
    }
}
