//! `ingle doctor`: checks this machine, a bundle, or a page's host.

use crate::data::InputError;
use crate::say::say;
use anyhow::{Result, bail};
use ingle_doctor::{Asked, Check, State, address, folder, machine};
use std::path::Path;

/// Say what is missing: on this machine, in a bundle's folder, or at the host of a page
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ingle doctor                                  this machine
  ingle doctor bundle                           a bundle's folder
  ingle doctor https://shop.example/            a page, and the bundle and engine that its markup names
  ingle doctor https://shop.example/ --bundle /recommender/ --assets /ingle/
  ingle doctor https://cdn.example/bundle/ --page https://shop.example/

Looks at what a browser meets: headers, the content security policy, content types, compression, every file of the
bundle, and whether scripts and wasm are of one build. Nothing is sent but plain requests for these files. Exit code 1
if something will not work; notes are no faults.")]
pub struct Args {
    /// A bundle's folder, or the address of a page or a bundle [default: this machine]
    #[arg(value_name = "URL|DIR")]
    place: Option<String>,
    /// The bundle's address, where the page's markup does not name it
    #[arg(long, value_name = "URL")]
    bundle: Option<String>,
    /// The address of the folder that has the engine's files (cpu.wasm), where the markup does not name it
    #[arg(long, value_name = "URL")]
    assets: Option<String>,
    /// The page that a bundle is fetched from, where the address is the bundle's
    #[arg(long, value_name = "URL")]
    page: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let asked = Asked {
        bundle: args.bundle.clone(),
        assets: args.assets.clone(),
        page: args.page.clone(),
    };
    let checks = match args.place.as_deref() {
        None => machine(&ingle_lm::folder::default_folder()),
        Some(place) if place.contains("://") => address(place, &asked),
        Some(place) if Path::new(place).is_dir() => folder(Path::new(place)),
        Some(place) => bail!(InputError::other(format!(
            "{place} is neither a folder nor an address that begins with http:// or https://"
        ))),
    };
    if args.json {
        say!("{}", serde_json::to_string_pretty(&checks)?);
    } else {
        print(&checks);
    }
    let wrong = count(&checks, State::Bad);
    if wrong > 0 {
        bail!("{wrong} of {} things will not work", checks.len());
    }
    Ok(())
}

fn print(checks: &[Check]) {
    let width = checks.iter().map(|check| check.what.len()).max();
    let width = width.unwrap_or_default();
    for Check {
        what,
        state,
        found,
        advice,
    } in checks
    {
        let mark = match state {
            State::Good => "ok  ",
            State::Note => "note",
            State::Bad => "BAD ",
        };
        say!("{mark}  {what:width$}  {found}");
        if let Some(advice) = advice {
            say!("      {:width$}  -> {advice}", "");
        }
    }
    let (good, notes) = (count(checks, State::Good), count(checks, State::Note));
    let wrong = count(checks, State::Bad);
    say!("\ngood: {good}, could be better: {notes}, will not work: {wrong}");
}

fn count(checks: &[Check], state: State) -> usize {
    checks.iter().filter(|check| check.state == state).count()
}
