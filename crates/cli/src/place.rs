//! Whom a command asks: the runner of this machine, or a cluster.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// What the command was called as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// `sluice`.
    Sluice,
    /// `kubectl sluice`: a file named `kubectl-sluice` on the PATH. It always asks a cluster.
    Plugin,
}

impl Program {
    /// How it was called, by the first word of the command line.
    pub(crate) fn called(first: Option<&OsStr>) -> Self {
        match first.map(Path::new).and_then(Path::file_stem) {
            Some(name) if name == "kubectl-sluice" => Self::Plugin,
            _ => Self::Sluice,
        }
    }

    /// What people write.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sluice => "sluice",
            Self::Plugin => "kubectl sluice",
        }
    }

    /// The file, which shells complete for.
    pub(crate) const fn file(self) -> &'static str {
        match self {
            Self::Sluice => "sluice",
            Self::Plugin => "kubectl-sluice",
        }
    }
}

/// What the command line says about whom to ask.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wish {
    /// `--local`.
    pub(crate) local: bool,
    /// `--directory`.
    pub(crate) directory: Option<PathBuf>,
    /// `--context`.
    pub(crate) context: Option<String>,
    /// `--kubeconfig`.
    pub(crate) kubeconfig: Option<PathBuf>,
}

/// Whom to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The runner of this machine.
    Machine(Reason),
    /// A cluster of a kubeconfig, or the one that this process runs in.
    Cluster(Reason),
}

/// Why it was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The command line says so.
    Named,
    /// `$SLUICE_HOME`, the runner's directory or a kubeconfig is there.
    Found,
    /// There is neither a runner's directory nor a kubeconfig.
    NothingElse,
}

impl Wish {
    /// Decides. It depends on what was named and on what stands in files, never on what answers at the moment: a runner
    /// that has died must not send a command to a cluster.
    pub(crate) fn place(&self, program: Program) -> Result<Place, Failure> {
        let machine = self.local || self.directory.is_some();
        let cluster = self.context.is_some() || self.kubeconfig.is_some();
        match (program, machine, cluster) {
            (Program::Plugin, true, _) => Err(Failure::Usage(
                "`kubectl sluice` asks a cluster; `sluice --local` asks the runner of this machine.".to_owned(),
            )),
            (_, true, true) => Err(Failure::Usage(
                "--context and --kubeconfig name a cluster, --local and --directory the runner of this machine: leave out one or the other."
                    .to_owned(),
            )),
            (Program::Plugin, ..) | (Program::Sluice, false, true) => Ok(Place::Cluster(Reason::Named)),
            (Program::Sluice, true, false) => Ok(Place::Machine(Reason::Named)),
            (Program::Sluice, false, false) => Ok(if self.has_runner_directory() {
                Place::Machine(Reason::Found)
            } else if !kubeconfigs().is_empty() || in_a_pod() {
                Place::Cluster(Reason::Found)
            } else {
                Place::Machine(Reason::NothingElse)
            }),
        }
    }

    /// Whether a runner's directory is named by the environment, or is there because a runner has been started once.
    fn has_runner_directory(&self) -> bool {
        set("SLUICE_HOME").is_some() || self.directory().is_ok_and(|directory| directory.is_dir())
    }

    /// The runner's directory.
    pub(crate) fn directory(&self) -> Result<PathBuf, Failure> {
        let set = |name: &str| set(name).map(PathBuf::from);
        self.directory
            .clone()
            .or_else(|| set("SLUICE_HOME"))
            .or_else(|| Some(set("XDG_STATE_HOME")?.join("sluice")))
            .or_else(|| Some(set("HOME")?.join(".local").join("state").join("sluice")))
            .map(|directory| std::path::absolute(&directory).unwrap_or(directory))
            .ok_or_else(|| {
                Failure::refused(
                    "There is no home directory to keep things in: give --directory, or set SLUICE_HOME.",
                )
            })
    }
}

/// The kubeconfig files that are there: those of `$KUBECONFIG`, else `~/.kube/config`. As with kubectl, a file of the list
/// that is not there is no error.
pub(crate) fn kubeconfigs() -> Vec<PathBuf> {
    let mut files = match set("KUBECONFIG") {
        Some(list) => env::split_paths(&list).collect(),
        None => Vec::from_iter(set("HOME").map(|home| PathBuf::from(home).join(".kube").join("config"))),
    };
    files.retain(|file| file.is_file());
    files
}

/// Whether Kubernetes runs this process, and so tells it where the API server is.
pub(crate) fn in_a_pod() -> bool {
    set("KUBERNETES_SERVICE_HOST").is_some()
}

fn set(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_name_says_how_the_command_was_called() {
        for (first, program) in [
            ("sluice", Program::Sluice),
            ("/usr/bin/kubectl-sluice", Program::Plugin),
            ("kubectl-sluice.exe", Program::Plugin),
            ("/opt/kubectl-sluice/sluice", Program::Sluice),
        ] {
            assert_eq!(Program::called(Some(OsStr::new(first))), program, "{first}");
        }
        assert_eq!(Program::called(None), Program::Sluice);
    }

    #[test]
    fn what_is_named_decides_and_what_contradicts_itself_is_refused() {
        let local = Wish {
            local: true,
            ..Wish::default()
        };
        let cluster = Wish {
            context: Some("prod".to_owned()),
            ..Wish::default()
        };
        assert_eq!(
            local.place(Program::Sluice).unwrap(),
            Place::Machine(Reason::Named)
        );
        assert_eq!(
            cluster.place(Program::Sluice).unwrap(),
            Place::Cluster(Reason::Named)
        );
        assert!(matches!(local.place(Program::Plugin), Err(Failure::Usage(_))));
        let both = Wish {
            local: true,
            ..cluster
        };
        assert!(matches!(both.place(Program::Sluice), Err(Failure::Usage(_))));
    }
}
