//! The judge: histories in, noise probabilities out.

use crate::ask::{Task, ask};
use crate::cache::{Cache, Key, KeyMaker};
use crate::check::prompts_at_once;
use crate::client::Client;
use crate::error::EndpointError;
use crate::percentile::percentiles;
use crate::prompt::{Question, context};
use crate::settings::Settings;
use crate::title::tidy;
use std::collections::HashSet;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// A language model behind a completions endpoint, and what it has answered so far.
#[derive(Debug)]
pub struct Endpoint {
    settings: Settings,
    client: Client,
    cache: Mutex<Cache>,
    /// Prompts that the server takes at once, once that is known.
    at_once: OnceLock<usize>,
}

/// How far a judgement is. Equal questions count once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Answers there are, those kept from before included.
    pub answered: usize,
    /// Answers that are needed.
    pub total: usize,
}

/// The keys of a history's titles; none where there is nothing to ask.
type Keys = Vec<Option<Key>>;

impl Endpoint {
    /// Opens the file of answers and reads the key. Nothing is sent yet.
    ///
    /// # Errors
    /// [`EndpointError::Setting`] for settings that cannot be used, [`EndpointError::Cache`] for a file
    /// that cannot be read, holds something else, or is open in another program.
    pub fn new(settings: Settings) -> Result<Self, EndpointError> {
        settings.check()?;
        Ok(Self {
            client: Client::new(&settings)?,
            cache: Mutex::new(Cache::open(&settings.cache)?),
            at_once: OnceLock::new(),
            settings,
        })
    }

    /// The probability that each title is noise, in (0, 1): the percentile of its [score](Self::score)
    /// in its history. One half for titles of which there is no opinion. As many values as titles.
    ///
    /// `progress` is called once at the beginning and then for every request that was answered.
    ///
    /// # Errors
    /// As [`score`](Self::score).
    pub fn judge(
        &self,
        histories: &[Vec<String>],
        stop: &AtomicBool,
        progress: impl FnMut(Progress),
    ) -> Result<Vec<Vec<f32>>, EndpointError> {
        let scores = self.score(histories, stop, progress)?;
        Ok(scores.iter().map(|scores| percentiles(scores)).collect())
    }

    /// The mean log-probability of each title's tokens as the answer to which titles do not belong:
    /// in nats, not above 0; higher is more likely noise. Comparable within a history only.
    ///
    /// Titles are read on one line and up to [`MAX_TITLE_CHARS`](crate::MAX_TITLE_CHARS) characters. Of
    /// titles with nothing to read, and of histories without two different titles, there is no opinion,
    /// and nothing is asked. Equal titles of a history get equal scores.
    ///
    /// # Errors
    /// [`EndpointError::Stopped`] once the stop flag is set; all others but [`EndpointError::Setting`] as
    /// they say. Whatever was answered before is kept, so that asking again goes on from there.
    pub fn score(
        &self,
        histories: &[Vec<String>],
        stop: &AtomicBool,
        mut progress: impl FnMut(Progress),
    ) -> Result<Vec<Vec<Option<f32>>>, EndpointError> {
        let keys: Vec<Keys> = histories.iter().map(|titles| self.keys(titles)).collect();
        let (tasks, total) = self.missing(&keys);
        let mut answered = total - tasks.len();
        progress(Progress { answered, total });
        if !tasks.is_empty()
            && let Some(at_once) = self.at_once(stop)?
        {
            let questions = |batch: &[Task]| self.questions(histories, batch);
            let shape = (at_once, self.settings.connections);
            ask(&self.client, &tasks, shape, questions, stop, |answers| {
                self.cache().append(&answers)?;
                answered += answers.len();
                progress(Progress { answered, total });
                Ok(())
            })?;
        }
        if answered < total {
            return Err(EndpointError::Stopped { answered, total });
        }
        let cache = self.cache();
        let score = |key: &Option<Key>| key.and_then(|key| cache.get(&key)).map(|a| a.mean);
        let scores = |keys: &Keys| keys.iter().map(score).collect();
        Ok(keys.iter().map(scores).collect())
    }

    fn keys(&self, titles: &[String]) -> Keys {
        let tidied: Vec<String> = titles.iter().map(|title| tidy(title)).collect();
        let distinct: HashSet<&String> = tidied.iter().filter(|title| !title.is_empty()).collect();
        if distinct.len() < 2 {
            return vec![None; titles.len()];
        }
        let maker = KeyMaker::new(&self.settings.model, &self.context(titles));
        let key = |title: &String| (!title.is_empty()).then(|| maker.key(title));
        tidied.iter().map(key).collect()
    }

    fn context(&self, titles: &[String]) -> String {
        context(&self.settings.template, titles.iter().map(String::as_str))
    }

    /// What has to be asked, each question once and in the order of the histories, so that a server
    /// finds what prompts have in common; and how many questions there are.
    fn missing(&self, keys: &[Keys]) -> (Vec<Task>, usize) {
        let cache = self.cache();
        let mut seen = HashSet::new();
        let mut tasks = Vec::new();
        for (history, keys) in keys.iter().enumerate() {
            for (title, key) in keys.iter().enumerate() {
                let Some(key) = *key else { continue };
                if seen.insert(key) && cache.get(&key).is_none() {
                    tasks.push(Task {
                        key,
                        history,
                        title,
                    });
                }
            }
        }
        (tasks, seen.len())
    }

    /// The questions of a batch. Most are of one history, whose context is written once.
    fn questions(&self, histories: &[Vec<String>], batch: &[Task]) -> Vec<Question> {
        let mut questions = Vec::with_capacity(batch.len());
        for tasks in batch.chunk_by(|a, b| a.history == b.history) {
            let titles = &histories[tasks[0].history];
            let context = self.context(titles);
            questions.extend(
                tasks
                    .iter()
                    .map(|task| Question::new(&context, &tidy(&titles[task.title]))),
            );
        }
        questions
    }

    fn at_once(&self, stop: &AtomicBool) -> Result<Option<usize>, EndpointError> {
        if let Some(&at_once) = self.at_once.get() {
            return Ok(Some(at_once));
        }
        let found = prompts_at_once(&self.client, self.settings.prompts_per_request, stop)?;
        Ok(found.map(|found| *self.at_once.get_or_init(|| found)))
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
