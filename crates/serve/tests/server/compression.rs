//! Compressed files: smaller, and the same once unpacked.

use std::fs;
use std::io::{Read, Write};

use ingle_bundle::{ItemTable, dir};

use crate::client::{Answer, eventually, request};
use crate::fixture::{Running, bundle, compressed, file, folder, served};

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
    compressed(server.addr, &format!("/{ids}"));
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

#[test]
fn plain_bytes_answer_until_the_compressed_ones_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut large = bundle("large");
    // Takes seconds to compress.
    large.items = ItemTable::quantize(
        &(0..200 * 40_000)
            .map(|i| (i % 1009) as f32)
            .collect::<Vec<_>>(),
        40_000,
    );
    dir::write_dir(&large, folder.path()).unwrap();
    let server = Running::bundle(folder.path());
    let items = format!("/{}", file(folder.path(), "items"));
    let headers = [("accept-encoding", "br")];
    let first = request(server.addr, "GET", &items, &headers);
    assert_eq!(first.header("content-encoding"), "");
    let then = eventually("brotli", || {
        let answer = request(server.addr, "GET", &items, &headers);
        (answer.header("content-encoding") == "br").then_some(answer)
    });
    assert!(unpack(&then) == first.body);
}

#[test]
fn what_the_export_compressed_is_sent_as_it_lies_there() {
    let folder = folder("shop");
    let ids = file(folder.path(), "ids");
    let names = dir::read_manifest(folder.path())
        .map(|_| vec![ids.clone()])
        .unwrap();
    let written = ingle_serve::write_compressed(folder.path(), &names).unwrap();
    assert_eq!(written, [format!("{ids}.br"), format!("{ids}.gz")]);
    let server = Running::bundle(folder.path());
    let target = format!("/{ids}");
    compressed(server.addr, &target);
    for (encoding, suffix) in [("br", "br"), ("gzip", "gz")] {
        let answer = request(
            server.addr,
            "GET",
            &target,
            &[("accept-encoding", encoding)],
        );
        let beside = fs::read(folder.path().join(format!("{ids}.{suffix}"))).unwrap();
        assert!(answer.body == beside, "{encoding}");
    }
    for name in written {
        let answer = request(server.addr, "GET", &format!("/{name}"), &[]);
        assert_eq!(answer.status, 404, "{name} is no file of the bundle");
    }
}

#[test]
fn a_damaged_or_foreign_compressed_file_is_passed_over() {
    let plain = |folder: &std::path::Path| fs::read(folder.join(file(folder, "ids"))).unwrap();
    let other = folder("another shop");
    let other_ids = file(other.path(), "ids");
    ingle_serve::write_compressed(other.path(), std::slice::from_ref(&other_ids)).unwrap();
    for (suffix, encoding) in [("br", "br"), ("gz", "gzip")] {
        let foreign = fs::read(other.path().join(format!("{other_ids}.{suffix}"))).unwrap();
        for beside in [
            &foreign[..],
            b"",
            b"not compressed at all",
            &foreign[..foreign.len() / 2],
        ] {
            let folder = folder("shop");
            let ids = file(folder.path(), "ids");
            fs::write(folder.path().join(format!("{ids}.{suffix}")), beside).unwrap();
            let server = Running::bundle(folder.path());
            let target = format!("/{ids}");
            compressed(server.addr, &target);
            let answer = request(
                server.addr,
                "GET",
                &target,
                &[("accept-encoding", encoding)],
            );
            assert_eq!(unpack(&answer), plain(folder.path()), "{encoding}");
        }
    }
}

#[test]
fn the_manifest_is_never_sent_from_a_compressed_file() {
    let folder = folder("first");
    let old = fs::read(folder.path().join("manifest.json")).unwrap();
    let path = folder.path().join("manifest.json.gz");
    let mut encoder =
        flate2::write::GzEncoder::new(fs::File::create(path).unwrap(), flate2::Compression::best());
    encoder.write_all(&old).unwrap();
    encoder.finish().unwrap();
    dir::write_dir(&bundle("second"), folder.path()).unwrap();
    let server = Running::bundle(folder.path());
    served(server.addr, "second");
    let answer = request(
        server.addr,
        "GET",
        "/manifest.json",
        &[("accept-encoding", "gzip")],
    );
    assert_eq!(
        unpack(&answer),
        fs::read(folder.path().join("manifest.json")).unwrap()
    );
}
