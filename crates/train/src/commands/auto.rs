//! `ingle train --method auto`: trains every denoising method on the same backbone and takes the run with the highest
//! gain on validation histories, or the backbone's own run if no method has a gain.
//!
//! A method's gain is measured where its [keep rule](crate::training::choice) was chosen: on users held out from the
//! method and from the fold that answers, without noise and with each kind of noise.

use super::sweep::{Base, finish};
use crate::data::{Dataset, InputError};
use crate::training::Config;
use crate::training::checkpoint::write_atomically;
use crate::training::choice::Tried;
use anyhow::{Context as _, Result, bail};
use comfy_table::Table;
use ingle_model::methods::{MethodConfig, NAMES};
use serde::Serialize;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// The method that trains only the backbone.
const NONE: &str = "none";
/// Folder of the methods' runs, inside the run folder.
const FOLDER: &str = "methods";

/// Results of all methods.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Methods {
    /// The method that was selected.
    pub taken: String,
    /// Result of each denoising method's keep rule; gains are over keeping every click.
    pub tried: Vec<(String, Tried)>,
}

/// Trains all methods into a folder and copies the run of the selected one into it. Finished runs are kept, an
/// interrupted one is resumed. `None` if training was stopped by the user.
pub fn train(
    base: &Base<'_>,
    data: (&Path, &Dataset),
    out: &Path,
    stop: &AtomicBool,
) -> Result<Option<Methods>> {
    if out.join("run.json").exists() {
        bail!(InputError::other(format!(
            "{} holds a run already: choose another --out",
            out.display()
        )));
    }
    let configs = configs(base)?;
    let folder = |name: &str| out.join(FOLDER).join(name);
    let first = configs.first().map(|(name, _)| folder(name));
    let mut tried = Vec::new();
    for (name, config) in &configs {
        eprintln!("{name}: {}", folder(name).display());
        let from = if tried.is_empty() {
            base.from
        } else {
            first.as_deref()
        };
        let base = Base { from, ..*base };
        let Some(run) = finish(&folder(name), config, &base, data, stop)? else {
            return Ok(None);
        };
        let choice = run.about.keep.context("a run without `keep` chooses it")?;
        tried.push((*name, choice.tried[choice.taken].clone()));
    }
    let taken = taken(&tried);
    if taken == NONE {
        let config = Config::resolve(base.config, base.sets, Some(NONE))?;
        let from = first.as_deref();
        if finish(&folder(NONE), &config, &Base { from, ..*base }, data, stop)?.is_none() {
            return Ok(None);
        }
    }
    let tried = tried
        .into_iter()
        .map(|(name, tried)| (name.to_owned(), tried));
    let methods = Methods {
        taken: taken.to_owned(),
        tried: tried.collect(),
    };
    write_atomically(
        &out.join("methods.json"),
        &serde_json::to_vec_pretty(&methods)?,
    )?;
    copy_run(&folder(taken), out)?;
    Ok(Some(methods))
}

/// The configurations of all denoising methods. Those that need the learning dynamics come first, since the others reuse
/// the first one's backbone and folds; of them the method named in the settings.
fn configs(base: &Base<'_>) -> Result<Vec<(&'static str, Config)>> {
    let denoises = |name: &&&str| MethodConfig::named(name).is_some_and(|method| method.denoises());
    let named = Config::resolve(base.config, base.sets, None)?.method.name();
    let each = NAMES.iter().filter(denoises).map(|&name| {
        let config = Config::resolve(base.config, base.sets, Some(name))?;
        if config.keep.is_some() || config.denoising.folds == 0 {
            bail!(InputError::other(
                "--method auto asks held-out users which clicks count: leave out keep, and set denoising.folds to 2 or more"
            ));
        }
        Ok((name, config))
    });
    let mut configs = each.collect::<Result<Vec<_>>>()?;
    configs.sort_by_key(|(name, config)| (!config.watches(), *name != named));
    Ok(configs)
}

/// The method whose rule has the highest gain; none if every rule keeps every click.
fn taken<'a>(tried: &[(&'a str, Tried)]) -> &'a str {
    let wins = tried.iter().filter(|(_, tried)| tried.gain.value > 0.0);
    let best = wins.max_by(|(_, a), (_, b)| a.gain.value.total_cmp(&b.gain.value));
    best.map_or(NONE, |(name, _)| name)
}

/// Copies a run; the file that identifies the folder as a run is copied last.
fn copy_run(from: &Path, to: &Path) -> Result<()> {
    let failed = || format!("cannot copy {}", from.display());
    fs::create_dir_all(to).with_context(failed)?;
    let entries: Vec<_> = fs::read_dir(from)
        .with_context(failed)?
        .collect::<Result<_, _>>()?;
    let (last, others): (Vec<_>, Vec<_>) =
        (entries.into_iter()).partition(|entry| entry.file_name() == "run.json");
    for entry in others.into_iter().chain(last) {
        let place = to.join(entry.file_name());
        if entry.file_type().with_context(failed)?.is_dir() {
            copy_run(&entry.path(), &place)?;
        } else {
            fs::copy(entry.path(), place).with_context(failed)?;
        }
    }
    Ok(())
}

/// The results as a table of text.
pub fn table(methods: &Methods) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_BORDERS_ONLY);
    table.set_header([
        "method",
        "thresholds",
        "histories",
        "NDCG@10 over every click",
        "",
    ]);
    for (name, tried) in &methods.tried {
        let error = tried.gain.error.unwrap_or(0.0);
        table.add_row([
            name.clone(),
            format!("{:?}", tried.keep.thresholds()),
            format!("{:.2}", tried.histories),
            format!("{:+.4} ± {error:.4}", tried.gain.value),
            if *name == methods.taken { "taken" } else { "" }.to_owned(),
        ]);
    }
    let none = if methods.taken == NONE {
        "\nnone of them wins anything: the backbone alone is taken"
    } else {
        ""
    };
    format!("{table}{none}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::paired::Difference;
    use ingle_model::kept::Rule;

    fn tried(gain: f64) -> Tried {
        let gain = Difference {
            value: gain,
            error: Some(0.001),
        };
        Tried {
            keep: Rule::even(4),
            histories: 1.5,
            ndcg10: Vec::new(),
            gains: Vec::new(),
            gain,
        }
    }

    #[test]
    fn the_method_that_wins_most_is_taken_and_none_where_nothing_is_won() {
        assert_eq!(
            taken(&[("a", tried(0.01)), ("b", tried(0.02)), ("c", tried(0.0))]),
            "b"
        );
        assert_eq!(taken(&[("a", tried(0.0)), ("b", tried(0.0))]), NONE);
        assert_eq!(taken(&[]), NONE);
    }
}
