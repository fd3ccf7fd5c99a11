//! The server as its clients meet it: a real one on a free port, and plain HTTP over TCP.

mod caching;
mod client;
mod compression;
mod fixture;
mod program;
mod refusals;
mod replacing;
mod serving;
mod site;
mod stopping;
