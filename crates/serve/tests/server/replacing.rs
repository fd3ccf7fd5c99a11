//! A new bundle in the folder of a running server.

use std::fs;

use ingle_bundle::dir;

use crate::client::{get, request};
use crate::fixture::{Running, bundle, file, folder};

#[test]
fn serves_a_new_bundle_without_a_restart() {
    let folder = folder("first");
    let server = Running::bundle(folder.path());
    let old = get(server.addr, "/manifest.json");
    let old_ids = file(folder.path(), "ids");

    dir::write_dir(&bundle("second"), folder.path()).unwrap();
    let headers = [("if-none-match", old.header("etag"))];
    let new = request(server.addr, "GET", "/manifest.json", &headers);
    assert_eq!(new.status, 200);
    assert!(String::from_utf8(new.body).unwrap().contains("\"second\""));
    let new_ids = file(folder.path(), "ids");
    assert_ne!(new_ids, old_ids);
    assert_eq!(get(server.addr, &format!("/{new_ids}")).status, 200);

    // Visitors who hold the manifest before it still get its files, and then no more.
    assert_eq!(get(server.addr, &format!("/{old_ids}")).status, 200);
    dir::write_dir(&bundle("the third"), folder.path()).unwrap();
    get(server.addr, "/manifest.json");
    assert_eq!(get(server.addr, &format!("/{new_ids}")).status, 200);
    assert_eq!(get(server.addr, &format!("/{old_ids}")).status, 404);
}

#[test]
fn keeps_serving_what_was_sound_when_the_folder_is_not() {
    let folder = folder("first");
    let server = Running::bundle(folder.path());
    let before = get(server.addr, "/manifest.json").body;
    let ids = format!("/{}", file(folder.path(), "ids"));
    let ids_before = get(server.addr, &ids).body;
    let manifest = folder.path().join("manifest.json");

    fs::write(&manifest, "{\"format\": 1, \"name\": \"half a ma").unwrap();
    assert_eq!(get(server.addr, "/manifest.json").body, before);
    fs::remove_file(&manifest).unwrap();
    assert_eq!(get(server.addr, "/manifest.json").body, before);
    assert_eq!(get(server.addr, &ids).body, ids_before);

    // Mended, it is served.
    dir::write_dir(&bundle("second"), folder.path()).unwrap();
    let after = String::from_utf8(get(server.addr, "/manifest.json").body).unwrap();
    assert!(after.contains("\"second\""), "{after}");
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
