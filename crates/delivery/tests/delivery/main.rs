//! Signed releases: what readers refuse, what publishers leave behind, and which keys lead where.

mod attacks;
mod deltas;
mod faults;
mod folders;
mod gc;
mod keys;
mod publishing;
mod support;
