//! `sluice-operator`.

mod arguments;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::EnvFilter;

use arguments::{Arguments, LogFormat};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Err(words) = log(&arguments) {
        eprintln!("sluice-operator: {words}");
        return ExitCode::from(2);
    }
    let options = match arguments.options() {
        Ok(options) => options,
        Err(words) => {
            eprintln!("sluice-operator: {words}");
            return ExitCode::from(2);
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("sluice-operator: the runtime cannot be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(sluice_kubernetes::run(options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn log(arguments: &Arguments) -> Result<(), String> {
    let filter = EnvFilter::try_new(&arguments.log_level)
        .map_err(|error| format!("--log-level: `{}`: {error}", arguments.log_level))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match arguments.log_format {
        LogFormat::Text => builder.with_target(false).init(),
        LogFormat::Json => builder.json().init(),
    }
    Ok(())
}
