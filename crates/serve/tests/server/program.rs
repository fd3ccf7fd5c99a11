//! The program `ingle-serve`: what it prints, what it keeps to itself, and how it ends.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::client::{connect, receive, request, send};
use crate::fixture::{file, folder};

fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ingle-serve"));
    command
        .args(args)
        .env_remove("RUST_LOG")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// The program serving a folder, its first line read.
fn start(folder: &Path) -> (Child, SocketAddr) {
    let mut child = program(&[folder.to_str().unwrap(), "--addr", "127.0.0.1:0"])
        .spawn()
        .unwrap();
    let mut line = String::new();
    let stdout = child.stdout.as_mut().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    let url = line.trim_end().strip_suffix("/manifest.json").unwrap();
    let addr = url.strip_prefix("http://").unwrap().parse().unwrap();
    (child, addr)
}

/// A process that ends with its owner.
pub(crate) struct Killed(pub(crate) Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The program serving a folder.
pub(crate) fn start_until_dropped(folder: &Path) -> (Killed, SocketAddr) {
    let (child, addr) = start(folder);
    (Killed(child), addr)
}

#[cfg(unix)]
fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    let status = Command::new("kill").args(["-s", name, &id]).status();
    assert!(status.unwrap().success());
}

#[cfg(unix)]
#[test]
fn ends_well_at_either_signal() {
    for name in ["INT", "TERM"] {
        let folder = folder("shop");
        let (mut child, addr) = start(folder.path());
        assert_eq!(request(addr, "GET", "/manifest.json", &[]).status, 200);
        signal(&child, name);
        assert!(child.wait().unwrap().success(), "SIG{name}");
    }
}

#[cfg(unix)]
#[test]
fn writes_nothing_about_those_who_ask() {
    let folder = folder("shop");
    let (mut child, addr) = start(folder.path());
    let mut ports = Vec::new();
    for target in [
        "/manifest.json",
        &format!("/{}", file(folder.path(), "ids")),
        "/a-secret",
    ] {
        let mut stream = connect(addr);
        ports.push(stream.local_addr().unwrap().port());
        let headers = [
            ("user-agent", "telltale"),
            ("cookie", "who=me"),
            ("referer", "telltale"),
        ];
        send(&mut stream, "GET", target, &headers);
        receive(stream);
    }
    signal(&child, "TERM");
    let (mut out, mut err) = (String::new(), String::new());
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut out)
        .unwrap();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut err)
        .unwrap();
    child.wait().unwrap();
    assert!(err.contains("the bundle is valid and served"), "{err}");
    assert!(err.contains("items=200"), "{err}");
    let written = out + &err;
    for port in ports {
        assert!(!written.contains(&format!(":{port}")), "{written}");
    }
    for word in ["telltale", "who=me", "a-secret", "GET", "127.0.0.1", "404"] {
        assert!(!written.contains(word), "{word}: {written}");
    }
}

#[test]
fn says_what_is_wrong_with_a_bundle_and_does_not_start() {
    let folder = folder("shop");
    let ids = file(folder.path(), "ids");
    std::fs::write(folder.path().join(&ids), "[]").unwrap();
    let output = program(&[folder.path().to_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("error: ") && error.contains(&ids), "{error}");
    assert!(error.contains("copy it again"), "{error}");
}

#[test]
fn explains_itself() {
    let output = program(&["--help"]).output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    assert!(help.contains("Examples:\n  ingle-serve bundle"), "{help}");
}
