//! Publishing to an S3 server, and what it does when the server fails.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hyper::Method;
use hyper::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE};
use ingle_delivery::{Access, Bucket, CHANNEL, DeliveryError, Store};

use crate::server::{Answer, Asked, BUCKET, KEY, Server};
use crate::support::{Place, Shop, found, unsigned};

/// How the server is reached with this secret.
fn access(server: &Server, secret: &str) -> Access {
    let settings = [
        ("AWS_ENDPOINT", &*server.url()),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", KEY.0),
        ("AWS_SECRET_ACCESS_KEY", secret),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Access {
        timeout: Duration::from_secs(20),
        ..Access::new(settings)
    }
}

fn bucket(server: &Server) -> Bucket {
    Bucket::open(&format!("s3://{BUCKET}/v1"), &access(server, KEY.1)).unwrap()
}

/// The same, but nothing is tried again.
fn impatient(server: &Server) -> Bucket {
    let access = Access {
        retry: Duration::ZERO,
        ..access(server, KEY.1)
    };
    Bucket::open(&format!("s3://{BUCKET}/v1"), &access).unwrap()
}

/// A server of its own. Its steps are that a request to write is done, and that the answer arrives.
struct ServerPlace(Server);

impl Place for ServerPlace {
    fn new() -> Self {
        Self(Server::new())
    }

    fn store(&self) -> Box<dyn Store> {
        self.0.answers(|_| Answer::Right);
        Box::new(bucket(&self.0))
    }

    fn ends_after(&self, last: usize) -> (Box<dyn Store>, Arc<AtomicUsize>) {
        let steps = Arc::new(AtomicUsize::new(0));
        let counted = steps.clone();
        self.0.answers(move |asked| {
            if counted.load(Ordering::SeqCst) >= last {
                return Answer::Gone;
            }
            if asked.method == Method::GET {
                return Answer::Right;
            }
            if counted.fetch_add(2, Ordering::SeqCst) + 1 >= last {
                return Answer::Lost;
            }
            Answer::Right
        });
        (Box::new(impatient(&self.0)), steps)
    }
}

crate::faults::hold_for!(ServerPlace);

/// A shop whose first release is out, and the server that it is on.
fn published() -> (Shop, Server) {
    let (shop, server) = (Shop::new(), Server::new());
    shop.release_to(&bucket(&server), 1.0, 1.0).unwrap();
    (shop, server)
}

/// What a second release fails with while the server answers so. The first one stays, whole, and the next one goes out.
fn fails(
    store: impl Fn(&Server) -> Bucket,
    rule: impl FnMut(&Asked) -> Answer + Send + 'static,
) -> DeliveryError {
    let (shop, server) = published();
    server.answers(rule);
    let error = shop.release_to(&store(&server), 2.0, 1.0).unwrap_err();
    server.answers(|_| Answer::Right);
    let store = bucket(&server);
    let release = found(&store, &shop.pins()).unwrap().channel.release;
    assert_eq!(release, 1, "{error}");
    unsigned(&store);
    shop.release_to(&store, 2.0, 1.0).unwrap();
    found(&store, &shop.pins()).unwrap();
    error
}

/// Whether something is written under a name that begins so.
fn writes(asked: &Asked, name: &str) -> bool {
    asked.method == Method::PUT && asked.name.starts_with(name)
}

#[test]
fn a_key_that_is_wrong_or_may_not_write_is_told_from_a_failure() {
    let server = Server::new();
    let wrong = Bucket::open(&format!("s3://{BUCKET}/v1"), &access(&server, "another")).unwrap();
    let shop = Shop::new();
    let error = shop.release_to(&wrong, 1.0, 1.0).unwrap_err();
    assert_eq!(error.code(), "delivery/denied");
    assert!(
        error.to_string().contains("SignatureDoesNotMatch"),
        "{error}"
    );
    assert_eq!(wrong.list().unwrap_err().code(), "delivery/denied");
    assert_eq!(bucket(&server).list().unwrap(), []);
    for name in ["items-", "manifest-", "channel-1-2", "channel.json"] {
        let error = fails(bucket, move |asked| {
            if writes(asked, name) {
                Answer::Status(403, "AccessDenied")
            } else {
                Answer::Right
            }
        });
        assert_eq!(error.code(), "delivery/denied", "{name}");
        assert!(error.to_string().contains("AccessDenied"), "{error}");
    }
}

#[test]
fn what_is_refused_for_a_time_is_tried_again() {
    let (shop, server) = published();
    let mut asked = 0;
    server.answers(move |_| {
        asked += 1;
        if asked % 3 == 1 {
            Answer::Status(503, "SlowDown")
        } else {
            Answer::Right
        }
    });
    shop.release_to(&bucket(&server), 2.0, 1.0).unwrap();
    server.answers(|_| Answer::Right);
    let release = found(&bucket(&server), &shop.pins()).unwrap();
    assert_eq!(release.channel.release, 2);
}

#[test]
fn a_server_that_refuses_for_ever_or_is_silent_is_given_up() {
    let soon = |server: &Server| {
        let access = Access {
            timeout: Duration::from_secs(1),
            retry: Duration::from_secs(1),
            ..access(server, KEY.1)
        };
        Bucket::open(&format!("s3://{BUCKET}/v1"), &access).unwrap()
    };
    for (answer, told) in [
        (Answer::Status(503, "SlowDown"), "SlowDown"),
        (Answer::Status(500, "InternalError"), "InternalError"),
        (Answer::Silence, "error"),
        (Answer::Gone, "error"),
    ] {
        for name in ["items-", "channel.json"] {
            let started = Instant::now();
            let error = fails(soon, move |asked| {
                if writes(asked, name) {
                    answer
                } else {
                    Answer::Right
                }
            });
            assert_eq!(error.code(), "delivery/io", "{answer:?}: {error}");
            assert!(error.to_string().contains(told), "{answer:?}: {error}");
            let took = started.elapsed();
            assert!(took < Duration::from_secs(30), "{answer:?}: {took:?}");
        }
    }
}

#[test]
fn a_write_whose_answer_is_lost_is_found_to_be_done() {
    let (shop, server) = published();
    let mut seen = std::collections::BTreeSet::new();
    server.answers(move |asked| {
        let is_first = asked.method == Method::PUT && seen.insert(asked.name.clone());
        if is_first {
            Answer::Lost
        } else {
            Answer::Right
        }
    });
    let done = shop.release_to(&bucket(&server), 2.0, 1.0).unwrap();
    assert_eq!(done.channel.release, 2);
    server.answers(|_| Answer::Right);
    let release = found(&bucket(&server), &shop.pins()).unwrap();
    assert_eq!(release.channel, done.channel);
}

#[test]
fn bytes_that_are_cut_short_or_damaged_are_not_believed() {
    for (name, code) in [
        ("items-", "bundle/hash"),
        ("channel.json", "delivery/format"),
    ] {
        for answer in [Answer::Cut, Answer::Damaged] {
            let (shop, server) = published();
            server.answers(move |asked| {
                if asked.method == Method::GET && asked.name.starts_with(name) {
                    answer
                } else {
                    Answer::Right
                }
            });
            let store = impatient(&server);
            let error = found(&store, &shop.pins()).unwrap_err();
            let code = if answer == Answer::Cut {
                "delivery/io"
            } else {
                code
            };
            assert_eq!(error.code(), code, "{name} {answer:?}: {error}");
        }
    }
    // What was written is read back: what does not arrive whole is not released.
    for answer in [Answer::Cut, Answer::Damaged] {
        let mut written = false;
        let error = fails(impatient, move |asked| {
            written |= writes(asked, "items-");
            let is_read = asked.method == Method::GET && asked.name.starts_with("items-");
            if written && is_read {
                answer
            } else {
                Answer::Right
            }
        });
        assert_eq!(error.code(), "delivery/io", "{answer:?}: {error}");
    }
}

#[test]
fn a_store_that_pays_no_heed_to_conditions_is_refused() {
    for header in ["if-none-match", "if-match"] {
        let error = fails(bucket, move |asked| {
            if asked.headers.contains_key(header) {
                Answer::Unconditional
            } else {
                Answer::Right
            }
        });
        assert_eq!(error.code(), "delivery/conditions", "{header}");
        let condition = if header == "if-match" {
            "one version"
        } else {
            "no such file"
        };
        assert!(error.to_string().contains(condition), "{error}");
    }
}

#[test]
fn a_store_that_forgets_what_it_has_taken_is_found_out() {
    for (name, code) in [
        ("items-", "delivery/io"),
        ("channel.json", "delivery/conflict"),
    ] {
        let error = fails(bucket, move |asked| {
            if writes(asked, name) {
                Answer::Forgotten
            } else {
                Answer::Right
            }
        });
        assert_eq!(error.code(), code, "{name}: {error}");
    }
}

#[test]
fn publishers_at_once_make_one_release_each_or_say_that_they_were_overtaken() {
    let (shop, server) = published();
    let outcomes = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for publisher in 0..4 {
            let (shop, server, outcomes) = (&shop, &server, &outcomes);
            scope.spawn(move || {
                let store = bucket(server);
                for turn in 0..3 {
                    let value = 2.0 + (publisher * 3 + turn) as f32;
                    let done = shop.release_to(&store, value, 1.0);
                    outcomes.lock().unwrap().push(done);
                }
            });
        }
    });
    let mut numbers = Vec::new();
    for outcome in outcomes.into_inner().unwrap() {
        match outcome {
            Ok(done) => numbers.push(done.channel.release),
            Err(error) => assert_eq!(error.code(), "delivery/conflict", "{error}"),
        }
    }
    numbers.sort_unstable();
    let last = found(&bucket(&server), &shop.pins())
        .unwrap()
        .channel
        .release;
    assert_eq!(numbers.last(), Some(&last));
    numbers.dedup();
    assert!(!numbers.is_empty());
}

#[test]
fn caches_and_browsers_are_told_what_a_file_is() {
    let (shop, server) = (Shop::new(), Server::new());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = seen.clone();
    server.answers(move |asked| {
        if asked.method == Method::PUT {
            let header = |name| {
                asked
                    .headers
                    .get(&name)
                    .map(|value| value.to_str().unwrap().to_owned())
            };
            let headers = [CACHE_CONTROL, CONTENT_TYPE, CONTENT_ENCODING].map(header);
            told.lock().unwrap().push((asked.name.clone(), headers));
        }
        Answer::Right
    });
    shop.release_to(&bucket(&server), 1.0, 1.0).unwrap();
    let seen = seen.lock().unwrap();
    for (name, [caching, kind, encoding]) in &*seen {
        let changes = ["channel.json", "manifest.json"].contains(&&**name);
        let right = if changes {
            "no-store"
        } else {
            "public, max-age=31536000, immutable"
        };
        assert_eq!(caching.as_deref(), Some(right), "{name}");
        let right = if name.ends_with(".json") {
            "application/json"
        } else {
            "application/octet-stream"
        };
        assert_eq!((kind.as_deref(), encoding), (Some(right), &None), "{name}");
    }
    let last = seen.last().map(|(name, _)| &**name);
    assert_eq!((last, seen.len() > 8), (Some(CHANNEL), true));
}

#[test]
fn a_bucket_that_is_not_there_is_named() {
    let server = Server::new();
    let store = Bucket::open("s3://nowhere/v1", &access(&server, KEY.1)).unwrap();
    let error = Shop::new().release_to(&store, 1.0, 1.0).unwrap_err();
    assert_eq!(error.code(), "delivery/missing");
    assert!(
        error.to_string().contains("the bucket of s3://nowhere/v1"),
        "{error}"
    );
}

#[test]
fn a_key_that_is_not_there_is_told_soon() {
    let server = Server::new();
    let mut access = access(&server, KEY.1);
    access
        .settings
        .retain(|(name, _)| !name.contains("access_key"));
    // Where a machine of Amazon's would give one.
    let nobody = (
        "aws_metadata_endpoint".to_owned(),
        "http://127.0.0.1:1".to_owned(),
    );
    access.settings.push(nobody);
    access.retry = Duration::from_secs(2);
    let store = Bucket::open(&format!("s3://{BUCKET}/v1"), &access).unwrap();
    let started = Instant::now();
    let error = store.list().unwrap_err();
    assert_eq!(error.code(), "delivery/io", "{error}");
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn every_page_of_a_long_list_is_read() {
    let (shop, server) = published();
    let folder = server.files().join("v1");
    for number in 0..2_100 {
        std::fs::write(folder.join(format!("other-{number:04}")), "").unwrap();
    }
    std::fs::create_dir(folder.join("below")).unwrap();
    std::fs::write(folder.join("below/other"), "").unwrap();
    let names = bucket(&server).list().unwrap();
    let others = names.iter().filter(|(name, _)| name.starts_with("other-"));
    assert_eq!(others.count(), 2_100);
    assert!(
        names
            .iter()
            .all(|(name, _)| !name.contains("below") && name != "other")
    );
    shop.release_to(&bucket(&server), 2.0, 1.0).unwrap();
}

#[test]
fn an_address_that_cannot_be_one_is_refused() {
    let server = Server::new();
    let access = access(&server, KEY.1);
    for (address, reason) in [
        ("s3://", "names no bucket"),
        ("s3:///v1", "names no bucket"),
        ("s3://shop/a?b", "cannot have \"?\""),
        ("s3://shop/a#b", "cannot have \"#\""),
        ("s3://shop/a%2fb", "cannot have \"%\""),
        ("s3://shop/a//b", "empty"),
        ("s3://shop/../b", ".."),
        ("ftp://shop/a", "s3://, gs:// and az://"),
        ("shop", "no address"),
        ("az://shop", "ccount"),
    ] {
        let Err(error) = Bucket::open(address, &access) else {
            panic!("{address}");
        };
        assert_eq!(error.code(), "delivery/refused", "{address}: {error}");
        assert!(error.to_string().contains(reason), "{address}: {error}");
    }
    let root = Bucket::open(&format!("s3://{BUCKET}/"), &access).unwrap();
    let shop = Shop::new();
    shop.release_to(&root, 1.0, 1.0).unwrap();
    found(&root, &shop.pins()).unwrap();
}

#[test]
fn the_environment_says_how_a_bucket_is_reached() {
    const NAME: &str = "s3::the_environment_says_how_a_bucket_is_reached";
    // This test, started by itself with such an environment.
    if std::env::var_os("IS_CHILD").is_some() {
        let store = ingle_delivery::open(&format!("s3://{BUCKET}/v1")).unwrap();
        Shop::new().release_to(&*store, 1.0, 1.0).unwrap();
        return;
    }
    let server = Server::new();
    let settings = access(&server, KEY.1).settings;
    let named = settings
        .into_iter()
        .map(|(name, value)| (name.to_uppercase(), value));
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME])
        .envs(named)
        .env("IS_CHILD", "yes")
        // Names that a builder knows, and that are not about buckets.
        .envs([("ENDPOINT", "http://127.0.0.1:1"), ("TOKEN", "another's")])
        .output()
        .unwrap();
    assert!(child.status.success(), "{child:?}");
    found(&bucket(&server), &Shop::new().pins()).unwrap();
}

#[test]
fn connections_have_tls_unless_it_is_said_that_they_need_not() {
    let server = Server::new();
    let list = |endpoint: &str, plain: &str| {
        let mut access = access(&server, KEY.1);
        access.retry = Duration::ZERO;
        for (name, value) in &mut access.settings {
            match &**name {
                "aws_endpoint" => endpoint.clone_into(value),
                "aws_allow_http" => plain.clone_into(value),
                _ => {}
            }
        }
        let store = Bucket::open(&format!("s3://{BUCKET}/v1"), &access)?;
        store.list()
    };
    list(&server.url(), "true").unwrap();
    let refused = list(&server.url(), "false").unwrap_err();
    assert!(refused.to_string().contains("scheme"), "{refused}");
    // What answers there has no TLS.
    let failed = list(&server.url().replace("http:", "https:"), "true").unwrap_err();
    assert_eq!(failed.code(), "delivery/io");
    assert!(
        failed.to_string().contains("InvalidContentType"),
        "{failed}"
    );
}
