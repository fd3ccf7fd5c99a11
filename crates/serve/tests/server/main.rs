//! The server as its clients meet it: a real one on a free port, and plain HTTP over TCP.

mod caching;
mod client;
mod compression;
mod crowd;
mod deploys;
mod fixture;
mod program;
mod ranges;
mod refusals;
mod replacing;
mod serving;
mod site;
mod slow;
mod stopping;
