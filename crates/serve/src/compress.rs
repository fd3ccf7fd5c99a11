//! Compressed forms of files: made here, or read from the folder and checked.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use brotli::enc::{BrotliEncoderParams, StandardAlloc};
use brotli::{BrotliDecompressStream, BrotliResult, BrotliState, CompressorWriter};
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use ingle_bundle::{BundleError, dir};

use crate::encoding::Encoding;
use crate::memory::Memory;

/// Brotli's quality for small files: nearly the best, at some megabytes per second.
const BROTLI_QUALITY: i32 = 9;
/// Brotli's quality for large files: these are tables of numbers, which a slower search does not make smaller.
const BROTLI_QUALITY_LARGE: i32 = 5;
/// From this number of bytes on a file is large.
const LARGE: usize = 4 << 20;
/// Base-2 logarithm of Brotli's window: a common value, which needs some megabytes to compress.
const BROTLI_WINDOW: i32 = 22;
/// Bytes compressed or compared between two checks whether the work is still wanted.
const PIECE: usize = 256 << 10;

/// Returns whether long work should go on.
pub(crate) type Wanted<'a> = &'a dyn Fn() -> bool;

/// The bytes in this encoding; `None` if the result takes more than `room`, saves less than a sixteenth, or is no
/// longer wanted.
pub(crate) fn encode(
    encoding: Encoding,
    bytes: &[u8],
    room: u64,
    wanted: Wanted<'_>,
) -> Option<Memory> {
    let most = worth(bytes.len()).min(usize::try_from(room).unwrap_or(usize::MAX));
    // The size of a compressed piece from the middle predicts the size of the whole.
    let middle = bytes.chunks(PIECE).nth(bytes.len() / PIECE / 2)?;
    if bytes.len() > 4 * PIECE {
        let most = (most as u128 * middle.len() as u128 / bytes.len() as u128) as usize;
        encode_up_to(encoding, middle, most + most / 16, wanted)?;
    }
    encode_up_to(encoding, bytes, most, wanted)
}

/// The bytes in this encoding, if they take at most `most`.
fn encode_up_to(
    encoding: Encoding,
    bytes: &[u8],
    most: usize,
    wanted: Wanted<'_>,
) -> Option<Memory> {
    let memory = Memory::written(most, |room| {
        let out = Room { room, length: 0 };
        let length = match encoding {
            Encoding::Brotli => {
                let mut encoder = brotli_encoder(out, bytes.len());
                write(&mut encoder, bytes, wanted)?;
                encoder.into_inner().length
            }
            Encoding::Gzip => {
                let mut encoder = GzEncoder::new(out, Compression::default());
                write(&mut encoder, bytes, wanted)?;
                encoder.finish()?.length
            }
            Encoding::Identity => return Err(io::ErrorKind::Unsupported.into()),
        };
        // An encoder may not report a failure of its last writes.
        if length > most {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(length)
    });
    // Writing to memory fails only for lack of memory or of room; the file is then sent uncompressed.
    memory.ok()
}

/// Stores bytes as long as there is room, and counts all of them.
struct Room<'a> {
    room: &'a mut [u8],
    length: usize,
}

impl Write for Room<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.room.get_mut(self.length..).unwrap_or_default();
        let fits = room.len().min(bytes.len());
        room[..fits].copy_from_slice(&bytes[..fits]);
        self.length += bytes.len();
        if self.length > self.room.len() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads the compressed file beside a file, `FILE.br` or `FILE.gz`, and checks that it decompresses to exactly that
/// file.
pub(crate) fn read(
    encoding: Encoding,
    file: &Path,
    bytes: &[u8],
    room: u64,
    wanted: Wanted<'_>,
) -> Option<Memory> {
    let mut path = file.as_os_str().to_owned();
    path.push(".");
    path.push(encoding.suffix()?);
    let file = File::open(path).ok()?;
    let metadata = file.metadata().ok()?;
    if !metadata.is_file() || metadata.len() > room.min(worth(bytes.len()) as u64) {
        return None;
    }
    let encoded = Memory::filled(metadata.len() as usize, |out| (&file).read_exact(out)).ok()?;
    let same = match encoding {
        Encoding::Brotli => is_brotli_of(encoded.bytes(), bytes, wanted),
        Encoding::Gzip => is_gzip_of(encoded.bytes(), bytes, wanted),
        Encoding::Identity => false,
    };
    same.then_some(encoded)
}

/// Writes `FILE.br` and `FILE.gz` beside those of a bundle's files that become smaller, except the manifest, for
/// hosts that send precompressed files. Returns the names written.
///
/// The manifest gets none: it is the only file whose contents change, and two files cannot be replaced atomically.
pub fn write_compressed(dir: &Path, names: &[String]) -> Result<Vec<String>, BundleError> {
    let mut written = Vec::new();
    for name in names.iter().filter(|name| ingle_bundle::is_file_name(name)) {
        let path = dir.join(name);
        let bytes = std::fs::read(&path).map_err(|source| BundleError::Io {
            action: format!("read {}", path.display()),
            source,
        })?;
        for encoding in [Encoding::Brotli, Encoding::Gzip] {
            let (Some(suffix), Some(encoded)) = (
                encoding.suffix(),
                encode(encoding, &bytes, u64::MAX, &|| true),
            ) else {
                continue;
            };
            let file = (format!("{name}.{suffix}"), encoded.bytes().to_vec());
            dir::write_files(dir, std::slice::from_ref(&file))?;
            written.push(file.0);
        }
    }
    Ok(written)
}

/// Largest size of a compressed form that is worth sending.
fn worth(plain: usize) -> usize {
    (plain - plain / 16).saturating_sub(1)
}

/// Whether `encoded` decompresses to exactly `bytes`. Stops at the first byte that differs, so that endless output is
/// no risk.
fn is_gzip_of(encoded: &[u8], bytes: &[u8], wanted: Wanted<'_>) -> bool {
    let mut reader = MultiGzDecoder::new(encoded);
    let mut piece = vec![0; PIECE];
    let mut rest = bytes;
    while wanted() {
        match reader.read(&mut piece) {
            Ok(0) => return rest.is_empty(),
            Ok(read) => match rest.strip_prefix(&piece[..read]) {
                Some(after) => rest = after,
                None => return false,
            },
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
    }
    false
}

/// The same for Brotli, whose reader ignores trailing bytes and accepts windows that browsers do not.
fn is_brotli_of(encoded: &[u8], bytes: &[u8], wanted: Wanted<'_>) -> bool {
    let heap = StandardAlloc::default;
    let mut state = BrotliState::new_strict(heap(), heap(), heap());
    let (mut left, mut at, mut total) = (encoded.len(), 0, 0);
    let mut piece = vec![0; PIECE];
    let mut rest = bytes;
    while wanted() {
        let (mut room, mut unpacked) = (piece.len(), 0);
        let result = BrotliDecompressStream(
            &mut left,
            &mut at,
            encoded,
            &mut room,
            &mut unpacked,
            &mut piece,
            &mut total,
            &mut state,
        );
        match rest.strip_prefix(&piece[..unpacked]) {
            Some(after) => rest = after,
            None => return false,
        }
        match result {
            BrotliResult::ResultSuccess => return rest.is_empty() && left == 0,
            BrotliResult::NeedsMoreOutput => {}
            BrotliResult::NeedsMoreInput | BrotliResult::ResultFailure => return false,
        }
    }
    false
}

fn brotli_encoder<W: Write>(out: W, length: usize) -> CompressorWriter<W> {
    let params = BrotliEncoderParams {
        quality: if length < LARGE {
            BROTLI_QUALITY
        } else {
            BROTLI_QUALITY_LARGE
        },
        lgwin: BROTLI_WINDOW,
        size_hint: length,
        ..BrotliEncoderParams::default()
    };
    CompressorWriter::with_params(out, PIECE, &params)
}

/// Compresses bytes as long as the result is wanted.
fn write(encoder: &mut impl Write, bytes: &[u8], wanted: Wanted<'_>) -> io::Result<()> {
    for piece in bytes.chunks(PIECE) {
        if !wanted() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        encoder.write_all(piece)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use Encoding::{Brotli, Gzip};

    fn noise(length: usize) -> Vec<u8> {
        let mut state = 88_172_645_463_325_252_u64;
        let mut byte = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        };
        (0..length).map(|_| byte()).collect()
    }

    fn encoded(encoding: Encoding, bytes: &[u8]) -> Option<Vec<u8>> {
        let memory = encode(encoding, bytes, u64::MAX, &|| true);
        memory.map(|memory| memory.bytes().to_vec())
    }

    #[test]
    fn keeps_only_what_is_smaller() {
        let text = "shop ".repeat(800);
        for encoding in [Brotli, Gzip] {
            assert!(encoded(encoding, &noise(4096)).is_none(), "{encoding:?}");
            assert!(encoded(encoding, text.as_bytes()).unwrap().len() < 200);
            assert!(encoded(encoding, b"").is_none());
        }
    }

    #[test]
    fn keeps_only_what_there_is_room_for() {
        let text: Vec<u8> = noise(1 << 20).iter().map(|byte| b'a' + byte % 16).collect();
        for encoding in [Brotli, Gzip] {
            let whole = encoded(encoding, &text).unwrap();
            let within = |room| encode(encoding, &text, room, &|| true);
            let found = within(whole.len() as u64).unwrap();
            assert_eq!(found.bytes(), &whole);
            assert!(within(whole.len() as u64 - 1).is_none());
            assert!(within(0).is_none());
        }
    }

    #[test]
    fn stops_when_nobody_wants_it() {
        let text = "shop ".repeat(PIECE);
        for encoding in [Brotli, Gzip] {
            let asked = std::cell::Cell::new(0);
            let wanted = || asked.replace(asked.get() + 1) < 2;
            assert!(encode(encoding, text.as_bytes(), u64::MAX, &wanted).is_none());
            assert_eq!(asked.get(), 3, "{encoding:?}");
        }
    }

    #[test]
    fn reads_what_was_written_beside_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = b"a shop and another ".repeat(50_000);
        let name = format!("ids-{}.json", &ingle_bundle::sha256_hex(&bytes)[..16]);
        let path = folder.path().join(&name);
        std::fs::write(&path, &bytes).unwrap();
        let names = [name.clone(), "manifest.json".to_owned()];
        let written = write_compressed(folder.path(), &names).unwrap();
        assert_eq!(written, [format!("{name}.br"), format!("{name}.gz")]);
        for encoding in [Brotli, Gzip] {
            let found = read(encoding, &path, &bytes, u64::MAX, &|| true).unwrap();
            assert_eq!(found.bytes(), &encoded(encoding, &bytes).unwrap());
        }
    }

    #[test]
    fn refuses_what_is_not_the_file_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ids.json");
        let bytes = noise(1000).repeat(60);
        for encoding in [Brotli, Gzip] {
            let beside = folder
                .path()
                .join(format!("ids.json.{}", encoding.suffix().unwrap()));
            let good = encoded(encoding, &bytes).unwrap();
            let put = |contents: &[u8]| std::fs::write(&beside, contents).unwrap();
            let found = || read(encoding, &path, &bytes, u64::MAX, &|| true).is_some();
            assert!(!found(), "there is none");
            put(&good);
            assert!(found());

            put(&good[..good.len() - 1]);
            assert!(!found(), "cut short");
            put(&[&good[..], b"more"].concat());
            assert!(!found(), "something behind it");
            let other = [&bytes[1..], b"."].concat();
            put(&encoded(encoding, &other).unwrap());
            assert!(!found(), "another file");
            put(&encoded(encoding, &bytes[1..]).unwrap());
            assert!(!found(), "the end of it");
            put(&encoded(encoding, &bytes.repeat(200)).unwrap());
            assert!(!found(), "more than it");
            put(&bytes);
            assert!(!found(), "not compressed");
            for at in (0..good.len()).step_by(good.len() / 40) {
                let mut damaged = good.clone();
                damaged[at] ^= 0x10;
                put(&damaged);
                // A flipped bit may be harmless, as in gzip's time stamp.
                if let Some(found) = read(encoding, &path, &bytes, u64::MAX, &|| true) {
                    assert_eq!(found.bytes(), &damaged);
                }
            }
        }
    }
}
