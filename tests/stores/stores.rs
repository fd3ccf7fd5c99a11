//! Publishing to buckets, over HTTP, to servers that run here.

mod azure;
#[path = "../../crates/delivery/tests/delivery/faults.rs"]
mod faults;
mod s3;
mod server;
#[expect(dead_code, reason = "other tests need the rest")]
#[path = "../../crates/delivery/tests/delivery/support.rs"]
mod support;
