//! Clients that are slow, silent, rude or too many, and those who are not.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use ingle_bundle::{ItemTable, dir};
use ingle_serve::{Bundle, Limits};
use tempfile::TempDir;

use crate::client::{connect, get, receive, request, send};
use crate::crowd::{Crowd, Latencies};
use crate::fixture::{Running, bundle, file, folder};

/// What is waited for in these tests, and so how long they take.
const PATIENCE: Duration = Duration::from_secs(1);

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.request = PATIENCE;
    limits.stall = PATIENCE;
    limits
}

/// A folder with a file of 64 MB, more than sockets hold.
fn large() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let items = ItemTable::f32(vec![0.25; 200 * 80_000], 80_000);
    dir::write_dir(
        &ingle_bundle::Bundle {
            items,
            ..bundle("large")
        },
        folder.path(),
    )
    .unwrap();
    folder
}

/// Waits for the end of a connection; says when it came.
fn closed(stream: &mut TcpStream) -> Duration {
    let start = Instant::now();
    match stream.read_to_end(&mut Vec::new()) {
        Ok(_) => {}
        Err(error) => assert_ne!(error.kind(), ErrorKind::WouldBlock, "it is still open"),
    }
    start.elapsed()
}

#[test]
fn a_request_that_does_not_come_ends_the_connection() {
    let folder = folder("shop");
    let server = Running::limited(Bundle::open(folder.path()).unwrap(), limits());
    for sent in [
        "",
        "G",
        "GET /manifest.json HTTP/1.1\r\n",
        "GET /manifest.json HTTP/1.1\r\nhost: shop.example\r\n",
    ] {
        let mut stream = connect(server.addr);
        stream.write_all(sent.as_bytes()).unwrap();
        let took = closed(&mut stream);
        assert!(took > PATIENCE / 2, "{sent:?} after {took:?}");
    }
}

#[test]
fn a_request_that_trickles_in_is_not_waited_for_longer() {
    let folder = folder("shop");
    let server = Running::limited(Bundle::open(folder.path()).unwrap(), limits());
    let mut stream = connect(server.addr);
    let start = Instant::now();
    stream
        .write_all(b"GET /manifest.json HTTP/1.1\r\nx: ")
        .unwrap();
    while stream.write_all(b"x").is_ok() {
        assert!(start.elapsed() < PATIENCE * 20, "it is still open");
        std::thread::sleep(PATIENCE / 10);
    }
    assert!(start.elapsed() > PATIENCE / 2);
}

#[test]
fn a_connection_that_is_kept_open_for_nothing_is_closed() {
    let folder = folder("shop");
    let server = Running::limited(Bundle::open(folder.path()).unwrap(), limits());
    let mut stream = connect(server.addr);
    // It may be used again before that.
    for _ in 0..3 {
        stream
            .write_all(b"HEAD /manifest.json HTTP/1.1\r\nhost: shop.example\r\n\r\n")
            .unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
        let mut head = vec![0; 4096];
        let _ = stream.read(&mut head).unwrap();
        std::thread::sleep(PATIENCE / 4);
    }
    closed(&mut stream);
}

#[test]
fn a_client_that_takes_nothing_is_cut_off() {
    let folder = large();
    let items = file(folder.path(), "items");
    let server = Running::limited(Bundle::open(folder.path()).unwrap(), limits());
    let mut stream = connect(server.addr);
    send(&mut stream, "GET", &format!("/{items}"), &[]);
    std::thread::sleep(PATIENCE * 4);
    let mut bytes = Vec::new();
    // Reset, or ended early: either way the rest is not there.
    let _ = stream.read_to_end(&mut bytes);
    let length = std::fs::metadata(folder.path().join(items)).unwrap().len();
    assert!(
        (bytes.len() as u64) < length / 2,
        "{} bytes came",
        bytes.len()
    );
}

#[test]
fn a_client_that_takes_a_little_again_and_again_is_not() {
    let folder = large();
    let items = file(folder.path(), "items");
    let server = Running::limited(Bundle::open(folder.path()).unwrap(), limits());
    let mut stream = connect(server.addr);
    send(&mut stream, "GET", &format!("/{items}"), &[]);
    let start = Instant::now();
    let (mut got, mut piece) = (0, vec![0; 1 << 20]);
    loop {
        let read = stream.read(&mut piece).unwrap();
        if read == 0 {
            break;
        }
        got += read as u64;
        if start.elapsed() < PATIENCE * 3 {
            std::thread::sleep(PATIENCE / 10);
        }
    }
    let length = std::fs::metadata(folder.path().join(items)).unwrap().len();
    assert!(
        start.elapsed() > PATIENCE * 3 && got > length,
        "{got} of {length}"
    );
}

#[test]
fn a_client_that_closes_its_half_is_answered() {
    let folder = large();
    let items = file(folder.path(), "items");
    let server = Running::bundle(folder.path());
    let mut stream = connect(server.addr);
    send(&mut stream, "GET", &format!("/{items}"), &[]);
    stream.shutdown(Shutdown::Write).unwrap();
    let answer = receive(stream);
    assert!(answer.body == std::fs::read(folder.path().join(items)).unwrap());
}

#[test]
fn a_client_that_goes_away_leaves_nothing_behind() {
    let folder = large();
    let items = file(folder.path(), "items");
    let mut limits = limits();
    limits.grace = Duration::from_mins(1);
    let mut server = Running::limited(Bundle::open(folder.path()).unwrap(), limits);
    for _ in 0..20 {
        let mut stream = connect(server.addr);
        send(&mut stream, "GET", &format!("/{items}"), &[]);
        stream.read_exact(&mut [0; 1]).unwrap();
    }
    let start = Instant::now();
    server.stop();
    server.join().unwrap();
    assert!(
        start.elapsed() < Duration::from_secs(30),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn a_body_is_neither_taken_nor_waited_for() {
    let folder = folder("shop");
    let server = Running::limited(Bundle::open(folder.path()).unwrap(), limits());
    for (method, status) in [("GET", 200), ("POST", 405)] {
        for body in [
            ("content-length", "1000000000"),
            ("transfer-encoding", "chunked"),
        ] {
            let mut stream = connect(server.addr);
            send(&mut stream, method, "/manifest.json", &[body]);
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).unwrap();
            assert_eq!(
                answer[9..],
                *status.to_string().as_bytes(),
                "{method} {body:?}"
            );
            closed(&mut stream);
        }
    }
}

#[test]
fn a_request_without_an_end_is_refused() {
    let folder = folder("shop");
    let server = Running::bundle(folder.path());
    let mut stream = connect(server.addr);
    stream
        .write_all(b"GET /manifest.json HTTP/1.1\r\n")
        .unwrap();
    let line = format!("x: {}\r\n", "x".repeat(1000));
    // It stops reading when it has seen enough.
    for _ in 0..100_000 {
        if stream.write_all(line.as_bytes()).is_err() {
            break;
        }
    }
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(
        answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    assert_eq!(get(server.addr, "/manifest.json").status, 200);
}

#[test]
fn what_is_no_http_is_refused() {
    let folder = folder("shop");
    let server = Running::limited(Bundle::open(folder.path()).unwrap(), limits());
    for sent in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\n\r\n",
        b"\r\n\r\n\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\nhost: x\r\n\r\n",
    ] {
        let mut stream = connect(server.addr);
        stream.write_all(sent).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        assert!(
            answer.is_empty()
                || answer.starts_with("HTTP/1.1 4")
                || answer.starts_with("HTTP/1.1 505"),
            "{answer}"
        );
    }
    assert_eq!(get(server.addr, "/manifest.json").status, 200);
}

#[test]
fn newcomers_are_answered_when_all_connections_are_taken() {
    let folder = folder("shop");
    let mut limits = limits();
    limits.connections = 40;
    limits.request = Duration::from_mins(1);
    let server = Running::limited(Bundle::open(folder.path()).unwrap(), limits);
    let mut waiting: Vec<TcpStream> = Vec::new();
    for round in 0..200 {
        let mut stream = connect(server.addr);
        stream
            .write_all(b"GET /manifest.json HTTP/1.1\r\nx: ")
            .unwrap();
        waiting.push(stream);
        if round % 10 == 0 {
            assert_eq!(get(server.addr, "/manifest.json").status, 200, "{round}");
        }
    }
    // The oldest had to go, the newest are still there.
    closed(&mut waiting[0]);
    let newest = waiting.last_mut().unwrap();
    newest
        .write_all(b"x\r\nhost: shop.example\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    newest.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn a_download_that_moves_stays_when_room_is_made() {
    let folder = large();
    let items = file(folder.path(), "items");
    let mut limits = limits();
    limits.connections = 64;
    limits.request = Duration::from_mins(1);
    // Of making room alone: a reader that this machine holds up for long is another test's.
    limits.stall = Duration::from_mins(1);
    let server = Running::limited(Bundle::open(folder.path()).unwrap(), limits);
    let mut download = connect(server.addr);
    send(&mut download, "GET", &format!("/{items}"), &[]);
    let (mut got, mut piece, mut idle) = (0, vec![0; 1 << 20], Vec::new());
    loop {
        let read = download.read(&mut piece).unwrap();
        if read == 0 {
            break;
        }
        got += read as u64;
        while (idle.len() as u64) < got >> 19 {
            idle.push(connect(server.addr));
        }
    }
    let length = std::fs::metadata(folder.path().join(items)).unwrap().len();
    assert!(
        idle.len() > 100 && got > length,
        "{got} of {length} beside {}",
        idle.len()
    );
}

/// Requests to a server in a process of its own, beside `slow` connections that are held open.
fn beside(slow: usize, requests: usize) -> (Latencies, Latencies, u64) {
    let folder = tempfile::tempdir().unwrap();
    let items = ItemTable::f32(vec![0.25; 200 * 13_000], 13_000);
    dir::write_dir(
        &ingle_bundle::Bundle {
            items,
            ..bundle("shop")
        },
        folder.path(),
    )
    .unwrap();
    let (server, addr) = crate::program::start_until_dropped(folder.path());
    let model = format!("/{}", file(folder.path(), "model"));
    let alone = latencies(addr, &model, requests);
    let crowd = Crowd::gather(addr, &format!("/{}", file(folder.path(), "items")), slow);
    let among = latencies(addr, &model, requests);
    let held = crowd.held();
    let memory = crate::crowd::resident(server.0.id());
    // Some are just being opened again.
    assert!(held * 10 >= slow * 9, "{held} slow connections were held");
    drop(crowd);
    drop(server);
    (alone, among, memory)
}

/// Half of the requests on a connection of their own, as a visitor's first one is.
fn latencies(addr: SocketAddr, target: &str, requests: usize) -> Latencies {
    let mut kept = connect(addr);
    let times = (0..requests).map(|at| {
        let start = Instant::now();
        if at % 2 == 0 {
            assert_eq!(request(addr, "GET", target, &[]).status, 200);
        } else {
            write!(kept, "HEAD {target} HTTP/1.1\r\nhost: shop.example\r\n\r\n").unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0; 512];
                let read = kept.read(&mut byte).unwrap();
                assert!(read > 0, "the connection was closed");
                head.extend_from_slice(&byte[..read]);
            }
            assert!(head.starts_with(b"HTTP/1.1 200"));
        }
        start.elapsed()
    });
    Latencies::new(times.collect())
}

#[test]
fn others_are_answered_beside_slow_connections() {
    let (alone, among, _) = beside(400, 400);
    // Generous, because the machine does other things; without limits nobody would be answered at all.
    let limit = Duration::from_millis(250).max(alone.quantile(0.99) * 5);
    assert!(
        among.quantile(0.99) < limit,
        "{among:?} beside, {alone:?} alone"
    );
}

/// `./build.sh bench serve` runs this.
#[test]
#[ignore = "ten thousand connections: for the benchmark"]
fn others_are_answered_beside_ten_thousand_slow_connections() {
    let (slow, requests) = (10_000, 10_000);
    crate::crowd::raise_open_files(slow as u64 + 1000);
    let (alone, among, memory) = beside(slow, requests);
    let p99 = |latencies: &Latencies| latencies.quantile(0.99).as_secs_f64() * 1000.0;
    crate::crowd::row(
        "10,000 slow connections",
        "others' p99 ms",
        p99(&among),
        "none slow",
        p99(&alone),
    );
    println!(
        "memory of the server's process beside them: {:.0} MB",
        memory as f64 / 1e6
    );
    assert!(p99(&among) < 50.0, "{among:?} beside, {alone:?} alone");
}
