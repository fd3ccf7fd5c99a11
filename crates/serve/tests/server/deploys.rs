//! Many requests while bundles are replaced, and every answer compared with what it has to be.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use ingle_bundle::{Bundle, ItemTable, MANIFEST, Manifest, Tensor, dir};

use crate::client::connect;
use crate::fixture::bundle;

/// Numbers that look random and are the same every time.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound
    }
}

/// A bundle as it is deployed: its files, the manifest last.
struct Version {
    manifest: Vec<u8>,
    files: Vec<(String, Arc<[u8]>)>,
}

impl Version {
    /// The ids and weights of each are its own; the items are shared by some.
    fn new(number: usize) -> Self {
        let named = bundle(&format!("version {number}"));
        let value = (number / 3) as f32;
        let bundle = Bundle {
            weights: [(
                "gamma".to_owned(),
                Tensor {
                    shape: vec![500],
                    data: vec![number as f32; 500],
                },
            )]
            .into(),
            items: ItemTable::f32((0..200 * 16).map(|i| value + i as f32).collect(), 16),
            ..named
        };
        let mut files = bundle.write(64).unwrap();
        let (name, manifest) = files.pop().unwrap();
        assert_eq!(name, MANIFEST);
        let files = files
            .into_iter()
            .map(|(name, bytes)| (name, bytes.into()))
            .collect();
        Self { manifest, files }
    }

    /// Writes it to a folder that is served, in one of the ways in which people do.
    fn deploy(&self, folder: &Path, way: usize) {
        let put = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
        let pause = || std::thread::sleep(Duration::from_millis(60));
        let whole: Vec<(String, Vec<u8>)> = (self.files.iter())
            .map(|(name, bytes)| (name.clone(), bytes.to_vec()))
            .chain([(MANIFEST.to_owned(), self.manifest.clone())])
            .collect();
        let new = |name: &str| !folder.join(name).exists();
        match way % 4 {
            // As `ingle export` does.
            0 => dir::write_files(folder, &whole).unwrap(),
            // The manifest first, and in two parts; then the files, likewise.
            1 => {
                for (name, bytes) in whole.iter().rev() {
                    if name == MANIFEST || new(name) {
                        put(name, &bytes[..bytes.len() / 2]);
                        pause();
                        put(name, bytes);
                    }
                }
            }
            // A damaged file first, which is put right later.
            2 => {
                let (name, bytes) = &whole[0];
                let mut damaged = bytes.clone();
                damaged[bytes.len() / 2] ^= 1;
                put(name, &damaged);
                dir::write_files(folder, &whole[1..]).unwrap();
                std::thread::sleep(Duration::from_millis(600));
                dir::write_files(folder, &whole[..1]).unwrap();
            }
            // Files one after the other, with time between them.
            _ => {
                for (name, bytes) in &whole {
                    if name == MANIFEST || new(name) {
                        put(name, bytes);
                        pause();
                    }
                }
            }
        }
    }
}

/// What all clients know.
struct World {
    versions: RwLock<Vec<Version>>,
    /// The latest version that an answer has shown. No later answer may show an earlier one.
    seen: AtomicUsize,
    answers: AtomicUsize,
    over: AtomicBool,
}

/// A client with a connection that it keeps.
struct Client {
    addr: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
    draw: Draw,
    holds: usize,
}

struct Answer {
    status: u16,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

impl Client {
    fn ask(&mut self, target: &str, headers: &[(&str, &str)]) -> Answer {
        let addr = self.addr;
        let stream = self
            .stream
            .get_or_insert_with(|| BufReader::new(connect(addr)));
        let mut request = format!("GET {target} HTTP/1.1\r\nhost: shop.example\r\n");
        for (name, value) in headers {
            request.extend([*name, ": ", *value, "\r\n"]);
        }
        request += "\r\n";
        stream.get_mut().write_all(request.as_bytes()).unwrap();
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        let status = line[9..12].parse().unwrap();
        let mut headers = HashMap::new();
        loop {
            line.clear();
            stream.read_line(&mut line).unwrap();
            match line.trim_end().split_once(": ") {
                Some((name, value)) => headers.insert(name.to_owned(), value.to_owned()),
                None => break,
            };
        }
        let mut body = vec![0; headers["content-length"].parse().unwrap()];
        stream.read_exact(&mut body).unwrap();
        // Now and then a connection of its own.
        if self.draw.below(200) == 0 {
            self.stream = None;
        }
        Answer {
            status,
            headers,
            body,
        }
    }

    fn step(&mut self, world: &World) {
        match self.draw.below(20) {
            0 | 1 => self.manifest(world),
            2 => {
                let answer = self.ask("/ids-0123456789abcdef.json", &[]);
                assert_eq!(answer.status, 404);
            }
            // A visitor who holds an earlier manifest.
            3 | 4 => self.file(world, true),
            _ => self.file(world, false),
        }
        world.answers.fetch_add(1, Ordering::Relaxed);
    }

    fn manifest(&mut self, world: &World) {
        let floor = world.seen.load(Ordering::SeqCst);
        let accept = self.accept();
        let answer = self.ask("/manifest.json", accept);
        assert_eq!(answer.status, 200);
        let body = unpacked(&answer);
        let versions = world.versions.read().unwrap();
        let found = versions
            .iter()
            .rposition(|version| version.manifest == body);
        let found = found.expect("the manifest is none that was deployed");
        assert!(found >= floor, "version {found} came after version {floor}");
        world.seen.fetch_max(found, Ordering::SeqCst);
        self.holds = found;
    }

    fn file(&mut self, world: &World, earlier: bool) {
        let number = if earlier {
            self.draw.below(self.holds + 1)
        } else {
            self.holds
        };
        let (name, bytes) = {
            let versions = world.versions.read().unwrap();
            let files = &versions[number].files;
            files[self.draw.below(files.len())].clone()
        };
        let target = format!("/{name}");
        if self.draw.below(4) == 0 {
            let from = self.draw.below(bytes.len());
            let answer = self.ask(&target, &[("range", &format!("bytes={from}-"))]);
            assert_eq!(answer.status, 206, "{name} of version {number}");
            assert!(answer.body == bytes[from..], "a wrong part of {name}");
        } else {
            let accept = self.accept();
            let answer = self.ask(&target, accept);
            assert_eq!(answer.status, 200, "{name} of version {number}");
            assert!(unpacked(&answer) == *bytes, "a wrong {name}");
        }
    }

    fn accept(&mut self) -> &'static [(&'static str, &'static str)] {
        match self.draw.below(3) {
            0 => &[("accept-encoding", "gzip, br")],
            1 => &[("accept-encoding", "gzip")],
            _ => &[],
        }
    }
}

fn unpacked(answer: &Answer) -> Vec<u8> {
    let mut bytes = Vec::new();
    match answer.headers.get("content-encoding").map(String::as_str) {
        Some("br") => brotli::Decompressor::new(&answer.body[..], 4096).read_to_end(&mut bytes),
        Some("gzip") => flate2::read::GzDecoder::new(&answer.body[..]).read_to_end(&mut bytes),
        _ => return answer.body.clone(),
    }
    .unwrap();
    bytes
}

/// Asks `requests` times while `deploys` bundles follow each other. Returns how many answers were right, which all
/// are, and the longest time from the end of a deployment to the first answer that showed it.
fn storm(requests: usize, deploys: usize, clients: usize) -> (usize, Duration) {
    let folder = tempfile::tempdir().unwrap();
    let first = Version::new(0);
    first.deploy(folder.path(), 0);
    let (_server, addr) = crate::program::start_until_dropped(folder.path());
    let world = Arc::new(World {
        versions: RwLock::new(vec![first]),
        seen: AtomicUsize::new(0),
        answers: AtomicUsize::new(0),
        over: AtomicBool::new(false),
    });
    let threads: Vec<_> = (0..clients)
        .map(|at| {
            let world = world.clone();
            let draw = Draw(at as u64 + 1);
            let mut client = Client {
                addr,
                stream: None,
                draw,
                holds: 0,
            };
            std::thread::spawn(move || {
                while !world.over.load(Ordering::Relaxed) {
                    client.step(&world);
                }
            })
        })
        .collect();
    let alive = || threads.iter().all(|thread| !thread.is_finished());
    let mut longest = Duration::ZERO;
    for number in 1..=deploys {
        let due = requests * number / (deploys + 1);
        while world.answers.load(Ordering::Relaxed) < due && alive() {
            std::thread::sleep(Duration::from_millis(1));
        }
        let version = Version::new(number);
        assert!(Manifest::parse(&version.manifest).is_ok());
        // Known before it can be seen.
        world.versions.write().unwrap().push(version);
        world.versions.read().unwrap()[number].deploy(folder.path(), number);
        let deployed = Instant::now();
        while world.seen.load(Ordering::SeqCst) < number && alive() {
            assert!(
                deployed.elapsed() < Duration::from_mins(1),
                "version {number} does not show"
            );
            std::thread::sleep(Duration::from_millis(1));
        }
        longest = longest.max(deployed.elapsed());
    }
    while world.answers.load(Ordering::Relaxed) < requests && alive() {
        std::thread::sleep(Duration::from_millis(1));
    }
    world.over.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().expect("every answer is right");
    }
    assert_eq!(world.seen.load(Ordering::SeqCst), deploys);
    (world.answers.load(Ordering::Relaxed), longest)
}

#[test]
fn every_answer_is_right_while_bundles_are_replaced() {
    let (answers, _) = storm(10_000, 8, 4);
    assert!(answers >= 10_000);
}

/// `./build.sh bench serve` runs this.
#[test]
#[ignore = "a million requests: for the benchmark"]
fn a_million_answers_are_right_while_twenty_bundles_follow_each_other() {
    let (answers, longest) = storm(1_000_000, 20, 8);
    crate::crowd::row(
        "20 deployments",
        "right answers",
        answers as f64,
        "requests",
        answers as f64,
    );
    crate::crowd::row(
        "20 deployments",
        "s until seen, at most",
        longest.as_secs_f64(),
        "promised",
        1.0,
    );
}
