//! What holds for every store, of a container on a server of Azure's.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use ingle_delivery::{Access, Bucket, Store};
use tempfile::TempDir;

use crate::faults;
use crate::support::Place;

/// The account that the server has, and its key.
const ACCOUNT: &str = "devstoreaccount1";
const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// A server of its own.
struct ServerPlace {
    url: String,
    server: Child,
    _files: TempDir,
}

impl Place for ServerPlace {
    fn new() -> Self {
        let files = tempfile::tempdir().unwrap();
        let mut server = Command::new("node")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/azure.mjs"))
            .args([files.path().to_str().unwrap(), ACCOUNT, KEY])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        let mut said = BufReader::new(server.stdout.take().unwrap());
        said.read_line(&mut url).unwrap();
        Self {
            url: url.trim().to_owned(),
            server,
            _files: files,
        }
    }

    fn ends_after(&self, _: usize) -> (Box<dyn Store>, Arc<AtomicUsize>) {
        let settings = [
            ("azure_storage_account_name", ACCOUNT),
            ("azure_storage_account_key", KEY),
            (
                "azure_storage_endpoint",
                &*format!("{}/{ACCOUNT}", self.url),
            ),
            ("allow_http", "true"),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let store = Bucket::open("az://shop/v1", &Access::new(settings)).unwrap();
        (Box::new(store), Arc::default())
    }
}

impl Drop for ServerPlace {
    fn drop(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }
}

#[test]
#[ignore = "needs a server: ./build.sh bench stores"]
fn a_publisher_that_another_one_overtakes_is_refused_and_changes_nothing() {
    faults::a_publisher_that_another_one_overtakes_is_refused_and_changes_nothing::<ServerPlace>();
}

#[test]
#[ignore = "needs a server: ./build.sh bench stores"]
fn a_release_is_rolled_out_halted_rolled_back_and_renewed() {
    faults::a_release_is_rolled_out_halted_rolled_back_and_renewed::<ServerPlace>();
}

#[test]
#[ignore = "needs a server: ./build.sh bench stores"]
fn what_no_recent_release_names_goes_and_all_else_stays() {
    faults::what_no_recent_release_names_goes_and_all_else_stays::<ServerPlace>();
}

#[test]
#[ignore = "needs a server: ./build.sh bench stores"]
fn a_file_is_written_on_the_conditions_that_hold() {
    faults::a_file_is_written_on_the_conditions_that_hold::<ServerPlace>();
}
