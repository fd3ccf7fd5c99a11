//! Times recommendations of a GPU that judges clicks itself beside those for which the processor judges first, and writes
//! them as JSON, one row per case: `judging [ROUNDS] [ITEMS...]`.
//!
//! Weights are invented: answers take as long as those of a trained bundle and mean nothing.

#[path = "../tests/answers/support.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod support;

use ingle_gpu::Gpu;
use ingle_model::methods::dc4sr;
use ingle_model::{BackboneConfig, RecommendOptions, Rule, Scorer, SliceEngine};
use pollster::block_on;
use std::time::Instant;

/// Questions before the clock starts, and those that are timed in one go.
const WARM: usize = 5;
const BATCH: usize = 10;

fn main() {
    let args = std::env::args().skip(1);
    let numbers: Vec<usize> = args.map(|arg| arg.parse().expect("a number")).collect();
    let (&rounds, items) = numbers.split_first().unwrap_or((&15, &[12_000, 100_000]));
    for &items in items {
        // Every click is one for certain; then probabilities are spread, so that several histories are kept.
        for shift in [1e4, 0.0] {
            measure(items, shift, rounds);
        }
    }
}

/// Milliseconds for which processors have worked for this process, where Linux tells.
fn processor_ms() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks: Vec<f64> = (fields.split_whitespace().skip(11).take(2))
        .map(|field| field.parse().ok())
        .collect::<Option<_>>()?;
    // A tick is a hundredth of a second.
    Some(ticks.iter().sum::<f64>() * 10.0)
}

fn measure(items: usize, shift: f32, rounds: usize) {
    let backbone = BackboneConfig {
        width: 64,
        ..BackboneConfig::default()
    };
    let mut bundle = support::invented_dc4sr(items, &backbone, &dc4sr::Config::default());
    bundle.manifest.calibration.shift = shift;
    let rule = Rule::even(8);
    bundle.manifest.calibration.keep = Some(rule.thresholds().to_vec());
    let engines = [true, false].map(|judges| {
        let engine = SliceEngine::new(bundle.clone()).expect("opens");
        let judge = engine.judge_parts().filter(|_| judges);
        let gpu = block_on(Gpu::open(engine.parts(), judge)).expect("a GPU");
        engine.with(gpu)
    });
    let scorers = engines.each_ref().map(SliceEngine::scorer);
    assert_eq!(scorers, [Some(Scorer::Gpu), Some(Scorer::Cpu)]);
    let options = RecommendOptions {
        k: 20,
        ..RecommendOptions::default()
    };
    for clicks in [5, 20, 50] {
        let history: Vec<String> = (support::numbers(clicks, 3))
            .map(|x| format!("item {}", (x.abs() * (items - 1) as f32) as usize))
            .collect();
        let explained = engines[0].explain(&history);
        let noise: Vec<f32> = explained.iter().map(|click| click.noise).collect();
        let histories = rule.histories(&noise, None).sets.len();
        let ask = |engine: &SliceEngine<Gpu>| {
            let (started, before) = (Instant::now(), processor_ms());
            for _ in 0..BATCH {
                block_on(engine.recommend(&history, &options)).expect("answers");
            }
            let busy = processor_ms()
                .zip(before)
                .map(|(after, before)| after - before);
            (started.elapsed().as_secs_f64() * 1e3 / BATCH as f64, busy)
        };
        let mut times = [const { Vec::new() }; 2];
        let mut busy = [Some(0.0); 2];
        for engine in &engines {
            (0..WARM).for_each(|_| {
                ask(engine);
            });
        }
        for round in 0..2 * rounds {
            // By turns, and each as often first.
            let at = (round + round / 2) % 2;
            let (time, spent) = ask(&engines[at]);
            times[at].push(time);
            busy[at] = busy[at].zip(spent).map(|(sum, spent)| sum + spent);
        }
        let judging: Vec<f64> = (0..rounds)
            .map(|_| {
                let started = Instant::now();
                engines[0].explain(&history);
                started.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        let [gpu, cpu] = times;
        let busy = busy.map(|sum| sum.map(|sum| sum / (rounds * BATCH) as f64));
        let row = serde_json::json!({
            "items": items, "clicks": clicks, "histories": histories, "gpu": gpu, "cpu": cpu, "judging": judging,
            "busy": busy,
        });
        println!("{row}");
    }
}
