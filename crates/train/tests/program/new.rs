//! A new folder leads from its log to a page by the commands that its README has, the doctor finds nothing wrong, and
//! the tutorial's commands run as they stand.

use super::shop::Shop;
use crate::pipeline::SMALL;
use serde_json::Value;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;

/// What a server sends for a path.
fn get(at: &str, path: &str) -> String {
    let host = at.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(host).expect("a connection");
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )
    .expect("asked");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

/// What stands in for the npm package, which is not built here.
fn package(shop: &Shop) {
    let dist = shop.path("package/dist");
    fs::create_dir_all(&dist).expect("a folder");
    for name in ["ingle.iife.js", "worker-cpu.js", "worker-gpu.js"] {
        fs::write(dist.join(name), "0d1e").expect("a script");
    }
    for name in ["cpu.wasm", "gpu.wasm"] {
        fs::write(
            dist.join(name),
            b"\0asm\x01\0\0\0\0\x12\x0dingle-release0d1e",
        )
        .expect("a module");
    }
}

#[test]
fn the_five_commands_of_a_new_folder_lead_to_a_page() {
    let shop = Shop::empty();
    package(&shop);
    let said = shop.ok("new shop --package package --products 60 --shoppers 150");
    assert!(said.contains("60 products"), "{said}");
    assert!(shop.refused("new shop").contains("holds something already"));
    assert!(
        shop.refused("new other --package shop")
            .contains("is not the npm package")
    );

    let readme = fs::read_to_string(shop.path("shop/README.md")).expect("a README");
    let block = readme.split("```").nth(1).expect("commands");
    let commands: Vec<&str> = block
        .lines()
        .skip(1)
        .filter_map(|line| line.strip_prefix("ingle "))
        .collect();
    let [first @ .., serve] = &*commands else {
        panic!("no commands in {readme}")
    };
    assert_eq!(commands.len(), 5);
    let inside = |arguments: &str| {
        let mut command = shop.command(arguments);
        command.current_dir(shop.path("shop"));
        command
    };
    for arguments in first {
        let output = inside(arguments).output().expect("the program starts");
        assert!(
            output.status.success(),
            "ingle {arguments}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    // Titles stand beside the ids where there are titles.
    let answer = shop.ok("recommend shop/bundle --history --titles shop/items.csv --k 3");
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    let item = &answer["items"][0];
    let slug = item["title"]
        .as_str()
        .expect("a title")
        .to_lowercase()
        .replace(' ', "-");
    assert!(
        item["item"]
            .as_str()
            .is_some_and(|id| slug.starts_with(&id[..4])),
        "{item}"
    );
    assert!(
        shop.ok("inspect shop/bundle --titles shop/data")
            .contains(" (")
    );

    let mut server = inside(&format!("{serve} --addr 127.0.0.1:0"))
        .stdout(Stdio::piped())
        .spawn()
        .expect("a server");
    let mut at = String::new();
    BufReader::new(server.stdout.take().expect("its output"))
        .read_line(&mut at)
        .expect("its address");
    let at = at.trim();
    let page = get(at, "/");
    let (products, manifest) = (get(at, "/products.json"), get(at, "/bundle/manifest.json"));
    let (doctor, folder) = (
        shop.run(&format!("doctor {at} --json")),
        shop.run("doctor shop/bundle"),
    );
    server.kill().expect("stopped");
    server.wait().expect("ended");
    assert!(
        page.contains("<ingle-shelf") && page.contains("wasm-unsafe-eval"),
        "{page}"
    );
    assert!(
        products.contains(item["title"].as_str().unwrap_or("?")),
        "{products}"
    );
    assert!(manifest.contains("\"format\""), "{manifest}");
    let checks: Value = serde_json::from_slice(&doctor.stdout).expect("JSON");
    assert!(doctor.status.success(), "{checks}");
    assert!(
        checks
            .as_array()
            .is_some_and(|checks| checks.iter().any(|check| check["what"] == "bundle")),
        "{checks}"
    );
    assert!(folder.status.success());
    let nothing = shop.run("doctor http://127.0.0.1:9/");
    assert_eq!(nothing.status.code(), Some(1));
    assert!(
        shop.refused("doctor nowhere")
            .contains("neither a folder nor an address")
    );
}

#[test]
fn the_commands_of_the_tutorial_run_as_they_stand() {
    let shop = Shop::empty();
    shop.ok("simulate --out . --products 60 --shoppers 150 --seed 3");
    fs::rename(shop.path("interactions.csv"), shop.path("clicks.csv")).expect("the log");
    let tutorial = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/tutorials/ml-engineer.md"
    );
    let tutorial = fs::read_to_string(tutorial).expect("the tutorial");
    let mut ran = 0;
    for heading in ["## With a log\n", "## How well noise is found\n"] {
        let (_, section) = tutorial.split_once(heading).expect("a section");
        let block = section.split("```").nth(1).expect("commands");
        for line in block.lines() {
            let command = line.split('#').next().unwrap_or_default();
            let Some(command) = command.trim().strip_prefix("ingle ") else {
                continue;
            };
            match command.split(' ').next() {
                // It serves until it is stopped.
                Some("serve") => {}
                // Smaller than what a reader trains, and no different otherwise.
                Some("train") => drop(shop.ok(&format!(
                    "{command} {SMALL} --set training.epochs=3 --set denoising.epochs=2 \
                     --set denoising.folds=2"
                ))),
                _ => drop(shop.ok(command)),
            }
            ran += 1;
        }
    }
    assert_eq!(ran, 10);
    assert!(shop.path("report.html").is_file());
}
