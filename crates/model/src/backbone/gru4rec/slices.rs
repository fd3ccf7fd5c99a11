//! The recurrent network on slices, without padding.

use super::super::EncodeSlices;
use crate::config::BackboneConfig;
use ingle_layers::{
    Dropout, Gru, GruTape, Norm, NormTape, Order, Packed, Parameters, Places, Values,
};

/// The network's layers.
#[derive(Clone, Debug)]
pub struct Layers {
    width: usize,
    units: Vec<Gru>,
    /// After the last layer.
    norm: Norm,
}

/// What the backward pass needs.
#[derive(Debug)]
pub struct Tape {
    order: Order,
    layers: Vec<GruTape>,
    norm: NormTape,
}

impl Layers {
    /// Scales embeddings, and their gradients.
    fn scaled(&self, mut x: Vec<f32>) -> Vec<f32> {
        let scale = (self.width as f32).sqrt();
        for x in &mut x {
            *x *= scale;
        }
        x
    }

    /// States of the last layer after each click, `[len, width]`.
    fn read_all(&self, parameters: &Parameters, embedded: &[f32], keep: &[f32]) -> Vec<f32> {
        let mut x = self.scaled(embedded.to_vec());
        for layer in &self.units {
            layer.infer(parameters, &mut x, keep);
        }
        x
    }
}

impl EncodeSlices for Layers {
    type Tape = Tape;

    fn new(config: &BackboneConfig, places: &mut Places) -> Self {
        let width = config.width;
        let units = (0..config.blocks)
            .map(|layer| Gru::new(places, &format!("layers.{layer}"), width))
            .collect();
        Self {
            width,
            units,
            norm: places.norm("norm", width),
        }
    }

    fn user(&self, parameters: &Parameters, embedded: &[f32], keep: &[f32]) -> Vec<f32> {
        let x = self.read_all(parameters, embedded, keep);
        self.norm.infer(parameters, &x[x.len() - self.width..])
    }

    fn states(&self, parameters: &Parameters, embedded: &[f32], keep: &[f32]) -> Vec<f32> {
        let x = self.read_all(parameters, embedded, keep);
        self.norm.infer(parameters, &x)
    }

    fn forward(
        &self,
        values: &Values<'_>,
        packed: &Packed,
        embedded: Vec<f32>,
        dropout: &mut impl Dropout,
    ) -> (Vec<f32>, Tape) {
        let order = Order::of(packed);
        let mut x = self.scaled(order.by_step(&embedded, self.width));
        let layers = (self.units.iter())
            .map(|layer| layer.forward(values, &order, &mut x, dropout))
            .collect();
        let (hidden, norm) = self.norm.forward(values, &x);
        let hidden = order.by_click(&hidden, self.width);
        let tape = Tape {
            order,
            layers,
            norm,
        };
        (hidden, tape)
    }

    fn backward(
        &self,
        values: &Values<'_>,
        _packed: &Packed,
        tape: &Tape,
        hidden: &[f32],
        gradient: &mut [f32],
    ) -> Vec<f32> {
        let hidden = tape.order.by_step(hidden, self.width);
        let mut x = vec![0.0; hidden.len()];
        (self.norm).backward(values, &tape.norm, &hidden, &mut x, gradient);
        for (layer, own) in self.units.iter().zip(&tape.layers).rev() {
            x = layer.backward(values, &tape.order, own, x, gradient);
        }
        tape.order.by_click(&self.scaled(x), self.width)
    }
}
