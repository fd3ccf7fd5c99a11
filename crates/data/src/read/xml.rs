//! Product feeds in XML: every `item` of an RSS feed and every `entry` of an Atom feed is an object of its elements,
//! which are called without their namespace.

use super::json::Objects;
use super::{Sink, Wanted};
use crate::InputError;
use quick_xml::events::Event;
use serde_json::{Map, Value};
use std::io::{BufReader, Read};

/// Longest text of an element that is kept, in bytes.
const LONGEST: usize = 1 << 20;

pub(super) fn read<const N: usize>(
    wanted: &mut Wanted<'_, N>,
    text: impl Read,
    sink: &mut Sink<'_, N>,
) -> Result<(), InputError> {
    let mut objects = Objects::new(wanted, sink);
    match each(text, &mut |row, object| objects.take(row, Ok(object))) {
        Ok(()) => objects.end(),
        Err(Stop::Damaged(reason)) => Err(objects.unreadable("XML", reason)),
        Err(Stop::Other(error)) => Err(error),
    }
}

/// The first objects of a text whose end may be missing.
pub(super) fn sample(text: &str, most: usize) -> Vec<Map<String, Value>> {
    let mut found = Vec::new();
    // What is wrong with the text is told when it is read.
    let _ = each(text.as_bytes(), &mut |_, object| {
        if found.len() < most {
            found.push(object);
        }
        Ok(())
    });
    found
}

/// Why a reading stopped.
enum Stop {
    Damaged(String),
    Other(InputError),
}

type Take<'a> = dyn FnMut(usize, Map<String, Value>) -> Result<(), InputError> + 'a;

fn each(text: impl Read, take: &mut Take<'_>) -> Result<(), Stop> {
    let mut reader = quick_xml::Reader::from_reader(BufReader::new(text));
    let mut buffer = Vec::new();
    let (mut row, mut depth) = (0, 0_usize);
    // The object that is open with its depth, and the element of it with its text.
    let mut open: Option<(usize, Map<String, Value>)> = None;
    let mut element: Option<(String, String)> = None;
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer);
        match event.map_err(|e| Stop::Damaged(e.to_string()))? {
            Event::Start(tag) => {
                depth += 1;
                let name = String::from_utf8_lossy(tag.local_name().as_ref()).into_owned();
                match &open {
                    None if ["item", "entry"].contains(&&*name) => open = Some((depth, Map::new())),
                    Some((at, _)) if depth == at + 1 => element = Some((name, String::new())),
                    _ => {}
                }
            }
            Event::Text(piece) => {
                if let Some((_, text)) = element.as_mut().filter(|(_, text)| text.len() < LONGEST) {
                    text.push_str(&String::from_utf8_lossy(&piece));
                }
            }
            Event::CData(piece) => {
                if let Some((_, text)) = element.as_mut().filter(|(_, text)| text.len() < LONGEST) {
                    text.push_str(&String::from_utf8_lossy(&piece));
                }
            }
            Event::GeneralRef(name) => {
                if let Some((_, text)) = element.as_mut().filter(|(_, text)| text.len() < LONGEST) {
                    text.push_str(&letter(&name));
                }
            }
            Event::End(_) => {
                if let Some((at, object)) = &mut open {
                    if depth == *at + 1
                        && let Some((name, text)) = element.take()
                    {
                        // Of elements that are repeated, such as images, the first is kept.
                        object
                            .entry(name)
                            .or_insert_with(|| Value::String(text.trim().to_owned()));
                    }
                    if depth == *at {
                        row += 1;
                        let object = std::mem::take(object);
                        open = None;
                        take(row, object).map_err(Stop::Other)?;
                    }
                }
                depth = depth.saturating_sub(1);
            }
            Event::Eof if depth > 0 => return Err(Stop::Damaged("it ends too early".to_owned())),
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

/// What a reference such as `&amp;` or `&#233;` stands for.
fn letter(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    let code = name
        .strip_prefix('#')
        .and_then(|code| match code.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => code.parse().ok(),
        });
    match (&*name, code.and_then(char::from_u32)) {
        (_, Some(letter)) => letter.to_string(),
        ("amp", _) => "&".to_owned(),
        ("lt", _) => "<".to_owned(),
        ("gt", _) => ">".to_owned(),
        ("quot", _) => "\"".to_owned(),
        ("apos", _) => "'".to_owned(),
        ("nbsp", _) => " ".to_owned(),
        _ => format!("&{name};"),
    }
}
