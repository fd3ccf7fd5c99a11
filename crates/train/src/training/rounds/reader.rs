//! The language model's part of a round. In the first round it is trained to detect replaced clicks by their
//! titles, later it is refined on the histories disputed in the round before. Then it scores the log's own
//! clicks.

use crate::data::Dataset;
use crate::reader::{Reader, ScoredSplit, Scores, Settings, fit, open_lm, score, score_files};
use crate::training::config::{Config, lm_folder};
use crate::training::judge::probabilities;
use crate::training::progress::Progress;
use anyhow::{Context as _, Result};
use burn::prelude::*;
use ingle_lm::LanguageModel;
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// File of the language model's scores of the log.
const SCORES: &str = "train.safetensors";

/// Trains the language model of the first round into `dir`, or refines that of the round before, and scores the log
/// with it. `before` are the folder of the round before and the file of its disputed histories. Returns `None` if the
/// training was interrupted before the end; the next call resumes.
///
/// # Errors
/// If the language model is missing or differs from that of the round before, or files cannot be written.
pub fn work(
    dir: &Path,
    before: Option<(&Path, &Path)>,
    config: &Config,
    data: &Dataset,
    (stop, progress): (&AtomicBool, &Progress),
) -> Result<Option<Reader>> {
    let folder_of_lm = lm_folder(&config.denoising);
    let folder_of_lm = folder_of_lm.context("a reader needs a language model")?;
    let lm = open_lm(&folder_of_lm, &Device::flex().autodiff())?;
    let ready = match before {
        None => fitted(dir, config, data, &lm, (stop, progress))?,
        Some(before) => refined(dir, before, data, &lm, (stop, progress))?,
    };
    let Some(reader) = ready else {
        return Ok(None);
    };
    let lm = open_lm(&folder_of_lm, &Device::flex())?;
    let scored = score::split(
        &reader,
        &lm,
        data,
        ScoredSplit::Train,
        &dir.join(SCORES),
        (stop, progress),
    )?;
    Ok(scored.map(|_| reader))
}

fn fitted(
    dir: &Path,
    config: &Config,
    data: &Dataset,
    lm: &LanguageModel,
    (stop, progress): (&AtomicBool, &Progress),
) -> Result<Option<Reader>> {
    let mut reader = match Reader::check_new(dir) {
        Ok(()) => Reader::create(dir, settings(config), lm, data)?,
        Err(_) => Reader::open(dir)?,
    };
    let settings = reader.about.settings.clone();
    let ground = fit::Ground::new(data, lm, &settings)?;
    let done = fit::fit(&mut reader, &ground, stop, progress)?;
    Ok(done.then_some(reader))
}

fn refined(
    dir: &Path,
    (before, disputed): (&Path, &Path),
    data: &Dataset,
    lm: &LanguageModel,
    (stop, progress): (&AtomicBool, &Progress),
) -> Result<Option<Reader>> {
    if Reader::check_new(dir).is_err() {
        let reader = Reader::open(dir)?;
        if reader.about.finished {
            return Ok(Some(reader));
        }
        // An interrupted refinement is not resumed: remove what it wrote.
        std::fs::remove_dir_all(dir).with_context(|| format!("cannot remove {}", dir.display()))?;
    }
    let before = Reader::finished(before)?;
    let disputed = score_files::disputed(disputed, data)?;
    let settings = &before.about.settings;
    let ground = fit::Ground::new(data, lm, settings)?;
    let judge = fit::refine(&ground, before.judge(lm)?, &disputed, (stop, progress))?;
    let Some(judge) = judge else {
        return Ok(None);
    };
    let valid = ground.validate(&judge, 0);
    let figures = (valid, disputed.len());
    Ok(Some(before.refined(dir, lm, data, &judge, figures)?))
}

/// Epochs in which the language model is trained before the first round.
const EPOCHS: usize = 2;

/// The language model's training settings, from the configuration of the training.
pub fn settings(config: &Config) -> Settings {
    let denoising = &config.denoising;
    Settings {
        seed: config.seed,
        window: denoising.last,
        histories: denoising.reader_histories,
        epochs: EPOCHS,
        rate: denoising.rate,
        rates: denoising.rates.clone(),
        kinds: denoising.kinds.clone(),
        ..Settings::default()
    }
}

/// The language model's noise probability of each training click by user. Clicks older than its window get
/// the mean over those it read.
pub fn beliefs(dir: &Path, data: &Dataset) -> Result<Vec<Vec<f32>>> {
    let reader = Reader::finished(dir)?;
    let scores = Scores::open(&dir.join(SCORES), data, ScoredSplit::Train)?;
    let scale = reader
        .about
        .valid
        .map(|figures| figures.scale)
        .unwrap_or_default();
    let read: Vec<Vec<f32>> = (0..data.n_users())
        .map(|user| probabilities(scores.of(user), scale))
        .collect();
    let count = read.iter().map(Vec::len).sum::<usize>().max(1);
    let mean = read.iter().flatten().sum::<f32>() / count as f32;
    let whole = |(user, read): (usize, Vec<f32>)| {
        let older = data.train(user).len() - read.len();
        [vec![mean; older], read].concat()
    };
    Ok(read.into_iter().enumerate().map(whole).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::testing::{from_parts, parts};
    use ingle_lm::testing::{WORDS, write};
    use tempfile::TempDir;

    fn lm_folder(seed: u64) -> TempDir {
        let dir = tempfile::tempdir().expect("a folder");
        write(dir.path(), seed);
        dir
    }

    fn data() -> Dataset {
        let histories: Vec<Vec<u32>> = (0..12)
            .map(|user| (0..6).map(|click| 1 + (user + click) % 6).collect())
            .collect();
        let histories: Vec<&[u32]> = histories.iter().map(Vec::as_slice).collect();
        let mut parts = parts(&histories, &[]);
        for (item, title) in parts.items.iter_mut().zip(WORDS) {
            item.title = Some((*title).to_owned());
        }
        from_parts(parts)
    }

    fn config(lm: &Path) -> Config {
        let mut config = Config::default();
        config.denoising.language_model = lm.display().to_string();
        config.denoising.reader_histories = 6;
        config
    }

    #[test]
    fn a_round_reads_every_click_and_the_next_one_is_refined_by_what_was_disputed() {
        let (run, lm) = (tempfile::tempdir().expect("a folder"), lm_folder(1));
        let (data, config) = (data(), config(lm.path()));
        let stop = AtomicBool::new(false);
        let progress = Progress::new();
        let dir = |round: usize| run.path().join(round.to_string());
        let disputed = run.path().join("disputed.jsonl");
        let round = |round| {
            let before = (dir(1), &*disputed);
            let before = (round > 1).then_some((&*before.0, before.1));
            work(&dir(round), before, &config, &data, (&stop, &progress))
        };
        let first = round(1).expect("works").expect("not stopped");
        let believed = beliefs(&dir(1), &data).expect("read");
        for (user, row) in believed.iter().enumerate() {
            assert_eq!(row.len(), data.train(user).len());
            assert!(row.iter().all(|p| (0.0..=1.0).contains(p)));
        }
        let line = r#"{"user":"u0","items":["i1","i2"],"noise":[1.0,0.0]}"#;
        std::fs::write(&disputed, line).expect("written");
        let second = round(2).expect("works").expect("not stopped");
        assert_ne!(first.hash().expect("hash"), second.hash().expect("hash"));
        assert_ne!(beliefs(&dir(2), &data).expect("read"), believed);
        // A finished round has nothing left to do.
        let again = round(2).expect("works").expect("not stopped");
        assert_eq!(again.hash().expect("hash"), second.hash().expect("hash"));
    }

    #[test]
    fn stops_when_asked_and_goes_on() {
        let (run, lm) = (tempfile::tempdir().expect("a folder"), lm_folder(1));
        let (data, config) = (data(), config(lm.path()));
        let progress = Progress::new();
        let round = |stop| {
            let stop = &AtomicBool::new(stop);
            work(run.path(), None, &config, &data, (stop, &progress))
        };
        assert!(round(true).expect("works").is_none());
        assert!(beliefs(run.path(), &data).is_err());
        assert!(round(false).expect("works").is_some());
        assert!(beliefs(run.path(), &data).is_ok());
    }
}
