//! What a reader does: from what a page knows to the release that it shall use.

use crate::channel::{CHANNEL, Channel};
use crate::envelope::{Envelope, Kind};
use crate::keys::{KeySet, Pins, keys_name};
use crate::manifest::SignedManifest;
use crate::{DeliveryError, Source};

/// Most epochs that a reader follows from those that it knows: a channel cannot make it fetch for ever.
const MAX_STEPS: u64 = 64;

/// The release at a source, every signature of it verified.
#[derive(Clone, Debug, PartialEq)]
pub struct Release {
    /// The keys of its epoch.
    pub keys: KeySet,
    /// The channel.
    pub channel: Channel,
    /// Its manifest.
    pub manifest: SignedManifest,
    /// The manifest of those to whom the release has not come yet.
    pub previous: Option<SignedManifest>,
    /// Why it is out of date, if it is: it may be used, and the shop should know.
    pub expired: Option<String>,
}

/// The keys of an epoch, by way of every epoch between.
pub fn chain(source: &dyn Source, pins: &Pins, epoch: u64) -> Result<KeySet, DeliveryError> {
    if epoch < pins.epoch {
        return Err(DeliveryError::Rollback {
            file: CHANNEL.to_owned(),
            found: (epoch, 0),
            known: (pins.epoch, pins.at_least),
        });
    }
    if epoch - pins.epoch > MAX_STEPS {
        let reason = format!(
            "it is of epoch {epoch}, and from epoch {} at most {MAX_STEPS} are followed",
            pins.epoch
        );
        return Err(DeliveryError::format(CHANNEL, reason));
    }
    let read = |epoch| source.need(&keys_name(epoch), Kind::Keys.limit());
    let mut keys = KeySet::first(pins, &read(pins.epoch)?)?;
    while keys.epoch < epoch {
        keys = keys.next(&read(keys.epoch + 1)?)?;
    }
    Ok(keys)
}

/// Reads and verifies the release at a source. `seen` is the highest epoch and release that was seen before; `now` is
/// in seconds since 1970.
pub fn resolve(
    source: &dyn Source,
    pins: &Pins,
    seen: (u64, u64),
    now: u64,
) -> Result<Release, DeliveryError> {
    let bytes = source.need(CHANNEL, Kind::Channel.limit())?;
    let envelope = Envelope::parse(CHANNEL, Kind::Channel, &bytes)?;
    let keys = chain(source, pins, envelope.epoch)?;
    let channel = Channel::open(CHANNEL, &envelope, &keys)?;
    let known = seen.max((pins.epoch, pins.at_least));
    if channel.number() < known {
        return Err(DeliveryError::Rollback {
            file: CHANNEL.to_owned(),
            found: channel.number(),
            known,
        });
    }
    let open = |named| SignedManifest::open(source, named, CHANNEL, &keys).map(|(read, _)| read);
    let manifest = open(&channel.manifest)?;
    let previous = channel.previous.as_ref();
    let previous = previous.map(|one| open(&one.manifest)).transpose()?;
    let files = [
        (CHANNEL.to_owned(), channel.expires),
        (keys_name(keys.epoch), keys.expires),
    ];
    let expired = files.into_iter().find(|(_, expires)| *expires <= now);
    let expired = expired.map(|(file, expires)| {
        let days = (now - expires) / 86_400;
        DeliveryError::Expired { file, days }.to_string()
    });
    Ok(Release {
        keys,
        channel,
        manifest,
        previous,
        expired,
    })
}
