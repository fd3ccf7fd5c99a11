//! Opens a file: unpacks gzip and zstd, which are known by their first bytes, and keeps its beginning for a look.

use crate::InputError;
use crate::error::beginning;
use encoding_rs::{CoderResult, Decoder, Encoding};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufReader, Chain, Cursor, Read};
use std::path::Path;

/// Bytes of a file's beginning by which its layout is told.
const HEAD: u64 = 1 << 20;
/// Bytes that are decoded at a time.
const CHUNK: usize = 1 << 16;

/// A file, unpacked.
pub(super) struct Opened {
    /// Its beginning.
    pub(super) head: Vec<u8>,
    /// Whether that is all of it.
    pub(super) whole: bool,
    /// Whether it is packed, and how.
    pub(super) packed: Option<&'static str>,
    rest: Box<dyn Read>,
}

impl Opened {
    pub(super) fn new(path: &Path) -> Result<Self, InputError> {
        let read = |e| InputError::read(path)(e);
        let mut file = File::open(path).map_err(read)?;
        if file.metadata().map_err(read)?.is_dir() {
            let folder = io::Error::new(io::ErrorKind::IsADirectory, "it is a folder");
            return Err(read(folder));
        }
        let mut first = [0; 4];
        let mut filled = 0;
        while filled < first.len() {
            match file.read(&mut first[filled..]).map_err(read)? {
                0 => break,
                n => filled += n,
            }
        }
        let first = first[..filled].to_vec();
        let raw = Cursor::new(first.clone()).chain(file);
        let (packed, mut rest): (_, Box<dyn Read>) = match first[..] {
            [0x1f, 0x8b, ..] => (Some("gzip"), Box::new(MultiGzDecoder::new(buffered(raw)))),
            [0x28, 0xb5, 0x2f, 0xfd] => {
                let decoder = zstd::stream::read::Decoder::new(raw).map_err(read)?;
                (Some("zstd"), Box::new(decoder))
            }
            _ => (None, Box::new(raw)),
        };
        let mut head = Vec::new();
        (&mut rest)
            .take(HEAD)
            .read_to_end(&mut head)
            .map_err(|e| damaged(path, packed, &e))?;
        Ok(Self {
            whole: (head.len() as u64) < HEAD,
            head,
            packed,
            rest,
        })
    }

    /// All of the file, from its beginning.
    pub(super) fn all(self) -> Chain<Cursor<Vec<u8>>, Box<dyn Read>> {
        Cursor::new(self.head).chain(self.rest)
    }
}

fn buffered<R: Read>(raw: R) -> BufReader<R> {
    BufReader::with_capacity(CHUNK, raw)
}

/// The error of a file that cannot be unpacked, or read at all.
pub(super) fn damaged(path: &Path, packed: Option<&'static str>, error: &io::Error) -> InputError {
    let reason = if error.kind() == io::ErrorKind::UnexpectedEof {
        "it ends too early".to_owned()
    } else {
        beginning(&error.to_string(), super::REASON)
    };
    InputError::Unreadable {
        path: path.to_owned(),
        format: packed.unwrap_or("text"),
        reason,
    }
}

/// Text of another encoding as UTF-8.
pub(super) struct Transcoded<R> {
    raw: R,
    decoder: Decoder,
    encoded: Vec<u8>,
    text: Vec<u8>,
    given: usize,
    ended: bool,
}

impl<R: Read> Transcoded<R> {
    pub(super) fn new(raw: R, encoding: &'static Encoding) -> Self {
        Self {
            raw,
            decoder: encoding.new_decoder(),
            encoded: vec![0; CHUNK],
            text: Vec::new(),
            given: 0,
            ended: false,
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        let length = self.raw.read(&mut self.encoded)?;
        self.ended = length == 0;
        let mut source = &self.encoded[..length];
        self.text.clear();
        self.given = 0;
        loop {
            let known = self.text.len();
            self.text.resize(known + CHUNK, 0);
            let (result, read, written, _) =
                (self.decoder).decode_to_utf8(source, &mut self.text[known..], self.ended);
            self.text.truncate(known + written);
            source = &source[read..];
            if result == CoderResult::InputEmpty {
                return Ok(());
            }
        }
    }
}

impl<R: Read> Read for Transcoded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() && !self.ended {
            self.fill()?;
        }
        let length = out.len().min(self.text.len() - self.given);
        out[..length].copy_from_slice(&self.text[self.given..self.given + length]);
        self.given += length;
        Ok(length)
    }
}
