//! Methods of other packages, by the name that `method.name` takes. A program or an engine registers them before it reads
//! a configuration.

use super::{Clicks, Interest, MethodConfig, NoiseLogits, Objective, Part, ScoreTensors, Step};
use crate::config::{BackboneConfig, ConfigError};
use crate::erased::{Does, Erased, check_name};
use crate::rng::Rng;
use burn::module::Module;
use burn::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use std::sync::{Mutex, PoisonError};

/// A method that can be trained, exported and run wherever Burn runs, and nothing else: one file.
///
/// Its parameters are named in the bundle as Burn names them, under `method.Registered`. Floats of one to five
/// dimensions are exported.
pub trait Custom: ScoreTensors + Objective + Module + Sync + 'static {
    /// The name in `method.name` and in the manifest: lowercase letters, digits and hyphens.
    const NAME: &'static str;
    /// The parts of its scorer in the order of their training, each with the name of its stage.
    const PARTS: &'static [(&'static str, Part)];
    /// Whether soft labels of clicks that were not replaced are learnt from, where the settings ask for any.
    const TAUGHT: bool = false;
    /// Its settings, the keys of `[method]` beside `name`. With `#[serde(default, deny_unknown_fields)]` every key may
    /// be left out, and misspelt ones are told.
    type Config: Default + Serialize + DeserializeOwned;

    /// Checks the settings.
    ///
    /// # Errors
    /// The first setting out of its range.
    fn validate(config: &Self::Config) -> Result<(), ConfigError> {
        let _ = config;
        Ok(())
    }

    /// Width of the items' semantic codes, if the method uses them.
    fn code_width(config: &Self::Config) -> Option<usize> {
        let _ = config;
        None
    }

    /// The scorer with random weights. Everything random comes from `rng` ([`crate::rng::linear`],
    /// [`crate::rng::normal`]), so that a seed gives the same weights on every device.
    fn new(
        config: &Self::Config,
        backbone: &BackboneConfig,
        rng: &mut Rng,
        device: &Device,
    ) -> Self;
}

/// What the trainer and the general engine ask of a method.
pub trait Denoise: ScoreTensors + Objective {}

impl<M: ScoreTensors + Objective> Denoise for M {}

impl<M: Denoise + 'static> Does<dyn Denoise> for M {
    fn does(&self) -> &(dyn Denoise + 'static) {
        self
    }
}

/// A method whose type is not known.
pub type Scorer = Erased<dyn Denoise>;

impl ScoreTensors for Scorer {
    fn noise_logits(&self, clicks: &Clicks) -> Option<NoiseLogits> {
        self.get().noise_logits(clicks)
    }

    fn interests(&self, clicks: &Clicks) -> Option<Interest<Tensor<2>>> {
        self.get().interests(clicks)
    }
}

impl Objective for Scorer {
    fn loss(&self, part: Part, step: &mut Step<'_>) -> Tensor<1> {
        self.get().loss(part, step)
    }
}

/// A registered method with its settings.
#[derive(Clone, Debug)]
pub struct Registered {
    entry: Entry,
    /// All of them, with their defaults.
    settings: Settings,
}

impl Registered {
    /// The method of that name with these settings, beside which `name` may stand; `None` if there is no such method.
    pub(super) fn read(name: &str, mut given: Settings) -> Option<Result<Self, serde_json::Error>> {
        let entry = entries().into_iter().find(|entry| entry.name == name)?;
        given.remove("name");
        let settings = (entry.settings)(given);
        Some(settings.map(|settings| Self { entry, settings }))
    }

    pub(super) fn name(&self) -> &'static str {
        self.entry.name
    }

    pub(super) fn parts(&self) -> &'static [(&'static str, Part)] {
        self.entry.parts
    }

    pub(super) fn taught(&self) -> bool {
        self.entry.taught
    }

    pub(super) fn code_width(&self) -> Option<usize> {
        (self.entry.code_width)(&self.settings)
    }

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        (self.entry.validate)(&self.settings)
    }

    pub(super) fn init(&self, backbone: &BackboneConfig, rng: &mut Rng, device: &Device) -> Scorer {
        (self.entry.new)(&self.settings, backbone, rng, device)
    }
}

impl PartialEq for Registered {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name() && self.settings == other.settings
    }
}

type Settings = Map<String, Value>;

/// A method by its name.
#[derive(Clone, Copy, Debug)]
struct Entry {
    name: &'static str,
    parts: &'static [(&'static str, Part)],
    taught: bool,
    /// Settings with what is left out of them, or why they are none.
    settings: fn(Settings) -> Result<Settings, serde_json::Error>,
    code_width: fn(&Settings) -> Option<usize>,
    validate: fn(&Settings) -> Result<(), ConfigError>,
    new: fn(&Settings, &BackboneConfig, &mut Rng, &Device) -> Scorer,
}

impl Entry {
    const fn of<M: Custom>() -> Self {
        Self {
            name: M::NAME,
            parts: M::PARTS,
            taught: M::TAUGHT,
            settings: |given| {
                let config: M::Config = serde_json::from_value(Value::Object(given))?;
                serde_json::from_value(serde_json::to_value(config)?)
            },
            code_width: |settings| M::code_width(&config::<M>(settings)),
            validate: |settings| M::validate(&config::<M>(settings)),
            new: |settings, backbone, rng, device| {
                Scorer::new(M::new(&config::<M>(settings), backbone, rng, device))
            },
        }
    }
}

/// The settings of a method, from what they were written to.
fn config<M: Custom>(settings: &Settings) -> M::Config {
    let config = serde_json::from_value(Value::Object(settings.clone()));
    config.expect("settings are read as they are written")
}

static REGISTERED: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

/// Makes `method.name = M::NAME` known in this process. Registering the same method again changes nothing.
///
/// # Panics
/// If the name is not made of lowercase letters, digits and hyphens or is a built-in method's, or if the method has no
/// part to train.
pub fn register<M: Custom>() {
    let name = M::NAME;
    check_name("method", name, MethodConfig::built_in(name).is_some());
    assert!(
        !M::PARTS.is_empty(),
        "the method {name:?} has no part to train"
    );
    let mut registered = REGISTERED.lock().unwrap_or_else(PoisonError::into_inner);
    if registered.iter().all(|entry| entry.name != name) {
        registered.push(Entry::of::<M>());
    }
}

fn entries() -> Vec<Entry> {
    REGISTERED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

/// Names of the methods that were registered.
pub(super) fn registered() -> Vec<&'static str> {
    entries().into_iter().map(|entry| entry.name).collect()
}

impl Serialize for Registered {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut all = self.settings.clone();
        all.insert("name".to_owned(), self.name().into());
        all.serialize(serializer)
    }
}
