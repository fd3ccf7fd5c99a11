//! `ingle inspect`: checks every byte of a bundle and prints its contents.

use super::read_bundle;
use super::titles::Titles;
use crate::say::say;
use anyhow::Result;
use comfy_table::Table;
use ingle_bundle::{Bundle, Calibration, Manifest};
use ingle_model::backbone::Kind;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Check a bundle and show what it holds
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ingle inspect bundle
  ingle inspect bundle --titles items.csv      what its items are called
  ingle inspect bundle --json")]
pub struct Args {
    /// Bundle folder
    bundle: PathBuf,
    /// Items file or dataset with the titles
    #[arg(long, value_name = "FILE|DIR")]
    titles: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let bundle = read_bundle(&args.bundle)?;
    let titles = (args.titles.as_deref()).map_or_else(|| Ok(Titles::default()), Titles::open)?;
    let parameters: usize = bundle
        .weights
        .values()
        .map(|tensor| tensor.data.len())
        .sum();
    if args.json {
        let mut report = serde_json::to_value(&bundle.manifest)?;
        report["parameters"] = json!(parameters);
        say!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(());
    }
    let Manifest {
        format,
        name,
        method,
        backbone,
        items,
        files,
        calibration,
        adapter,
        provenance,
        evaluation,
    } = &bundle.manifest;
    let appended = match items.appended {
        0 => String::new(),
        some => format!(", the last {some} of them added without training"),
    };
    say!("{name}  (format {format}, every hash checked)\n");
    say!("method       {}", method.name);
    let kind = backbone.get("kind").and_then(Value::as_str);
    say!("backbone     {}", kind.unwrap_or(Kind::default().name()));
    say!(
        "items        {} x {} as {:?}{appended}",
        items.count,
        items.width,
        items.dtype
    );
    say!("parameters   {parameters} beside the item table");
    say!(
        "{} (temperature {:.3}, shift {:.3})",
        kept(calibration),
        calibration.temperature,
        calibration.shift
    );
    let none = "none, the model's scores alone".to_owned();
    let adapter = adapter.as_ref().map_or(none, crate::adapting::describe);
    say!("adapter      {adapter}");
    say!("items like   {}", examples(&bundle, &titles));
    if items.appended > 0 {
        let rows = items.count - items.appended..items.count;
        let added: Vec<String> = rows
            .take(5)
            .map(|row| titles.name(&bundle.ids[row]))
            .collect();
        say!("added like   {}", added.join(", "));
    }
    say!("\n{}", files_table(files));
    print_object("trained", provenance);
    print_object("measured", evaluation);
    Ok(())
}

/// How the bundle treats clicks that may be noise.
fn kept(calibration: &Calibration) -> String {
    let Calibration {
        keep,
        tau_low,
        tau_high,
        ..
    } = calibration;
    match keep {
        None => format!("gate         counts in full below {tau_low}, not at all above {tau_high}"),
        Some(keep) => {
            let thresholds: Vec<String> = keep.iter().map(f32::to_string).collect();
            let thresholds = thresholds.join(", ");
            format!("histories    without the clicks of more noise than {thresholds}")
        }
    }
}

/// The most popular items, by which a catalogue can be recognised.
fn examples(bundle: &Bundle, titles: &Titles) -> String {
    let mut rows: Vec<usize> = (0..bundle.ids.len()).collect();
    rows.sort_by(|&a, &b| {
        bundle.popularity[b]
            .total_cmp(&bundle.popularity[a])
            .then(a.cmp(&b))
    });
    let best = rows
        .iter()
        .take(5)
        .map(|&row| titles.name(&bundle.ids[row]));
    best.collect::<Vec<_>>().join(", ")
}

fn files_table(files: &[ingle_bundle::FileEntry]) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_BORDERS_ONLY);
    table.set_header(["role", "file", "bytes"]);
    for file in files {
        let role = serde_json::to_value(&file.role).unwrap_or_default();
        let role = role.as_str().unwrap_or("unknown").to_owned();
        table.add_row([role, file.name.clone(), file.bytes.to_string()]);
    }
    table
}

/// Prints nested JSON as `title: a.b = value` lines.
fn print_object(title: &str, value: &Value) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                print_object(&format!("{title}.{key}"), inner);
            }
        }
        Value::Array(list) => {
            for (place, inner) in list.iter().enumerate() {
                print_object(&format!("{title}.{place}"), inner);
            }
        }
        Value::Number(number) if number.is_f64() => {
            say!("{title} = {:.4}", number.as_f64().unwrap_or_default());
        }
        leaf => say!("{title} = {leaf}"),
    }
}
