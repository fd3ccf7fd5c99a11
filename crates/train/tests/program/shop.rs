//! A folder to run the program in, and what it says there.

use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

pub(crate) struct Shop(pub(crate) tempfile::TempDir);

impl Shop {
    /// A folder with a simulated log, prepared into `data`.
    pub(crate) fn new() -> Self {
        let shop = Self::empty();
        shop.ok("simulate --out log --products 60 --shoppers 150 --seed 3");
        shop.ok("prepare --interactions log/interactions.csv --items log/items.csv --holdout-users 0.1 --out data");
        shop
    }

    pub(crate) fn empty() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ingle"));
        command
            .current_dir(self.0.path())
            .args(arguments.split_whitespace());
        command
    }

    pub(crate) fn run(&self, arguments: &str) -> Output {
        self.command(arguments)
            .output()
            .expect("the program starts")
    }

    pub(crate) fn ok(&self, arguments: &str) -> String {
        let output = self.run(arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "ingle {arguments}: {error}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// Runs into an input error and gives its message.
    pub(crate) fn refused(&self, arguments: &str) -> String {
        let output = self.run(arguments);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "ingle {arguments}: {error}");
        assert!(!error.contains("panicked"), "{error}");
        error
    }

    pub(crate) fn json(&self, arguments: &str) -> Value {
        serde_json::from_str(&self.ok(arguments)).expect("JSON")
    }

    /// The whole lines of a run's `metrics.jsonl`, which may be being written.
    pub(crate) fn metrics(&self, run: &str) -> Vec<Value> {
        let text = fs::read_to_string(self.path(run).join("metrics.jsonl")).unwrap_or_default();
        text.split_inclusive('\n')
            .filter(|line| line.ends_with('\n'))
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    }

    /// Phase and loss of every epoch.
    pub(crate) fn losses(&self, run: &str) -> Vec<(String, f64)> {
        self.metrics(run)
            .iter()
            .map(|line| {
                (
                    line["phase"].to_string(),
                    line["loss"].as_f64().expect("a loss"),
                )
            })
            .collect()
    }

    pub(crate) fn figures(&self, run: &str) -> Value {
        self.json(&format!("evaluate {run} --json"))["masked"].clone()
    }
}
