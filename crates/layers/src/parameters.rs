//! The values of a network's parameters for inference.

use super::{Linear, Place, Places, Weights, WeightsError, take};
use ingle_kernel::dense::Dense;
use std::borrow::Cow;

/// The values of all parameters of a network. The weights of linear layers are laid out for fast products.
#[derive(Debug)]
pub struct Parameters(Vec<Value>);

#[derive(Debug)]
enum Value {
    /// A linear layer, at the place of its weight.
    Dense(Dense),
    /// The place of a linear layer's bias.
    InDense,
    Plain {
        columns: usize,
        values: Vec<f32>,
    },
}

/// A matrix, row by row; a vector is one row.
#[derive(Clone, Debug)]
pub struct Rows<'a> {
    /// Values in a row.
    pub columns: usize,
    /// `[rows, columns]`
    pub values: Cow<'a, [f32]>,
}

impl Parameters {
    /// Takes the values of all parameters out of `weights`.
    ///
    /// # Errors
    /// If a parameter has no weight, or one of another shape.
    pub fn read(places: &Places, weights: &mut Weights) -> Result<Self, WeightsError> {
        let mut each = places.each.iter();
        let mut values = Vec::with_capacity(each.len());
        while let Some(parameter) = each.next() {
            let columns = parameter.shape.last().copied().unwrap_or(1);
            let read = take(weights, &parameter.name, &parameter.shape)?;
            if parameter.dense {
                let bias = each.next().expect("a linear layer has a bias");
                let bias = take(weights, &bias.name, &bias.shape)?;
                values.extend([Value::Dense(Dense::new(&read, &bias)), Value::InDense]);
            } else {
                values.push(Value::Plain {
                    columns,
                    values: read,
                });
            }
        }
        Ok(Self(values))
    }

    /// The values of a parameter that is not a linear layer's.
    ///
    /// # Panics
    /// If it is one.
    pub fn get(&self, place: &Place) -> &[f32] {
        match &self.0[place.number] {
            Value::Plain { values, .. } => values,
            Value::Dense(_) | Value::InDense => unreachable!("a linear layer's"),
        }
    }

    pub(crate) fn dense(&self, linear: &Linear) -> &Dense {
        match &self.0[linear.weight.number] {
            Value::Dense(dense) => dense,
            Value::Plain { .. } | Value::InDense => unreachable!("not a linear layer's"),
        }
    }

    /// The values of a parameter, row by row.
    pub fn rows(&self, place: &Place) -> Rows<'_> {
        let (columns, values) = match &self.0[place.number] {
            Value::Plain { columns, values } => (*columns, values.into()),
            Value::Dense(dense) => (dense.bias().len(), dense.weight().into()),
            Value::InDense => {
                let Value::Dense(dense) = &self.0[place.number - 1] else {
                    unreachable!("a bias follows its weight")
                };
                (dense.bias().len(), dense.bias().into())
            }
        };
        Rows { columns, values }
    }
}
