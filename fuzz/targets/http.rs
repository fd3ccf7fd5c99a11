//! Requests to the weights server: arbitrary bytes on a connection, through everything that answers them.

#![no_main]

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use ingle_fuzz::within;
use ingle_serve::axum::Router;
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::runtime::{Builder, Runtime};

/// What lies beside the files that may be sent, in files of its own.
const SECRET: &[u8] = b"ee5bd2a41c0f";
/// Longest answer that is read; many short requests can be asked in one input.
const ANSWER: u64 = 1 << 20;

struct Server {
    runtime: Runtime,
    router: Router,
    /// What may be sent, byte for byte.
    files: Vec<Vec<u8>>,
}

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let dir = std::env::temp_dir();
    let [bundle, site] = ["bundle", "site"].map(|name| dir.join(name));
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/bundle/tests/data/v1");
    let mut files = Vec::new();
    for folder in [&bundle, &site, &site.join("pages")] {
        fs::create_dir_all(folder).expect("a folder");
    }
    for entry in fs::read_dir(golden).expect("the golden bundle") {
        let path = entry.expect("a file").path();
        let name = path.file_name().expect("a name");
        fs::copy(&path, bundle.join(name)).expect("copies");
        files.push(fs::read(&path).expect("reads"));
    }
    for (name, text) in [
        ("index.html", "<title>Shop</title>"),
        ("pages/a b.txt", "0123456789"),
    ] {
        fs::write(site.join(name), text).expect("writes");
        files.push(text.into());
    }
    for secret in ["secret.txt", "bundle/secret.txt", "site/.secret.txt"] {
        fs::write(dir.join(secret), SECRET).expect("writes");
    }
    let runtime = Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let router = {
        let _entered = runtime.enter();
        let bundle = ingle_serve::router(&bundle).expect("the golden bundle is sound");
        ingle_serve::with_site(bundle, &site, ingle_serve::SITE_POLICY).expect("a site")
    };
    Server {
        runtime,
        router,
        files,
    }
});

fuzz_target!(
    init: {
        let page = SERVER.runtime.block_on(answer(b"GET / HTTP/1.1\r\n\r\n"));
        assert!(page.starts_with(b"HTTP/1.1 200 OK\r\n") && page.ends_with(b"</title>"));
    },
    |bytes: &[u8]| {
        let answer = within(bytes.len(), || SERVER.runtime.block_on(answer(bytes)));
        check(&answer, bytes);
    }
);

/// All that comes back on a connection on which these bytes were sent.
async fn answer(bytes: &[u8]) -> Vec<u8> {
    let (client, server) = tokio::io::duplex(64 << 10);
    let service = TowerToHyperService::new(SERVER.router.clone());
    // As the server has them.
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(15))
        .max_buf_size(32 << 10)
        .half_close(true)
        .serve_connection(TokioIo::new(server), service);
    let (reader, mut writer) = tokio::io::split(client);
    let talk = async {
        // The server may have hung up already.
        let _ = writer.write_all(bytes).await;
        let _ = writer.shutdown().await;
    };
    let mut answer = Vec::new();
    let mut reader = reader.take(ANSWER);
    let (_, _, read) = tokio::join!(connection, talk, reader.read_to_end(&mut answer));
    read.expect("memory is read");
    answer
}

/// The answer to the first request, which is all that is looked at closely.
fn check(answer: &[u8], request: &[u8]) {
    if answer.is_empty() {
        return;
    }
    let leaked = answer.windows(SECRET.len()).any(|window| window == SECRET);
    assert!(!leaked || request.windows(SECRET.len()).any(|window| window == SECRET));
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
    let (head, body) = answer.split_at(end.expect("a head") + 4);
    let head = str::from_utf8(head).expect("a head is text").trim_end();
    let mut lines = head.split("\r\n");
    let status = lines.next().expect("a first line");
    let code = status
        .strip_prefix("HTTP/1.1 ")
        .or_else(|| status.strip_prefix("HTTP/1.0 "));
    let code: u16 = code
        .and_then(|rest| rest.get(..3)?.parse().ok())
        .expect("a status");
    assert!((200..500).contains(&code), "{status}");
    let headers: BTreeMap<String, &str> = lines
        .map(|line| line.split_once(": ").expect("a header"))
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .collect();
    for name in headers.keys() {
        assert!(HEADERS.contains(&name.as_str()), "{name}");
    }
    if !request.starts_with(b"GET ") || headers.contains_key("content-encoding") {
        return;
    }
    let length = headers
        .get("content-length")
        .and_then(|length| length.parse().ok());
    let body = &body[..length.unwrap_or(0).min(body.len())];
    match code {
        200 if length.is_some() => assert!(SERVER.files.iter().any(|file| file == body)),
        206 if headers["content-type"].starts_with("multipart/") => {}
        206 => {
            let (range, whole) = headers["content-range"].split_once('/').expect("a range");
            let (from, to) = range["bytes ".len()..].split_once('-').expect("a range");
            let [from, to, whole] =
                [from, to, whole].map(|n| n.parse::<usize>().expect("a number"));
            let mut files = SERVER.files.iter().filter(|file| file.len() == whole);
            assert!(files.any(|file| &file[from..=to] == body));
        }
        _ => {}
    }
}

/// Every header that an answer may have.
const HEADERS: [&str; 22] = [
    "accept-ranges",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "allow",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-security-policy",
    "content-type",
    "cross-origin-resource-policy",
    "date",
    "etag",
    "last-modified",
    "location",
    "referrer-policy",
    "transfer-encoding",
    "vary",
    "x-content-type-options",
];
