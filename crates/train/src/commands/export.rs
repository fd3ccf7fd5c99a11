//! `ingle export`: writes a run as a bundle.

use super::evaluate::{answers, report};
use super::prepare::{noted, skipped};
use super::reading::ReadingArgs;
use super::{file_name, open, read_bundle};
use crate::adapting;
use crate::data::{Dataset, InputError, Item, Split, read};
use crate::evaluation::LATEST;
use crate::say::say;
use crate::training::Run;
use crate::training::newcomers::Newcomers;
use crate::training::progress::Progress;
use crate::training::samples::tensor;
use anyhow::{Context, Result, bail};
use burn::module::Param;
use burn::prelude::Device;
use indicatif::ProgressBar;
use ingle_bundle::{
    Adapter, BLOCK_ROWS, Bundle, Calibration, FORMAT, ItemTable, ItemsSpec, Manifest, MethodSpec,
    TableType, ViewScales,
};
use ingle_delivery::follow;
use ingle_model::Model;
use ingle_model::backbone::Kind;
use ingle_model::engine::shipped_weights;
use ingle_model::kept::Rule;
use ingle_model::methods::NAMES;
use serde_json::{Map, Value, json};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

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

/// Whether a bundle may have an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum AdapterChoice {
    /// The one that wins beyond its standard error, if any does
    Measured,
    /// None
    None,
}

/// Write a run as a bundle that browsers load
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ingle export runs/dc4sr --out bundle
  ingle export runs/dc4sr --out bundle --table f32 --name 'spring catalogue'
  ingle export runs/dc4sr --out bundle --thresholds 0.125,0.375,0.625,0.875
  ingle export runs/dc4sr --out bundle --catalog items.csv     with what came in since the training
  ingle export runs/again --out bundle --after bundle-before   of a training that went on from the one before
  ingle export runs/dc4sr --out bundle --compress              with FILE.br and FILE.gz beside the files

A catalogue has the columns item_id and title and may have category. Items of it that the run does not know are
added behind the others, placed among them by the words of their titles, and can be recommended. Those without
a word that is known are left out, and told.

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
    /// Thresholds on the probability of noise, ascending: what is recommended is ranked by the mean over the histories
    /// without the clicks above each; 1 alone keeps every click [default: as the run says]
    #[arg(long, value_delimiter = ',', value_name = "P,P,...")]
    thresholds: Option<Vec<f32>>,
    /// What is added to the model's scores: what wins on users held out of training (`prepare --holdout-users`), or
    /// nothing
    #[arg(long, value_enum, default_value = "measured")]
    adapter: AdapterChoice,
    /// Bundle of the same shop from which this one shall differ little: items keep their rows, and stored numbers move
    /// from those in it in small steps, so that a delta between both is small (ingle diff)
    #[arg(long, value_name = "BUNDLE", conflicts_with = "table")]
    after: Option<PathBuf>,
    /// Items file: items that the run does not know are added without training
    #[arg(long, value_name = "FILE")]
    catalog: Option<PathBuf>,
    /// Also write FILE.br and FILE.gz beside the files that get smaller, for hosts that send such files
    #[arg(long)]
    compress: bool,
    #[command(flatten)]
    reading: ReadingArgs,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    args.reading.need(args.catalog.is_some(), "--catalog")?;
    let (mut run, data, model) = open(&args.run, None)?;
    if let Some(thresholds) = args.thresholds.clone() {
        let rule = Rule::new(thresholds);
        let rule = rule.map_err(|e| InputError::other(format!("--thresholds: {e}")))?;
        if !run.config.method.denoises() {
            let method = run.config.method.name();
            bail!(InputError::other(format!(
                "--thresholds is for a method that judges clicks: {method} keeps them all"
            )));
        }
        run.config.keep = Some(rule);
    }
    let newcomers = match &args.catalog {
        Some(file) => newcomers(args, file, (&run, &data, &model))?,
        None => Newcomers::default(),
    };
    let before = args.after.as_deref().map(read_bundle).transpose()?;
    let mut bundle = bundle(
        (&run, &data, &model),
        newcomers,
        before.as_ref().map_or(args.table, |_| TableKind::F32),
        args.name.clone(),
    )?;
    // The engine that learns has the built-in encoders and methods alone.
    let built_in =
        Kind::ALL.contains(&run.config.backbone.kind) && NAMES.contains(&run.config.method.name());
    if args.adapter == AdapterChoice::Measured && built_in {
        bundle.manifest.adapter = adapter(&bundle, &data)?;
    }
    // An adapter is measured with the items in the order of the dataset.
    if let Some(before) = &before {
        bundle = follow(&bundle, before);
    }
    bundle.manifest.evaluation = evaluation((&run, &data, &model), &bundle)?;
    let names = ingle_bundle::dir::write_dir(&bundle, &args.out)
        .with_context(|| format!("cannot write the bundle to {}", args.out.display()))?;
    if args.compress {
        ingle_serve::write_compressed(&args.out, &names)?;
    }
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

/// The adapter that pays on users who were not trained on, if one does.
fn adapter(bundle: &Bundle, data: &Dataset) -> Result<Option<Adapter>> {
    let bar = ProgressBar::new(0).with_message("cases of the adapter");
    let found = adapting::measure(bundle.clone(), data, LATEST, &bar)?;
    bar.finish_and_clear();
    let Some(found) = found else {
        say!(
            "adapter: none, since fewer than {} users were held out of training to measure one",
            adapting::USERS
        );
        return Ok(None);
    };
    let best = found.best();
    match &best {
        None => say!("adapter: none, since none wins beyond its standard error"),
        Some(best) => say!("adapter: {}", adapting::describe(best)),
    }
    Ok(best)
}

/// The items of a catalogue that a run does not have, with embeddings derived from similar titles.
fn newcomers(
    args: &Args,
    file: &Path,
    (run, data, model): (&Run, &Dataset, &Model),
) -> Result<Newcomers> {
    let mut bad = read::BadRows::default();
    let catalogue = read::items(file, &args.reading.reading()?, true, &mut bad)?;
    noted(&catalogue.notes);
    if let Some(first) = catalogue.repeated.shown().first() {
        bail!(InputError::other(format!(
            "{first}; {} such rows: give each item one",
            catalogue.repeated.count
        )));
    }
    let (new, lines) = unknown(catalogue, data);
    let count = new.len();
    let placed = if new.is_empty() {
        Newcomers::default()
    } else {
        Newcomers::place(run, data, model, new, &Progress::new())?
    };
    for Item { id, .. } in &placed.left_out {
        let reason = format!("{id} has no word of a known item's title: nothing to place it by");
        bad.note(file, lines[id], reason)?;
    }
    skipped(&[&bad]);
    let (name, added) = (file.display(), placed.items.len());
    if added == 0 && bad.count > 0 {
        bail!(InputError::Nothing(format!(
            "{name}: there is no item to add, and {} rows could not be used",
            bad.count
        )));
    }
    say!("{name}: {added} of {count} items that the run does not know added");
    Ok(placed)
}

/// The items of a catalogue that a run does not have, in file order, and the line of each item by id.
fn unknown(catalogue: read::Catalogue, data: &Dataset) -> (Vec<Item>, HashMap<String, usize>) {
    let known: HashSet<&str> = data.items().iter().map(|item| &*item.id).collect();
    let rows = catalogue.items.into_iter();
    let mut new: Vec<_> = rows.filter(|(id, _)| !known.contains(&**id)).collect();
    new.sort_by_key(|(_, labels)| labels.line);
    let lines = new.iter().map(|(id, labels)| (id.clone(), labels.line));
    let lines = lines.collect();
    let item = |(id, labels): (String, read::Labels)| Item {
        id,
        title: labels.title,
        category: labels.category,
    };
    (new.into_iter().map(item).collect(), lines)
}

/// The files of a run's bundle with default options: names and bytes, the manifest last.
pub fn shipped(run: &Run, data: &Dataset, model: &Model) -> Result<Vec<(String, Vec<u8>)>> {
    let trained = (run, data, model);
    let mut bundle = bundle(trained, Newcomers::default(), TableKind::Int8, None)?;
    bundle.manifest.evaluation = evaluation(trained, &bundle)?;
    Ok(bundle.write(BLOCK_ROWS)?)
}

/// Test figures for the manifest: those of the item table in the bundle, whose values are rounded.
fn evaluation((run, data, model): (&Run, &Dataset, &Model), bundle: &Bundle) -> Result<Value> {
    let model = &with_table_of(bundle, model, data);
    let mut figures = Map::new();
    for (name, split) in [("test", Split::Test), ("unseen", Split::Unseen)] {
        let answers = answers(run, data, model, split)?;
        if !answers.is_empty() {
            figures.insert(name.to_owned(), report(&answers, run.config.seed));
        }
    }
    Ok(figures.into())
}

/// The model with the bundle's item embeddings.
fn with_table_of(bundle: &Bundle, model: &Model, data: &Dataset) -> Model {
    let width = bundle.manifest.items.width;
    let rows: HashMap<&str, usize> = (bundle.ids.iter().enumerate())
        .map(|(row, id)| (id, row))
        .collect();
    let mut table = vec![0.0; (data.n_items() + 1) * width];
    // Row 0 is padding.
    for (item, to) in data
        .items()
        .iter()
        .zip(table[width..].chunks_exact_mut(width))
    {
        bundle.items.row(rows[&item.id[..]], to);
    }
    let mut model = model.clone();
    let shape = [data.n_items() + 1, width];
    model.backbone.items = Param::from_tensor(tensor(table, shape, &Device::flex()));
    model
}

/// A run as a bundle, without figures.
pub fn bundle(
    (run, data, model): (&Run, &Dataset, &Model),
    newcomers: Newcomers,
    kind: TableKind,
    name: Option<String>,
) -> Result<Bundle> {
    let width = run.config.backbone.width;
    let mut table: Vec<f32> = model
        .backbone
        .items
        .val()
        .into_data()
        .iter::<f32>()
        .skip(width)
        .collect();
    table.extend(newcomers.table);
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
    let config = run.model_config();
    let gate = config.gate;
    let known = run.features()?;
    let manifest = Manifest {
        format: FORMAT,
        name: name.unwrap_or_else(|| format!("{data_name} {method}")),
        method: MethodSpec {
            name: method.to_owned(),
            config: settings,
        },
        backbone: serde_json::to_value(&run.config.backbone).expect("sizes are JSON"),
        items: ItemsSpec {
            count: data.n_items() + newcomers.items.len(),
            width,
            dtype,
            code_width: 0,
            appended: newcomers.items.len(),
        },
        files: Vec::new(),
        calibration: Calibration {
            temperature: gate.scale.temperature,
            shift: gate.scale.shift,
            tau_low: gate.tau_low,
            tau_high: gate.tau_high,
            keep: config.keep.map(Vec::from),
            views: gate.views.map(|views| ViewScales {
                prior: views.prior,
                posterior: views.posterior,
            }),
        },
        adapter: None,
        provenance: json!({
            "ingle": run.about.ingle,
            "data": data_name,
            "data_hash": run.about.data_hash,
            "seed": run.config.seed,
            "training_seconds": run.about.seconds.round(),
            "phases": (run.about.best())
                .map(|(phase, best)| json!({
                    "phase": phase, "figure": best.figure, "value": best.value, "epoch": best.epoch,
                }))
                .collect::<Vec<_>>(),
        }),
        evaluation: Value::Null,
    };
    let items_of_all = data.items().iter().chain(&newcomers.items);
    let mut popularity = known.popularity[1..].to_vec();
    popularity.resize(data.n_items() + newcomers.items.len(), 0.0);
    let mut codes = (known.codes).map_or_else(Vec::new, |c| c.values[c.width..].to_vec());
    codes.extend(newcomers.codes);
    Ok(Bundle {
        manifest,
        weights: shipped_weights(model),
        items,
        ids: items_of_all.map(|item| item.id.clone()).collect(),
        popularity,
        codes,
    })
}
