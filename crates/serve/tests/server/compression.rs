//! Compressed files: smaller, and the same once unpacked.

use std::fs;
use std::io::Read;

use crate::client::{Answer, request};
use crate::fixture::{Running, file, folder};

fn unpack(answer: &Answer) -> Vec<u8> {
    let mut bytes = Vec::new();
    match answer.header("content-encoding") {
        "br" => {
            let mut reader = brotli::Decompressor::new(&answer.body[..], 4096);
            reader.read_to_end(&mut bytes).unwrap();
        }
        "gzip" => {
            let mut reader = flate2::read::GzDecoder::new(&answer.body[..]);
            reader.read_to_end(&mut bytes).unwrap();
        }
        other => panic!("encoded as {other:?}"),
    }
    bytes
}

#[test]
fn sends_what_the_client_likes_best() {
    let folder = folder("shop");
    let server = Running::bundle(folder.path());
    let ids = file(folder.path(), "ids");
    for name in ["manifest.json", &ids] {
        let plain = fs::read(folder.path().join(name)).unwrap();
        for (accept, encoding) in [
            ("gzip, deflate, br, zstd", "br"),
            ("gzip, deflate", "gzip"),
            ("br;q=0.1, gzip", "gzip"),
        ] {
            let headers = [("accept-encoding", accept)];
            let answer = request(server.addr, "GET", &format!("/{name}"), &headers);
            assert_eq!(answer.header("content-encoding"), encoding, "{name}");
            assert_eq!(answer.header("vary"), "accept-encoding");
            assert_eq!(
                answer.header("content-length"),
                answer.body.len().to_string()
            );
            assert!(
                answer.body.len() * 3 < plain.len() * 2,
                "{name}: {encoding} saves little"
            );
            assert_eq!(unpack(&answer), plain, "{name} as {encoding}");
        }
    }
}

#[test]
fn says_the_length_of_what_get_would_send() {
    let folder = folder("shop");
    let server = Running::bundle(folder.path());
    let headers = [("accept-encoding", "br")];
    let get = request(server.addr, "GET", "/manifest.json", &headers);
    let head = request(server.addr, "HEAD", "/manifest.json", &headers);
    assert_eq!(head.header("content-encoding"), "br");
    assert_eq!(head.header("content-length"), get.body.len().to_string());
    assert!(head.body.is_empty());
}

#[test]
fn sends_plain_bytes_to_those_who_take_no_other() {
    let folder = folder("shop");
    let server = Running::bundle(folder.path());
    for accept in ["identity", "br;q=0, gzip;q=0", "zstd", ""] {
        let headers = [("accept-encoding", accept)];
        let answer = request(server.addr, "GET", "/manifest.json", &headers);
        assert_eq!(answer.header("content-encoding"), "", "{accept:?}");
        let plain = fs::read(folder.path().join("manifest.json")).unwrap();
        assert_eq!(answer.body, plain);
        // A cache must still not give this to those who take brotli.
        assert_eq!(answer.header("vary"), "accept-encoding");
    }
}
