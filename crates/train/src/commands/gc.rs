//! `ingle gc`: deletes published files that no recent release names.

use super::place::{store, told};
use crate::say::say;
use anyhow::Result;
use ingle_delivery::garbage;
use std::time::{Duration, SystemTime};

/// Delete published files that no recent release names
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ingle gc /var/www/bundle                       says what would go
  ingle gc /var/www/bundle --delete
  ingle gc /var/www/bundle --keep 10 --older-than 30 --delete
  ingle gc s3://shop-bundle/v1 --delete          a bucket, with the environment of `ingle publish`

Open pages may still hold the manifest of an earlier release: files that were changed lately stay. `ingle publish
--to` can go back to the releases that are kept. Files that Ingle does not write are never touched.")]
pub struct Args {
    /// Folder that pages fetch from, or the address of one in a bucket (s3, gs, az)
    #[arg(value_name = "DIR|URL")]
    dest: String,
    /// Number of latest releases whose files stay
    #[arg(long, default_value_t = 5, value_name = "RELEASES")]
    keep: usize,
    /// Days since their last change after which files may go
    #[arg(long, default_value_t = 7, value_name = "DAYS")]
    older_than: u64,
    /// Delete them, rather than say which they are
    #[arg(long)]
    delete: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let store = store(&args.dest)?;
    let age = Duration::from_hours(24 * args.older_than);
    let found = garbage(&*store, args.keep, age, SystemTime::now()).map_err(told)?;
    for name in &found.files {
        if args.delete {
            store.delete(name).map_err(told)?;
        }
        say!(
            "{}  {name}",
            if args.delete { "deleted" } else { "would go" }
        );
    }
    let (count, releases) = (found.files.len(), found.kept.len());
    say!(
        "{count} files {}, {} are of releases before but too young; {releases} releases are kept",
        if args.delete { "deleted" } else { "would go" },
        found.young
    );
    Ok(())
}
