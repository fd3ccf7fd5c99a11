//! Ranks the catalogue on the GPU.

use crate::device::Device;
use crate::encoder::Encoder;
use crate::error::GpuError;
use crate::scan::{BARRED, HEADER, HISTORIES, MOST, Measure, Scan, Several};
use crate::staging::Staging;
use ingle_model::rank::{Best, Block, Mass, Mean, Scored, Wanted};
use ingle_model::{EngineError, Parts, Ranker, WeightedHistory};
use std::cell::RefCell;
use wgpu::{Buffer, BufferUsages, CommandEncoderDescriptor, ComputePassDescriptor};

/// A bundle's backbone and item table on a GPU.
#[derive(Debug)]
pub struct Gpu {
    device: Device,
    /// `None` if the CPU encodes histories: a recurrent encoder is a sequence of small products, for which a GPU
    /// takes longer than the CPU.
    encoder: Option<Encoder>,
    scan: Scan,
    /// For as many histories at once as were needed so far.
    several: RefCell<Option<Several>>,
    /// The number of clicks, the number of rows wanted, and the number of histories.
    question: Buffer,
    staging: Staging,
    width: usize,
    rows: usize,
}

/// The result of a search.
struct Found {
    rows: Vec<usize>,
    mass: Mass,
    /// The user vector, `[width]`.
    vector: Vec<f32>,
}

impl Gpu {
    /// Opens the GPU and uploads the backbone and the item table.
    ///
    /// # Errors
    /// If there is no GPU, the catalogue is too large for it, or it rejects the kernels.
    pub async fn open(parts: &Parts) -> Result<Self, GpuError> {
        let device = Device::open().await?;
        let made = (device.checked(|| {
            let question = device.buffer(4, BufferUsages::UNIFORM | BufferUsages::COPY_DST);
            let scan = Scan::new(&device, parts, &question)?;
            let encoder = (parts.transformer())
                .map(|encoder| {
                    Encoder::new(&device, parts.config(), encoder, &scan.vector, &question)
                })
                .transpose()?;
            Ok((question, scan, encoder))
        }))
        .await?;
        let (question, scan, encoder) = made?;
        let (width, rows) = (parts.config().width, parts.table().rows);
        Ok(Self {
            device,
            encoder,
            staging: Staging::new(HISTORIES * (scan.vector_len() + 2) + HEADER + MOST),
            scan,
            several: RefCell::new(None),
            question,
            width,
            rows,
        })
    }

    /// Ranks by the user vector of `len` clicks, or with `None` by the vector that is there already.
    async fn find(
        &self,
        len: usize,
        measure: Measure,
        wanted: &Wanted<'_>,
    ) -> Result<Found, GpuError> {
        let k = wanted.k.min(self.rows);
        // The GPU finds rows one after the other; for more than `MOST` the CPU is faster.
        let picked = if k > MOST { 0 } else { k };
        self.scan.want(&self.device, wanted);
        (self.device).write(&self.question, 0, &[len as u32, picked as u32]);
        let commands = CommandEncoderDescriptor::default();
        let mut commands = self.device.handle.create_command_encoder(&commands);
        {
            let mut pass = commands.begin_compute_pass(&ComputePassDescriptor::default());
            if let Some(encoder) = &self.encoder {
                encoder.dispatch(&mut pass, len);
            }
            self.scan.dispatch(&mut pass, measure);
        }
        let scores = if k > MOST { self.rows } else { 0 };
        let sources = [
            (&self.scan.vector, self.width),
            (&self.scan.answer, HEADER + picked),
            (&self.scan.scores, scores),
        ];
        let read = (self.staging)
            .read(&self.device, commands, &sources)
            .await?;
        let (vector, rest) = read.split_at(self.width);
        let (header, rest) = rest.split_at(HEADER);
        let (rows, scores) = rest.split_at(picked);
        Ok(Found {
            vector: bytemuck::cast_slice(vector).to_vec(),
            mass: Mass::of(f32::from_bits(header[0]), f32::from_bits(header[1])),
            rows: best_rows(k, header, rows, scores),
        })
    }

    /// Kernels and memory for this many histories, if the GPU has room.
    fn several(&self, histories: usize) -> Option<Several> {
        let mut kept = self.several.borrow_mut();
        if kept.as_ref().is_none_or(|several| several.room < histories) {
            let room = histories.next_power_of_two().min(HISTORIES);
            *kept = self.scan.several(&self.device, &self.question, room);
        }
        kept.clone()
    }

    /// Computes the user vector of a history into its row of the vectors.
    fn read(&self, parts: &Parts, history: WeightedHistory<'_>, several: &Several, place: usize) {
        let at = place * several.stride;
        let Some((encoder, transformer)) = self.encoder.as_ref().zip(parts.transformer()) else {
            (self.device).write(&several.vectors, at, &parts.user(history));
            return;
        };
        let len = history.keep.len();
        encoder.write(&self.device, &transformer.inputs(history));
        (self.device).write(&self.question, 0, &[len as u32]);
        let commands = CommandEncoderDescriptor::default();
        let mut commands = self.device.handle.create_command_encoder(&commands);
        {
            let mut pass = commands.begin_compute_pass(&ComputePassDescriptor::default());
            encoder.dispatch(&mut pass, len);
        }
        let [at, size] = [at, self.width].map(|values| 4 * values as u64);
        let (from, to) = (&self.scan.vector, &several.vectors);
        commands.copy_buffer_to_buffer(from, 0, to, at, size);
        // Submitted at once, since the next history overwrites this one's clicks.
        self.device.queue.submit([commands.finish()]);
    }

    /// Ranks by the mean of the softmaxes over several histories.
    async fn rank_several(
        &self,
        parts: &Parts,
        histories: &[WeightedHistory<'_>],
        several: &Several,
        wanted: &Wanted<'_>,
    ) -> Result<(Vec<Scored>, Mass), GpuError> {
        let (count, k) = (histories.len(), wanted.k.min(self.rows));
        let picked = if k > MOST { 0 } else { k };
        for (place, &history) in histories.iter().enumerate() {
            self.read(parts, history, several, place);
        }
        let weights: Vec<f32> = histories.iter().map(|history| history.weight).collect();
        self.scan.want(&self.device, wanted);
        (self.device).write(&several.weights, 0, &weights);
        let question = [0, picked as u32, count as u32];
        (self.device).write(&self.question, 0, &question);
        let commands = CommandEncoderDescriptor::default();
        let mut commands = self.device.handle.create_command_encoder(&commands);
        {
            let mut pass = commands.begin_compute_pass(&ComputePassDescriptor::default());
            self.scan.dispatch_several(&mut pass, several, count);
        }
        let sources = [
            (&several.vectors, count * several.stride),
            (&several.totals, 2 * count),
            (&self.scan.answer, HEADER + picked),
            (&self.scan.scores, if k > MOST { self.rows } else { 0 }),
        ];
        let read = (self.staging)
            .read(&self.device, commands, &sources)
            .await?;
        let (vectors, rest) = read.split_at(count * several.stride);
        let (totals, rest) = rest.split_at(2 * count);
        let (header, rest) = rest.split_at(HEADER);
        let (rows, scores) = rest.split_at(picked);
        let vectors: &[f32] = bytemuck::cast_slice(vectors);
        if vectors.iter().any(|x| !x.is_finite()) {
            return Ok((Vec::new(), Mass::default()));
        }
        let vectors = vectors.chunks_exact(several.stride);
        let vectors: Vec<&[f32]> = vectors.map(|vector| &vector[..self.width]).collect();
        let totals: &[f32] = bytemuck::cast_slice(totals);
        let totals = totals.chunks_exact(2).zip(weights);
        let softmaxes = totals.map(|(total, weight)| (Mass::of(total[0], total[1]), weight));
        let mean = Mean::of(&softmaxes.collect::<Vec<_>>());
        let rows = best_rows(k, header, rows, scores).into_iter();
        let best = parts.scored_mean(&vectors, &mean, rows, wanted.boost);
        Ok((best, mean.mass()))
    }
}

/// The rows that were found, or the best of all scores if all scores were returned.
fn best_rows(k: usize, header: &[u32], rows: &[u32], scores: &[u32]) -> Vec<usize> {
    if k > MOST {
        return best_of(bytemuck::cast_slice(scores), k);
    }
    let found = rows[..header[2] as usize].iter();
    found.map(|&row| row as usize).collect()
}

impl Ranker for Gpu {
    async fn rank(
        &self,
        parts: &Parts,
        histories: &[WeightedHistory<'_>],
        wanted: Wanted<'_>,
    ) -> Result<(Vec<Scored>, Mass), EngineError> {
        let &[history] = histories else {
            return match self.several(histories.len()) {
                Some(several) => {
                    let ranked = self.rank_several(parts, histories, &several, &wanted);
                    Ok(ranked.await?)
                }
                None => Ok(parts.rank(histories, wanted)),
            };
        };
        let mut len = 0;
        if let Some((encoder, transformer)) = self.encoder.as_ref().zip(parts.transformer()) {
            encoder.write(&self.device, &transformer.inputs(history));
            len = history.keep.len();
        } else {
            (self.device).write(&self.scan.vector, 0, &parts.user(history));
        }
        let found = self.find(len, Measure::Product, &wanted).await?;
        if found.vector.iter().any(|x| !x.is_finite()) {
            return Ok((Vec::new(), Mass::default()));
        }
        let best = parts.scored(&found.vector, found.rows.into_iter(), wanted.boost);
        Ok((best, found.mass))
    }

    async fn nearest(
        &self,
        parts: &Parts,
        direction: &[f32],
        wanted: Wanted<'_>,
    ) -> Result<Vec<Scored>, EngineError> {
        (self.device).write(&self.scan.vector, 0, direction);
        let found = self.find(0, Measure::Cosine, &wanted).await?;
        Ok(parts.scored_near(direction, found.rows.into_iter(), wanted.boost))
    }
}

/// The best rows by scores that include the boost and the exclusions.
fn best_of(scores: &[f32], k: usize) -> Vec<usize> {
    let mut best = Best::new(Wanted {
        k,
        ..Wanted::default()
    });
    best.offer(&Block::new(0, scores));
    let best = best.into_sorted().into_iter();
    best.take_while(|scored| scored.score > BARRED)
        .map(|scored| scored.row)
        .collect()
}
