//! `delta-<hash>.bin`: what makes the files of one bundle from those of another (`docs/bundle.md` specifies it).
//!
//! A delta is packed with gzip, so that browsers open it themselves. Whoever applies one checks the results by the new
//! bundle's manifest; a delta is therefore not signed, and one that is wrong costs its download only.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use ingle_bundle::{FileEntry, MAX_BUNDLE_BYTES, Manifest, Role, delta_name, sha256_hex};
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};

use crate::follow::{MOST_STEPS, step};
use crate::{DeliveryError, Source};

/// The version that is written and read.
const FORMAT: u32 = 1;
/// Longest header.
const MAX_HEADER_BYTES: usize = 1 << 20;
/// Most deltas in a channel.
pub const MAX_DELTAS: usize = 8;

/// A delta as a channel names it. `from` and `to` are hashes of the payloads of signed manifests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeltaRef {
    /// SHA-256 of the payload of the manifest that the reader has.
    pub from: String,
    /// SHA-256 of the payload of the manifest whose files it makes.
    pub to: String,
    /// `delta-<first 16 digits of the hash>.bin`
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of the file in lower-case hex.
    pub sha256: String,
}

impl DeltaRef {
    /// The reference to a delta with these bytes, between two manifests' payloads.
    pub(crate) fn new([from, to]: [&str; 2], delta: &[u8]) -> Self {
        let sha256 = sha256_hex(delta);
        Self {
            from: sha256_hex(from.as_bytes()),
            to: sha256_hex(to.as_bytes()),
            name: delta_name(&sha256),
            bytes: delta.len() as u64,
            sha256,
        }
    }

    /// Whether a channel may name it.
    pub(crate) fn is_well_formed(&self) -> bool {
        let is_hash = |text: &str| {
            let is_hex = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
            text.len() == 64 && text.bytes().all(is_hex)
        };
        [&self.from, &self.to, &self.sha256]
            .into_iter()
            .all(|hash| is_hash(hash))
            && self.name == delta_name(&self.sha256)
            && self.bytes <= MAX_BUNDLE_BYTES
    }

    /// Whether a source has exactly this file.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn is_at(&self, source: &dyn Source) -> Result<bool, DeliveryError> {
        let found = source.get(&self.name, self.bytes as usize)?;
        Ok(found.is_some_and(|bytes| sha256_hex(&bytes) == self.sha256))
    }
}

#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    files: Vec<Patch>,
}

/// How one file is made.
#[derive(Serialize, Deserialize)]
struct Patch {
    name: String,
    /// A file of the bundle before; empty if there is none.
    from: String,
    ops: Vec<Op>,
}

/// Makes the next bytes of a file. Numbers are in bytes but for the count of floats.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "Vec<f64>", try_from = "Vec<f64>")]
enum Op {
    /// `[0, count]`: the next bytes of the body.
    New { count: usize },
    /// `[1, count, at]`: bytes of the file before from `at`, each plus a byte of the body, modulo 256.
    Add { count: usize, at: usize },
    /// `[2, count, at, step]`: floats of the file before from `at`, each plus a whole number times `step`. The body has
    /// the low bytes of all whole numbers, then the high bytes.
    Move { count: usize, at: usize, step: f32 },
}

impl From<Op> for Vec<f64> {
    fn from(op: Op) -> Self {
        match op {
            Op::New { count } => vec![0.0, count as f64],
            Op::Add { count, at } => vec![1.0, count as f64, at as f64],
            Op::Move { count, at, step } => vec![2.0, count as f64, at as f64, f64::from(step)],
        }
    }
}

impl TryFrom<Vec<f64>> for Op {
    type Error = String;

    fn try_from(numbers: Vec<f64>) -> Result<Self, String> {
        let whole =
            |x: f64| (x >= 0.0 && x.fract() == 0.0 && x < 2_f64.powi(53)).then_some(x as usize);
        let found = match *numbers.as_slice() {
            [0.0, count] => whole(count).map(|count| Self::New { count }),
            [1.0, count, at] => {
                (whole(count).zip(whole(at))).map(|(count, at)| Self::Add { count, at })
            }
            [2.0, count, at, step] => (whole(count).zip(whole(at))).map(|(count, at)| Self::Move {
                count,
                at,
                step: step as f32,
            }),
            _ => None,
        };
        found.ok_or_else(|| format!("{numbers:?} makes nothing"))
    }
}

/// The delta between two bundles, from the files of both. `None` if it would be no smaller than the files themselves,
/// packed alike, or if there is nothing to make.
///
/// # Errors
/// If a file cannot be read.
pub fn delta(
    [old, new]: [&Manifest; 2],
    mut read: impl FnMut(&FileEntry) -> Result<Vec<u8>, DeliveryError>,
) -> Result<Option<Vec<u8>>, DeliveryError> {
    let mut header = Header {
        format: FORMAT,
        files: Vec::new(),
    };
    let (mut body, mut plain) = (Vec::new(), packer());
    for entry in changed(old, new) {
        let made = read(entry)?;
        let (from, ops) = if let Some(base) = base(entry, old) {
            (base.name.clone(), ops(&read(base)?, &made, &mut body))
        } else {
            body.extend_from_slice(&made);
            let count = made.len();
            (String::new(), vec![Op::New { count }])
        };
        plain.write_all(&made).expect("memory takes it");
        let name = entry.name.clone();
        header.files.push(Patch { name, from, ops });
    }
    if header.files.is_empty() {
        return Ok(None);
    }
    let header = serde_json::to_vec(&header).expect("names and finite numbers are JSON");
    let mut packed = packer();
    for part in [&(header.len() as u32).to_le_bytes()[..], &header, &body] {
        packed.write_all(part).expect("memory takes it");
    }
    let [packed, plain] = [packed, plain].map(|one| one.finish().expect("memory takes it"));
    Ok((header.len() <= MAX_HEADER_BYTES && packed.len() < plain.len()).then_some(packed))
}

/// Makes the files that a delta is for. Each is what `new` says it is.
///
/// # Errors
/// If the delta is not one, is for another bundle, or makes something else than `new` names.
pub fn apply(
    delta: &[u8],
    new: &Manifest,
    mut read: impl FnMut(&str) -> Result<Vec<u8>, DeliveryError>,
) -> Result<Vec<(String, Vec<u8>)>, DeliveryError> {
    let refuse = |reason: String| DeliveryError::Delta { reason };
    let short = || refuse("it is cut short".to_owned());
    let most: u64 = new.files.iter().map(|entry| entry.bytes).sum();
    let most = most + MAX_HEADER_BYTES as u64 + 4;
    let mut text = Vec::new();
    let opened = GzDecoder::new(delta).take(most + 1).read_to_end(&mut text);
    opened.map_err(|error| refuse(error.to_string()))?;
    if text.len() as u64 > most {
        return Err(refuse("it is longer than what it makes".to_owned()));
    }
    let (length, rest) = text.split_first_chunk::<4>().ok_or_else(short)?;
    let length = u32::from_le_bytes(*length) as usize;
    let (header, mut body) = rest.split_at_checked(length).ok_or_else(short)?;
    let header: Header =
        serde_json::from_slice(header).map_err(|error| refuse(error.to_string()))?;
    if header.format != FORMAT {
        return Err(refuse(format!("it has format {}", header.format)));
    }
    let mut made = Vec::new();
    for Patch { name, from, ops } in header.files {
        let entry = new.files.iter().find(|entry| entry.name == name);
        let entry = entry.ok_or_else(|| refuse(format!("it makes {name}, which is not needed")))?;
        let base = match &*from {
            "" => Vec::new(),
            from => read(from)?,
        };
        let mut out = Vec::new();
        for op in ops {
            let done = run(op, &base, &mut body, &mut out, entry.bytes as usize);
            done.ok_or_else(|| refuse(format!("{op:?} does not fit {from}")))?;
        }
        entry.verify_hashed(out.len() as u64, || sha256_hex(&out))?;
        made.push((name, out));
    }
    Ok(made)
}

/// Appends what `op` makes to `out`; `None` if a part of it is not there, or more than `most` would be made.
fn run(op: Op, base: &[u8], body: &mut &[u8], out: &mut Vec<u8>, most: usize) -> Option<()> {
    let mut take = |count: usize| {
        let (found, rest) = body.split_at_checked(count)?;
        *body = rest;
        Some(found)
    };
    let from = |at: usize, count: usize| base.get(at..at.checked_add(count)?);
    match op {
        Op::New { count } => out.extend_from_slice(take(count)?),
        Op::Add { count, at } => {
            let pairs = from(at, count)?.iter().zip(take(count)?);
            out.extend(pairs.map(|(a, b)| a.wrapping_add(*b)));
        }
        Op::Move { count, at, step } => {
            let floats = from(at, count.checked_mul(4)?)?.chunks_exact(4);
            let (low, high) = (take(count)?, take(count)?);
            for ((float, low), high) in floats.zip(low).zip(high) {
                let before = f32::from_le_bytes(float.try_into().expect("four bytes"));
                let coded = i32::from(u16::from_le_bytes([*low, *high]));
                let steps = (coded >> 1) ^ -(coded & 1);
                out.extend((before + steps as f32 * step).to_le_bytes());
            }
        }
    }
    (out.len() <= most).then_some(())
}

/// The files that only the new bundle has, each once.
fn changed<'a>(old: &Manifest, new: &'a Manifest) -> Vec<&'a FileEntry> {
    let mut found: Vec<&FileEntry> = Vec::new();
    for entry in &new.files {
        let is_new = |known: &FileEntry| known.name != entry.name;
        if old.files.iter().all(is_new) && found.iter().all(|known| is_new(known)) {
            found.push(entry);
        }
    }
    found
}

/// The file of the old bundle in the place of this one.
fn base<'a>(entry: &FileEntry, old: &'a Manifest) -> Option<&'a FileEntry> {
    let known = matches!(entry.role, Role::Model | Role::Items | Role::Ids);
    let alike = |one: &&FileEntry| one.role == entry.role && one.first_row == entry.first_row;
    old.files.iter().find(alike).filter(|_| known)
}

fn packer() -> GzEncoder<Vec<u8>> {
    GzEncoder::new(Vec::new(), Compression::best())
}

/// What makes one file from another; appends to the body what the operations read from it.
fn ops(old: &[u8], new: &[u8], body: &mut Vec<u8>) -> Vec<Op> {
    let mut ops = Vec::new();
    let (Some((old_start, old_tensors)), Some((start, tensors))) = (tensors(old), tensors(new))
    else {
        text_ops([0..old.len(), 0..new.len()], (old, new), body, &mut ops);
        return ops;
    };
    text_ops([0..old_start, 0..start], (old, new), body, &mut ops);
    for (name, dtype, axes, span) in tensors {
        let before = old_tensors
            .iter()
            .find(|one| one.0 == name && one.1 == dtype);
        let Some((.., before)) = before else {
            add_ops([0..0, span], (old, new), body, &mut ops);
            continue;
        };
        let floats = dtype == Dtype::F32 && before.len() == span.len();
        let moved = floats.then(|| moves(&old[before.clone()], &new[span.clone()], axes));
        match moved.flatten() {
            Some((step, coded)) => {
                body.extend(coded.iter().map(|coded| coded.to_le_bytes()[0]));
                body.extend(coded.iter().map(|coded| coded.to_le_bytes()[1]));
                ops.push(Op::Move {
                    count: coded.len(),
                    at: before.start,
                    step,
                });
            }
            None => add_ops([before.clone(), span], (old, new), body, &mut ops),
        }
    }
    ops
}

type Span = std::ops::Range<usize>;

/// Adds to the bytes of the old span, as far as it goes; what is behind is new.
fn add_ops(
    [from, to]: [Span; 2],
    (old, new): (&[u8], &[u8]),
    body: &mut Vec<u8>,
    ops: &mut Vec<Op>,
) {
    let both = from.len().min(to.len());
    let pairs = new[to.clone()].iter().zip(&old[from.clone()]);
    body.extend(pairs.map(|(new, old)| new.wrapping_sub(*old)));
    body.extend_from_slice(&new[to.start + both..to.end]);
    let (count, rest) = (both, to.len() - both);
    ops.extend((count > 0).then_some(Op::Add {
        count,
        at: from.start,
    }));
    ops.extend((rest > 0).then_some(Op::New { count: rest }));
}

/// The same for texts: the beginning and the end that both have are taken from the old one.
fn text_ops(
    [from, to]: [Span; 2],
    (old, new): (&[u8], &[u8]),
    body: &mut Vec<u8>,
    ops: &mut Vec<Op>,
) {
    let (a, b) = (&old[from.clone()], &new[to.clone()]);
    let most = a.len().min(b.len());
    let head = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let tails = a.iter().rev().zip(b.iter().rev()).take(most - head);
    let tail = tails.take_while(|(a, b)| a == b).count();
    add_ops(
        [from.start..from.start + head, to.start..to.start + head],
        (old, new),
        body,
        ops,
    );
    add_ops(
        [0..0, to.start + head..to.end - tail],
        (old, new),
        body,
        ops,
    );
    add_ops(
        [from.end - tail..from.end, to.end - tail..to.end],
        (old, new),
        body,
        ops,
    );
}

/// The step, and by how many steps each weight moved, coded so that small moves have small codes; `None` if one did
/// not move by whole steps.
fn moves(old: &[u8], new: &[u8], axes: usize) -> Option<(f32, Vec<u16>)> {
    let floats = |bytes: &[u8]| -> Vec<f32> {
        let floats = bytes.chunks_exact(4);
        (floats.map(|float| f32::from_le_bytes(float.try_into().expect("four bytes")))).collect()
    };
    let (old, new) = (floats(old), floats(new));
    let step = step(&old, axes)?;
    let coded = old.iter().zip(&new).map(|(&from, &to)| {
        let steps = ((f64::from(to) - f64::from(from)) / f64::from(step)).round();
        let made = from + steps as f32 * step;
        let steps = (steps.abs() <= MOST_STEPS && made.to_bits() == to.to_bits())
            .then_some(steps as i32)?;
        Some(((steps << 1) ^ (steps >> 31)) as u16)
    });
    Some((step, coded.collect::<Option<_>>()?))
}

type Located = (String, Dtype, usize, Span);

/// Where the tensors of a safetensors file begin, and name, type, axes and place of each.
fn tensors(bytes: &[u8]) -> Option<(usize, Vec<Located>)> {
    let (header, metadata) = SafeTensors::read_metadata(bytes).ok()?;
    let start = 8 + header;
    let mut found: Vec<Located> = (metadata.tensors().into_iter())
        .map(|(name, info)| {
            let (from, to) = info.data_offsets;
            (name, info.dtype, info.shape.len(), start + from..start + to)
        })
        .collect();
    found.sort_by_key(|(.., span)| (span.start, span.end));
    let fills = (found.iter()).try_fold(start, |at, (.., span)| {
        (span.start == at).then_some(span.end)
    });
    (fills == Some(bytes.len())).then_some((start, found))
}
