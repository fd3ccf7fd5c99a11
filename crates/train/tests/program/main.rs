//! The program end to end: one binary, since each links all of Burn.

mod adapting;
mod backbones;
mod choosing;
mod delivery;
#[cfg(feature = "wgpu")]
mod device;
mod files;
mod frozen;
mod inherit;
mod keep;
mod methods;
mod new;
mod newcomers;
mod pipeline;
mod reader;
mod resuming;
mod shipped;
mod shop;
mod split;
mod warm;
mod windows;
