//! The command line as a whole.

use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand};

use crate::commands::{
    abort, apply, completions, convert, delete, demo, describe, events, flink, get, history, local, logs,
    plan, promote, retry, status, watch,
};

/// Runs Apache Flink jobs blue/green: a new version starts beside the old one, restores its state, takes over, and only
/// then does the old one go.
#[derive(Debug, Parser)]
#[command(
    name = "sluice",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Begin with:
  sluice demo                    see a real job upgraded on this machine
  sluice local up                start the runner: Flink on this machine, no Kubernetes
  sluice apply -f job.yaml       deploy a job, or change it
  sluice watch NAME              follow a transition

The help of every command has examples: sluice COMMAND --help"
)]
pub(crate) struct Arguments {
    /// Namespace of the resources [default: that of the kubeconfig's context, else default]
    #[arg(
        short,
        long,
        global = true,
        value_name = "NAME",
        env = "SLUICE_NAMESPACE",
        hide_env_values = true
    )]
    pub(crate) namespace: Option<String>,

    /// Directory of the local runner [default: $SLUICE_HOME, or $XDG_STATE_HOME/sluice, or ~/.local/state/sluice]
    #[arg(short, long, global = true, value_name = "DIRECTORY")]
    pub(crate) directory: Option<PathBuf>,

    /// Ask the runner of this machine [default, if its directory is there]
    #[arg(long, global = true)]
    pub(crate) local: bool,

    /// Ask the cluster of this context of the kubeconfig
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) context: Option<String>,

    /// Ask a cluster of this kubeconfig [default: $KUBECONFIG, or ~/.kube/config]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,

    /// Say more on standard error; twice for requests, three times for everything
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Local(local::Arguments),
    Apply(apply::Arguments),
    Get(get::Arguments),
    Describe(describe::Arguments),
    Watch(watch::Arguments),
    Status(status::Arguments),
    Logs(logs::Arguments),
    Events(events::Arguments),
    History(history::Arguments),
    Promote(promote::Arguments),
    Abort(abort::Arguments),
    Retry(retry::Arguments),
    Delete(delete::Arguments),
    Plan(plan::Arguments),
    Convert(convert::Arguments),
    Flink(flink::Arguments),
    Demo(demo::Arguments),
    Completions(completions::Arguments),
}
