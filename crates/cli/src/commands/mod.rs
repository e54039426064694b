//! One file for each command: its arguments with their help, and the few lines that fetch and print.

pub(crate) mod abort;
pub(crate) mod apply;
pub(crate) mod completions;
pub(crate) mod convert;
pub(crate) mod delete;
pub(crate) mod demo;
pub(crate) mod describe;
pub(crate) mod events;
pub(crate) mod flink;
pub(crate) mod get;
pub(crate) mod history;
pub(crate) mod input;
pub(crate) mod local;
pub(crate) mod logs;
pub(crate) mod plan;
pub(crate) mod promote;
pub(crate) mod retry;
pub(crate) mod status;
pub(crate) mod steer;
pub(crate) mod target;
pub(crate) mod watch;

use std::sync::OnceLock;

use crate::arguments::{Arguments, Command};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Out;
use crate::place::{Program, Wish};

/// Does what the command line says.
pub(crate) async fn run(arguments: Arguments, program: Program) -> Result<(), Failure> {
    let context = Context {
        program,
        wish: Wish {
            local: arguments.local,
            directory: arguments.directory,
            context: arguments.context,
            kubeconfig: arguments.kubeconfig,
        },
        namespace: arguments.namespace,
        verbose: arguments.verbose,
        out: Out::standard(),
        asked: OnceLock::new(),
    };
    let result = dispatch(arguments.command, &context).await;
    if let (Err(Failure::Refused(text)), Some(asked)) = (&result, context.asked.get()) {
        return Err(Failure::Refused(format!("{text}\n{asked}")));
    }
    result
}

async fn dispatch(command: Command, context: &Context) -> Result<(), Failure> {
    match command {
        Command::Local(arguments) => local::run(arguments, context).await,
        Command::Apply(arguments) => apply::run(arguments, context).await,
        Command::Get(arguments) => get::run(arguments, context).await,
        Command::Describe(arguments) => Box::pin(describe::run(arguments, context)).await,
        Command::Watch(arguments) => watch::run(arguments, context).await,
        Command::Status(arguments) => status::run(arguments, context).await,
        Command::Logs(arguments) => logs::run(arguments, context).await,
        Command::Events(arguments) => events::run(arguments, context).await,
        Command::History(arguments) => history::run(arguments, context).await,
        Command::Promote(arguments) => promote::run(arguments, context).await,
        Command::Abort(arguments) => abort::run(arguments, context).await,
        Command::Retry(arguments) => retry::run(arguments, context).await,
        Command::Delete(arguments) => delete::run(arguments, context).await,
        Command::Plan(arguments) => plan::run(arguments, context).await,
        Command::Convert(arguments) => convert::run(&arguments, context),
        Command::Flink(arguments) => flink::run(arguments, context).await,
        Command::Demo(arguments) => demo::run(arguments, context).await,
        Command::Completions(arguments) => completions::run(&arguments, context),
    }
}
