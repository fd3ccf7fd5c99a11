//! Parts of files: a download that broke off goes on where it stopped.

use std::fs;

use crate::client::{Answer, request};
use crate::fixture::{Running, compressed, file, folder};

fn part(server: &Running, target: &str, headers: &[(&str, &str)]) -> Answer {
    request(server.addr, "GET", target, headers)
}

#[test]
fn sends_the_part_that_is_asked_for() {
    let folder = folder("shop");
    let server = Running::bundle(folder.path());
    for role in ["ids", "items", "model"] {
        let name = file(folder.path(), role);
        let whole = fs::read(folder.path().join(&name)).unwrap();
        let end = whole.len();
        for (range, from, to) in [
            ("bytes=0-".to_owned(), 0, end),
            ("bytes=0-0".to_owned(), 0, 1),
            ("bytes=17-".to_owned(), 17, end),
            ("bytes=17-42".to_owned(), 17, 43),
            (format!("bytes={}-", end - 1), end - 1, end),
            (format!("bytes=5-{}", end + 1000), 5, end),
            ("bytes=-9".to_owned(), end - 9, end),
        ] {
            let answer = part(&server, &format!("/{name}"), &[("range", &range)]);
            assert_eq!(answer.status, 206, "{range}");
            assert!(answer.body == whole[from..to], "{range} of {name}");
            assert_eq!(answer.header("content-length"), (to - from).to_string());
            let content_range = format!("bytes {from}-{}/{end}", to - 1);
            assert_eq!(answer.header("content-range"), content_range);
            assert_eq!(
                answer.header("access-control-expose-headers"),
                "content-range"
            );
            assert_eq!(
                answer.header("cache-control"),
                "public, max-age=31536000, immutable"
            );
        }
    }
}

#[test]
fn parts_put_together_are_the_file() {
    let folder = folder("shop");
    let server = Running::bundle(folder.path());
    let name = file(folder.path(), "items");
    let whole = fs::read(folder.path().join(&name)).unwrap();
    let mut got = Vec::new();
    while got.len() < whole.len() {
        let range = format!("bytes={}-{}", got.len(), got.len() + 96);
        got.extend(part(&server, &format!("/{name}"), &[("range", &range)]).body);
    }
    assert!(got == whole);
}

#[test]
fn a_part_that_is_not_there_is_told_with_the_length() {
    let folder = folder("shop");
    let server = Running::bundle(folder.path());
    let name = file(folder.path(), "ids");
    let length = fs::metadata(folder.path().join(&name)).unwrap().len();
    for range in [
        format!("bytes={length}-"),
        "bytes=99999999999999999999-".to_owned(),
        "bytes=-0".to_owned(),
    ] {
        let answer = part(&server, &format!("/{name}"), &[("range", &range)]);
        assert_eq!(answer.status, 416, "{range}");
        assert_eq!(answer.header("content-range"), format!("bytes */{length}"));
        assert!(answer.body.is_empty());
    }
}

#[test]
fn what_is_no_single_part_is_answered_with_the_whole() {
    let folder = folder("shop");
    let server = Running::bundle(folder.path());
    let name = file(folder.path(), "ids");
    let target = format!("/{name}");
    let whole = fs::read(folder.path().join(&name)).unwrap();
    for range in [
        "bytes=0-1,4-5",
        "bytes=9-2",
        "items=0-1",
        "bytes",
        "bytes=x-y",
    ] {
        let answer = part(&server, &target, &[("range", range)]);
        assert_eq!(answer.status, 200, "{range}");
        assert!(answer.body == whole, "{range}");
        assert_eq!(answer.header("content-range"), "");
    }
    let twice = [("range", "bytes=0-1"), ("range", "bytes=4-5")];
    assert_eq!(part(&server, &target, &twice).status, 200);
    let head = request(server.addr, "HEAD", &target, &[("range", "bytes=0-1")]);
    assert_eq!(
        (head.status, head.header("content-length")),
        (200, &*whole.len().to_string())
    );
}

#[test]
fn goes_on_with_a_file_only_if_it_is_the_same() {
    let folder = folder("shop");
    let server = Running::bundle(folder.path());
    let name = file(folder.path(), "ids");
    let target = format!("/{name}");
    let whole = fs::read(folder.path().join(&name)).unwrap();
    let tag = part(&server, &target, &[]).header("etag").to_owned();
    let same = part(
        &server,
        &target,
        &[("range", "bytes=10-"), ("if-range", &tag)],
    );
    assert_eq!(same.status, 206);
    assert!(same.body == whole[10..]);
    let weak = format!("W/{tag}");
    for other in ["\"other\"", &weak, "Fri, 01 Jan 2100 00:00:00 GMT", "*"] {
        let answer = part(
            &server,
            &target,
            &[("range", "bytes=10-"), ("if-range", other)],
        );
        assert_eq!(answer.status, 200, "{other}");
        assert!(answer.body == whole, "{other}");
    }
}

#[test]
fn a_part_is_of_the_plain_file_unless_the_tag_names_a_compressed_one() {
    let folder = folder("shop");
    let server = Running::bundle(folder.path());
    let name = file(folder.path(), "ids");
    let target = format!("/{name}");
    compressed(server.addr, &target);
    let whole = fs::read(folder.path().join(&name)).unwrap();
    let accept = ("accept-encoding", "br, gzip");
    let answer = part(&server, &target, &[accept, ("range", "bytes=10-19")]);
    assert_eq!(answer.header("content-encoding"), "");
    assert!(answer.body == whole[10..20]);

    let brotli = part(&server, &target, &[accept]);
    assert_eq!(brotli.header("content-encoding"), "br");
    let headers = [
        accept,
        ("range", "bytes=10-"),
        ("if-range", brotli.header("etag")),
    ];
    let rest = part(&server, &target, &headers);
    assert_eq!((rest.status, rest.header("content-encoding")), (206, "br"));
    assert_eq!(rest.header("etag"), brotli.header("etag"));
    assert!(rest.body == brotli.body[10..]);
}
