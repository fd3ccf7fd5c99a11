//! A reader from end to end on a small random language model.

use super::fit::{Ground, fit, refine};
use super::learner::Labelled;
use super::scores::{ScoredSplit, Scores};
use super::{Reader, Settings, Titles, score};
use crate::data::testing::{from_parts, parts};
use crate::data::{Dataset, InputError};
use crate::training::progress::Progress;
use burn::module::Module as _;
use burn::prelude::*;
use ingle_lm::testing::{WORDS, tiny_on};
use ingle_lm::{LanguageModel, TitleScorer};
use ingle_model::{Rng, weights};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

static STOP: AtomicBool = AtomicBool::new(true);
static GO: AtomicBool = AtomicBool::new(false);

/// Shoppers of make-up and of tools, who never mix: six products of each.
fn shop() -> Dataset {
    let mut rng = Rng::new(1, &[]);
    let histories: Vec<Vec<u32>> = (0..400)
        .map(|user| {
            let first = if user % 2 == 0 { 1 } else { 7 };
            let clicks = 6 + rng.below(4);
            (0..clicks).map(|_| (first + rng.below(6)) as u32).collect()
        })
        .collect();
    // Of each kind the first word is in every title.
    titled(&histories, |item| {
        Some(format!("{} {}", WORDS[item / 6 * 6], WORDS[item]))
    })
}

fn titled(histories: &[Vec<u32>], title: impl Fn(usize) -> Option<String>) -> Dataset {
    let views: Vec<&[u32]> = histories.iter().map(Vec::as_slice).collect();
    let mut parts = parts(&views, &[]);
    for (at, item) in parts.items.iter_mut().enumerate() {
        item.title = title(at);
    }
    from_parts(parts)
}

fn lm(seed: u64) -> LanguageModel {
    tiny_on(seed, &Device::flex().autodiff())
}

fn settings() -> Settings {
    Settings {
        histories: 0,
        epochs: 12,
        batch_tokens: 256,
        learning_rate: 0.005,
        rate: 0.2,
        validation: 60,
        refine_steps: 80,
        ..Settings::default()
    }
}

/// A reader fitted into a folder.
fn fitted(dir: &Path, lm: &LanguageModel, data: &Dataset) -> Reader {
    let mut reader = Reader::create(dir, settings(), lm, data).expect("a folder");
    let settings = settings();
    let ground = Ground::new(data, lm, &settings).expect("histories");
    assert!(fit(&mut reader, &ground, &GO, &Progress::new()).expect("fits"));
    Reader::finished(dir).expect("finished")
}

fn refused(result: anyhow::Result<impl Sized>, part: &str) {
    let error = result.map(|_| ()).expect_err(part);
    assert!(error.downcast_ref::<InputError>().is_some(), "{error:#}");
    assert!(error.to_string().contains(part), "{error:#}");
}

fn logits(
    judge: &TitleScorer,
    lm: &LanguageModel,
    data: &Dataset,
    histories: &[&[u32]],
) -> Vec<Vec<f32>> {
    let scorer = judge.valid().ready(lm.encoder.valid());
    score::logits(
        &scorer,
        &Titles::new(lm, data, &settings()),
        histories,
        |_| (),
    )
}

#[test]
fn a_fit_lowers_the_loss_and_finds_planted_noise() {
    let (data, lm, home) = (shop(), lm(1), tempfile::tempdir().expect("a folder"));
    let reader = fitted(home.path(), &lm, &data);
    let log = std::fs::read_to_string(home.path().join("metrics.jsonl")).expect("a log");
    let losses: Vec<f64> = (log.lines())
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"))
        .map(|line| line["loss"].as_f64().expect("a loss"))
        .collect();
    assert_eq!(losses.len(), 12);
    assert!(losses[11] < losses[0], "{losses:?}");
    // Half of the noise is of the shopper's own kind and cannot be told.
    let auc = reader.about.valid.expect("figures").auc;
    assert!(auc > 0.65, "{auc}");
    let judge = reader.judge(&lm).expect("adapters");
    let rows = logits(
        &judge,
        &lm,
        &data,
        &[&[1, 2, 3, 9, 4, 5], &[7, 8, 9, 10, 1, 11]],
    );
    for (row, stranger) in rows.iter().zip([3, 4]) {
        let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        assert_eq!(row[stranger], most, "{row:?}");
    }
}

#[test]
fn a_fit_that_is_stopped_ends_with_the_same_weights() {
    let (data, lm) = (shop(), lm(1));
    let whole = tempfile::tempdir().expect("a folder");
    let whole = fitted(whole.path(), &lm, &data)
        .judge(&lm)
        .expect("adapters");
    let home = tempfile::tempdir().expect("a folder");
    let mut reader = Reader::create(home.path(), settings(), &lm, &data).expect("a folder");
    let settings = settings();
    let ground = Ground::new(&data, &lm, &settings).expect("histories");
    let mut stops = 0;
    loop {
        let stop = AtomicBool::new(false);
        let finished = std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(70));
                stop.store(true, Ordering::Relaxed);
            });
            fit(&mut reader, &ground, &stop, &Progress::new()).expect("fits")
        });
        if finished {
            break;
        }
        stops += 1;
        refused(Reader::finished(home.path()), "--resume");
        reader = Reader::open(home.path()).expect("a reader");
    }
    assert!(stops > 0, "it was never stopped");
    let resumed = reader.judge(&lm).expect("adapters");
    assert!(weights::collect(&resumed) == weights::collect(&whole));
}

#[test]
fn disputed_histories_move_what_it_says() {
    let (data, lm, home) = (shop(), lm(1), tempfile::tempdir().expect("a folder"));
    let reader = fitted(home.path(), &lm, &data);
    let settings = settings();
    let ground = Ground::new(&data, &lm, &settings).expect("histories");
    let disputed = vec![
        Labelled {
            items: vec![1, 2, 3, 4],
            noise: vec![0.0, 0.9, 0.0, 0.0],
        };
        20
    ];
    let before = reader.judge(&lm).expect("adapters");
    let how = (&GO, &Progress::new());
    let after = refine(&ground, before.clone(), &disputed, how).expect("refines");
    let after = after.expect("not stopped");
    let of = |judge: &TitleScorer| logits(judge, &lm, &data, &[&[1, 2, 3, 4]])[0][1];
    assert!(
        of(&after) > of(&before) + 0.2,
        "{} {}",
        of(&before),
        of(&after)
    );
    let stopped = refine(&ground, before, &disputed, (&STOP, &Progress::new()));
    assert!(stopped.expect("no failure").is_none());
}

#[test]
fn strange_histories_and_titles_get_finite_logits() {
    let lm = lm(1);
    let long = "lipstick powder ".repeat(320);
    let histories = [vec![1], vec![2, 2, 2, 2], vec![3, 4, 5, 1, 2], vec![1; 40]];
    let data = titled(&histories, |item| match item {
        0 => None,
        1 => Some(long.clone()),
        2 => Some("日本の化粧品 👩‍🎨 مكياج".to_owned()),
        3 => Some(String::new()),
        _ => Some("brush".to_owned()),
    });
    let home = tempfile::tempdir().expect("a folder");
    let reader = Reader::create(home.path(), settings(), &lm, &data).expect("a folder");
    let views: Vec<&[u32]> = histories.iter().map(Vec::as_slice).collect();
    let rows = logits(&reader.fresh(&lm), &lm, &data, &views);
    let counts: Vec<usize> = rows.iter().map(Vec::len).collect();
    // The model reads 64 tokens: three titles of 16 and their separators; a window is 20 clicks.
    assert_eq!(counts, [1, 3, 5, 20]);
    assert!(
        rows.iter().flatten().all(|logit| logit.is_finite()),
        "{rows:?}"
    );
}

#[test]
fn a_split_is_scored_into_a_file_from_where_it_was_stopped() {
    let (data, lm, home) = (shop(), lm(1), tempfile::tempdir().expect("a folder"));
    let reader = Reader::create(home.path(), settings(), &lm, &data).expect("a folder");
    reader.save_judge(&reader.fresh(&lm)).expect("written");
    let out = home.path().join("scores.safetensors");
    let progress = Progress::of_histories();
    let on = |stop| {
        score::split(
            &reader,
            &lm,
            &data,
            ScoredSplit::Train,
            &out,
            (stop, &progress),
        )
    };
    assert!(on(&STOP).expect("no failure").is_none());
    assert!(!out.exists());
    let scores = on(&GO).expect("scores").expect("not stopped");
    let read = Scores::open(&out, &data, ScoredSplit::Train).expect("reads");
    assert_eq!(read, scores);
    assert_eq!(read.of(0).len(), data.train(0).len());
    assert_eq!(read.reader, reader.hash().expect("a hash"));
    let unseen = score::split(
        &reader,
        &lm,
        &data,
        ScoredSplit::Unseen,
        &out,
        (&GO, &progress),
    );
    refused(unseen, "no user in this split");
}

#[test]
fn a_folder_that_does_not_fit_is_refused() {
    let (data, lm, home) = (shop(), lm(1), tempfile::tempdir().expect("a folder"));
    refused(Reader::open(home.path()), "ingle reader fit");
    let mut reader = Reader::create(home.path(), settings(), &lm, &data).expect("a folder");
    refused(
        Reader::create(home.path(), settings(), &lm, &data),
        "--resume",
    );
    refused(Reader::finished(home.path()), "not finished");
    refused(reader.judge(&lm), "adapters.safetensors");
    let adapters = home.path().join("adapters.safetensors");
    std::fs::write(&adapters, b"nothing").expect("written");
    refused(reader.judge(&lm), "adapters.safetensors");
    reader.save_judge(&reader.fresh(&lm)).expect("written");
    reader.about.settings.rank = 3;
    refused(reader.judge(&lm), "adapters.0.query.down");
    refused(reader.judge(&self::lm(2)), "do not go together");
    let other = titled(&[vec![1, 2, 3, 4, 5], vec![2, 3, 4, 5]], |_| None);
    let settings = settings();
    let ground = Ground::new(&other, &lm, &settings).expect("histories");
    refused(
        fit(&mut reader, &ground, &GO, &Progress::new()),
        "another dataset",
    );
    reader.about.version = 99;
    reader.save().expect("written");
    refused(Reader::open(home.path()), "another version");
    std::fs::write(home.path().join("reader.json"), b"{").expect("written");
    refused(Reader::open(home.path()), "damaged");
    let error = super::open_lm(&home.path().join("none"), &Device::flex()).expect_err("none");
    assert!(error.to_string().contains("scripts/fetch-lm"), "{error}");
}

#[test]
fn without_two_clicks_there_is_nothing_to_learn() {
    let data = titled(&[vec![1], vec![2]], |_| None);
    let (lm, settings) = (lm(1), settings());
    refused(Ground::new(&data, &lm, &settings), "two clicks");
}
