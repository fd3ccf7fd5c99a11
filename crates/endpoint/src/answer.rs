//! What a completions endpoint answers, and the score in it.

use crate::align::spans;
use crate::cache::Answer;
use crate::prompt::Question;
use serde::Deserialize;
use serde_json::Value;
use std::ops::Range;

/// Characters of an unexpected answer that a message repeats.
const EXCERPT_CHARS: usize = 200;

/// One prompt's answer.
#[derive(Debug, Deserialize)]
pub(crate) struct Choice {
    #[serde(default)]
    index: usize,
    #[serde(default)]
    pub(crate) text: String,
    #[serde(default)]
    logprobs: Value,
}

/// The log-probabilities of an answer, in the classic form.
#[derive(Debug, Deserialize)]
pub(crate) struct LogProbs {
    /// A server that cannot decode a token may name it by nothing.
    tokens: Vec<Option<String>>,
    /// None for the first token, which nothing stands before.
    token_logprobs: Vec<Option<f64>>,
    text_offset: Option<Vec<i64>>,
}

/// Why no score can be read from an answer: what was found, and what to do.
#[derive(Debug, PartialEq)]
pub(crate) struct Unusable {
    pub(crate) found: String,
    pub(crate) remedy: &'static str,
}

const USE_ANOTHER: &str = "use a server that echoes a prompt with the log-probabilities of its tokens, \
such as vLLM, SGLang or llama-cpp-python";

fn unusable<T>(found: impl Into<String>, remedy: &'static str) -> Result<T, Unusable> {
    let found = found.into();
    Err(Unusable { found, remedy })
}

/// The answers to `prompts` prompts in their order, or what is wrong with the body.
pub(crate) fn choices(body: &[u8], prompts: usize) -> Result<Vec<Choice>, String> {
    #[derive(Deserialize)]
    struct Completion {
        choices: Vec<Choice>,
    }
    let Completion { mut choices } =
        serde_json::from_slice(body).map_err(|e| format!("{e}: {}", excerpt(body)))?;
    if choices.len() != prompts {
        let found = choices.len();
        return Err(format!("{found} answers to {prompts} prompts"));
    }
    choices.sort_by_key(|choice| choice.index);
    Ok(choices)
}

/// The beginning of a body, on one line.
pub(crate) fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(4 * EXCERPT_CHARS)]);
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(EXCERPT_CHARS).collect()
}

impl Choice {
    /// The log-probabilities of the tokens of prompt and answer.
    pub(crate) fn log_probs(&self) -> Result<LogProbs, Unusable> {
        const ALLOW: &str = "let the server return log-probabilities (llama-cpp-python: --logits_all true), \
or use one that does, such as vLLM";
        if self.logprobs.is_null() {
            return unusable("it returns no log-probabilities", ALLOW);
        }
        let found = LogProbs::deserialize(&self.logprobs).ok();
        match found {
            Some(found) if found.tokens.len() == found.token_logprobs.len() => Ok(found),
            _ => {
                let form = excerpt(self.logprobs.to_string().as_bytes());
                unusable(
                    format!("its log-probabilities are of another form ({form})"),
                    USE_ANOTHER,
                )
            }
        }
    }

    /// The score of the question's title: the mean log-probability of its tokens.
    pub(crate) fn score(&self, question: &Question) -> Result<Answer, Unusable> {
        self.log_probs()?.score(&question.prompt, &question.title)
    }
}

impl LogProbs {
    /// The mean log-probability of the tokens of `prompt` that hold any of the bytes in `range`.
    pub(crate) fn score(&self, prompt: &str, range: &Range<usize>) -> Result<Answer, Unusable> {
        let Some(spans) = self.spans(prompt) else {
            return self.is_no_echo(prompt);
        };
        let mut answer = (0.0, 0);
        for (span, log_probability) in spans.iter().zip(&self.token_logprobs) {
            if span.start >= range.end || span.end <= range.start {
                continue;
            }
            match log_probability {
                Some(x) if x.is_finite() => answer = (answer.0 + x, answer.1 + 1),
                _ => return unusable("it gives a title's token no log-probability", USE_ANOTHER),
            }
        }
        match answer {
            (_, 0) => unusable("it gives a title no tokens", USE_ANOTHER),
            (sum, tokens) => Ok(Answer {
                mean: (sum / f64::from(tokens)) as f32,
                tokens,
            }),
        }
    }

    /// The only log-probability there is: that of the one token generated without echo.
    pub(crate) fn only(&self) -> Option<f64> {
        match self.token_logprobs[..] {
            [only] => only,
            _ => None,
        }
    }

    /// The log-probability of the one token of `prompt` that stands for exactly the bytes in `range`.
    pub(crate) fn of(&self, prompt: &str, range: &Range<usize>) -> Option<f64> {
        let spans = self.spans(prompt)?;
        let mut tokens = spans
            .iter()
            .zip(&self.token_logprobs)
            .filter(|(span, _)| *span == range);
        match (tokens.next(), tokens.next()) {
            (Some((_, log_probability)), None) if !range.is_empty() => *log_probability,
            _ => None,
        }
    }

    fn spans(&self, prompt: &str) -> Option<Vec<Range<usize>>> {
        let tokens: Vec<&str> = (self.tokens.iter())
            .map(|token| token.as_deref().unwrap_or(""))
            .collect();
        spans(prompt, &tokens, self.text_offset.as_deref())
    }

    fn is_no_echo<T>(&self, prompt: &str) -> Result<T, Unusable> {
        let (tokens, chars) = (self.tokens.len(), prompt.chars().count());
        if tokens <= 1 {
            return unusable("it does not echo the prompt", USE_ANOTHER);
        }
        let first: Vec<&str> = self
            .tokens
            .iter()
            .take(8)
            .flatten()
            .map(String::as_str)
            .collect();
        unusable(
            format!(
                "its {tokens} tokens are not those of the {chars} characters sent ({first:?} ...)"
            ),
            "let the server name tokens by their text, and read prompts whole",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn choice(logprobs: &Value) -> Choice {
        let body = json!({ "choices": [{ "text": "", "logprobs": logprobs }] });
        choices(body.to_string().as_bytes(), 1)
            .expect("one")
            .remove(0)
    }

    fn question() -> Question {
        Question::new("A: \"", "cat")
    }

    #[test]
    fn a_score_is_the_mean_over_the_tokens_of_the_title() {
        let mut logprobs = json!({
            "tokens": ["A", ":", " \"c", "at", "\"", "."],
            "token_logprobs": [null, -1.0, -2.0, -4.0, -8.0, -16.0],
            "text_offset": [0, 1, 2, 5, 7, 8],
            "top_logprobs": null,
        });
        let expected = Answer {
            mean: -3.0,
            tokens: 2,
        };
        assert_eq!(choice(&logprobs).score(&question()), Ok(expected));
        logprobs["text_offset"] = Value::Null;
        assert_eq!(choice(&logprobs).score(&question()), Ok(expected));
    }

    #[test]
    fn answers_come_in_the_order_of_their_prompts() {
        let body = json!({"choices": [{"index": 1, "text": "b"}, {"index": 0, "text": "a"}]});
        let found = choices(body.to_string().as_bytes(), 2).expect("two");
        assert_eq!(
            found.iter().map(|c| &*c.text).collect::<Vec<_>>(),
            ["a", "b"]
        );
        assert_eq!(
            choices(body.to_string().as_bytes(), 3).expect_err("two"),
            "2 answers to 3 prompts"
        );
    }

    #[test]
    fn says_what_a_body_holds_that_is_no_completion() {
        for (body, part) in [
            (&b"<html>\n  no</html>"[..], "<html> no</html>"),
            (b"", "EOF"),
            (b"{\"error\": {}}", "choices"),
            (b"\xff\xfe", "\u{fffd}"),
        ] {
            let error = choices(body, 1).expect_err(part);
            assert!(error.contains(part), "{error}");
        }
        assert_eq!(excerpt(&[b'x'; 5_000]).len(), EXCERPT_CHARS);
    }

    #[test]
    fn refuses_what_no_score_can_be_read_from() {
        let tokens = ["A", ":", " \"", "cat", "\""];
        for (logprobs, part) in [
            (Value::Null, "returns no log-probabilities"),
            (
                json!({"content": [{"token": "a", "logprob": -1.0}]}),
                "another form ({\"content\"",
            ),
            (
                json!({"tokens": ["a"], "token_logprobs": []}),
                "another form",
            ),
            (
                json!({"tokens": ["!"], "token_logprobs": [-1.0]}),
                "does not echo",
            ),
            (
                json!({"tokens": ["x", "y", "z"], "token_logprobs": [-1, -1, -1]}),
                "3 tokens are not",
            ),
            (
                json!({"tokens": tokens, "token_logprobs": [0, 0, 0, null, 0]}),
                "no log-probability",
            ),
        ] {
            let found = choice(&logprobs).score(&question()).expect_err(part).found;
            assert!(found.contains(part), "{found}");
        }
    }
}
