//! What every command is given besides its own arguments.

use std::path::PathBuf;
use std::sync::OnceLock;

use sluice_local::client::Client;
use sluice_local::store::DEFAULT_NAMESPACE;

use crate::failure::Failure;
use crate::output::Out;
use crate::place::{Place, Program, Reason, Wish};
use crate::runner::failed;
use crate::source::{Cluster, Local, Source};

/// The options that every command has.
#[derive(Debug)]
pub(crate) struct Context {
    /// What the command was called as.
    pub(crate) program: Program,
    /// Whom the command line wants to ask.
    pub(crate) wish: Wish,
    /// `--namespace`, if given.
    pub(crate) namespace: Option<String>,
    /// How often `-v` was given.
    pub(crate) verbose: u8,
    /// Standard output.
    pub(crate) out: Out,
    /// Who was asked, in a sentence for errors, where the user has not named it.
    pub(crate) asked: OnceLock<String>,
}

impl Context {
    /// Whom to ask, and a way to do so.
    pub(crate) async fn source(&self) -> Result<Source, Failure> {
        match self.wish.place(self.program)? {
            Place::Machine(reason) => Ok(Source::Local(self.connect(reason).await?)),
            Place::Cluster(reason) => {
                let cluster = Cluster::connect(&self.wish, self.namespace.as_deref(), self.program).await?;
                let hint = if reason == Reason::Named {
                    ""
                } else {
                    "; --local asks the runner of this machine"
                };
                let _first = self
                    .asked
                    .set(format!("The cluster was asked, {}{hint}.", cluster.described()));
                Ok(Source::Cluster(cluster))
            }
        }
    }

    /// The runner of this machine, for a command that has no meaning elsewhere. `instead` is what does the same on a cluster.
    pub(crate) async fn runner(&self, command: &str, instead: &str) -> Result<Local, Failure> {
        let reason = self.only_here(command, instead)?;
        self.connect(reason).await
    }

    /// Refuses a command that has no meaning on a cluster, if it is a cluster that would be asked.
    pub(crate) fn only_here(&self, command: &str, instead: &str) -> Result<Reason, Failure> {
        let reason = match self.wish.place(self.program)? {
            Place::Machine(reason) => return Ok(reason),
            Place::Cluster(reason) => reason,
        };
        let named = [
            (
                "--kubeconfig",
                self.wish.kubeconfig.as_ref().map(|it| it.display().to_string()),
            ),
            ("--context", self.wish.context.clone()),
            ("-n", self.namespace.clone()),
        ];
        let options: String = named
            .into_iter()
            .filter_map(|(option, value)| Some(format!(" {option} {}", value?)))
            .collect();
        let hint = match (reason, self.program) {
            (Reason::Named, Program::Sluice) => "",
            (Reason::Named, Program::Plugin) => "; the runner is asked with `sluice --local`",
            (Reason::Found | Reason::NothingElse, _) => "; `sluice local up` starts a runner on this machine",
        };
        Err(Failure::Usage(format!(
            "`{} {command}` is for the runner of this machine, and a cluster is asked here: use `{instead}{options}`{hint}.",
            self.program.name()
        )))
    }

    /// Refuses options that name a cluster, for a command that is about this machine.
    pub(crate) fn this_machine(&self, command: &str) -> Result<(), Failure> {
        match self.wish.place(self.program)? {
            Place::Cluster(Reason::Named) if self.program == Program::Plugin => Err(Failure::Usage(format!(
                "`sluice {command}` is about this machine and no part of `kubectl sluice`."
            ))),
            Place::Cluster(Reason::Named) => Err(Failure::Usage(format!(
                "`sluice {command}` is about this machine: leave out --context and --kubeconfig."
            ))),
            Place::Cluster(_) | Place::Machine(_) => Ok(()),
        }
    }

    /// The runner's directory.
    pub(crate) fn directory(&self) -> Result<PathBuf, Failure> {
        self.wish.directory()
    }

    async fn connect(&self, reason: Reason) -> Result<Local, Failure> {
        let directory = self.directory()?;
        let who = directory.display();
        let _first = match reason {
            Reason::Named => Ok(()),
            Reason::Found => self.asked.set(format!(
                "The runner of this machine was asked, {who}; --context NAME asks a cluster."
            )),
            Reason::NothingElse => self.asked.set(format!(
                "The runner of this machine was asked, {who}, because there is no kubeconfig; --kubeconfig FILE asks a cluster."
            )),
        };
        Ok(Local {
            client: Client::connect(&directory).await.map_err(failed)?,
            namespace: self
                .namespace
                .clone()
                .unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned()),
        })
    }
}
