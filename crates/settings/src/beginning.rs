//! Initial values of item embeddings.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Initial values of item embeddings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Beginning {
    /// Random.
    Random,
    /// From the words of the dataset's titles.
    #[default]
    Titles,
    /// From the embeddings in a file, of any width.
    File(PathBuf),
}

impl From<String> for Beginning {
    fn from(text: String) -> Self {
        match text.as_str() {
            "random" => Self::Random,
            "titles" => Self::Titles,
            _ => Self::File(text.into()),
        }
    }
}

impl From<Beginning> for String {
    fn from(beginning: Beginning) -> Self {
        match beginning {
            Beginning::Random => "random".to_owned(),
            Beginning::Titles => "titles".to_owned(),
            Beginning::File(path) => path.to_string_lossy().into_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_a_word_or_a_file() {
        for text in ["random", "titles", "other/titles.safetensors"] {
            assert_eq!(String::from(Beginning::from(text.to_owned())), text);
        }
        assert_eq!(Beginning::from("titles".to_owned()), Beginning::Titles);
    }
}
