//! Bundles that are not served.

use std::fs;
use std::path::Path;

use ingle_serve::ServeError;

use crate::fixture::{file, folder};

fn refusal(folder: &Path) -> String {
    let error = ingle_serve::router(folder).unwrap_err();
    assert!(matches!(error, ServeError::Bundle { .. }), "{error}");
    let message = error.to_string();
    assert!(message.contains(&folder.display().to_string()), "{message}");
    message
}

#[test]
fn refuses_a_folder_without_a_bundle() {
    let empty = tempfile::tempdir().unwrap();
    assert!(refusal(empty.path()).contains("manifest.json is missing"));
    assert!(refusal(&empty.path().join("nowhere")).contains("missing"));
}

#[test]
fn refuses_a_changed_byte_a_short_file_and_a_missing_one() {
    for role in ["model", "items", "ids"] {
        let folder = folder("shop");
        let name = file(folder.path(), role);
        let path = folder.path().join(&name);
        let whole = fs::read(&path).unwrap();

        let mut changed = whole.clone();
        changed[whole.len() / 2] ^= 1;
        fs::write(&path, changed).unwrap();
        let message = refusal(folder.path());
        assert!(
            message.contains(&format!("{name} has changed")),
            "{message}"
        );

        fs::write(&path, &whole[1..]).unwrap();
        assert!(refusal(folder.path()).contains("cut short"));

        fs::remove_file(&path).unwrap();
        assert!(refusal(folder.path()).contains("is missing"));
    }
}

#[test]
fn refuses_another_format_and_names_that_leave_the_folder() {
    let folder = folder("shop");
    let path = folder.path().join("manifest.json");
    let manifest = fs::read_to_string(&path).unwrap();
    fs::write(&path, manifest.replace("\"format\": 1", "\"format\": 2")).unwrap();
    assert!(refusal(folder.path()).contains("format 2"));
    let ids = file(folder.path(), "ids");
    fs::write(&path, manifest.replace(&ids, "../../etc/passwd")).unwrap();
    assert!(refusal(folder.path()).contains("../../etc/passwd"));
}

#[test]
fn refuses_an_address_that_is_taken() {
    let folder = folder("shop");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap();
    let router = ingle_serve::router(folder.path()).unwrap();
    let error = ingle_serve::run(router, addr, None, |_| panic!("it listens")).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains(&format!("cannot listen on {addr}")),
        "{message}"
    );
    assert!(message.contains("choose another"), "{message}");
}
