//! A training on the GPU gives what the processor gives. Any Vulkan adapter will do, one made of
//! software too: `scripts/setup.sh vulkan` brings one where there is none.
#![cfg(feature = "wgpu")]

use serde_json::Value;
use std::path::Path;
use std::process::Command;

fn ingle(dir: &Path, arguments: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_ingle"))
        .current_dir(dir)
        .args(arguments.split_whitespace())
        .output()
        .expect("the program starts");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ingle {arguments}: {error}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The figure called `name` of every epoch of a run.
fn epochs(dir: &Path, run: &str, name: &str) -> Vec<f64> {
    let text = std::fs::read_to_string(dir.join(run).join("metrics.jsonl")).expect("metrics");
    (text.lines())
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .filter_map(|line| line[name].as_f64())
        .collect()
}

#[test]
fn trains_on_the_gpu_as_on_the_processor() {
    let shop = tempfile::tempdir().expect("a folder");
    let dir = shop.path();
    ingle(
        dir,
        "simulate --out log --products 60 --shoppers 150 --seed 3",
    );
    ingle(
        dir,
        "prepare --interactions log/interactions.csv --items log/items.csv --out data",
    );
    for device in ["cpu", "wgpu"] {
        // Without dropout both take the very same steps, but for the order of their sums.
        let set = "--set backbone.width=16 --set backbone.feed_forward=32 --set backbone.max_len=12 \
            --set backbone.dropout=0 --set training.batch_clicks=256 --set training.epochs=3";
        ingle(
            dir,
            &format!("train --data data --method sasrec --device {device} --out {device} {set}"),
        );
    }
    for figure in ["loss", "ndcg@10"] {
        let [cpu, gpu] = ["cpu", "wgpu"].map(|run| epochs(dir, run, figure));
        assert_eq!(cpu.len(), 3);
        for (cpu, gpu) in cpu.iter().zip(&gpu) {
            assert!(
                (cpu - gpu).abs() < 2e-3 * cpu.abs().max(1.0),
                "{figure}: {cpu} and {gpu}"
            );
        }
    }
    let figures = ["cpu", "wgpu"].map(|run| ingle(dir, &format!("evaluate {run} --json")));
    let [cpu, gpu] = figures.map(|text| serde_json::from_str::<Value>(&text).expect("JSON"));
    let difference = cpu["masked"]["hr@10"].as_f64().expect("a figure")
        - gpu["masked"]["hr@10"].as_f64().expect("a figure");
    assert!(difference.abs() < 0.02, "{difference}");
}
