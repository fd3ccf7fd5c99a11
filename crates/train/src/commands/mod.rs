//! One module per subcommand, with its arguments and output. Shared code is here.

mod answering;
pub mod auto;
pub mod corrupt;
pub mod denoise;
pub mod diff;
pub mod doctor;
pub mod evaluate;
pub mod export;
pub mod gc;
pub mod import;
pub mod inspect;
pub mod keys;
pub mod new;
mod place;
pub mod prepare;
pub mod publish;
pub mod reader;
pub mod reading;
pub mod recommend;
pub mod report;
pub mod serve;
pub mod sign;
mod signing;
pub mod simulate;
pub mod sweep;
mod titles;
pub mod train;
pub mod verify;

use crate::data::{Dataset, InputError, Split, what_is};
use crate::training::Run;
use anyhow::{Result, bail};
use burn::prelude::*;
use ingle_bundle::Bundle;
use ingle_model::Model;
use serde_json::Value;
use std::fmt::Display;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// A run, and the histories it is asked about.
#[derive(Debug, clap::Args)]
pub struct Subject {
    /// Run folder
    pub run: PathBuf,
    /// Dataset folder [default: the one the run was trained on]
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Users and clicks it is about
    #[arg(long, value_enum, default_value = "test")]
    pub split: SplitName,
}

/// Which users and which of their clicks are predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum SplitName {
    /// The click before the last (or the first of the validation period, or the last of a window of it), of
    /// users seen in training
    Valid,
    /// The last click (or the first of the test period), of users seen in training
    Test,
    /// The same, of users held out of training (`prepare --holdout-users`, `--windows-unseen`)
    Unseen,
}

impl SplitName {
    /// The dataset's split.
    pub fn split(self) -> Split {
        match self {
            Self::Valid => Split::Valid,
            Self::Test => Split::Test,
            Self::Unseen => Split::Unseen,
        }
    }
}

/// Opens a run with its model and a dataset of the same catalogue.
pub fn open(run: &Path, data: Option<&Path>) -> Result<(Run, Dataset, Model)> {
    let run = Run::open(run)?;
    let data = Dataset::open(data.unwrap_or(&run.about.data))?;
    let model = model_for(&run, &data)?;
    Ok((run, data, model))
}

/// A run's model, checked to be usable with a dataset of the same catalogue.
fn model_for(run: &Run, data: &Dataset) -> Result<Model> {
    let (found, expected) = (data.n_items(), run.about.items);
    if found != expected {
        bail!(InputError::other(format!(
            "{} was trained on {expected} items, the dataset has {found}: they are not of one catalogue",
            run.dir.display()
        )));
    }
    run.model(&Device::flex())
}

/// Reads a bundle and checks every byte. An invalid bundle is an input error.
fn read_bundle(dir: &Path) -> Result<Bundle, InputError> {
    if !dir.join("manifest.json").exists() {
        return Err(InputError::other(format!(
            "{} is no bundle (it has no manifest.json): {}. `ingle export RUN --out BUNDLE` makes one",
            dir.display(),
            what_is(dir)
        )));
    }
    ingle_bundle::dir::read_dir(dir).map_err(|error| bad_bundle(dir, &error))
}

/// The error for an invalid bundle in a folder.
fn bad_bundle(dir: &Path, error: &impl Display) -> InputError {
    InputError::other(format!("{}: {error}", dir.display()))
}

/// The error for a dataset without noise labels.
fn unlabelled() -> InputError {
    InputError::other(
        "the noise of this dataset is not known: `ingle corrupt` makes a dataset with labels, and \
         `ingle prepare --windows` reads one",
    )
}

/// Writes a line of JSON; `false` if the reader has closed the pipe, as `head` does.
fn write_line(out: &mut impl Write, line: &Value) -> Result<bool> {
    match writeln!(out, "{line}") {
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(false),
        written => Ok(written.map(|()| true)?),
    }
}

/// The last part of a path, as text.
fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
