//! A training on the GPU gives what the processor gives. Any Vulkan adapter will do, one made of
//! software too: `scripts/setup.sh vulkan` brings one where there is none.

use super::shop::Shop;

/// The figure called `name` of every epoch of a run.
fn epochs(shop: &Shop, run: &str, name: &str) -> Vec<f64> {
    let lines = shop.metrics(run);
    lines
        .iter()
        .filter_map(|line| line[name].as_f64())
        .collect()
}

#[test]
fn trains_on_the_gpu_as_on_the_processor() {
    let shop = Shop::empty();
    shop.ok("simulate --out log --products 60 --shoppers 150 --seed 3");
    shop.ok("prepare --interactions log/interactions.csv --items log/items.csv --out data");
    for device in ["cpu", "wgpu"] {
        // Without dropout both take the very same steps, but for the order of their sums.
        let set = "--set backbone.width=16 --set backbone.feed_forward=32 --set backbone.max_len=12 \
            --set backbone.dropout=0 --set training.batch_clicks=256 --set training.epochs=3";
        shop.ok(&format!(
            "train --data data --method none --device {device} --out {device} {set}"
        ));
    }
    for figure in ["loss", "ndcg@10"] {
        let [cpu, gpu] = ["cpu", "wgpu"].map(|run| epochs(&shop, run, figure));
        assert_eq!(cpu.len(), 3);
        for (cpu, gpu) in cpu.iter().zip(&gpu) {
            assert!(
                (cpu - gpu).abs() < 2e-3 * cpu.abs().max(1.0),
                "{figure}: {cpu} and {gpu}"
            );
        }
    }
    let [cpu, gpu] = ["cpu", "wgpu"].map(|run| shop.figures(run)["hr@10"].as_f64());
    let difference = cpu.expect("a figure") - gpu.expect("a figure");
    assert!(difference.abs() < 0.02, "{difference}");
}
