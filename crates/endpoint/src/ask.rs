//! Many requests at once.

use crate::cache::{Answer, Key};
use crate::client::Client;
use crate::error::EndpointError;
use crate::prompt::Question;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;

/// How often it is looked whether to stop.
const LOOK: Duration = Duration::from_millis(20);

/// A title of a history that is to be asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task {
    pub(crate) key: Key,
    pub(crate) history: usize,
    pub(crate) title: usize,
}

type Answers = Vec<(Key, Answer)>;

/// The work of all connections.
struct Work<'a, F> {
    client: &'a Client,
    batches: Vec<&'a [Task]>,
    /// What to ask for each task of a batch.
    questions: F,
    next: AtomicUsize,
    /// Set when it is to stop, and when a request has failed for good.
    halt: AtomicBool,
}

/// Asks for every task, `at_once` in a request and on so many connections. Answers go to `keep` in this
/// thread, as they come. Requests under way when it stops or fails are waited for, and kept as well.
pub(crate) fn ask<F>(
    client: &Client,
    tasks: &[Task],
    (at_once, connections): (usize, usize),
    questions: F,
    stop: &AtomicBool,
    mut keep: impl FnMut(Answers) -> Result<(), EndpointError>,
) -> Result<(), EndpointError>
where
    F: Fn(&[Task]) -> Vec<Question> + Sync,
{
    let work = Work {
        client,
        batches: tasks.chunks(at_once).collect(),
        questions,
        next: AtomicUsize::new(0),
        halt: AtomicBool::new(stop.load(Ordering::Relaxed)),
    };
    let mut failure = None;
    std::thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..connections.min(work.batches.len()) {
            let (work, sender) = (&work, sender.clone());
            scope.spawn(move || work.run(&sender));
        }
        drop(sender);
        loop {
            match receiver
                .recv_timeout(LOOK)
                .map(|answers| answers.and_then(&mut keep))
            {
                Ok(Err(error)) => {
                    work.halt.store(true, Ordering::Relaxed);
                    failure.get_or_insert(error);
                }
                Ok(Ok(())) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if stop.load(Ordering::Relaxed) {
                work.halt.store(true, Ordering::Relaxed);
            }
        }
    });
    failure.map_or(Ok(()), Err)
}

impl<F: Fn(&[Task]) -> Vec<Question> + Sync> Work<'_, F> {
    /// Takes batches until there are none, or it is to halt.
    fn run(&self, sender: &Sender<Result<Answers, EndpointError>>) {
        while !self.halt.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(batch) = self.batches.get(number) else {
                return;
            };
            let Some(answers) = self.answer(batch, number).transpose() else {
                return;
            };
            // The receiver is there until all senders are gone.
            if sender.send(answers).is_err() {
                return;
            }
        }
    }

    fn answer(&self, batch: &[Task], number: usize) -> Result<Option<Answers>, EndpointError> {
        let questions = (self.questions)(batch);
        let prompts: Vec<&str> = questions.iter().map(|q| q.prompt.as_str()).collect();
        let choices = self
            .client
            .complete(&prompts, true, number as u64, &self.halt)?;
        let Some(choices) = choices else {
            return Ok(None);
        };
        let scores = choices.iter().zip(&questions).zip(batch);
        let answers = scores.map(|((choice, question), task)| {
            let score = choice
                .score(question)
                .map_err(|e| self.client.unsupported(e))?;
            Ok((task.key, score))
        });
        answers.collect::<Result<_, _>>().map(Some)
    }
}
