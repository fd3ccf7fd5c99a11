//! The GPU against the processor, on whatever adapter there is: one made of software will do.

mod judging;
mod ranking;
mod support;
