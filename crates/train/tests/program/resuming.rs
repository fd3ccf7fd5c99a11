//! Trainings that are interrupted, killed or out of disk, and repeated.

use crate::pipeline::SMALL;
use crate::shop::Shop;
use safetensors::Dtype;
use safetensors::serialize_to_file;
use safetensors::tensor::TensorView;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

#[test]
fn the_same_seed_gives_the_same_model_and_another_seed_another() {
    let shop = Shop::new();
    for (run, seed) in [("a", 1), ("b", 1), ("c", 2)] {
        shop.ok(&format!(
            "train --data data --out {run} {SMALL} --set training.epochs=1 \
             --set denoising.epochs=1 --set seed={seed}"
        ));
    }
    assert_eq!(shop.losses("a"), shop.losses("b"));
    assert_eq!(shop.figures("a"), shop.figures("b"));
    assert_ne!(shop.losses("a"), shop.losses("c"));
}

#[cfg(unix)]
#[test]
fn a_training_that_is_interrupted_saves_and_ends_as_an_interrupted_program_does() {
    let shop = Shop::new();
    let long = format!("train --data data --out run {SMALL} --set training.epochs=500");
    let training = (shop.command(&long).stderr(Stdio::piped()).spawn()).expect("starts");
    while shop.metrics("run").is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let process = training.id().to_string();
    let sent = Command::new("kill").args(["-INT", &process]).status();
    assert!(sent.expect("kill").success());
    let ended = training.wait_with_output().expect("an end");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(130), "{said}");
    assert!(said.contains("--resume"), "{said}");
    assert!(shop.path("run/checkpoint").exists());
}

/// Kills a training after some milliseconds; `false` if it was done before that.
fn kill_after(mut training: Child, milliseconds: u64) -> bool {
    let end = Instant::now() + Duration::from_millis(milliseconds);
    while Instant::now() < end {
        if let Some(status) = training.try_wait().expect("a status") {
            assert!(status.success());
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    training.kill().expect("kills");
    training.wait().expect("a status");
    true
}

#[test]
fn a_training_killed_twenty_times_at_random_ends_where_an_undisturbed_one_does() {
    let shop = Shop::new();
    let embeddings = write_embeddings(&shop);
    let settings = format!(
        "{SMALL} --set training.epochs=40 --set training.patience=40 \
         --set denoising.epochs=10 --set training.embeddings=texts.safetensors"
    );
    let started = Instant::now();
    shop.ok(&format!("train --data data --out whole {settings}"));
    let whole = started.elapsed().as_millis() as usize;
    let mut rng = ingle_model::Rng::new(5, &[]);
    let mut kills = 0;
    while kills < 200 {
        // What training begins with is not needed to go on.
        if shop.path("torn/checkpoint").exists() && embeddings.exists() {
            fs::remove_file(&embeddings).expect("removes");
        }
        let begun = shop.path("torn").join("run.json").exists();
        let mut command = if begun {
            shop.command("train --out torn --resume")
        } else {
            shop.command(&format!("train --data data --out torn {settings}"))
        };
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let training = command.spawn().expect("the program starts");
        // At first anywhere in a twentieth of the whole; then long enough that it ends some time.
        let longest = if kills < 20 { whole / 20 } else { whole };
        if !kill_after(training, 1 + rng.below(longest) as u64) {
            break;
        }
        kills += 1;
    }
    assert!((20..200).contains(&kills), "{kills} kills");
    assert_eq!(shop.losses("whole"), shop.losses("torn"));
    assert_eq!(shop.figures("whole"), shop.figures("torn"));
}

/// A file with embeddings of all items.
fn write_embeddings(shop: &Shop) -> PathBuf {
    let items = fs::read_to_string(shop.path("data/items.jsonl")).expect("items");
    let shape = vec![items.lines().count(), 8];
    let mut rng = ingle_model::Rng::new(6, &[]);
    let values = (0..shape[0] * shape[1]).map(|_| rng.normal(1.0));
    let bytes: Vec<u8> = values.flat_map(f32::to_le_bytes).collect();
    let view = TensorView::new(Dtype::F32, shape, &bytes).expect("a tensor");
    let path = shop.path("texts.safetensors");
    serialize_to_file([("embeddings", view)], None, &path).expect("writes");
    path
}

#[cfg(unix)]
#[test]
fn a_full_disk_loses_no_checkpoint() {
    let shop = Shop::new();
    let settings = format!("{SMALL} --method none --set training.epochs=30");
    shop.ok(&format!("train --data data --out whole {settings}"));
    let mut command = shop.command(&format!("train --data data --out short {settings}"));
    let mut training = (command.stderr(Stdio::null()).spawn()).expect("the program starts");
    while shop.metrics("short").len() < 2 {
        assert!(
            training.try_wait().expect("a status").is_none(),
            "too fast to be killed"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
    training.kill().expect("kills");
    training.wait().expect("a status");

    let state = || fs::read(shop.path("short/checkpoint/state.json")).expect("a checkpoint");
    let before = state();
    // No file may grow beyond some kilobytes, and writing more is an error instead of a signal.
    let mut limited = Command::new("sh");
    limited.current_dir(shop.0.path()).args([
        "-c",
        "trap '' XFSZ; ulimit -f 16; exec \"$0\" train --out short --resume",
        env!("CARGO_BIN_EXE_ingle"),
    ]);
    let output = limited.output().expect("a shell");
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("cannot write"), "{error}");
    assert_eq!(before, state());
    shop.ok("train --out short --resume");
    assert_eq!(shop.losses("whole"), shop.losses("short"));
    assert_eq!(shop.figures("whole"), shop.figures("short"));
}

#[test]
fn a_resumed_run_refuses_another_dataset() {
    let shop = Shop::new();
    shop.ok(&format!(
        "train --data data --method none --out run {SMALL} --set training.epochs=1"
    ));
    shop.ok("corrupt --data data --rate 0.5 --out other");
    let message = shop.refused("train --out run --resume --data other");
    assert!(message.contains("the dataset has changed"), "{message}");
}
