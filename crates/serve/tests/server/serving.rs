//! What is served, and what is not.

use std::fs;

use crate::client::{get, request};
use crate::fixture::{Running, file, folder};

#[test]
fn serves_the_manifest_and_every_file_it_lists() {
    let folder = folder("shop");
    let server = Running::bundle(folder.path());
    for (name, content_type) in [
        ("manifest.json".to_owned(), "application/json"),
        (file(folder.path(), "ids"), "application/json"),
        (file(folder.path(), "items"), "application/octet-stream"),
        (file(folder.path(), "model"), "application/octet-stream"),
    ] {
        let answer = get(server.addr, &format!("/{name}"));
        assert_eq!(answer.status, 200, "{name}");
        assert_eq!(answer.header("content-type"), content_type, "{name}");
        assert_eq!(answer.header("content-encoding"), "", "{name}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        let bytes = fs::read(folder.path().join(&name)).unwrap();
        assert_eq!(answer.header("content-length"), bytes.len().to_string());
        assert!(answer.body == bytes, "{name} differs");
    }
}

#[test]
fn answers_head_with_the_headers_of_get_and_no_body() {
    let folder = folder("shop");
    let server = Running::bundle(folder.path());
    for role in ["items", "model", "ids"] {
        let target = format!("/{}", file(folder.path(), role));
        let head = request(server.addr, "HEAD", &target, &[]);
        let get = get(server.addr, &target);
        assert_eq!(head.status, 200);
        assert!(head.body.is_empty());
        for header in [
            "content-length",
            "content-type",
            "etag",
            "accept-ranges",
            "cache-control",
            "vary",
        ] {
            assert_ne!(get.header(header), "", "{header}");
            assert_eq!(head.header(header), get.header(header), "{header}");
        }
    }
}

#[test]
fn serves_nothing_that_the_manifest_does_not_list() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("bundle");
    ingle_bundle::dir::write_dir(&crate::fixture::bundle("shop"), &folder).unwrap();
    let secret = "nobody may read this";
    let stray = "other-0123456789abcdef.json";
    for path in [
        "../secret.txt",
        "notes.txt",
        ".env",
        stray,
        "sub/model.json",
    ] {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, secret).unwrap();
    }
    let server = Running::bundle(&folder);
    for target in [
        "/",
        "//",
        "/notes.txt",
        "/.env",
        "/other-0123456789abcdef.json",
        "/sub/model.json",
        "/sub",
        "/../secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e/secret.txt",
        "/..%5csecret.txt",
        "/....//secret.txt",
        "/sub/../notes.txt",
        "/./manifest.json",
        "//manifest.json",
        "/manifest.json/",
        "/manifest.json%00",
        "/%6danifest.json",
        "/MANIFEST.JSON",
        "/etc/passwd",
        "/%ff%fe",
    ] {
        let answer = get(server.addr, target);
        assert_eq!(answer.status, 404, "{target}");
        assert!(answer.body.is_empty(), "{target}: {:?}", answer.body);
    }
    let absolute = get(server.addr, "http://shop.example/../secret.txt");
    assert_eq!(absolute.status, 404);
}

#[test]
fn answers_every_origin_alike() {
    let folder = folder("shop");
    let server = Running::bundle(folder.path());
    let ids = format!("/{}", file(folder.path(), "ids"));
    for target in ["/manifest.json", &ids, "/missing"] {
        for origin in [&[][..], &[("origin", "https://shop.example")]] {
            let answer = request(server.addr, "GET", target, origin);
            assert_eq!(
                answer.header("access-control-allow-origin"),
                "*",
                "{target}"
            );
            assert_eq!(
                answer.header("access-control-allow-credentials"),
                "",
                "{target}"
            );
            assert_eq!(
                answer.header("cross-origin-resource-policy"),
                "cross-origin"
            );
            assert_eq!(answer.header("set-cookie"), "");
        }
    }
}

#[test]
fn lets_browsers_ask_before_they_ask() {
    let folder = folder("shop");
    let server = Running::bundle(folder.path());
    let preflight = [
        ("origin", "https://shop.example"),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "if-none-match"),
    ];
    let answer = request(server.addr, "OPTIONS", "/manifest.json", &preflight);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("access-control-allow-methods"), "GET,HEAD");
    assert_eq!(answer.header("access-control-allow-headers"), "*");
}

#[test]
fn takes_nothing_in() {
    let folder = folder("shop");
    let before = fs::read(folder.path().join("manifest.json")).unwrap();
    let server = Running::bundle(folder.path());
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        for target in ["/manifest.json", "/new.json"] {
            let answer = request(server.addr, method, target, &[("content-length", "0")]);
            assert_eq!(answer.status, 405, "{method} {target}");
            assert_eq!(answer.header("allow"), "GET,HEAD");
        }
    }
    assert_eq!(
        fs::read(folder.path().join("manifest.json")).unwrap(),
        before
    );
    assert!(!folder.path().join("new.json").exists());
}

#[test]
fn a_query_changes_nothing() {
    let folder = folder("shop");
    let server = Running::bundle(folder.path());
    let plain = get(server.addr, "/manifest.json");
    let asked = get(server.addr, "/manifest.json?file=/etc/passwd");
    assert_eq!(asked.status, 200);
    assert_eq!(asked.body, plain.body);
}
