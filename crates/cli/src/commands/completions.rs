//! `sluice completions`.

use clap::Args;
use clap_complete::Shell;

use crate::context::Context;
use crate::failure::Failure;

/// Print the completion script of a shell
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  source <(sluice completions bash)
  sluice completions zsh > ~/.zfunc/_sluice
  sluice completions fish > ~/.config/fish/completions/sluice.fish")]
pub(crate) struct Arguments {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments, context: &Context) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut crate::plugin::command(context.program),
        context.program.file(),
        &mut script,
    );
    context.out.text(&String::from_utf8_lossy(&script))
}
