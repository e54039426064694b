//! The resource on the stage: applied, followed, narrated.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use sluice_api::FlinkBlueGreenDeployment;
use sluice_local::client::Client;
use sluice_local::store::{DEFAULT_NAMESPACE, Kind};

use super::manifest::Manifest;
use crate::failure::Failure;
use crate::output::Out;
use crate::runner::failed;
use crate::source::{Local, Source};
use crate::view::transition::change_line;
use crate::view::verdict::{Verdict, Wanted, judge};
use crate::view::{Clock, Palette, Tone};

/// How long one act may take before the demo gives up; a healthy one takes 10 to 40 s on two cores.
const PATIENCE: Duration = Duration::from_mins(4);

/// Narrates with the time since the curtain rose.
pub(super) struct Stage<'a> {
    pub(super) client: &'a Client,
    out: &'a Out,
    begin: Instant,
    /// The last change told; it is not told again when the next act begins.
    told: RefCell<String>,
}

/// One act: when it was, and how it ended.
pub(super) struct Act {
    pub(super) from: Instant,
    pub(super) to: Instant,
    pub(super) verdict: Verdict,
    pub(super) resource: FlinkBlueGreenDeployment,
}

impl<'a> Stage<'a> {
    pub(super) fn new(client: &'a Client, out: &'a Out) -> Self {
        Self {
            client,
            out,
            begin: Instant::now(),
            told: RefCell::default(),
        }
    }

    pub(super) const fn palette(&self) -> Palette {
        self.out.palette()
    }

    /// A heading.
    pub(super) fn heading(&self, text: &str) -> Result<(), Failure> {
        self.out
            .line(&format!("\n{}", self.palette().paint(Tone::Heading, text)))
    }

    /// One line of the story.
    pub(super) fn say(&self, text: &str) -> Result<(), Failure> {
        let time = format!("{:7.1} s", self.begin.elapsed().as_secs_f64());
        self.out
            .line(&format!("{}  {text}", self.palette().paint(Tone::Dim, time)))
    }

    /// Text as it is.
    pub(super) fn text(&self, text: &str) -> Result<(), Failure> {
        self.out.text(text)
    }

    /// Applies a version and follows it, change by change, until it is as wanted or will not be.
    pub(super) async fn act(&self, manifest: &Manifest, wanted: Wanted) -> Result<Act, Failure> {
        let from = Instant::now();
        self.client
            .apply(vec![manifest.document()])
            .await
            .map_err(failed)?;
        let (verdict, resource) = tokio::time::timeout(PATIENCE, self.follow(&manifest.name(), wanted))
            .await
            .map_err(|_| {
                Failure::TimedOut(format!(
                    "{} did not get on within {} s.",
                    manifest.name(),
                    PATIENCE.as_secs()
                ))
            })??;
        Ok(Act {
            from,
            to: Instant::now(),
            verdict,
            resource,
        })
    }

    async fn follow(
        &self,
        name: &str,
        wanted: Wanted,
    ) -> Result<(Verdict, FlinkBlueGreenDeployment), Failure> {
        let source = Source::Local(Local {
            client: self.client.clone(),
            namespace: DEFAULT_NAMESPACE.to_owned(),
        });
        loop {
            let version = self.client.info().await.map_err(failed)?.store_version;
            let object = source
                .required(Kind::FlinkBlueGreenDeployment, DEFAULT_NAMESPACE, name)
                .await?;
            let seen = source.snapshot(object).await?;
            let line = change_line(&seen, &Clock::system());
            if self.told.replace(line.clone()) != line {
                self.say(&line)?;
            }
            match judge(&seen.resource, wanted) {
                Verdict::NotYet(_) => {}
                verdict => return Ok((verdict, seen.resource)),
            }
            self.client.watch(version).await.map_err(failed)?;
        }
    }
}
