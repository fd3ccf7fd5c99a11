//! Metrics: ranking figures over the whole catalogue, and noise detection.

pub mod detection;
pub mod paired;
pub mod ranking;
pub mod spread;
