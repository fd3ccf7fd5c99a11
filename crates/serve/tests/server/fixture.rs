//! Bundles in folders, and servers for them.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::thread::JoinHandle;

use ingle_bundle::{Bundle, Calibration, ItemTable, Manifest, MethodSpec, Tensor, dir};
use ingle_serve::{App, Limits, ServeError, Server};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::client::{eventually, get, request};

/// A bundle whose name and first id are `name`.
pub(crate) fn bundle(name: &str) -> Bundle {
    let rows = 200;
    let method = MethodSpec {
        name: "sasrec".to_owned(),
        config: json!({}),
    };
    let calibration = Calibration {
        temperature: 1.0,
        shift: 0.0,
        views: None,
        tau_low: 0.5,
        tau_high: 0.9,
        keep: None,
    };
    let table: Vec<f32> = (0..rows * 4)
        .map(|i| (i % 97) as f32 / 97.0 - 0.5)
        .collect();
    let weight = Tensor {
        shape: vec![4],
        data: vec![0.5; 4],
    };
    Bundle {
        manifest: Manifest::new(name, method, json!({ "width": 4 }), calibration),
        weights: BTreeMap::from([("gamma".to_owned(), weight)]),
        items: ItemTable::quantize(&table, 4),
        popularity: vec![1.0; rows],
        codes: Vec::new(),
        ids: (0..rows).map(|i| format!("{name} {i}")).collect(),
    }
}

/// A folder with a bundle.
pub(crate) fn folder(name: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    dir::write_dir(&bundle(name), folder.path()).unwrap();
    folder
}

/// The name of the first file with a role in a folder's manifest.
pub(crate) fn file(folder: &Path, role: &str) -> String {
    let manifest = fs::read(folder.join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let files = manifest["files"].as_array().unwrap();
    let entry = files.iter().find(|file| file["role"] == role).unwrap();
    entry["name"].as_str().unwrap().to_owned()
}

/// Waits until a file is sent in either encoding.
pub(crate) fn compressed(addr: SocketAddr, target: &str) {
    for encoding in ["br", "gzip"] {
        eventually(encoding, || {
            let answer = request(addr, "HEAD", target, &[("accept-encoding", encoding)]);
            (answer.header("content-encoding") == encoding).then_some(())
        });
    }
}

/// The name in the manifest that is served.
pub(crate) fn name_served(addr: SocketAddr) -> String {
    let manifest = get(addr, "/manifest.json").body;
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    manifest["name"].as_str().unwrap().to_owned()
}

/// Waits until the bundle of this name is served.
pub(crate) fn served(addr: SocketAddr, name: &str) {
    eventually(name, || (name_served(addr) == name).then_some(()));
}

/// A server on a free port, until it is dropped.
pub(crate) struct Running {
    pub(crate) addr: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), ServeError>>>,
}

impl Running {
    /// Serves the bundle in a folder.
    pub(crate) fn bundle(folder: &Path) -> Self {
        Self::app(ingle_serve::Bundle::open(folder).unwrap())
    }

    /// Serves a bundle or a router.
    pub(crate) fn app(app: impl Into<App>) -> Self {
        Self::limited(app, Limits::default())
    }

    /// Serves within limits.
    pub(crate) fn limited(app: impl Into<App>, limits: Limits) -> Self {
        let app = app.into();
        let (listening, address) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let server = Server::bind(([127, 0, 0, 1], 0).into())?.limits(limits);
                listening.send(server.local_addr()).unwrap();
                server.run(app, async { stopped.await.unwrap() }).await
            })
        });
        Self {
            addr: address.recv().unwrap(),
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Tells the server to stop.
    pub(crate) fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop.send(()).unwrap();
        }
    }

    /// Waits for the server's end.
    pub(crate) fn join(&mut self) -> Result<(), ServeError> {
        self.thread
            .take()
            .map_or(Ok(()), |thread| thread.join().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A test that fails has said so already, and a second panic would hide it.
        if !std::thread::panicking() {
            self.stop();
            self.join().unwrap();
        }
    }
}
