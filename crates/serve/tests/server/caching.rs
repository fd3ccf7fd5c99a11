//! What caches may keep, and for how long.

use crate::client::{get, request};
use crate::fixture::{Running, file, folder};

#[test]
fn the_manifest_is_revalidated_and_hashed_files_are_kept_for_ever() {
    let folder = folder("shop");
    let server = Running::bundle(folder.path());
    let manifest = get(server.addr, "/manifest.json");
    assert_eq!(manifest.header("cache-control"), "no-cache");
    for role in ["model", "items", "ids"] {
        let answer = get(server.addr, &format!("/{}", file(folder.path(), role)));
        let cache = answer.header("cache-control");
        assert_eq!(cache, "public, max-age=31536000, immutable", "{role}");
    }
}

#[test]
fn nothing_that_is_missing_is_kept() {
    let folder = folder("shop");
    let server = Running::bundle(folder.path());
    let missing = get(server.addr, "/model-0123456789abcdef.safetensors");
    assert_eq!(missing.status, 404);
    assert_eq!(missing.header("cache-control"), "");
    assert_eq!(missing.header("etag"), "");
}

#[test]
fn says_not_modified_to_those_who_have_it() {
    let folder = folder("shop");
    let server = Running::bundle(folder.path());
    let ids = format!("/{}", file(folder.path(), "ids"));
    for target in ["/manifest.json", &ids] {
        let whole = get(server.addr, target);
        let etag = whole.header("etag").to_owned();
        assert!(etag.starts_with('"') && etag.ends_with('"'), "{etag}");
        for condition in [
            etag.clone(),
            format!("W/{etag}"),
            format!("\"other\", {etag}"),
            "*".to_owned(),
        ] {
            for method in ["GET", "HEAD"] {
                let headers = [("if-none-match", condition.as_str())];
                let answer = request(server.addr, method, target, &headers);
                assert_eq!(answer.status, 304, "{method} {target} with {condition}");
                assert!(answer.body.is_empty());
                for header in ["etag", "cache-control", "vary"] {
                    assert_eq!(answer.header(header), whole.header(header), "{header}");
                }
                assert_eq!(answer.header("access-control-allow-origin"), "*");
            }
        }
    }
}

#[test]
fn sends_it_again_to_those_who_have_another() {
    let folder = folder("shop");
    let server = Running::bundle(folder.path());
    for condition in ["\"other\"", "", "no tag at all", "\"", "W/"] {
        let headers = [("if-none-match", condition)];
        let answer = request(server.addr, "GET", "/manifest.json", &headers);
        assert_eq!(answer.status, 200, "{condition}");
        assert!(!answer.body.is_empty());
    }
}

#[test]
fn every_encoding_has_a_tag_of_its_own() {
    let folder = folder("shop");
    let server = Running::bundle(folder.path());
    let tag = |encoding| {
        let headers = [("accept-encoding", encoding)];
        let answer = request(server.addr, "GET", "/manifest.json", &headers);
        answer.header("etag").to_owned()
    };
    let (plain, gzip, brotli) = (tag("identity"), tag("gzip"), tag("br"));
    assert!(plain != gzip && gzip != brotli && plain != brotli);
    let headers = [("accept-encoding", "br"), ("if-none-match", &plain)];
    assert_eq!(
        request(server.addr, "GET", "/manifest.json", &headers).status,
        200
    );
    let headers = [("accept-encoding", "br"), ("if-none-match", &brotli)];
    assert_eq!(
        request(server.addr, "GET", "/manifest.json", &headers).status,
        304
    );
}
