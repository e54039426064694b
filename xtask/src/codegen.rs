//! Files in the repository that a program writes, such as the CRDs. They are committed, so that users and reviewers
//! see them; `--check` makes sure that nobody edited them or forgot to write them again.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::resources;
use crate::workspace::Workspace;

/// One generated file: its path from the root of the repository, and what makes its whole content.
pub(crate) struct Generator {
    pub(crate) path: &'static str,
    pub(crate) content: fn() -> Result<String>,
}

/// Every generated file. A generator in another crate is called from here: add the crate to xtask's dependencies and
/// a line such as `Generator { path: "deploy/crds/a.yaml", content: sluice_api::crd::a_yaml }`.
const GENERATORS: &[Generator] = &[
    Generator {
        path: "deploy/crds/flinkbluegreendeployments.flink.apache.org-v1.yaml",
        content: resources::blue_green,
    },
    Generator {
        path: "deploy/crds/flinkdeployments.flink.apache.org-v1.yaml",
        content: resources::flink_deployment,
    },
    // Helm takes CRDs from inside of its chart, and packages no file from elsewhere: the same again.
    Generator {
        path: "deploy/helm/sluice/crds/flinkbluegreendeployments.flink.apache.org-v1.yaml",
        content: resources::blue_green,
    },
    Generator {
        path: "deploy/helm/sluice/crds/flinkdeployments.flink.apache.org-v1.yaml",
        content: resources::flink_deployment,
    },
    Generator {
        path: "docs/reference/configuration.md",
        content: resources::configuration_reference,
    },
    Generator {
        path: "docs/reference/state-machine.md",
        content: resources::state_machine,
    },
];

/// What to do with a file that differs from what its generator makes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Write,
    Check,
}

impl Mode {
    pub(crate) fn from_check(check: bool) -> Self {
        if check { Self::Check } else { Self::Write }
    }
}

/// Writes or checks every generated file.
pub(crate) fn run(workspace: &Workspace, mode: Mode) -> Result<()> {
    let mut stale = Vec::new();
    for generator in GENERATORS {
        let path = workspace.root().join(generator.path);
        let wanted =
            (generator.content)().with_context(|| format!("{} cannot be generated", generator.path))?;
        let present = fs::read_to_string(&path).ok();
        if present.as_deref() == Some(wanted.as_str()) {
            continue;
        }
        if mode == Mode::Check {
            stale.push(generator.path);
            continue;
        }
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)
                .with_context(|| format!("{} cannot be made", directory.display()))?;
        }
        fs::write(&path, wanted).with_context(|| format!("{} cannot be written", generator.path))?;
        println!("wrote {}", generator.path);
    }
    if !stale.is_empty() {
        bail!(
            "not what the generators make: {}; run `cargo xtask codegen`",
            stale.join(", ")
        );
    }
    println!("{} generated files are up to date", GENERATORS.len());
    Ok(())
}
