//! The figures that Sluice has to reach, measured in one run with what they are compared to, printed and written under
//! `bench/results/`.

mod core;
mod figures;
mod gate;
mod local;
mod machine;
mod operator;

use clap::{Parser, Subcommand};

/// Measures Sluice.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// How long one decision takes.
    Core,
    /// What a gate adds to a record, and how soon the incoming job takes over.
    Gate(gate::Arguments),
    /// What an idle runner with ten jobs needs, and how soon it starts a new version.
    Local(local::Arguments),
    /// What the Kubernetes operator needs, how soon it acts, and what it asks of the API server.
    Operator(operator::Arguments),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().what {
        What::Core => core::measure(),
        What::Gate(arguments) => gate::measure(&arguments),
        What::Local(arguments) => local::measure(&arguments),
        What::Operator(arguments) => operator::measure(&arguments),
    }
}
