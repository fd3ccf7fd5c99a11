//! What caches may keep, and for how long.

use crate::client::{get, request};
use crate::fixture::{Running, compressed, file, folder};

#[test]
fn hashed_files_are_kept_for_ever() {
    let folder = folder("shop");
    let server = Running::bundle(folder.path());
    for role in ["model", "items", "ids"] {
        let answer = get(server.addr, &format!("/{}", file(folder.path(), role)));
        let cache = answer.header("cache-control");
        assert_eq!(cache, "public, max-age=31536000, immutable", "{role}");
    }
}

#[test]
fn the_manifest_is_kept_by_nobody_and_gives_browsers_nothing_to_be_known_again_by() {
    let folder = folder("shop");
    let server = Running::bundle(folder.path());
    for encoding in ["identity", "gzip", "br"] {
        for condition in [
            ("if-none-match", "*"),
            ("if-modified-since", "Fri, 01 Jan 2100 00:00:00 GMT"),
            ("range", "bytes=0-9"),
        ] {
            let headers = [("accept-encoding", encoding), condition];
            let answer = request(server.addr, "GET", "/manifest.json", &headers);
            assert_eq!(answer.status, 200, "{condition:?}");
            assert_eq!(answer.header("cache-control"), "no-store");
            for header in [
                "etag",
                "last-modified",
                "accept-ranges",
                "set-cookie",
                "expires",
            ] {
                assert_eq!(answer.header(header), "", "{header}");
            }
        }
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
    let model = format!("/{}", file(folder.path(), "model"));
    for target in [&model, &ids] {
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
    let ids = format!("/{}", file(folder.path(), "ids"));
    for condition in ["\"other\"", "", "no tag at all", "\"", "W/"] {
        let headers = [("if-none-match", condition)];
        let answer = request(server.addr, "GET", &ids, &headers);
        assert_eq!(answer.status, 200, "{condition}");
        assert!(!answer.body.is_empty());
    }
}

#[test]
fn every_encoding_has_a_tag_of_its_own() {
    let folder = folder("shop");
    let server = Running::bundle(folder.path());
    let ids = format!("/{}", file(folder.path(), "ids"));
    compressed(server.addr, &ids);
    let tag = |encoding| {
        let headers = [("accept-encoding", encoding)];
        let answer = request(server.addr, "GET", &ids, &headers);
        answer.header("etag").to_owned()
    };
    let (plain, gzip, brotli) = (tag("identity"), tag("gzip"), tag("br"));
    assert!(plain != gzip && gzip != brotli && plain != brotli);
    let headers = [("accept-encoding", "br"), ("if-none-match", &plain)];
    assert_eq!(request(server.addr, "GET", &ids, &headers).status, 200);
    let headers = [("accept-encoding", "br"), ("if-none-match", &brotli)];
    assert_eq!(request(server.addr, "GET", &ids, &headers).status, 304);
}

#[test]
fn another_way_to_compress_a_file_has_another_tag() {
    let tag = |folder: &std::path::Path| {
        let ids = format!("/{}", file(folder, "ids"));
        let server = Running::bundle(folder);
        compressed(server.addr, &ids);
        let headers = [("accept-encoding", "gzip")];
        let answer = request(server.addr, "GET", &ids, &headers);
        (answer.header("etag").to_owned(), answer.body)
    };
    let folder = folder("shop");
    let made_here = tag(folder.path());
    let ids = folder.path().join(file(folder.path(), "ids"));
    let bytes = std::fs::read(&ids).unwrap();
    let beside = std::fs::File::create(
        folder
            .path()
            .join(format!("{}.gz", file(folder.path(), "ids"))),
    );
    let mut encoder = flate2::write::GzEncoder::new(beside.unwrap(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, &bytes).unwrap();
    encoder.finish().unwrap();
    let made_before = tag(folder.path());
    assert_ne!(
        made_here.1, made_before.1,
        "the file beside it was not taken"
    );
    assert_ne!(made_here.0, made_before.0);
}

#[test]
fn the_channel_is_kept_by_nobody_and_signed_files_that_never_change_are_kept() {
    let folder = folder("shop");
    let server = Running::bundle(folder.path());
    let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let get = |name: &str| {
        request(
            server.addr,
            "GET",
            &format!("/{name}"),
            &[("range", "bytes=0-1")],
        )
    };
    assert_eq!(get("channel.json").status, 404);
    // Replaced under the same name, and seen at once.
    for text in ["first", "second"] {
        put("channel.json", text);
        let answer = get("channel.json");
        assert_eq!(answer.status, 200);
        assert_eq!(answer.body, text.as_bytes());
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("etag"), "");
        assert_eq!(answer.header("content-type"), "application/json");
    }
    let signed = "a signed manifest";
    let named = format!(
        "manifest-{}.json",
        &ingle_bundle::sha256_hex(signed.as_bytes())[..16]
    );
    put(&named, signed);
    put("keys-12.json", "keys");
    let delta = ingle_bundle::delta_name(&ingle_bundle::sha256_hex(b"a delta"));
    put(&delta, "a delta");
    for name in [&*named, "keys-12.json", &delta] {
        let answer = request(server.addr, "GET", &format!("/{name}"), &[]);
        assert_eq!(answer.status, 200, "{name}");
        assert_eq!(answer.header("content-encoding"), "", "{name}");
        assert_eq!(
            answer.header("cache-control"),
            "public, max-age=31536000, immutable"
        );
    }
    // Another file under its name is not sent.
    let other = ingle_bundle::delta_name(&ingle_bundle::sha256_hex(b"another delta"));
    put(&other, "a delta");
    assert_eq!(get(&other).status, 404);
    // A name without a hash says nothing of what is in a file: nothing large is read for it, and no other is sent.
    put("keys-2.json", &" ".repeat((32 << 10) + 1));
    for name in [
        "keys-.json",
        "keys-x.json",
        "keys-1.json",
        "channel-1-1.json",
        "private/offline.pem",
    ] {
        if name == "channel-1-1.json" {
            put(name, "a copy");
        }
        assert_eq!(get(name).status, 404, "{name}");
    }
    assert_eq!(get("keys-2.json").status, 404);
}
