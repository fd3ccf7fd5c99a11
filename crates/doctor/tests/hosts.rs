//! The checks against real servers on the loopback: the project's own, and one that does everything wrong.

use ingle_doctor::{Asked, Check, State, address, folder};
use ingle_serve::{SITE_POLICY, ServeArgs};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/golden")
}

/// What of the checks is in this state.
fn those(checks: &[Check], state: State) -> Vec<String> {
    let those = checks.iter().filter(|check| check.state == state);
    those
        .map(|check| format!("{}: {}", check.what, check.found))
        .collect()
}

/// One header or body for a path.
#[derive(Clone, Default)]
struct Reply {
    status: &'static str,
    headers: Vec<(&'static str, &'static str)>,
    body: Vec<u8>,
}

/// A host that sends what it is told, and nothing else.
fn host(replies: BTreeMap<String, Reply>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = listener.local_addr().expect("an address");
    let replies = Arc::new(replies);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let replies = Arc::clone(&replies);
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream);
                let mut line = String::new();
                if reader.read_line(&mut line).is_err() {
                    return;
                }
                let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
                while reader.read_line(&mut line).is_ok_and(|n| n > 2) {}
                let none = Reply {
                    status: "404 Not Found",
                    ..Reply::default()
                };
                let reply = replies.get(&path).unwrap_or(&none);
                let mut stream = reader.into_inner();
                let status = if reply.status.is_empty() {
                    "200 OK"
                } else {
                    reply.status
                };
                let mut head = format!(
                    "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n",
                    reply.body.len()
                );
                for (name, value) in &reply.headers {
                    head.extend([name, ": ", value, "\r\n"]);
                }
                let _ = stream.write_all(format!("{head}\r\n").as_bytes());
                let _ = stream.write_all(&reply.body);
            });
        }
    });
    format!("http://{at}")
}

/// The golden bundle's files under a folder, each with these headers.
fn bundle_at(folder: &str, headers: &[(&'static str, &'static str)]) -> BTreeMap<String, Reply> {
    let mut replies = BTreeMap::new();
    for entry in std::fs::read_dir(golden()).expect("the golden bundle") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let body = std::fs::read(&path).unwrap_or_default();
        replies.insert(
            format!("{folder}{name}"),
            Reply {
                headers: headers.to_vec(),
                body,
                ..Reply::default()
            },
        );
    }
    replies
}

/// The address of the project's own server in front of a bundle and a site; it serves until the test ends.
fn served(bundle: &Path, site: Option<&Path>) -> String {
    let args = ServeArgs {
        bundle: bundle.to_owned(),
        addr: ([127, 0, 0, 1], 0).into(),
        site: site.map(Path::to_owned),
        policy: SITE_POLICY.to_owned(),
        connections: None,
    };
    let (told, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || args.run(|address| drop(told.send(address))));
    let address = heard.recv().expect("the server starts");
    address.trim_end_matches("manifest.json").to_owned()
}

#[test]
fn the_projects_own_server_has_nothing_wrong() {
    let url = served(&golden(), None);
    let checks = address(&url, &Asked::default());
    assert_eq!(those(&checks, State::Bad), [""; 0]);
    assert_eq!(those(&checks, State::Note), [""; 0]);
    let good = those(&checks, State::Good).join("\n");
    for words in [
        "300 items",
        "no-store",
        "sent as br",
        "kept for long",
        "nosniff: sent",
    ] {
        assert!(good.contains(words), "{words} in {good}");
    }
}

#[test]
fn a_page_beside_the_bundle_is_followed_to_it() {
    let site = tempfile::tempdir().expect("a folder");
    std::fs::write(
        site.path().join("index.html"),
        "<!doctype html><ingle-shelf src=/bundle/></ingle-shelf>",
    )
    .expect("a page");
    let url = served(&golden(), Some(site.path()));
    let checks = address(&url, &Asked::default());
    assert_eq!(those(&checks, State::Bad), [""; 0]);
    let good = those(&checks, State::Good).join("\n");
    for words in [
        "policy, WebAssembly: allowed",
        "the page may fetch",
        "300 items",
    ] {
        assert!(good.contains(words), "{words} in {good}");
    }
}

#[test]
fn a_host_that_does_everything_wrong_is_told_each_of_it() {
    let old = [
        ("Cache-Control", "max-age=86400"),
        ("ETag", "\"me\""),
        ("Content-Type", "text/plain"),
    ];
    let elsewhere = host(bundle_at("/b/", &old));
    let page = format!(
        "<script src='/js/ingle.iife.js?1'></script><ingle-shelf src='{elsewhere}/b/'></ingle-shelf>"
    );
    let mut replies = BTreeMap::new();
    let html = vec![
        ("Content-Type", "text/html; charset=utf-8"),
        (
            "Content-Security-Policy",
            "script-src 'self'; worker-src 'none'; connect-src 'self'",
        ),
    ];
    replies.insert(
        "/".to_owned(),
        Reply {
            headers: html,
            body: page.into_bytes(),
            ..Reply::default()
        },
    );
    let text = |body: &[u8]| Reply {
        headers: vec![
            ("Content-Type", "text/plain"),
            ("Cache-Control", "max-age=60"),
        ],
        body: body.to_vec(),
        ..Reply::default()
    };
    replies.insert("/js/worker-cpu.js".to_owned(), text(b"aaaa"));
    replies.insert("/js/worker-gpu.js".to_owned(), text(b"bbbb"));
    replies.insert(
        "/js/cpu.wasm".to_owned(),
        text(b"\0asm\x01\0\0\0\0\x11\x0dingle-releaseaaaa"),
    );
    replies.insert("/js/gpu.wasm".to_owned(), text(b"<!doctype html>"));
    let checks = address(&format!("{}/", host(replies)), &Asked::default());
    let bad = those(&checks, State::Bad).join("\n");
    for words in [
        "forbids it",
        "does not let it fetch",
        "caches may send an old bundle",
        "CORS",
        "worker-cpu.js is sent as text/plain",
        "gpu.wasm is not WebAssembly",
        "worker-gpu.js of another",
    ] {
        assert!(bad.contains(words), "{words} in {bad}");
    }
    let notes = those(&checks, State::Note).join("\n");
    for words in [
        "own thread",
        "etag",
        "less than a week",
        "manifest.json is sent as text/plain",
        "X-Content-Type-Options",
        "sent uncompressed",
        "compile it only after",
    ] {
        assert!(notes.contains(words), "{words} in {notes}");
    }
    assert!(
        checks
            .iter()
            .all(|check| (check.state == State::Good) == check.advice.is_none())
    );
}

#[test]
fn damaged_missing_and_moved_bundles_are_told_apart() {
    let mut damaged = bundle_at("/b/", &[]);
    let ids = damaged
        .keys()
        .find(|name| name.starts_with("/b/ids-"))
        .cloned()
        .expect("ids");
    damaged.get_mut(&ids).expect("ids").body[5] ^= 1;
    let mut missing = bundle_at("/b/", &[]);
    missing.remove(&ids);
    let moved = Reply {
        status: "301 Moved Permanently",
        headers: vec![("Location", "/c/manifest.json")],
        body: Vec::new(),
    };
    let index = Reply {
        headers: vec![("Content-Type", "text/html")],
        body: b"<!doctype html><p>Not here".to_vec(),
        ..Reply::default()
    };
    for (replies, words) in [
        (damaged, "bundle/hash"),
        (missing, "HTTP 404"),
        (
            BTreeMap::from([("/b/manifest.json".to_owned(), moved)]),
            "moved to /c/manifest.json",
        ),
        (
            BTreeMap::from([("/b/manifest.json".to_owned(), index)]),
            "is a page and not a manifest",
        ),
        (BTreeMap::new(), "HTTP 404"),
    ] {
        let checks = address(&format!("{}/b", host(replies)), &Asked::default());
        let bad = those(&checks, State::Bad).join("\n");
        assert!(bad.contains(words), "{words} in {checks:?}");
    }
    for url in ["http://127.0.0.1:9/", "ftp://x/", "no address", ""] {
        assert_eq!(
            those(&address(url, &Asked::default()), State::Bad).len(),
            1,
            "{url}"
        );
    }
}

#[test]
fn a_folder_is_a_bundle_or_says_why_not() {
    assert_eq!(those(&folder(&golden()), State::Bad), [""; 0]);
    let empty = tempfile::tempdir().expect("a folder");
    assert_eq!(those(&folder(empty.path()), State::Bad).len(), 1);
}
