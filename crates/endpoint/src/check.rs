//! What a server can do, found out with three small requests before it is asked anything.
//!
//! A server may answer in the right form and wrongly: llama-cpp-python (0.3.36) gives echoed tokens the
//! log-probabilities of their successors' place unless the model begins texts with a token of its own.
//! So the server is let to add a token to a text, and then has to give that token the same
//! log-probability when it reads both.

use crate::answer::{Choice, Unusable};
use crate::client::Client;
use crate::error::EndpointError;
use std::sync::atomic::AtomicBool;

/// What is read. The next word is plain to any model.
const TEXT: &str = "One, two, three, four, five, six, seven,";
/// By how many nats the same log-probability may differ from one request to the next.
const TOLERANCE: f64 = 0.5;
/// How often a list of prompts is tried. Servers that take none may say so by a failure.
const LIST_ATTEMPTS: u32 = 2;

/// How many prompts to send at once: `wanted`, or 1 if the server takes only one; nothing if it is to stop.
///
/// # Errors
/// [`EndpointError::Unsupported`] if no score can be computed from what the server returns.
pub(crate) fn prompts_at_once(
    client: &Client,
    wanted: usize,
    stop: &AtomicBool,
) -> Result<Option<usize>, EndpointError> {
    let Some(choices) = client.complete(&[TEXT], false, 0, stop)? else {
        return Ok(None);
    };
    let added = &choices[0];
    let log_probs = added.log_probs().map_err(|e| client.unsupported(e))?;
    let text = format!("{TEXT}{}", added.text);
    let Some((read, at_once)) = read(client, &text, wanted, stop)? else {
        return Ok(None);
    };
    let checked = agree(log_probs.only(), &read, &text);
    checked
        .map_err(|e| client.unsupported(e))
        .map(|()| Some(at_once))
}

/// The text with log-probabilities, and how many of its kind can be sent at once.
fn read(
    client: &Client,
    text: &str,
    wanted: usize,
    stop: &AtomicBool,
) -> Result<Option<(Choice, usize)>, EndpointError> {
    if wanted > 1 {
        match client.complete_in(LIST_ATTEMPTS, &[text, text], true, 1, stop) {
            Ok(None) => return Ok(None),
            Ok(Some(mut choices)) => return Ok(choices.pop().map(|choice| (choice, wanted))),
            Err(EndpointError::Refused { .. } | EndpointError::GaveUp { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let choices = client.complete(&[text], true, 2, stop)?;
    Ok(choices.and_then(|mut choices| choices.pop().map(|choice| (choice, 1))))
}

/// Whether the token that was added is read with the log-probability that it was added with. Where it is
/// read as another token, nothing can be said.
fn agree(added: Option<f64>, read: &Choice, text: &str) -> Result<(), Unusable> {
    let log_probs = read.log_probs()?;
    // Whatever was added, what stands before it must have been read.
    log_probs.score(text, &(TEXT.len() - 1..TEXT.len()))?;
    let (Some(added), Some(read)) = (added, log_probs.of(text, &(TEXT.len()..text.len()))) else {
        return Ok(());
    };
    if (added - read).abs() <= TOLERANCE {
        return Ok(());
    }
    Err(Unusable {
        found: format!(
            "it adds a token with log-probability {added:.3} and then reads it with {read:.3}, so those of prompts \
are at the wrong place"
        ),
        remedy: "use vLLM or SGLang; llama-cpp-python needs a model that begins texts with a token of its own",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::choices;
    use serde_json::json;

    /// The text and what was added to it, read as these tokens.
    fn read(tokens: &[(&str, Option<f64>)]) -> Result<(), Unusable> {
        let (tokens, log_probs): (Vec<_>, Vec<_>) = tokens.iter().copied().unzip();
        let log_probs = json!({"tokens": tokens, "token_logprobs": log_probs, "text_offset": null});
        let body = json!({"choices": [{"text": "", "logprobs": log_probs}]}).to_string();
        let choices = choices(body.as_bytes(), 1).expect("one");
        agree(Some(-0.5), &choices[0], &format!("{TEXT} eight"))
    }

    #[test]
    fn a_token_is_read_as_it_was_added() {
        let (one, rest) = (("One", None), (&TEXT[3..], Some(-7.0)));
        assert_eq!(
            read(&[one, rest, (" eight", Some(-0.51)), (".", Some(-9.0))]),
            Ok(())
        );
        let error = read(&[one, rest, (" eight", Some(-9.0))]).expect_err("another place");
        assert!(
            error.found.contains("-0.500 and then reads it with -9.000"),
            "{}",
            error.found
        );
    }

    #[test]
    fn nothing_is_said_of_a_token_that_is_read_as_others() {
        let (one, rest) = (("One", None), (&TEXT[3..], Some(-7.0)));
        assert_eq!(
            read(&[one, rest, (" ei", Some(-4.0)), ("ght", Some(-9.0))]),
            Ok(())
        );
        let error = read(&[one, ("x", Some(-4.0))]).expect_err("not the text");
        assert!(
            error.found.contains("2 tokens are not those"),
            "{}",
            error.found
        );
    }
}
