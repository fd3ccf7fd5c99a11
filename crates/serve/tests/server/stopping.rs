//! Stopping without cutting anybody off.

use std::io::Read;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use ingle_bundle::{ItemTable, dir};

use crate::client::{connect, receive, send};
use crate::fixture::{Running, bundle, file};

#[test]
fn a_download_under_way_is_ended_and_no_other_begun() {
    let folder = tempfile::tempdir().unwrap();
    let mut large = bundle("large");
    // More than the sockets between the two can hold, so that it is still under way.
    large.items = ItemTable::f32(vec![0.25; 200 * 80_000], 80_000);
    dir::write_dir(&large, folder.path()).unwrap();
    let items = file(folder.path(), "items");
    let mut server = Running::bundle(folder.path());

    let mut download = connect(server.addr);
    send(&mut download, "GET", &format!("/{items}"), &[]);
    let mut first = [0; 1];
    download.read_exact(&mut first).unwrap();
    server.stop();
    // Listening ends soon after, while the download waits.
    let patience = Instant::now() + Duration::from_secs(5);
    while TcpStream::connect(server.addr).is_ok() {
        assert!(Instant::now() < patience, "it still listens");
        std::thread::sleep(Duration::from_millis(10));
    }
    let rest = receive(download);
    let whole = std::fs::read(folder.path().join(&items)).unwrap();
    assert!(
        rest.body == whole,
        "{} of {} bytes",
        rest.body.len(),
        whole.len()
    );
    server.join().unwrap();
}

#[test]
fn idle_connections_do_not_hold_it_up() {
    let folder = crate::fixture::folder("shop");
    let mut server = Running::bundle(folder.path());
    let _idle = connect(server.addr);
    crate::client::get(server.addr, "/manifest.json");
    let start = Instant::now();
    server.stop();
    server.join().unwrap();
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
}
