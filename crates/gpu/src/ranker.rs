//! The GPU as a ranker: questions in, rows out.

use crate::device::Device;
use crate::encoder::Encoder;
use crate::error::GpuError;
use crate::scan::{BARRED, HEADER, MOST, Measure, Scan};
use crate::staging::Staging;
use ingle_model::rank::{Best, Block, Mass, Scored, Wanted};
use ingle_model::{EngineError, Parts, Ranker, Reading};
use wgpu::{Buffer, BufferUsages, CommandEncoderDescriptor, ComputePassDescriptor};

/// A bundle's backbone and item table on a GPU.
#[derive(Debug)]
pub struct Gpu {
    device: Device,
    /// Nothing where the processor reads the histories: a recurrent encoder is one small product after the
    /// other, which a GPU waits for longer than the processor takes.
    encoder: Option<Encoder>,
    scan: Scan,
    /// How many clicks there are and how many rows are wanted.
    question: Buffer,
    staging: Staging,
    width: usize,
    rows: usize,
}

/// What came back.
struct Found {
    rows: Vec<usize>,
    mass: Mass,
    /// The vector that was ranked by, `[width]`.
    vector: Vec<f32>,
}

impl Gpu {
    /// Opens the GPU and hands it the backbone and the item table.
    ///
    /// # Errors
    /// If there is no GPU, the catalogue is too large for it, or it does not take the kernels.
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
            scan,
            question,
            staging: Staging::new(width + HEADER + MOST),
            width,
            rows,
        })
    }

    /// Ranks by the vector that `len` clicks become, or with none by the one that is there already.
    async fn find(
        &self,
        len: usize,
        measure: Measure,
        wanted: &Wanted<'_>,
    ) -> Result<Found, GpuError> {
        let k = wanted.k.min(self.rows);
        // Of so many the GPU would look for one after the other: the processor chooses them faster.
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
        let found = rows[..header[2] as usize].iter().map(|&row| row as usize);
        Ok(Found {
            vector: bytemuck::cast_slice(vector).to_vec(),
            mass: Mass::of(f32::from_bits(header[0]), f32::from_bits(header[1])),
            rows: if k > MOST {
                best_of(bytemuck::cast_slice(scores), k)
            } else {
                found.collect()
            },
        })
    }
}

impl Ranker for Gpu {
    async fn rank(
        &self,
        parts: &Parts,
        history: Reading<'_>,
        wanted: Wanted<'_>,
    ) -> Result<(Vec<Scored>, Mass), EngineError> {
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

/// The best rows of all scores, the boost and what is barred being in them.
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
