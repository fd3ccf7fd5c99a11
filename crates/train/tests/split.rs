//! Logs of any size and splits by time, through the program.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

fn run(dir: &Path, arguments: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ingle"));
    command.current_dir(dir).args(arguments.split_whitespace());
    command.output().expect("the program starts")
}

fn ok(dir: &Path, arguments: &str) -> String {
    let output = run(dir, arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ingle {arguments}: {error}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn json(dir: &Path, arguments: &str) -> Value {
    serde_json::from_str(&ok(dir, arguments)).expect("JSON")
}

#[test]
fn a_log_split_by_time_is_prepared_trained_on_and_evaluated() {
    let home = tempfile::tempdir().expect("a folder");
    let dir = home.path();
    ok(
        dir,
        "simulate --clicks 4000 --products 60 --format parquet --out log",
    );
    let log = "--interactions log/interactions.parquet";
    let prepared = json(
        dir,
        &format!("prepare {log} --split time --holdout-users 0.1 --out data --json"),
    );
    assert_eq!(prepared["dropped"]["rows"], 4000);
    for cases in ["train", "valid", "test", "unseen"] {
        assert!(prepared["cases"][cases].as_u64() > Some(0), "{prepared}");
    }
    assert!(prepared["seconds"].as_f64() > Some(0.0), "{prepared}");
    if cfg!(target_os = "linux") {
        assert!(
            prepared["peak_memory"].as_u64() > Some(1 << 20),
            "{prepared}"
        );
    }
    let about = std::fs::read_to_string(dir.join("data/dataset.json")).expect("a dataset");
    let about: Value = serde_json::from_str(&about).expect("JSON");
    assert_eq!(
        (&about["split"]["by"], &about["options"]["by_time"]["test"]),
        (&"time".into(), &0.1.into())
    );
    ok(
        dir,
        "train --data data --method sasrec --out run --set training.epochs=1 --set backbone.width=16 \
         --set backbone.max_len=12",
    );
    for split in ["test", "unseen"] {
        let figures = json(dir, &format!("evaluate run --split {split} --json"));
        assert_eq!(figures["users"], prepared["cases"][split]);
        assert_eq!(figures["protocol"], about["split"]);
    }
    assert!(ok(dir, "evaluate run").contains("split by time: validation from 1"));
    ok(dir, "corrupt --data data --rate 0.3 --seed 7 --out noisy");
    assert_eq!(
        json(dir, "evaluate run --data noisy --json")["protocol"],
        about["split"]
    );
}

#[test]
fn shares_without_a_split_by_time_and_shares_of_everything_are_refused() {
    let home = tempfile::tempdir().expect("a folder");
    ok(home.path(), "simulate --clicks 100 --out log");
    for (arguments, part) in [
        ("--test-share 0.2", "--split time"),
        (
            "--split time --valid-share 0.5 --test-share 0.5",
            "together below 1",
        ),
        ("--split time --valid-share nan", "above 0"),
        (
            "--split time --min-item-clicks 1 --valid-share 0.999 --test-share 0.0001",
            "leaves no",
        ),
    ] {
        let arguments =
            format!("prepare --interactions log/interactions.csv --out data {arguments}");
        let output = run(home.path(), &arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(
            error.contains(part) && !error.contains("panicked"),
            "{error}"
        );
        assert!(!home.path().join("data").exists());
    }
}
