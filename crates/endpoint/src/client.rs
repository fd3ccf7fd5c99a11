//! Requests that are sent until they are answered, or given up.

use crate::answer::{Choice, Unusable, choices};
use crate::error::{EndpointError, Trouble};
use crate::http::{Failure, Http};
use crate::pace::{Pacer, backoff, sleep};
use crate::settings::Settings;
use serde::Serialize;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

#[derive(Debug)]
pub(crate) struct Client {
    http: Http,
    pacer: Pacer,
    model: String,
    attempts: u32,
    first_wait: Duration,
    seed: u64,
}

/// Asks for the most likely next token and for log-probabilities. No server understands zero tokens as
/// all others do: vLLM echoes, llama-cpp-python writes until its context is full. So it is one.
#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    prompt: Prompts<'a>,
    max_tokens: u32,
    temperature: f32,
    logprobs: u32,
    echo: bool,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Prompts<'a> {
    One(&'a str),
    Many(&'a [&'a str]),
}

impl Client {
    pub(crate) fn new(settings: &Settings) -> Result<Self, EndpointError> {
        Ok(Self {
            http: Http::new(settings)?,
            pacer: Pacer::new(settings.requests_per_minute),
            model: settings.model.clone(),
            attempts: settings.attempts,
            first_wait: settings.first_wait,
            seed: settings.seed,
        })
    }

    /// The answer to each prompt, in their order; nothing if it is to stop before. `number` is that of
    /// the request: different ones wait differently.
    pub(crate) fn complete(
        &self,
        prompts: &[&str],
        echo: bool,
        number: u64,
        stop: &AtomicBool,
    ) -> Result<Option<Vec<Choice>>, EndpointError> {
        self.complete_in(self.attempts, prompts, echo, number, stop)
    }

    /// The same, given up after so many attempts.
    pub(crate) fn complete_in(
        &self,
        attempts: u32,
        prompts: &[&str],
        echo: bool,
        number: u64,
        stop: &AtomicBool,
    ) -> Result<Option<Vec<Choice>>, EndpointError> {
        let body = self.body(prompts, echo);
        for attempt in 1.. {
            if !self.pacer.wait(stop) {
                break;
            }
            let trouble = match self.send(&body, prompts.len()) {
                Ok(choices) => return Ok(Some(choices)),
                Err(Failure::Lasting(error)) => return Err(error),
                Err(Failure::Passing(trouble, wait)) => {
                    wait.inspect(|&wait| self.pacer.postpone(wait));
                    trouble
                }
            };
            if attempt >= attempts {
                return Err(EndpointError::GaveUp {
                    url: self.http.url.clone(),
                    attempts: attempt,
                    trouble,
                });
            }
            if !sleep(backoff(self.first_wait, attempt, self.seed, number), stop) {
                break;
            }
        }
        Ok(None)
    }

    /// The error that says why answers of this server are of no use.
    pub(crate) fn unsupported(&self, Unusable { found, remedy }: Unusable) -> EndpointError {
        let url = self.http.url.clone();
        EndpointError::Unsupported { url, found, remedy }
    }

    fn send(&self, body: &[u8], prompts: usize) -> Result<Vec<Choice>, Failure> {
        let answer = self.http.post(body)?;
        choices(&answer, prompts)
            .map_err(|what| Failure::Passing(Trouble::Malformed(self.http.redact(&what)), None))
    }

    fn body(&self, prompts: &[&str], echo: bool) -> Vec<u8> {
        let request = Request {
            model: &self.model,
            prompt: match prompts {
                // Some servers take no list.
                [prompt] => Prompts::One(prompt),
                _ => Prompts::Many(prompts),
            },
            max_tokens: 1,
            temperature: 0.0,
            logprobs: 1,
            echo,
        };
        serde_json::to_vec(&request).expect("texts and numbers are JSON")
    }
}
