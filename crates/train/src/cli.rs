//! The command line: one subcommand per step from logs to a bundle.

use crate::commands::train::{STOPPED, Stopped};
use crate::commands::{
    corrupt, denoise, diff, doctor, evaluate, export, gc, import, inspect, keys, new, prepare,
    publish, reader, recommend, report, serve, sign, simulate, train, verify,
};
use crate::data::InputError;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Train a recommender that runs in the shopper's browser
#[derive(Debug, Parser)]
#[command(
    name = "ingle",
    version,
    after_help = "The way from logs to a page:
  ingle prepare --interactions clicks.csv --items items.csv --out data
  ingle train --data data --method dc4sr --out run
  ingle evaluate run
  ingle report run --out report.html
  ingle export run --out bundle
  ingle serve bundle
`ingle import` writes those two files from a shop's exports, `ingle new shop` a folder to try all this with, and
`ingle doctor` says what is missing.

Exit codes: 0 done, 1 failed, 2 the input or the command line is at fault."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Prepare(prepare::Args),
    Train(train::Args),
    Evaluate(evaluate::Args),
    Report(report::Args),
    Corrupt(corrupt::Args),
    Denoise(denoise::Args),
    Diff(diff::Args),
    Doctor(doctor::Args),
    Export(export::Args),
    Gc(gc::Args),
    Import(import::Args),
    Inspect(inspect::Args),
    Keys(keys::Args),
    New(new::Args),
    Publish(publish::Args),
    #[command(alias = "prior")]
    Reader(reader::Args),
    Recommend(recommend::Args),
    Serve(serve::Args),
    Sign(sign::Args),
    Simulate(simulate::Args),
    Verify(verify::Args),
}

/// Runs the program.
pub fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Prepare(args) => prepare::run(&args),
        Command::Train(args) => train::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Corrupt(args) => corrupt::run(&args),
        Command::Denoise(args) => denoise::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Gc(args) => gc::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Keys(args) => keys::run(&args),
        Command::New(args) => new::run(&args),
        Command::Publish(args) => publish::run(&args),
        Command::Reader(args) => reader::run(&args),
        Command::Recommend(args) => recommend::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Sign(args) => sign::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Verify(args) => verify::run(&args),
    };
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    if let Some(stopped) = error.downcast_ref::<Stopped>() {
        eprintln!("{stopped}");
        return ExitCode::from(STOPPED);
    }
    eprintln!("error: {error:#}");
    let input = error.chain().any(<dyn std::error::Error>::is::<InputError>);
    ExitCode::from(if input { 2 } else { 1 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn every_command_has_help_with_an_example() {
        let mut cli = Cli::command();
        cli.build();
        for command in cli.get_subcommands().filter(|c| c.get_name() != "help") {
            let name = command.get_name();
            assert!(
                command.get_about().is_some(),
                "{name} does not say what it does"
            );
            let after = command
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(
                after.contains(&format!("ingle {name}")),
                "{name} has no example"
            );
        }
    }
}
