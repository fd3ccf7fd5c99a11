//! The clicks of one or more histories on the GPU.

use crate::device::Device;
use crate::encoder::{QUAD, states};
use ingle_model::{Parts, Unjudged, WeightedHistory};
use wgpu::{Buffer, BufferUsages, ComputePass};

/// Most memory for the states of the encoder, in values: bounds the number of histories that are encoded together.
const STATES: usize = 1 << 24;

/// What the scorer reads of a click beside its vectors: popularity, 1 / length of the embedding, and weight.
pub(crate) const EXTRAS: usize = 3;

/// The numbers of workgroups of the kernels that work on histories: of the encoder's, of its last, of the one that scores
/// and of the one that sums up.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Grid<'a> {
    /// They are known.
    Known([[u32; 2]; 4]),
    /// A kernel writes them.
    Written(&'a Buffer),
}

impl Grid<'_> {
    /// For so many histories of at most `len` clicks, and a table of `tiles`.
    pub(crate) fn of(histories: usize, len: usize, tiles: usize) -> Self {
        let [histories, tiles] = [histories, tiles].map(|value| value as u32);
        let quads = len.div_ceil(QUAD) as u32;
        Self::Known([
            [quads, histories],
            [1, histories],
            [histories, tiles],
            [histories, 1],
        ])
    }

    /// Starts the workgroups of the `at`th kind of kernel.
    pub(crate) fn dispatch(&self, pass: &mut ComputePass<'_>, at: usize) {
        match self {
            Self::Known(sizes) => pass.dispatch_workgroups(sizes[at][0], sizes[at][1], 1),
            Self::Written(sizes) => pass.dispatch_workgroups_indirect(sizes, 12 * at as u64),
        }
    }
}

/// The clicks of one or more histories, and their user vectors.
#[derive(Debug)]
pub(crate) struct Histories {
    /// Most histories.
    pub(crate) room: usize,
    /// Values of a click.
    pub(crate) record: usize,
    /// Clicks, each of `record` values of which the first are its embedding.
    pub(crate) given: Buffer,
    /// Number and weight of each click of each history, `[room, max_len]`.
    pub(crate) places: Buffer,
    /// The number of histories, then the length and weight of each, in pairs.
    pub(crate) many: Buffer,
    /// User vectors, padded with zeros.
    pub(crate) vectors: Buffer,
    width: usize,
    max_len: usize,
}

impl Histories {
    /// For at most `most` histories of clicks that have `extra` values beside their embeddings, with user vectors of
    /// `stride` values.
    pub(crate) fn new(
        device: &Device,
        parts: &Parts,
        most: usize,
        extra: usize,
        stride: usize,
    ) -> Self {
        let config = parts.config();
        let room = (STATES / states(config)[1]).clamp(1, most);
        let record = config.width + extra;
        let usage = BufferUsages::STORAGE | BufferUsages::COPY_DST | BufferUsages::COPY_SRC;
        let buffer = |values| device.buffer(values, usage);
        Self {
            room,
            record,
            given: buffer(room * config.max_len * record),
            places: buffer(2 * room * config.max_len),
            many: buffer(2 * (1 + room)),
            vectors: buffer(room * stride),
            width: config.width,
            max_len: config.max_len,
        }
    }

    /// Writes histories whose clicks are weighted already.
    pub(crate) fn write(&self, device: &Device, histories: &[WeightedHistory<'_>]) {
        let mut given = Vec::new();
        let mut places: Vec<[u32; 2]> = Vec::new();
        let mut click = 0;
        for (at, history) in histories.iter().enumerate() {
            places.resize(at * self.max_len, [0; 2]);
            for (embedded, weight) in (history.embedded.chunks_exact(self.width)).zip(history.keep)
            {
                given.extend_from_slice(embedded);
                given.resize(given.len().next_multiple_of(self.record), 0.0);
                places.push([click, weight.to_bits()]);
                click += 1;
            }
        }
        device.write(&self.given, 0, &given);
        device.write(&self.places, 0, &places);
        self.count(device, histories);
    }

    /// Writes how many histories there are, their lengths and their weights.
    pub(crate) fn count(&self, device: &Device, histories: &[WeightedHistory<'_>]) {
        let mut many = vec![[histories.len() as u32, 0]];
        let each = histories.iter();
        many.extend(each.map(|history| [history.keep.len() as u32, history.weight.to_bits()]));
        device.write(&self.many, 0, &many);
    }

    /// Writes clicks for the scorer, with semantic codes of `code_width` values. False, and nothing is written, if a
    /// value is not finite.
    pub(crate) fn write_unjudged(
        &self,
        device: &Device,
        clicks: Unjudged<'_>,
        code_width: usize,
    ) -> bool {
        let mut given = Vec::with_capacity(clicks.len() * self.record);
        let rows = clicks.embedded().chunks_exact(self.width);
        for (at, (embedded, popularity)) in rows.zip(clicks.popularity()).enumerate() {
            let length = embedded.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-6);
            given.extend_from_slice(embedded);
            match clicks.codes() {
                Some(codes) => given.extend_from_slice(&codes[at * code_width..][..code_width]),
                None => given.resize(given.len() + code_width, 0.0),
            }
            let weight = clicks.weights().map_or(1.0, |weights| weights[at]);
            given.extend([popularity, 1.0 / length, weight]);
        }
        let finite = given.iter().all(|x| x.is_finite());
        if finite {
            device.write(&self.given, 0, &given);
        }
        finite
    }
}
