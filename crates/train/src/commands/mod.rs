//! One module a subcommand: its arguments, and what it prints.

pub mod corrupt;
pub mod denoise;
pub mod evaluate;
pub mod export;
pub mod inspect;
pub mod prepare;
pub mod serve;

pub mod simulate;
pub mod train;
