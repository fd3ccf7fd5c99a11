//! Files of the learner's moments, which a checkpoint needs beside the weights.

use super::super::checkpoint::write_atomically;
use super::Learner;
use anyhow::{Context, Result, bail};
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use std::path::Path;

impl Learner {
    /// The vectors that are saved, by name.
    fn stored(&mut self) -> Vec<(&'static str, &mut Vec<f32>)> {
        let [table, values] = [&mut self.table.moments, &mut self.values.moments];
        let mut stored = vec![
            ("table.first", &mut table.first),
            ("table.second", &mut table.second),
            ("values.first", &mut values.first),
            ("values.second", &mut values.second),
        ];
        // The model holds unit rows alone, so the weights behind them are saved here.
        if self.directions.is_some() {
            stored.push(("table.weights", &mut self.table.weights));
        }
        stored
    }

    /// Saves moments and step counts.
    pub fn save(&mut self, path: &Path) -> Result<()> {
        let steps = self.steps.to_le_bytes();
        let last: Vec<u8> = self
            .last
            .iter()
            .flat_map(|step| step.to_le_bytes())
            .collect();
        let floats = self.stored().into_iter().map(|(name, values)| {
            let bytes = values.iter().flat_map(|value| value.to_le_bytes());
            (name, bytes.collect())
        });
        let floats: Vec<(&str, Vec<u8>)> = floats.collect();
        let view = |kind, size: usize, bytes| TensorView::new(kind, vec![size], bytes);
        let mut tensors = vec![
            ("steps", view(Dtype::U64, 1, &steps)?),
            ("table.last", view(Dtype::U32, last.len() / 4, &last)?),
        ];
        for (name, bytes) in &floats {
            tensors.push((name, view(Dtype::F32, bytes.len() / 4, bytes)?));
        }
        write_atomically(path, &serialize(tensors, None)?)
    }

    /// Loads what [`save`](Self::save) wrote.
    ///
    /// # Errors
    /// If the file is missing, damaged, or of a backbone of another size.
    pub fn load(&mut self, path: &Path) -> Result<()> {
        let bytes =
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let damaged = || format!("{} is damaged", path.display());
        let tensors = SafeTensors::deserialize(&bytes).with_context(damaged)?;
        let words = |name: &str, count: usize| -> Result<Vec<[u8; 4]>> {
            let (words, rest) = tensors
                .tensor(name)
                .with_context(damaged)?
                .data()
                .as_chunks::<4>();
            if words.len() != count || !rest.is_empty() {
                bail!("{} does not fit the configuration", path.display());
            }
            Ok(words.to_vec())
        };
        let steps = words("steps", 2)?;
        let [low, high] = [steps[0], steps[1]].map(u32::from_le_bytes);
        self.steps = u64::from(low) | u64::from(high) << 32;
        let last = words("table.last", self.last.len())?;
        self.last = last.into_iter().map(u32::from_le_bytes).collect();
        for (name, values) in self.stored() {
            let found = words(name, values.len())?;
            *values = found.into_iter().map(f32::from_le_bytes).collect();
        }
        if let Some(directions) = &mut self.directions {
            directions.follow(&self.table.weights, None);
        }
        Ok(())
    }
}
