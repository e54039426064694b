//! `cargo xtask cluster`: the control plane by hand.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use clap::{Parser, Subcommand};
use sluice_cluster::{ControlPlane, Process};

/// A real etcd and kube-apiserver on this machine, for tests and development.
#[derive(Parser)]
#[command(bin_name = "cargo xtask cluster")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start the control plane if it is down; prints what to set in a shell: eval "$(cargo xtask cluster up)".
    Up,
    /// Stop the control plane.
    Down {
        /// Delete its data, keys and logs, too.
        #[arg(long)]
        wipe: bool,
    },
    /// Say whether the control plane runs, and where.
    Status,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Up => up().await,
        Command::Down { wipe } => down(wipe).await,
        Command::Status => status().await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem:#}");
            ExitCode::FAILURE
        }
    }
}

/// Only the line for the shell goes to the standard output.
async fn up() -> Result<()> {
    let started = Instant::now();
    let plane = ControlPlane::shared_and_current().await?;
    eprintln!(
        "The API server is ready at {} after {:.1} s.",
        plane.address()?,
        started.elapsed().as_secs_f64()
    );
    println!("export KUBECONFIG='{}'", plane.kubeconfig().display());
    Ok(())
}

async fn down(wipe: bool) -> Result<()> {
    let ran = ControlPlane::stop_shared(wipe).await?;
    let stopped = if ran {
        "The control plane is stopped"
    } else {
        "No control plane ran"
    };
    let state = if wipe { ", and its state is deleted." } else { "." };
    println!("{stopped}{state}");
    Ok(())
}

async fn status() -> Result<()> {
    let Some(status) = ControlPlane::status().await? else {
        println!("The control plane is down; start it with: cargo xtask cluster up");
        return Ok(());
    };
    let version = status.version.unwrap_or_else(|| "does not answer".to_owned());
    println!("version         {version}");
    println!("programs        {}", status.binaries);
    println!("address         {}", status.address);
    println!("kubeconfig      {}", status.kubeconfig.display());
    println!("directory       {}", status.directory.display());
    println!("etcd            {}", describe(status.etcd.as_ref()));
    println!("kube-apiserver  {}", describe(status.api_server.as_ref()));
    Ok(())
}

fn describe(process: Option<&Process>) -> String {
    const MEBIBYTE: u64 = 1024 * 1024;
    match process.and_then(|it| Some((it.pid, it.resident_memory()?))) {
        Some((pid, memory)) => format!("process {pid}, {} MiB", memory / MEBIBYTE),
        None => "does not run".to_owned(),
    }
}
