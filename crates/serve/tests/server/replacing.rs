//! A new bundle in the folder of a running server.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use ingle_bundle::{Bundle, ItemTable, dir, sha256_hex};

use crate::client::{connect, get, receive, send};
use crate::fixture::{Running, bundle, file, folder, name_served, served};

/// More than the sockets between two can hold.
fn large(name: &str, value: f32) -> Bundle {
    let items = ItemTable::f32(vec![value; 200 * 80_000], 80_000);
    Bundle {
        items,
        ..bundle(name)
    }
}

/// As if it had been written long ago.
fn age(path: &Path) {
    let file = fs::File::options().append(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_hours(1))
        .unwrap();
}

#[test]
fn serves_a_new_bundle_without_a_restart() {
    let folder = folder("first");
    let server = Running::bundle(folder.path());
    let old_ids = file(folder.path(), "ids");
    dir::write_dir(&bundle("second"), folder.path()).unwrap();
    served(server.addr, "second");
    let new_ids = file(folder.path(), "ids");
    assert_ne!(new_ids, old_ids);
    assert_eq!(get(server.addr, &format!("/{new_ids}")).status, 200);
}

#[test]
fn a_new_manifest_is_noticed_by_its_contents() {
    let folder = folder("shop a");
    let path = folder.path().join("manifest.json");
    let before = fs::metadata(&path).unwrap();
    let server = Running::bundle(folder.path());
    assert_eq!(name_served(server.addr), "shop a");
    // As long, and as old, as the one before.
    dir::write_dir(&bundle("shop b"), folder.path()).unwrap();
    let file = fs::File::options().append(true).open(&path).unwrap();
    file.set_modified(before.modified().unwrap()).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().len(), before.len());
    assert_eq!(
        fs::metadata(&path).unwrap().modified().unwrap(),
        before.modified().unwrap()
    );
    served(server.addr, "shop b");
}

#[test]
fn files_of_every_earlier_bundle_in_the_folder_are_served_even_after_a_restart() {
    let folder = folder("first");
    let mut files = Vec::new();
    let mut server = Running::bundle(folder.path());
    for name in ["second", "the third", "fourth"] {
        for role in ["ids", "items", "model"] {
            let file = file(folder.path(), role);
            files.push((
                format!("/{file}"),
                fs::read(folder.path().join(file)).unwrap(),
            ));
        }
        dir::write_dir(&bundle(name), folder.path()).unwrap();
        served(server.addr, name);
        for (target, bytes) in &files {
            assert!(get(server.addr, target).body == *bytes, "{target}");
        }
    }
    server.stop();
    server.join().unwrap();
    let server = Running::bundle(folder.path());
    for (target, bytes) in &files {
        let answer = get(server.addr, target);
        assert!(answer.body == *bytes, "{target}");
        assert_eq!(
            answer.header("cache-control"),
            "public, max-age=31536000, immutable"
        );
        let part = crate::client::request(server.addr, "GET", target, &[("range", "bytes=7-")]);
        assert!(part.status == 206 && part.body == bytes[7..], "{target}");
    }
}

#[test]
fn the_bundle_before_is_served_though_its_files_were_deleted() {
    for is_old in [true, false] {
        let folder = folder("first");
        let ids = file(folder.path(), "ids");
        if is_old {
            age(&folder.path().join(&ids));
        }
        let server = Running::bundle(folder.path());
        let before = get(server.addr, &format!("/{ids}")).body;
        dir::write_dir(&bundle("second"), folder.path()).unwrap();
        fs::remove_file(folder.path().join(&ids)).unwrap();
        served(server.addr, "second");
        for _ in 0..3 {
            assert!(get(server.addr, &format!("/{ids}")).body == before);
        }
        dir::write_dir(&bundle("the third"), folder.path()).unwrap();
        served(server.addr, "the third");
        assert_eq!(get(server.addr, &format!("/{ids}")).status, 404);
    }
}

#[test]
fn an_earlier_file_is_sent_only_while_its_contents_are_what_its_name_says() {
    let folder = folder("first");
    let ids = file(folder.path(), "ids");
    let (path, target) = (folder.path().join(&ids), format!("/{ids}"));
    let good = fs::read(&path).unwrap();
    dir::write_dir(&bundle("second"), folder.path()).unwrap();
    let server = Running::bundle(folder.path());
    for is_old in [true, false] {
        let put = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            if is_old {
                age(&path);
            }
        };
        for round in 0..3 {
            put(&good);
            assert!(get(server.addr, &target).body == good, "{round}");
            let mut damaged = good.clone();
            damaged[round] ^= 1;
            put(&damaged);
            for _ in 0..2 {
                assert_eq!(get(server.addr, &target).status, 404, "{round}");
            }
        }
        fs::remove_file(&path).unwrap();
        assert_eq!(get(server.addr, &target).status, 404);
    }
}

#[test]
fn a_download_under_way_ends_with_the_bytes_that_it_began_with() {
    let folder = tempfile::tempdir().unwrap();
    dir::write_dir(&large("first", 0.25), folder.path()).unwrap();
    let items = file(folder.path(), "items");
    let whole = fs::read(folder.path().join(&items)).unwrap();
    let server = Running::bundle(folder.path());
    let begin = || {
        let mut download = connect(server.addr);
        send(&mut download, "GET", &format!("/{items}"), &[]);
        download.read_exact(&mut [0; 1]).unwrap();
        download
    };
    // One from memory, and after the deployment one from the disk.
    let from_memory = begin();
    dir::write_dir(&large("second", 0.5), folder.path()).unwrap();
    served(server.addr, "second");
    let from_disk = begin();
    fs::remove_file(folder.path().join(&items)).unwrap();
    dir::write_dir(&large("the third", 0.75), folder.path()).unwrap();
    served(server.addr, "the third");
    for download in [from_memory, from_disk] {
        assert!(receive(download).body == whole);
    }
}

#[test]
fn keeps_serving_what_was_sound_when_the_folder_is_not() {
    let folder = folder("first");
    let server = Running::bundle(folder.path());
    let before = get(server.addr, "/manifest.json").body;
    let ids = format!("/{}", file(folder.path(), "ids"));
    let ids_before = get(server.addr, &ids).body;
    let manifest = folder.path().join("manifest.json");
    let still = || {
        // Longer than it takes to look at the folder.
        std::thread::sleep(Duration::from_millis(600));
        assert_eq!(get(server.addr, "/manifest.json").body, before);
        assert_eq!(get(server.addr, &ids).body, ids_before);
    };
    fs::write(&manifest, "{\"format\": 1, \"name\": \"half a ma").unwrap();
    still();
    fs::remove_file(&manifest).unwrap();
    still();
    // Mended, it is served.
    dir::write_dir(&bundle("second"), folder.path()).unwrap();
    served(server.addr, "second");
}

#[test]
fn a_bundle_that_arrives_manifest_first_is_served_when_it_is_whole() {
    let (folder, made) = (folder("first"), tempfile::tempdir().unwrap());
    let mut second = bundle("second");
    second.weights.get_mut("gamma").unwrap().data[0] = 0.75;
    dir::write_dir(&second, made.path()).unwrap();
    let server = Running::bundle(folder.path());
    let copy = |name: &str| {
        fs::copy(made.path().join(name), folder.path().join(name)).unwrap();
    };
    copy("manifest.json");
    for role in ["ids", "items"] {
        copy(&file(made.path(), role));
        std::thread::sleep(Duration::from_millis(400));
        assert_eq!(name_served(server.addr), "first");
    }
    // The last one arrives in two parts.
    let name = file(made.path(), "model");
    let bytes = fs::read(made.path().join(&name)).unwrap();
    let mut file = fs::File::create(folder.path().join(&name)).unwrap();
    file.write_all(&bytes[..40]).unwrap();
    std::thread::sleep(Duration::from_millis(600));
    assert_eq!(name_served(server.addr), "first");
    file.write_all(&bytes[40..]).unwrap();
    served(server.addr, "second");
    let answer = get(server.addr, &format!("/{name}"));
    assert_eq!(sha256_hex(&answer.body), sha256_hex(&bytes));
}

#[test]
fn a_bundle_can_be_taken_back() {
    let folder = folder("first");
    let server = Running::bundle(folder.path());
    for name in ["second", "first", "second", "first"] {
        dir::write_dir(&bundle(name), folder.path()).unwrap();
        served(server.addr, name);
        let ids = file(folder.path(), "ids");
        let bytes = fs::read(folder.path().join(&ids)).unwrap();
        assert!(get(server.addr, &format!("/{ids}")).body == bytes);
    }
}

#[test]
fn a_deployment_shows_within_a_second() {
    let folder = folder("first");
    let server = Running::bundle(folder.path());
    let names = ["second", "the third", "fourth", "fifth", "sixth"];
    let mut waits: Vec<Duration> = names
        .iter()
        .map(|name| {
            dir::write_dir(&bundle(name), folder.path()).unwrap();
            let start = std::time::Instant::now();
            served(server.addr, name);
            start.elapsed()
        })
        .collect();
    waits.sort();
    // The middle one: a machine may be busy once.
    assert!(waits[2] < Duration::from_secs(1), "{waits:?}");
}

#[test]
fn a_file_changed_behind_its_back_is_not_sent() {
    let folder = folder("shop");
    let server = Running::bundle(folder.path());
    let ids = file(folder.path(), "ids");
    let before = get(server.addr, &format!("/{ids}")).body;
    fs::write(folder.path().join(&ids), "[\"changed\"]").unwrap();
    assert_eq!(get(server.addr, &format!("/{ids}")).body, before);
}
