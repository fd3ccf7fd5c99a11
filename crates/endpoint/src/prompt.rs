//! The words a model is asked in. The fine-tuning set ([`sft`](crate::sft)) is made of the same.

use crate::error::EndpointError;
use crate::title::{escape, tidy};

/// What the model is told to do.
pub(crate) const INSTRUCTION: &str = "The input lists the titles of the items that one shopper clicked, \
oldest first. Some clicks may be noise: they do not reflect what the shopper is interested in. \
Which titles do not belong with the others? Name them in quotes, or say none.";
/// How every answer begins.
pub(crate) const ANSWER: &str = "Noise Items: ";
/// The whole answer where no title is noise.
pub(crate) const NONE: &str = "none";

const INSTRUCTION_SLOT: &str = "{instruction}";
const INPUT_SLOT: &str = "{input}";

/// Where instruction and input stand in a prompt: the template that the model is, or will be, fine-tuned
/// with. A tuner that puts words of its own around them needs the same words here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    before: String,
    between: String,
    after: String,
}

impl Default for Template {
    /// The headings of Alpaca's format, without a preamble.
    fn default() -> Self {
        let headings = "### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:\n";
        Self::new(headings).expect("both slots are there")
    }
}

impl Template {
    /// A template with the slots `{instruction}` and `{input}`, each once and in this order. The model's
    /// answer follows its last character.
    ///
    /// # Errors
    /// [`EndpointError::Setting`] if a slot is missing, out of order, or there twice.
    pub fn new(text: &str) -> Result<Self, EndpointError> {
        let parts = text
            .split_once(INSTRUCTION_SLOT)
            .and_then(|(before, rest)| {
                rest.split_once(INPUT_SLOT)
                    .map(|(between, after)| [before, between, after])
            });
        match parts {
            Some(parts)
                if !(parts.iter())
                    .any(|part| part.contains(INSTRUCTION_SLOT) || part.contains(INPUT_SLOT)) =>
            {
                let [before, between, after] = parts.map(str::to_owned);
                Ok(Self {
                    before,
                    between,
                    after,
                })
            }
            _ => Err(EndpointError::Setting {
                setting: "template",
                what: format!(
                    "{INSTRUCTION_SLOT} and {INPUT_SLOT} must be in it once, in this order"
                ),
            }),
        }
    }

    pub(crate) fn fill(&self, instruction: &str, input: &str) -> String {
        let Self {
            before,
            between,
            after,
        } = self;
        [before, instruction, between, input, after].concat()
    }
}

/// A history as the model reads it: its titles on a line each, numbered from 1. Titles without anything
/// to read are left out.
pub(crate) fn input<'a>(titles: impl IntoIterator<Item = &'a str>) -> String {
    let mut input = String::new();
    let titles = titles
        .into_iter()
        .map(tidy)
        .filter(|title| !title.is_empty());
    for (n, title) in titles.enumerate() {
        if n > 0 {
            input.push('\n');
        }
        let number = (n + 1).to_string();
        input.extend([&number, ". \"", &escape(&title), "\""]);
    }
    input
}

/// All of the prompt that stands before the first title of an answer.
pub(crate) fn context<'a>(
    template: &Template,
    titles: impl IntoIterator<Item = &'a str>,
) -> String {
    let mut context = template.fill(INSTRUCTION, &input(titles));
    context.push_str(ANSWER);
    context.push('"');
    context
}

/// A prompt whose log-probabilities say how well a title answers.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// The context, the title, and the quote that ends it: with it, a title is split into tokens as in
    /// an answer of the fine-tuning set.
    pub(crate) prompt: String,
    /// Where the title stands in the prompt, in bytes.
    pub(crate) title: std::ops::Range<usize>,
}

impl Question {
    /// `candidate` is tidy.
    pub(crate) fn new(context: &str, candidate: &str) -> Self {
        let candidate = escape(candidate);
        let title = context.len()..context.len() + candidate.len();
        Self {
            prompt: [context, &candidate, "\""].concat(),
            title,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_lists_the_titles_and_begins_the_answer() {
        let titles = ["Red lipstick", "", "A 5\" pan\nof steel"];
        let question = Question::new(&context(&Template::default(), titles), "A 5\" pan of steel");
        let expected = format!(
            "### Instruction:\n{INSTRUCTION}\n\n### Input:\n1. \"Red lipstick\"\n2. \"A 5\\\" pan of steel\"\n\n\
             ### Response:\nNoise Items: \"A 5\\\" pan of steel\""
        );
        assert_eq!(question.prompt, expected);
        assert_eq!(&question.prompt[question.title], r#"A 5\" pan of steel"#);
    }

    #[test]
    fn a_title_with_a_slot_in_it_stays_a_title() {
        let template = Template::new("[{instruction}|{input}]").expect("a template");
        let context = context(&template, ["{input} {instruction}"]);
        let expected = format!("[{INSTRUCTION}|1. \"{{input}} {{instruction}}\"]Noise Items: \"");
        assert_eq!(context, expected);
    }

    #[test]
    fn refuses_a_template_without_its_slots() {
        for text in [
            "",
            "{instruction}",
            "{input}{instruction}",
            "{instruction}{input}{input}",
            "{instruction}{instruction}{input}",
        ] {
            let error = Template::new(text).expect_err(text).to_string();
            assert!(error.starts_with("template: {instruction}"), "{error}");
        }
    }
}
