//! `kubectl sluice`: the same command, called by kubectl, with help that says so.

use clap::builder::StyledStr;
use clap::{Command, CommandFactory};

use crate::arguments::Arguments;
use crate::place::Program;

/// What has no meaning on a cluster.
const LOCAL: [&str; 6] = ["local", "apply", "logs", "delete", "flink", "demo"];
/// The options of the runner.
const LOCAL_OPTIONS: [&str; 2] = ["directory", "local"];

/// What a cluster's users begin with.
const BEGIN: &str = "Begin with:
  kubectl apply -f job.yaml      deploy a job, or change it
  kubectl sluice get             the resources of a namespace
  kubectl sluice watch NAME      follow a transition

The help of every command has examples: kubectl sluice COMMAND --help";

/// The definition of the command line, as it was called.
pub(crate) fn command(program: Program) -> Command {
    let command = Arguments::command();
    match program {
        Program::Sluice => command,
        Program::Plugin => renamed(command)
            .name(Program::Plugin.file())
            .bin_name(Program::Plugin.name())
            .after_help(BEGIN)
            .mut_subcommands(|command| {
                let local = LOCAL.contains(&command.get_name());
                renamed(command).hide(local)
            })
            .mut_args(|argument| {
                let local = LOCAL_OPTIONS.contains(&argument.get_id().as_str());
                argument.hide(local)
            }),
    }
}

/// The command with what its help calls itself changed.
fn renamed(mut command: Command) -> Command {
    let text = |text: Option<&StyledStr>| text.map(|text| as_plugin(&text.to_string()));
    if let Some(about) = text(command.get_about()) {
        command = command.about(about);
    }
    if let Some(about) = text(command.get_long_about()) {
        command = command.long_about(about);
    }
    if let Some(help) = text(command.get_after_help()) {
        command = command.after_help(help);
    }
    command
}

/// `sluice get` becomes `kubectl sluice get`; what only the runner does becomes kubectl's own.
fn as_plugin(text: &str) -> String {
    text.replace("sluice completions", "kubectl-sluice completions")
        .replace("sluice apply", "kubectl apply")
        .replace("sluice delete", "kubectl delete")
        .split_inclusive([' ', '\n', '(', '`'])
        .map(|word| {
            if word == "sluice " {
                "kubectl sluice "
            } else {
                word
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_name_the_command_that_was_called() {
        assert_eq!(
            as_plugin("  sluice apply -f job.yaml && sluice watch orders\n  x | `sluice get`"),
            "  kubectl apply -f job.yaml && kubectl sluice watch orders\n  x | `kubectl sluice get`"
        );
        assert_eq!(
            as_plugin("source <(sluice completions bash)"),
            "source <(kubectl-sluice completions bash)"
        );
    }

    #[test]
    fn nothing_that_is_hidden_has_been_renamed() {
        let command = Arguments::command();
        for name in LOCAL {
            assert!(command.find_subcommand(name).is_some(), "{name}");
        }
        for option in LOCAL_OPTIONS {
            assert!(
                command
                    .get_arguments()
                    .any(|argument| argument.get_id() == option),
                "{option}"
            );
        }
    }
}
