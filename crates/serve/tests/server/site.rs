//! A page and its bundle from one origin.

use std::fs;

use ingle_serve::{ServeError, router, with_site};
use tempfile::TempDir;

use crate::client::get;
use crate::fixture::{Running, folder};

fn site() -> TempDir {
    let site = tempfile::tempdir().unwrap();
    fs::write(site.path().join("index.html"), "<!doctype html><p>shop").unwrap();
    fs::create_dir(site.path().join("assets")).unwrap();
    for name in ["app.js", "app.wasm", "app.css"] {
        fs::write(site.path().join("assets").join(name), "x").unwrap();
    }
    site
}

#[test]
fn serves_the_page_at_the_root_and_the_bundle_below() {
    let (folder, site) = (folder("shop"), site());
    let bundle = router(folder.path()).unwrap();
    let server = Running::router(with_site(bundle, site.path()).unwrap());
    for (target, content_type) in [
        ("/", "text/html"),
        ("/index.html", "text/html"),
        ("/assets/app.js", "text/javascript"),
        ("/assets/app.wasm", "application/wasm"),
        ("/assets/app.css", "text/css"),
        ("/bundle/manifest.json", "application/json"),
    ] {
        let answer = get(server.addr, target);
        assert_eq!(answer.status, 200, "{target}");
        assert_eq!(answer.header("content-type"), content_type, "{target}");
        assert_eq!(answer.header("cache-control"), "no-cache", "{target}");
    }
    for target in [
        "/manifest.json",
        "/bundle",
        "/bundle/",
        "/bundle/index.html",
        "/bundle/../assets",
        "/missing.html",
        "/../index.html",
        "/..%2f..%2fetc/passwd",
    ] {
        assert_eq!(get(server.addr, target).status, 404, "{target}");
    }
}

#[test]
fn refuses_a_folder_without_a_page() {
    let (folder, empty) = (folder("shop"), tempfile::tempdir().unwrap());
    let error = with_site(router(folder.path()).unwrap(), empty.path()).unwrap_err();
    assert!(matches!(error, ServeError::Site { .. }));
    assert!(error.to_string().contains("index.html"), "{error}");
}
