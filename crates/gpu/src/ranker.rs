//! Ranks the catalogue on the GPU.

use crate::device::Device;
use crate::encoder::{Encoder, QUAD};
use crate::error::GpuError;
use crate::histories::{EXTRAS, Grid, Histories};
use crate::judge::Scorer;
use crate::layout::Layout;
use crate::scan::{BARRED, HEADER, HISTORIES, MOST, Measure, Scan, Several};
use crate::staging::Staging;
use ingle_model::rank::{Best, Block, Mass, Mean, Scored, Wanted};
use ingle_model::{EngineError, Judge, Judged, Parts, Ranker, Unjudged, WeightedHistory};
use std::cell::RefCell;
use wgpu::{Buffer, BufferUsages, CommandEncoder, CommandEncoderDescriptor, ComputePassDescriptor};

/// A bundle's backbone and item table on a GPU, and its scorer if the GPU judges.
#[derive(Debug)]
pub struct Gpu {
    device: Device,
    /// `None` if the CPU encodes histories: a recurrent encoder is a sequence of small products, for which a GPU
    /// takes longer than the CPU.
    encoder: Option<Encoder>,
    /// `None` if the CPU judges clicks.
    scorer: Option<Scorer>,
    histories: Histories,
    scan: Scan,
    /// For as many histories at once as were needed so far.
    several: RefCell<Option<Several>>,
    /// The number of clicks, and the number of rows wanted.
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
    /// Opens the GPU and uploads the backbone, the item table and, if there is one for it, the scorer.
    ///
    /// # Errors
    /// If there is no GPU, the catalogue is too large for it, or it rejects the kernels.
    pub async fn open(parts: &Parts, judge: Option<Judge<'_>>) -> Result<Self, GpuError> {
        let device = Device::open().await?;
        let made = (device.checked(|| {
            let usage = BufferUsages::UNIFORM | BufferUsages::STORAGE | BufferUsages::COPY_DST;
            let question = device.buffer(4, usage);
            let layout = Layout::of(parts.table());
            let stride = layout.vector();
            let extra = judge.map_or(0, |judge| judge.sizes().code_width + EXTRAS);
            let histories = Histories::new(&device, parts, HISTORIES, extra, stride);
            let scan = Scan::new(&device, parts, layout, &histories, &question)?;
            let config = parts.config();
            let encoder = (parts.transformer())
                .map(|encoder| Encoder::new(&device, config, encoder, &histories, stride))
                .transpose()?;
            let scorer = judge
                .filter(|_| encoder.is_some())
                .map(|judge| {
                    let tiles = scan.tiles();
                    Scorer::new(&device, config, judge, &histories, &question, tiles)
                })
                // What does not fit leaves the clicks to the processor.
                .filter(|scorer| {
                    scorer.most <= histories.room && scan.has_room(&device, scorer.most)
                });
            Ok((question, histories, scan, encoder, scorer))
        }))
        .await?;
        let (question, histories, scan, encoder, scorer) = made?;
        let (width, rows) = (parts.config().width, parts.table().rows);
        let clicks = parts.config().max_len.next_multiple_of(QUAD);
        let most = HISTORIES * (scan.stride() + 5) + clicks + HEADER + MOST;
        Ok(Self {
            device,
            encoder,
            scorer,
            staging: Staging::new(most),
            histories,
            scan,
            several: RefCell::new(None),
            question,
            width,
            rows,
        })
    }

    /// Ranks by the user vector of the history that is there, or of none by the vector that is there already.
    async fn find(
        &self,
        len: usize,
        measure: Measure,
        wanted: &Wanted<'_>,
    ) -> Result<Found, GpuError> {
        let (k, picked) = self.ask(len, wanted);
        let mut commands = self.commands();
        {
            let mut pass = commands.begin_compute_pass(&ComputePassDescriptor::default());
            if let Some(encoder) = self.encoder.as_ref().filter(|_| len > 0) {
                encoder.dispatch(&mut pass, &Grid::of(1, len, 0));
            }
            self.scan.dispatch(&mut pass, measure);
        }
        let sources = [
            (&self.histories.vectors, self.width),
            (&self.scan.answer, HEADER + picked),
            (&self.scan.scores, self.unpicked(k)),
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

    /// Writes the question. Returns the number of rows wanted, and of rows that the GPU finds: one after the other, so
    /// that for more than `MOST` the CPU is faster.
    fn ask(&self, len: usize, wanted: &Wanted<'_>) -> (usize, usize) {
        let k = wanted.k.min(self.rows);
        let picked = if k > MOST { 0 } else { k };
        self.scan.want(&self.device, wanted);
        (self.device).write(&self.question, 0, &[len as u32, picked as u32]);
        (k, picked)
    }

    /// Number of scores to read back.
    fn unpicked(&self, k: usize) -> usize {
        if k > MOST { self.rows } else { 0 }
    }

    fn commands(&self) -> CommandEncoder {
        let commands = CommandEncoderDescriptor::default();
        self.device.handle.create_command_encoder(&commands)
    }

    /// Kernels and memory for this many histories, if the GPU has room.
    fn several(&self, histories: usize) -> Option<Several> {
        let mut kept = self.several.borrow_mut();
        if kept.as_ref().is_none_or(|several| several.room < histories) {
            let room = histories.next_power_of_two().min(HISTORIES);
            *kept = self.scan.several(&self.device, &self.histories, room);
        }
        kept.clone()
    }

    /// Writes histories for the encoder, or their user vectors if the CPU encodes them.
    fn write(&self, parts: &Parts, histories: &[WeightedHistory<'_>]) {
        if self.encoder.is_some() {
            self.histories.write(&self.device, histories);
            return;
        }
        for (place, &history) in histories.iter().enumerate() {
            let at = place * self.scan.stride();
            (self.device).write(&self.histories.vectors, at, &parts.user(history));
        }
        self.histories.count(&self.device, histories);
    }

    /// Ranks by the mean of the softmaxes over at most `most` histories of at most `len` clicks: those that are there, or
    /// with `scorer` those that it keeps.
    async fn rank_several(
        &self,
        parts: &Parts,
        scorer: Option<&Scorer>,
        [len, most]: [usize; 2],
        several: &Several,
        wanted: &Wanted<'_>,
    ) -> Result<Judged, GpuError> {
        let (k, picked) = self.ask(len, wanted);
        let grid = match scorer {
            Some(scorer) => Grid::Written(&scorer.grid),
            None => Grid::of(most, len, self.scan.tiles()),
        };
        let mut commands = self.commands();
        {
            let mut pass = commands.begin_compute_pass(&ComputePassDescriptor::default());
            if let Some(scorer) = scorer {
                scorer.dispatch(&mut pass, len);
            }
            if let Some(encoder) = &self.encoder {
                encoder.dispatch(&mut pass, &grid);
            }
            self.scan.dispatch_several(&mut pass, several, &grid);
        }
        let stride = self.scan.stride();
        let [noise, kept] = match scorer {
            Some(scorer) => [(&scorer.noise, len), (&scorer.kept, len)],
            None => [(&self.histories.many, 0); 2],
        };
        let sources = [
            (&self.histories.vectors, most * stride),
            (&several.totals, 2 * most),
            (&self.histories.many, 2 * (1 + most)),
            noise,
            kept,
            (&self.scan.answer, HEADER + picked),
            (&self.scan.scores, self.unpicked(k)),
        ];
        let read = (self.staging)
            .read(&self.device, commands, &sources)
            .await?;
        let mut rest = &read[..];
        let mut next = |values| {
            let (part, others) = rest.split_at(values);
            rest = others;
            part
        };
        let [vectors, totals, many, noise, keep] = [0, 1, 2, 3, 4].map(|at| next(sources[at].1));
        let [header, rows, scores] = [HEADER, picked, sources[6].1].map(&mut next);
        let [noise, keep] = [noise, keep].map(|values| bytemuck::cast_slice(values).to_vec());
        let judged = |best| Judged { noise, keep, best };
        let count = many[0] as usize;
        if count == 0 {
            return Ok(judged(None));
        }
        let vectors: &[f32] = bytemuck::cast_slice(&vectors[..count * stride]);
        if vectors.iter().any(|x| !x.is_finite()) {
            return Ok(judged(Some((Vec::new(), Mass::default()))));
        }
        let vectors = vectors.chunks_exact(stride);
        let vectors: Vec<&[f32]> = vectors.map(|vector| &vector[..self.width]).collect();
        let totals: &[f32] = bytemuck::cast_slice(&totals[..2 * count]);
        let totals = totals.chunks_exact(2).zip(many[2..].chunks_exact(2));
        let softmaxes = totals
            .map(|(total, history)| (Mass::of(total[0], total[1]), f32::from_bits(history[1])));
        let mean = Mean::of(&softmaxes.collect::<Vec<_>>());
        let rows = best_rows(k, header, rows, scores).into_iter();
        let best = parts.scored_mean(&vectors, &mean, rows, wanted.boost);
        Ok(judged(Some((best, mean.mass()))))
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
        if histories.iter().any(|history| history.tilt.is_some()) {
            return Ok(parts.rank(histories, wanted));
        }
        let several = (histories.len() > 1 && histories.len() <= self.histories.room)
            .then(|| self.several(histories.len()))
            .flatten();
        let lengths = histories.iter().map(|history| history.keep.len());
        let len = lengths.max().unwrap_or_default();
        if let Some(several) = several {
            self.write(parts, histories);
            let sizes = [len, histories.len()];
            let ranked = self.rank_several(parts, None, sizes, &several, &wanted);
            return Ok(ranked.await?.best.unwrap_or_default());
        }
        if histories.len() != 1 {
            return Ok(parts.rank(histories, wanted));
        }
        self.write(parts, histories);
        let found = self.find(len, Measure::Product, &wanted).await?;
        if found.vector.iter().any(|x| !x.is_finite()) {
            return Ok((Vec::new(), Mass::default()));
        }
        let best = parts.scored(&found.vector, found.rows.into_iter(), wanted.boost);
        Ok((best, found.mass))
    }

    fn judges(&self) -> bool {
        self.scorer.is_some()
    }

    async fn rank_unjudged(
        &self,
        parts: &Parts,
        clicks: Unjudged<'_>,
        wanted: &Wanted<'_>,
    ) -> Result<Option<Judged>, EngineError> {
        let Some(scorer) = &self.scorer else {
            return Ok(None);
        };
        let Some(several) = self.several(scorer.most) else {
            return Ok(None);
        };
        if !(self.histories).write_unjudged(&self.device, clicks, scorer.code_width) {
            return Ok(None);
        }
        let sizes = [clicks.len(), scorer.most];
        let ranked = self.rank_several(parts, Some(scorer), sizes, &several, wanted);
        Ok(Some(ranked.await?))
    }

    async fn nearest(
        &self,
        parts: &Parts,
        direction: &[f32],
        wanted: Wanted<'_>,
    ) -> Result<Vec<Scored>, EngineError> {
        (self.device).write(&self.histories.vectors, 0, direction);
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
