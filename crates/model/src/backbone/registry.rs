//! The registry of encoders on tensors, by the name that `backbone.kind` takes. The built-in ones are always in it;
//! a program or an engine registers others before it reads a configuration.

use super::{Encode, Encoder, gru4rec::Gru4rec, sasrec::Sasrec};
use crate::config::BackboneConfig;
use crate::erased::check_name;
use crate::rng::Rng;
use burn::module::Module;
use burn::prelude::*;
use std::sync::{Mutex, PoisonError};

/// An encoder that can be trained, exported and run wherever Burn runs, and nothing else: one file.
///
/// Its parameters are named in the bundle as Burn names them, under `backbone`. Floats of one to five dimensions are
/// exported.
pub trait Custom: Encode + Module + Sync + 'static {
    /// The name in `backbone.kind` and in the manifest: lowercase letters, digits and hyphens.
    const NAME: &'static str;

    /// The encoder with random weights. Everything random comes from `rng` ([`crate::rng::linear`],
    /// [`crate::rng::normal`]), so that a seed gives the same weights on every device. Sizes of `config` that the
    /// encoder has no use for may be ignored.
    fn new(config: &BackboneConfig, rng: &mut Rng, device: &Device) -> Self;
}

/// A name, and how an encoder of it is made.
#[derive(Clone, Copy)]
struct Entry {
    name: &'static str,
    new: fn(&BackboneConfig, &mut Rng, &Device) -> Encoder,
}

impl Entry {
    const fn of<E: Custom>() -> Self {
        Self {
            name: E::NAME,
            new: |config, rng, device| Encoder::new(E::new(config, rng, device)),
        }
    }
}

const BUILT_IN: [Entry; 2] = [Entry::of::<Sasrec>(), Entry::of::<Gru4rec>()];
static REGISTERED: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

/// Makes `backbone.kind = E::NAME` known in this process. Registering the same encoder again changes nothing.
///
/// # Panics
/// If the name is not made of lowercase letters, digits and hyphens, or if it is a built-in encoder's.
pub fn register<E: Custom>() {
    let name = E::NAME;
    let built_in = BUILT_IN.iter().any(|entry| entry.name == name);
    check_name("encoder", name, built_in);
    let mut registered = REGISTERED.lock().unwrap_or_else(PoisonError::into_inner);
    if registered.iter().all(|entry| entry.name != name) {
        registered.push(Entry::of::<E>());
    }
}

/// Names of the encoders that were registered.
pub(super) fn registered() -> Vec<&'static str> {
    entries()
        .skip(BUILT_IN.len())
        .map(|entry| entry.name)
        .collect()
}

/// The encoder of that kind with random weights.
pub(super) fn make(config: &BackboneConfig, rng: &mut Rng, device: &Device) -> Encoder {
    let wanted = config.kind.name();
    let entry = entries().find(|entry| entry.name == wanted);
    // A `Kind` is only made of a name that is known, and none is ever taken out.
    let entry = entry.expect("a kind of encoder is registered");
    (entry.new)(config, rng, device)
}

fn entries() -> impl Iterator<Item = Entry> {
    let registered = REGISTERED.lock().unwrap_or_else(PoisonError::into_inner);
    BUILT_IN.into_iter().chain(registered.clone())
}
