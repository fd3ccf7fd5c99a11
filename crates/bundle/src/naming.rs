//! File names with a hash of the contents: `model-0123456789abcdef.safetensors`.
//!
//! A file's name contains the first 16 hex digits of its SHA-256. A name therefore always has the same contents, and
//! caches may keep it for ever. The rule also guards against path traversal: a name that matches it cannot leave the
//! bundle's folder.

use std::io::{self, Read};

use sha2::{Digest, Sha256};

use crate::BundleError;

/// Hex digits of the SHA-256 in a file name.
const HASH_DIGITS: usize = 16;

/// Bytes that are read at once when a file is only hashed.
const PIECE: usize = 64 << 10;

/// SHA-256 of `bytes` in lower-case hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The SHA-256 of everything left to read, and the number of bytes. Reads in small pieces.
pub fn sha256_hex_of(mut reader: impl Read) -> io::Result<(String, u64)> {
    let (mut digest, mut length) = (Sha256::new(), 0);
    let mut piece = vec![0; PIECE];
    loop {
        match reader.read(&mut piece) {
            Ok(0) => return Ok((hex(&digest.finalize()), length)),
            Ok(read) => {
                digest.update(&piece[..read]);
                length += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut hex = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        hex.push(DIGITS[usize::from(byte >> 4)].into());
        hex.push(DIGITS[usize::from(byte & 15)].into());
    }
    hex
}

/// Whether `name` is a valid name of a bundle's file: `[a-z]+-[0-9a-f]{16}\.(safetensors|json)`.
pub fn is_file_name(name: &str) -> bool {
    split(name).is_some()
}

/// The name of a file with this prefix, SHA-256 and extension.
pub(crate) fn file_name(prefix: &str, sha256: &str, extension: &str) -> String {
    format!("{prefix}-{}.{extension}", &sha256[..HASH_DIGITS])
}

/// The name of a delta with this SHA-256: a file beside a bundle's own, which no manifest names.
pub fn delta_name(sha256: &str) -> String {
    file_name("delta", sha256, "bin")
}

/// Whether `name` is one that [`delta_name`] gives: `delta-[0-9a-f]{16}\.bin`.
pub fn is_delta_name(name: &str) -> bool {
    let digits = name.strip_prefix("delta-");
    let digits = digits.and_then(|rest| rest.strip_suffix(".bin"));
    digits.is_some_and(|digits| digits.len() == HASH_DIGITS && is_hex(digits))
}

/// Checks the form of a file's name and SHA-256, and that the name contains the start of the hash.
pub fn check(name: &str, sha256: &str) -> Result<(), BundleError> {
    let refuse = |reason| {
        Err(BundleError::Name {
            name: name.to_owned(),
            reason,
        })
    };
    let Some(digits) = split(name) else {
        return refuse(
            "a bundle's files are called [a-z]+-[0-9a-f]{16}.(safetensors|json), and lie beside \
             the manifest; do not use this bundle, it was not written by Ingle",
        );
    };
    if sha256.len() != 64 || !is_hex(sha256) {
        return refuse("its sha256 is not 64 lower-case hex digits; export the bundle again");
    }
    if !sha256.starts_with(digits) {
        return refuse("its digits are not the first 16 of its sha256; export the bundle again");
    }
    Ok(())
}

/// The hash digits of a well-formed name.
fn split(name: &str) -> Option<&str> {
    let (prefix, rest) = name.split_once('-')?;
    let (digits, extension) = rest.split_once('.')?;
    let well_formed = !prefix.is_empty()
        && prefix.bytes().all(|byte| byte.is_ascii_lowercase())
        && digits.len() == HASH_DIGITS
        && is_hex(digits)
        && matches!(extension, "safetensors" | "json");
    well_formed.then_some(digits)
}

fn is_hex(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_as_the_standard_does() {
        assert_eq!(
            sha256_hex(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn hashes_what_is_read_as_what_is_in_memory() {
        for length in [0, 1, PIECE - 1, PIECE, 3 * PIECE + 7] {
            let bytes: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
            let found = sha256_hex_of(&bytes[..]).unwrap();
            assert_eq!(found, (sha256_hex(&bytes), length as u64));
        }
    }

    #[test]
    fn accepts_the_names_it_makes() {
        for (prefix, extension) in [("model", "safetensors"), ("ids", "json")] {
            let sha256 = sha256_hex(prefix.as_bytes());
            let name = file_name(prefix, &sha256, extension);
            assert!(is_file_name(&name), "{name}");
            check(&name, &sha256).unwrap();
        }
    }

    #[test]
    fn a_delta_has_a_name_of_its_own() {
        let name = delta_name(&sha256_hex(b"delta"));
        assert!(is_delta_name(&name) && !is_file_name(&name), "{name}");
        for name in [
            "delta-0123456789abcdef.json",
            "delta-0123456789ABCDEF.bin",
            "delta-0123456789abcde.bin",
            "../delta-0123456789abcdef.bin",
            "delta-0123456789abcdef.bin.gz",
        ] {
            assert!(!is_delta_name(name), "{name}");
        }
    }

    #[test]
    fn refuses_every_other_name() {
        for name in [
            "",
            "manifest.json",
            "../model-0123456789abcdef.safetensors",
            "model-0123456789abcdef.safetensors/..",
            "/etc/passwd",
            "/model-0123456789abcdef.safetensors",
            ".model-0123456789abcdef.safetensors",
            "C:\\model-0123456789abcdef.safetensors",
            "sub/model-0123456789abcdef.safetensors",
            "-0123456789abcdef.safetensors",
            "Model-0123456789abcdef.safetensors",
            "model-0123456789ABCDEF.safetensors",
            "model-0123456789abcde.safetensors",
            "model-0123456789abcdef0.safetensors",
            "model-0123456789abcdef.exe",
            "model-0123456789abcdef.safetensors.json",
            "model-0123456789abcdef.safetensors\0",
            "model-0123456789abcdef.json?x=1",
            "mödel-0123456789abcdef.safetensors",
        ] {
            assert!(!is_file_name(name), "{name:?}");
        }
    }

    #[test]
    fn refuses_a_name_that_does_not_follow_from_the_hash() {
        let error = check("ids-0123456789abcdef.json", &sha256_hex(b"other")).unwrap_err();
        assert_eq!(error.code(), "bundle/name");
        assert!(error.to_string().contains("first 16"), "{error}");
    }

    #[test]
    fn refuses_a_hash_that_is_none() {
        for sha256 in ["", "0123456789abcdef", &"G".repeat(64), &"é".repeat(32)] {
            let error = check("ids-0123456789abcdef.json", sha256).unwrap_err();
            assert_eq!(error.code(), "bundle/name", "{sha256}");
        }
    }
}
