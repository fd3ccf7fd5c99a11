//! `ingle export`: from a run to a bundle.

use super::evaluate::{Gating, answers, report};
use super::{file_name, open};
use crate::data::{Dataset, Split};
use crate::say::say;
use crate::training::Run;
use anyhow::{Context, Result};
use ingle_bundle::{
    Bundle, Calibration, FORMAT, ItemTable, ItemsSpec, Manifest, MethodSpec, TableType, ViewScales,
};
use ingle_model::Model;
use ingle_model::engine::shipped_weights;
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// How the item table is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum TableKind {
    /// One byte a value and one scale a row
    Int8,
    /// Two bytes a value
    F16,
    /// Four bytes a value, exact
    F32,
}

/// Write a run as a bundle that browsers load
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ingle export runs/dc4sr --out bundle
  ingle export runs/dc4sr --out bundle --table f32 --name 'spring catalogue'

Put the folder behind any static host, or try it with `ingle serve bundle`.")]
pub struct Args {
    /// Run folder
    run: PathBuf,
    /// Bundle folder to write
    #[arg(long)]
    out: PathBuf,
    /// How the item table is stored
    #[arg(long, value_enum, default_value = "int8")]
    table: TableKind,
    /// Name shown to people [default: dataset and method]
    #[arg(long)]
    name: Option<String>,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let (run, data, model) = open(&args.run, None)?;
    let evaluation = evaluation(&run, &data, &model)?;
    let bundle = bundle(
        &run,
        &data,
        &model,
        args.table,
        args.name.clone(),
        evaluation,
    )?;
    let names = ingle_bundle::dir::write_dir(&bundle, &args.out)
        .with_context(|| format!("cannot write the bundle to {}", args.out.display()))?;
    let bytes: u64 = (names.iter())
        .filter_map(|name| std::fs::metadata(args.out.join(name)).ok())
        .map(|meta| meta.len())
        .sum();
    let dir = args.out.display();
    say!(
        "wrote {dir}: {} files, {:.2} MB",
        names.len(),
        bytes as f64 / 1e6
    );
    say!("next: ingle inspect {dir}    or    ingle serve {dir}");
    Ok(())
}

/// Test figures that travel with the bundle.
fn evaluation(run: &Run, data: &Dataset, model: &Model) -> Result<Value> {
    let mut figures = Map::new();
    for (name, split) in [("test", Split::Test), ("unseen", Split::Unseen)] {
        let answers = answers(run, data, model, split, Gating::Learnt)?;
        if !answers.is_empty() {
            figures.insert(name.to_owned(), report(&answers, &run.config));
        }
    }
    Ok(figures.into())
}

/// A run as a bundle.
pub fn bundle(
    run: &Run,
    data: &Dataset,
    model: &Model,
    kind: TableKind,
    name: Option<String>,
    evaluation: Value,
) -> Result<Bundle> {
    let width = run.config.backbone.width;
    let table: Vec<f32> = model
        .backbone
        .items
        .val()
        .into_data()
        .iter::<f32>()
        .skip(width)
        .collect();
    let (items, dtype) = match kind {
        TableKind::Int8 => (ItemTable::quantize(&table, width), TableType::Int8),
        TableKind::F16 => (ItemTable::f16(&table, width), TableType::F16),
        TableKind::F32 => (ItemTable::f32(table, width), TableType::F32),
    };
    let method = run.config.method.name();
    let data_name = file_name(&run.about.data);
    let mut settings = serde_json::to_value(&run.config.method).expect("settings are JSON");
    settings
        .as_object_mut()
        .expect("settings are an object")
        .remove("name");
    let gate = run.model_config().gate;
    let known = run.known()?;
    let manifest = Manifest {
        format: FORMAT,
        name: name.unwrap_or_else(|| format!("{data_name} {method}")),
        method: MethodSpec {
            name: method.to_owned(),
            config: settings,
        },
        backbone: serde_json::to_value(&run.config.backbone).expect("sizes are JSON"),
        items: ItemsSpec {
            count: data.n_items(),
            width,
            dtype,
            code_width: 0,
        },
        files: Vec::new(),
        calibration: Calibration {
            temperature: gate.scale.temperature,
            shift: gate.scale.shift,
            tau_low: gate.tau_low,
            tau_high: gate.tau_high,
            views: gate.views.map(|views| ViewScales {
                prior: views.prior,
                posterior: views.posterior,
            }),
        },
        provenance: json!({
            "ingle": run.about.ingle,
            "data": data_name,
            "data_hash": run.about.data_hash,
            "seed": run.config.seed,
            "training_seconds": run.about.seconds.round(),
            "phases": run.about.phases,
        }),
        evaluation,
    };
    Ok(Bundle {
        manifest,
        weights: shipped_weights(model),
        items,
        popularity: known.popularity[1..].to_vec(),
        codes: (known.codes).map_or_else(Vec::new, |codes| codes.values[codes.width..].to_vec()),
        ids: data.items().iter().map(|item| item.id.clone()).collect(),
    })
}
