//! The parameters of a network: their names, shapes and places.

use super::{Linear, Norm};
use std::ops::Range;

/// Where a parameter is.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its number among the network's parameters, for inference.
    pub(crate) number: usize,
    /// Its range in the vector of all parameters, for training.
    pub(crate) range: Range<usize>,
}

/// A parameter of a network.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) range: Range<usize>,
    /// Whether it is a linear layer's weight; its bias is the next parameter.
    pub(crate) dense: bool,
}

/// Lists the parameters of a network in the order in which its layers are made.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// Prefix of all names.
    path: String,
    pub(crate) each: Vec<Parameter>,
}

impl Places {
    /// No parameters yet; their names start with `path` and a dot, if it is not empty.
    pub fn under(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            each: Vec::new(),
        }
    }

    /// Adds a parameter.
    pub fn add(&mut self, name: &str, shape: &[usize]) -> Place {
        let start = self.len();
        let range = start..start + shape.iter().product::<usize>();
        self.each.push(Parameter {
            name: match &self.path[..] {
                "" => name.to_owned(),
                path => format!("{path}.{name}"),
            },
            shape: shape.to_vec(),
            range: range.clone(),
            dense: false,
        });
        Place {
            number: self.each.len() - 1,
            range,
        }
    }

    /// Adds a linear layer: `NAME.weight`, `[input, output]`, and `NAME.bias`, `[output]`.
    pub fn linear(&mut self, name: &str, [input, output]: [usize; 2]) -> Linear {
        let weight = self.add(&format!("{name}.weight"), &[input, output]);
        self.each[weight.number].dense = true;
        Linear {
            weight,
            bias: self.add(&format!("{name}.bias"), &[output]),
            input,
            output,
        }
    }

    /// Adds a layer normalisation: `NAME.gamma` and `NAME.beta`, each `[width]`.
    pub fn norm(&mut self, name: &str, width: usize) -> Norm {
        Norm {
            gamma: self.add(&format!("{name}.gamma"), &[width]),
            beta: self.add(&format!("{name}.beta"), &[width]),
        }
    }

    /// Length of the vector of all parameters.
    pub fn len(&self) -> usize {
        self.each.last().map_or(0, |parameter| parameter.range.end)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.each.is_empty()
    }

    /// Names and ranges in the vector of all parameters.
    pub fn names(&self) -> impl Iterator<Item = (&str, Range<usize>)> {
        (self.each.iter()).map(|parameter| (parameter.name.as_str(), parameter.range.clone()))
    }
}
