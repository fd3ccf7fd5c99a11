//! The language model's part of a round. In the first round it is trained to detect replaced clicks by their
//! titles, later it is refined on the histories disputed in the round before. Then it scores the log's own
//! clicks.

use crate::data::Dataset;
use crate::prior::{Prior, ScoredSplit, Scores, Settings, fit, open_lm, opinions, score};
use crate::training::config::{Config, lm_folder};
use crate::training::judge::probabilities;
use crate::training::progress::Progress;
use anyhow::{Context as _, Result};
use burn::prelude::*;
use ingle_lm::LanguageModel;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// File of the language model's scores of the log.
const SCORES: &str = "train.safetensors";

/// Folder of a round's language model.
pub fn folder(run: &Path, round: usize) -> PathBuf {
    run.join(format!("reader-{round}"))
}

/// File of the disputed histories of a round.
pub fn disputed_file(run: &Path, round: usize) -> PathBuf {
    run.join(format!("disputed-{round}.jsonl"))
}

/// Trains or refines the language model of a round and scores the log with it. Returns `None` if `stop` was
/// set before the end; the next call resumes.
///
/// # Errors
/// If the language model is missing or differs from that of the round before, or files cannot be written.
pub fn work(
    run: &Path,
    config: &Config,
    data: &Dataset,
    round: usize,
    (stop, progress): (&AtomicBool, &Progress),
) -> Result<Option<Prior>> {
    let folder_of_lm = lm_folder(&config.denoising);
    let folder_of_lm = folder_of_lm.context("a reader needs a language model")?;
    let lm = open_lm(&folder_of_lm, &Device::flex().autodiff())?;
    let ready = match round {
        1 => fitted(run, config, data, &lm, (stop, progress))?,
        _ => refined(run, data, round, &lm, (stop, progress))?,
    };
    let Some(prior) = ready else {
        return Ok(None);
    };
    let lm = open_lm(&folder_of_lm, &Device::flex())?;
    let out = folder(run, round).join(SCORES);
    let scored = score::split(
        &prior,
        &lm,
        data,
        ScoredSplit::Train,
        &out,
        (stop, progress),
    )?;
    Ok(scored.map(|_| prior))
}

fn fitted(
    run: &Path,
    config: &Config,
    data: &Dataset,
    lm: &LanguageModel,
    (stop, progress): (&AtomicBool, &Progress),
) -> Result<Option<Prior>> {
    let dir = folder(run, 1);
    let mut prior = match Prior::check_new(&dir) {
        Ok(()) => Prior::create(&dir, settings(config), lm, data)?,
        Err(_) => Prior::open(&dir)?,
    };
    let settings = prior.about.settings.clone();
    let ground = fit::Ground::new(data, lm, &settings)?;
    let done = fit::fit(&mut prior, &ground, stop, progress)?;
    Ok(done.then_some(prior))
}

fn refined(
    run: &Path,
    data: &Dataset,
    round: usize,
    lm: &LanguageModel,
    (stop, progress): (&AtomicBool, &Progress),
) -> Result<Option<Prior>> {
    let dir = folder(run, round);
    if Prior::check_new(&dir).is_err() {
        let prior = Prior::open(&dir)?;
        if prior.about.finished {
            return Ok(Some(prior));
        }
        // An interrupted refinement is not resumed: remove what it wrote.
        std::fs::remove_dir_all(&dir)
            .with_context(|| format!("cannot remove {}", dir.display()))?;
    }
    let before = Prior::finished(&folder(run, round - 1))?;
    let disputed = opinions::disputed(&disputed_file(run, round - 1), data)?;
    let settings = &before.about.settings;
    let ground = fit::Ground::new(data, lm, settings)?;
    let judge = fit::refine(&ground, before.judge(lm)?, &disputed, (stop, progress))?;
    let Some(judge) = judge else {
        return Ok(None);
    };
    let valid = ground.validate(&judge, 0);
    let figures = (valid, disputed.len());
    Ok(Some(before.refined(&dir, lm, data, &judge, figures)?))
}

/// The language model's training settings, from the configuration of the training.
pub fn settings(config: &Config) -> Settings {
    let denoising = &config.denoising;
    Settings {
        seed: config.seed,
        window: denoising.last,
        histories: denoising.reader_histories,
        epochs: denoising.reader_epochs,
        rate: denoising.rate,
        rates: denoising.rates.clone(),
        kinds: denoising.kinds.clone(),
        ..Settings::default()
    }
}

/// The language model's noise probability of each training click by user. Clicks older than its window get
/// the mean over those it read.
pub fn beliefs(run: &Path, data: &Dataset, round: usize) -> Result<Vec<Vec<f32>>> {
    let dir = folder(run, round);
    let prior = Prior::finished(&dir)?;
    let scores = Scores::open(&dir.join(SCORES), data, ScoredSplit::Train)?;
    let scale = prior
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
        (
            config.denoising.reader_histories,
            config.denoising.reader_epochs,
        ) = (6, 1);
        config
    }

    #[test]
    fn a_round_reads_every_click_and_the_next_one_is_refined_by_what_was_disputed() {
        let (run, lm) = (tempfile::tempdir().expect("a folder"), lm_folder(1));
        let (data, config) = (data(), config(lm.path()));
        let stop = AtomicBool::new(false);
        let progress = Progress::new();
        let round = |round| work(run.path(), &config, &data, round, (&stop, &progress));
        let first = round(1).expect("works").expect("not stopped");
        let believed = beliefs(run.path(), &data, 1).expect("read");
        for (user, row) in believed.iter().enumerate() {
            assert_eq!(row.len(), data.train(user).len());
            assert!(row.iter().all(|p| (0.0..=1.0).contains(p)));
        }
        let line = r#"{"user":"u0","items":["i1","i2"],"noise":[1.0,0.0]}"#;
        std::fs::write(disputed_file(run.path(), 1), line).expect("written");
        let second = round(2).expect("works").expect("not stopped");
        assert_ne!(first.hash().expect("hash"), second.hash().expect("hash"));
        assert_ne!(beliefs(run.path(), &data, 2).expect("read"), believed);
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
            work(
                run.path(),
                &config,
                &data,
                1,
                (&AtomicBool::new(stop), &progress),
            )
        };
        assert!(round(true).expect("works").is_none());
        assert!(beliefs(run.path(), &data, 1).is_err());
        assert!(round(false).expect("works").is_some());
        assert!(beliefs(run.path(), &data, 1).is_ok());
    }
}
