//! Bundles in folders: read, written, and replaced while somebody reads.

use std::fs;
use std::path::Path;

use ingle_bundle::{FileEntry, MANIFEST, Manifest, Role, dir};

use crate::golden_bundle;
use crate::support::Files;

fn written() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    dir::write_dir(&golden_bundle::bundle(), folder.path()).unwrap();
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn reads_what_it_wrote() {
    let folder = written();
    let read = dir::read_dir(folder.path()).unwrap();
    assert_eq!(read.items, golden_bundle::bundle().items);
    assert_eq!(names(folder.path()).len(), 4, "nothing else is left behind");
}

#[test]
fn makes_the_folders_that_are_missing_and_names_what_it_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("new/bundle");
    let mut written = dir::write_dir(&golden_bundle::bundle(), &deep).unwrap();
    assert_eq!(written.last().unwrap(), MANIFEST);
    written.sort();
    assert_eq!(written, names(&deep));
    dir::read_dir(&deep).unwrap();
}

#[test]
fn replacing_a_bundle_keeps_the_files_of_the_one_before() {
    let folder = written();
    let before = names(folder.path());
    let mut bundle = golden_bundle::bundle();
    bundle.ids = std::iter::once("new")
        .chain(bundle.ids.iter().skip(1))
        .collect();
    dir::write_dir(&bundle, folder.path()).unwrap();
    assert_eq!(dir::read_dir(folder.path()).unwrap().ids[0], *"new");
    let after = names(folder.path());
    assert_eq!(after.len(), before.len() + 1, "the new list of ids");
    assert!(before.iter().all(|name| after.contains(name)));
}

#[test]
fn a_write_that_fails_leaves_the_old_bundle() {
    let folder = written();
    let mut files = golden_bundle::bundle().write(3).unwrap();
    // A folder with the name of the model's file cannot be replaced by it.
    let (name, _) = &mut files[0];
    *name = "model-0000000000000000.safetensors".to_owned();
    fs::create_dir(folder.path().join(&*name)).unwrap();
    let error = dir::write_files(folder.path(), &files).unwrap_err();
    assert_eq!(error.code(), "bundle/io");
    dir::read_dir(folder.path()).unwrap();
    assert_eq!(
        names(folder.path()).len(),
        5,
        "nothing half-written is left behind"
    );
}

#[test]
fn writing_again_mends_a_damaged_file() {
    let folder = written();
    let (_, name) = Files::golden().find("model");
    fs::write(folder.path().join(&name), b"damaged").unwrap();
    assert_eq!(
        dir::read_dir(folder.path()).unwrap_err().code(),
        "bundle/size"
    );
    dir::write_dir(&golden_bundle::bundle(), folder.path()).unwrap();
    dir::read_dir(folder.path()).unwrap();
}

#[test]
fn says_which_file_is_missing() {
    let folder = written();
    let (_, name) = Files::golden().find("ids");
    fs::remove_file(folder.path().join(&name)).unwrap();
    let error = dir::read_dir(folder.path()).unwrap_err();
    assert_eq!(error.code(), "bundle/missing");
    assert!(error.to_string().contains(&name), "{error}");

    let empty = tempfile::tempdir().unwrap();
    let error = dir::read_dir(empty.path()).unwrap_err();
    assert_eq!(error.code(), "bundle/missing");
    assert!(error.to_string().contains(MANIFEST), "{error}");
}

#[test]
fn reads_no_further_than_the_manifest_says() {
    let folder = written();
    let manifest = Manifest::parse(&dir::read_manifest(folder.path()).unwrap()).unwrap();
    let entry = &manifest.files[0];
    fs::write(folder.path().join(&entry.name), vec![0; 1 << 20]).unwrap();
    let bytes = dir::read_file(folder.path(), entry).unwrap();
    assert_eq!(bytes.len() as u64, entry.bytes + 1);
    assert_eq!(entry.verify(&bytes).unwrap_err().code(), "bundle/size");
}

#[test]
fn reads_no_file_outside_the_folder_whatever_the_entry_says() {
    let folder = written();
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    let entry = FileEntry {
        name: format!("../{MANIFEST}"),
        ..FileEntry::for_bytes(Role::Ids, b"")
    };
    assert_eq!(
        dir::read_file(&inner, &entry).unwrap_err().code(),
        "bundle/name"
    );
}
