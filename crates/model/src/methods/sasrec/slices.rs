//! The exported part of the method, which is empty.

use super::Config;
use crate::config::BackboneConfig;
use crate::methods::Judge;
use crate::slices::{Clicks, Opinion, Source};
use crate::weights::WeightsError;

/// The method has no scorer.
#[derive(Debug)]
pub struct Shipped;

impl Shipped {
    #[expect(clippy::unnecessary_wraps, reason = "as every method's")]
    pub(in crate::methods) fn read(
        _: &Config,
        _: &BackboneConfig,
        _: &mut Source,
        _: &str,
    ) -> Result<Self, WeightsError> {
        Ok(Self)
    }
}

impl Judge for Shipped {
    fn opinion(&self, _clicks: &Clicks) -> Option<Opinion> {
        None
    }
}
