//! Metrics: ranking figures over the whole catalogue, what a list is worth beyond accuracy, noise detection, and the
//! statistics of comparisons. Pure functions that know no model and no dataset.

pub mod beyond;
pub mod calibration;
pub mod detection;
pub mod paired;
pub mod ranking;
pub mod spread;
