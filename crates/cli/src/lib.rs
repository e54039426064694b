//! The `sluice` command: thin commands over pure views.
//!
//! A command fetches and prints, no more. What is shown is made by [`view`] from resources and events, so that it can be
//! read in tests without anything running. Decisions are `sluice-core`'s; there is none here.

mod arguments;
mod commands;
mod context;
pub mod convert;
pub mod demo;
mod failure;
mod output;
mod place;
mod plugin;
mod runner;
mod source;
pub mod view;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use arguments::Arguments;
use failure::Failure;
use place::Program;

/// The command's definition, from which reference pages can be generated.
pub fn command() -> clap::Command {
    Arguments::command()
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let program = Program::called(std::env::args_os().next().as_deref());
    let parsed = plugin::command(program)
        .try_get_matches()
        .and_then(|matches| Arguments::from_arg_matches(&matches));
    let arguments = match parsed {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    log_to_standard_error(arguments.verbose);
    let result = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(Failure::refused)
        .and_then(|runtime| {
            let result = runtime.block_on(commands::run(arguments, program));
            // A follower of a log may be in a blocking read; nothing is lost by not waiting for it.
            runtime.shutdown_background();
            result
        });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.is_broken_pipe() {
                output::note(&format!("sluice: {failure}"));
            }
            failure.exit_code()
        }
    }
}

/// Prints help, the version or a usage error without panicking when nobody reads it.
fn usage(error: &clap::Error) -> ExitCode {
    let _unread = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(failure::code::USAGE))
}

/// What the parts log goes to standard error, as far as `-v` or `SLUICE_LOG` asks for it.
fn log_to_standard_error(verbose: u8) {
    let level = match verbose {
        // What goes wrong on the way to a cluster is told in a sentence.
        0 => "warn,kube_client=off,kube_runtime=off",
        1 => "sluice=info,sluice_local=info,sluice_core=info,warn",
        2 => "sluice=debug,sluice_local=debug,sluice_core=debug,sluice_flink=debug,info",
        _ => "trace",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("SLUICE_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
}
