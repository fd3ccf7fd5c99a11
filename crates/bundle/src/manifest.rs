//! The manifest: a bundle's description of itself, and the checks that need no other file.

mod check;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The format version that this crate writes and reads.
pub const FORMAT: u32 = 1;
/// The manifest's file name.
pub const MANIFEST: &str = "manifest.json";
/// A longer manifest is rejected before it is parsed.
pub const MAX_MANIFEST_BYTES: usize = 1 << 20;
/// A manifest that names a larger file is rejected: browsers cannot hold one.
pub const MAX_FILE_BYTES: u64 = 1 << 31;

/// A manifest that names more files is rejected.
pub const MAX_FILES: usize = 1024;
/// A manifest is rejected if its files are longer in total: a browser's memory holds no more beside a model.
pub const MAX_BUNDLE_BYTES: u64 = 1 << 31;

/// A manifest with longer semantic codes is rejected.
const MAX_CODE_WIDTH: usize = 4096;

/// Largest number of thresholds on the noise probability: each adds a history to encode.
const MAX_KEEP: usize = 16;

/// Largest size of an adapter's weight of popularity.
const MAX_POPULARITY: f32 = 100.0;
/// Largest step size of an adapter.
const MAX_RATE: f32 = 1e6;
/// Most steps of an adapter.
const MAX_STEPS: usize = 1000;
/// Most clicks that an adapter learns from: a row of numbers as long as the catalogue is kept for each.
const MAX_WINDOW: usize = 512;

/// A bundle's description of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Format version, [`FORMAT`]. It comes first, so that readers of other versions find it.
    pub format: u32,
    /// Name for display, such as "beauty dc4sr".
    pub name: String,
    /// The denoising method and its configuration.
    pub method: MethodSpec,
    /// The backbone's configuration; the model crate interprets it.
    pub backbone: Value,
    /// Size and type of the item table.
    pub items: ItemsSpec,
    /// Every file of the bundle.
    pub files: Vec<FileEntry>,
    /// How noise logits become keep weights.
    pub calibration: Calibration,
    /// What is added to the model's scores, for all shoppers or learnt from each shopper's own clicks; absent if
    /// nothing of the kind was found to help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<Adapter>,
    /// Where the bundle comes from: versions, dataset, seed. Informative; not needed to read the bundle.
    pub provenance: Value,
    /// Measured figures. Informative; not needed to read the bundle.
    pub evaluation: Value,
}

/// A method by its registered name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MethodSpec {
    /// Registered name, such as "dc4sr".
    pub name: String,
    /// The method's configuration.
    pub config: Value,
}

/// Size and type of the item table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemsSpec {
    /// Number of items and rows, at least 1.
    pub count: usize,
    /// Values per row, at least 1.
    pub width: usize,
    /// How a value is stored.
    pub dtype: TableType,
    /// Values (bytes) of an item's semantic code; 0 or absent if items have none.
    #[serde(default, skip_serializing_if = "nothing")]
    pub code_width: usize,
    /// Number of the last items that were added without training, placed by their titles; 0 or absent if all items
    /// were in the log.
    #[serde(default, skip_serializing_if = "nothing")]
    pub appended: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn nothing(x: &usize) -> bool {
    *x == 0
}

/// How the item table's values are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TableType {
    /// One byte per value and one `f32` scale per row.
    Int8,
    /// IEEE half precision.
    F16,
    /// IEEE single precision.
    F32,
}

/// One file of the bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// What the file is for.
    pub role: Role,
    /// File name, which contains the start of `sha256`.
    pub name: String,
    /// Length in bytes.
    pub bytes: u64,
    /// SHA-256 of the file in lower-case hex.
    pub sha256: String,
    /// First row of the item table in this file; for blocks of items only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_row: Option<usize>,
    /// Number of rows of the item table in this file; for blocks of items only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<usize>,
}

/// What a file is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The model's weights; exactly one.
    Model,
    /// A block of the item table; one or more.
    Items,
    /// The item ids; exactly one.
    Ids,
    /// A role of a later version. Readers ignore it.
    #[serde(untagged)]
    Other(String),
}

/// How noise logits become probabilities, and how these decide which clicks are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Divides the logits after `shift` is subtracted; above 0.
    pub temperature: f32,
    /// Subtracted from the logits; 0 if absent.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub shift: f32,
    /// A click with at most this noise probability has weight 1.
    pub tau_low: f32,
    /// A click with at least this noise probability has weight 0; not below `tau_low`.
    pub tau_high: f32,
    /// Thresholds on the noise probability, ascending. Each gives a history without the clicks above it, and the
    /// catalogue is ranked by the mean over these histories. Without them, `tau_low` and `tau_high` give the weights
    /// of the clicks of one history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<Vec<f32>>,
    /// The same for each of the two views, for a method that has two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub views: Option<ViewScales>,
}

/// How the logits of the two views become probabilities.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ViewScales {
    /// Of the prior view, which judges by what the items are.
    pub prior: Scale,
    /// Of the posterior view, which judges by how shoppers use the items.
    pub posterior: Scale,
}

/// An addition to the model's scores: a weight of each item's log-popularity and, for shoppers with enough clicks, what
/// the page learns from their own clicks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adapter {
    /// Added to each logit, times the item's `popularity`; with learning it is what the weight starts from.
    pub popularity: f32,
    /// How it is learnt; absent if nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning: Option<Learning>,
    /// The gain in NDCG@10 over the model alone, on users who were not trained on.
    pub gain: Gain,
}

/// Gradient descent on the shopper's own next clicks. At least one rate is above 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Learning {
    /// Step size of the bias that is added to the user vector; 0 if there is none.
    pub bias_rate: f32,
    /// Step size of the weight of log-popularity; 0 if it is not learnt.
    pub weight_rate: f32,
    /// Number of steps, each over all clicks of the window.
    pub steps: usize,
    /// Clicks after which a click counts half.
    pub half_life: f32,
    /// Latest clicks that are learnt from, at most.
    pub window: usize,
    /// Known clicks from which it is learnt.
    pub clicks: usize,
}

/// A measured gain.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gain {
    /// The mean gain.
    pub value: f32,
    /// Its standard error.
    pub error: f32,
}

/// How logits become probabilities: `1 / (1 + exp(-(logit - shift) / temperature))`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// Above 0.
    pub temperature: f32,
    /// Any finite number.
    pub shift: f32,
}

impl Default for Scale {
    fn default() -> Self {
        Self {
            temperature: 1.0,
            shift: 0.0,
        }
    }
}

impl Scale {
    /// Whether it gives a valid probability for every logit.
    pub fn is_usable(self) -> bool {
        self.temperature > 0.0 && self.temperature.is_finite() && self.shift.is_finite()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(x: &f32) -> bool {
    *x == 0.0
}
