//! A page and its bundle from one origin.

use std::fs;

use ingle_serve::{SITE_POLICY, ServeError, router, with_site};
use tempfile::TempDir;

use crate::client::{get, request};
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
    let server = Running::app(with_site(bundle, site.path(), SITE_POLICY).unwrap());
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
        let cache = if target.starts_with("/bundle") {
            "no-store"
        } else {
            "no-cache"
        };
        assert_eq!(answer.header("cache-control"), cache, "{target}");
        assert_eq!(
            answer.header("x-content-type-options"),
            "nosniff",
            "{target}"
        );
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
fn a_request_without_a_path_is_refused() {
    let (folder, site) = (folder("shop"), site());
    let bundle = router(folder.path()).unwrap();
    let server = Running::app(with_site(bundle, site.path(), SITE_POLICY).unwrap());
    for target in ["shop.example", "shop.example:80"] {
        assert_eq!(get(server.addr, target).status, 400, "{target}");
    }
}

#[test]
fn a_name_that_no_file_can_have_is_not_found() {
    let (folder, site) = (folder("shop"), site());
    let bundle = router(folder.path()).unwrap();
    let server = Running::app(with_site(bundle, site.path(), SITE_POLICY).unwrap());
    for length in [255, 256, 5_000] {
        let name = "a".repeat(length);
        for target in [
            format!("/{name}"),
            format!("/{name}/"),
            format!("/assets/{name}.js"),
            format!("/assets/app.js/{name}"),
            format!("/bundle/{name}"),
        ] {
            assert_eq!(get(server.addr, &target).status, 404, "{length}");
        }
    }
}

#[test]
fn refuses_a_folder_without_a_page() {
    let (folder, empty) = (folder("shop"), tempfile::tempdir().unwrap());
    let error = with_site(router(folder.path()).unwrap(), empty.path(), SITE_POLICY).unwrap_err();
    assert!(matches!(error, ServeError::Site { .. }));
    assert!(error.to_string().contains("index.html"), "{error}");
}

#[test]
fn the_site_is_sent_with_a_policy_that_lets_engines_run_and_nothing_else_in() {
    let (folder, site) = (folder("shop"), site());
    let bundle = router(folder.path()).unwrap();
    let server = Running::app(with_site(bundle, site.path(), SITE_POLICY).unwrap());
    for target in ["/", "/assets/app.js", "/missing.html"] {
        let answer = get(server.addr, target);
        assert_eq!(
            answer.header("content-security-policy"),
            SITE_POLICY,
            "{target}"
        );
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{target}");
    }
    for rule in [
        "default-src 'self'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(SITE_POLICY.split("; ").any(|found| found == rule), "{rule}");
    }
    assert!(!SITE_POLICY.contains("'unsafe-inline'") && !SITE_POLICY.contains("'unsafe-eval'"));
    assert_eq!(
        get(server.addr, "/bundle/manifest.json").header("content-security-policy"),
        ""
    );
}

#[test]
fn the_policy_can_be_another_or_none() {
    let (folder, site) = (folder("shop"), site());
    for policy in ["default-src *", ""] {
        let bundle = router(folder.path()).unwrap();
        let server = Running::app(with_site(bundle, site.path(), policy).unwrap());
        assert_eq!(
            get(server.addr, "/").header("content-security-policy"),
            policy
        );
    }
    let error = with_site(router(folder.path()).unwrap(), site.path(), "two\nlines").unwrap_err();
    assert!(matches!(error, ServeError::Policy { .. }), "{error}");
}

#[test]
fn hidden_files_of_a_site_stay_hidden() {
    let (folder, site) = (folder("shop"), site());
    fs::create_dir(site.path().join(".git")).unwrap();
    fs::create_dir(site.path().join(".well-known")).unwrap();
    for name in [
        ".env",
        ".git/config",
        "assets/.key",
        ".well-known/security.txt",
    ] {
        fs::write(site.path().join(name), "x").unwrap();
    }
    let bundle = router(folder.path()).unwrap();
    let server = Running::app(with_site(bundle, site.path(), SITE_POLICY).unwrap());
    for target in [
        "/.env",
        "/%2eenv",
        "/.git/config",
        "/%2Egit/config",
        "/assets/.key",
        "/assets/%2ekey",
    ] {
        assert_eq!(get(server.addr, target).status, 404, "{target}");
    }
    assert_eq!(get(server.addr, "/.well-known/security.txt").status, 200);
}

#[test]
fn compressed_files_of_a_site_are_sent_to_those_who_take_them() {
    let (folder, site) = (folder("shop"), site());
    fs::write(site.path().join("assets/app.js.br"), "brotli").unwrap();
    let bundle = router(folder.path()).unwrap();
    let server = Running::app(with_site(bundle, site.path(), SITE_POLICY).unwrap());
    let answer = request(
        server.addr,
        "GET",
        "/assets/app.js",
        &[("accept-encoding", "br")],
    );
    assert_eq!(
        (answer.header("content-encoding"), &answer.body[..]),
        ("br", &b"brotli"[..])
    );
    assert_eq!(answer.header("content-type"), "text/javascript");
    assert_eq!(get(server.addr, "/assets/app.js").body, b"x");
}
