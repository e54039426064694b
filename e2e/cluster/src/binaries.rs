//! The programs: found, or built once from the Go module beside this crate.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use sha2::{Digest as _, Sha256};

use crate::places::{self, Lock};

/// The variable by which others name a directory with the programs, too (kubebuilder, controller-runtime's envtest).
const ASSETS: &str = "KUBEBUILDER_ASSETS";
const API_SERVER: &str = "kube-apiserver";
const ETCD: &str = "etcd";
const API_SERVER_PACKAGE: &str = "k8s.io/kubernetes/cmd/kube-apiserver";
const ETCD_PACKAGE: &str = "go.etcd.io/etcd/server/v3";

/// The programs of one control plane.
#[derive(Clone, Debug)]
pub struct Binaries {
    /// The program `kube-apiserver`.
    pub api_server: PathBuf,
    /// The program `etcd`.
    pub etcd: PathBuf,
    /// Tells these programs from others: the version and what they were built from, or the directory that was named.
    pub id: String,
}

impl Binaries {
    /// The programs in the directory that `KUBEBUILDER_ASSETS` names, or those in the user's cache. What is not in the
    /// cache is built from `e2e/kube` first, which takes some minutes; of several processes one builds and the others wait.
    pub fn find_or_build() -> Result<Self> {
        if let Some(directory) = env::var_os(ASSETS).filter(|value| !value.is_empty()) {
            return Self::named(Path::new(&directory));
        }
        let source = Source::read(&places::in_workspace("../kube"))?;
        let cache = places::cache()?;
        let directory = cache.join(&source.id);
        if let Some(found) = Self::in_directory(&directory, &source.id) {
            return Ok(found);
        }
        let _lock = Lock::wait(
            &cache.join("build.lock"),
            "Another process builds kube-apiserver and etcd; waiting for it.",
        )?;
        if let Some(found) = Self::in_directory(&directory, &source.id) {
            return Ok(found);
        }
        source.build(&directory)?;
        Self::in_directory(&directory, &source.id).with_context(|| {
            format!(
                "Go reported success, but {} does not hold both programs.",
                directory.display()
            )
        })
    }

    fn named(directory: &Path) -> Result<Self> {
        let id = format!("{ASSETS}={}", directory.display());
        Self::in_directory(directory, &id).with_context(|| {
            format!(
                "{ASSETS} names {}, which does not hold both {API_SERVER} and {ETCD}. Put them there, or unset the variable to have them built.",
                directory.display()
            )
        })
    }

    fn in_directory(directory: &Path, id: &str) -> Option<Self> {
        let found = Self {
            api_server: directory.join(API_SERVER),
            etcd: directory.join(ETCD),
            id: id.to_owned(),
        };
        (found.api_server.is_file() && found.etcd.is_file()).then_some(found)
    }
}

/// The Go module that pins the versions.
struct Source {
    module: PathBuf,
    version: String,
    id: String,
}

impl Source {
    fn read(module: &Path) -> Result<Self> {
        let mut hash = Sha256::new();
        let mut version = None;
        for name in ["go.mod", "go.sum", "tools.go"] {
            let file = module.join(name);
            let text = fs::read_to_string(&file)
                .with_context(|| format!("The file {} could not be read.", file.display()))?;
            if name == "go.mod" {
                version = kubernetes_version(&text).map(str::to_owned);
            }
            hash.update(text.as_bytes());
        }
        let version = version.with_context(|| {
            format!(
                "{} does not name a version of k8s.io/kubernetes.",
                module.join("go.mod").display()
            )
        })?;
        let mut id = format!("{version}-");
        for byte in hash.finalize().iter().take(6) {
            write!(id, "{byte:02x}").context("The programs could not be given a name.")?;
        }
        Ok(Self {
            module: module.to_path_buf(),
            version,
            id,
        })
    }

    /// Builds into a directory beside the final one, so that a build that is cut short is not taken for a whole one.
    fn build(&self, directory: &Path) -> Result<()> {
        let unfinished = directory.with_added_extension("unfinished");
        places::create_directory(&unfinished)?;
        let started = Instant::now();
        eprintln!(
            "Building kube-apiserver {} and etcd from Go modules for the tests. This happens once and takes some minutes.",
            self.version
        );
        self.build_package(API_SERVER_PACKAGE, &unfinished.join(API_SERVER))?;
        eprintln!(
            "kube-apiserver is built after {} s; etcd is next.",
            started.elapsed().as_secs()
        );
        self.build_package(ETCD_PACKAGE, &unfinished.join(ETCD))?;
        fs::rename(&unfinished, directory)
            .with_context(|| format!("The programs could not be moved to {}.", directory.display()))?;
        eprintln!(
            "kube-apiserver and etcd are built after {} s and kept in {}.",
            started.elapsed().as_secs(),
            directory.display()
        );
        Ok(())
    }

    fn build_package(&self, package: &str, program: &Path) -> Result<()> {
        let mut go = Command::new("go");
        go.current_dir(&self.module)
            .args(["build", "-trimpath", "-ldflags", &self.linker_flags(), "-o"])
            .arg(program)
            .arg(package);
        let status = match go.status() {
            Ok(status) => status,
            Err(error) if error.kind() == ErrorKind::NotFound => bail!(
                "Go is missing, and the tests' kube-apiserver and etcd are built with it. Install Go 1.24 or newer (https://go.dev/dl), \
                 or name a directory that holds both programs in {ASSETS}."
            ),
            Err(error) => return Err(error).context("`go build` could not be started."),
        };
        if !status.success() {
            bail!(
                "`go build {package}` in {} failed ({status}); its own words stand above. Without access to Go modules, name a directory \
                 that holds kube-apiserver and etcd in {ASSETS}.",
                self.module.display()
            );
        }
        Ok(())
    }

    /// The API server reports the version that is written into it here; without it, clients see `v0.0.0`.
    fn linker_flags(&self) -> String {
        let version = &self.version;
        let mut parts = version.split('.');
        let major = parts.next().unwrap_or_default();
        let minor = parts.next().unwrap_or_default();
        let package = "k8s.io/component-base/version";
        format!(
            "-s -w -X {package}.gitVersion=v{version} -X {package}.gitMajor={major} -X {package}.gitMinor={minor} \
             -X k8s.io/client-go/pkg/version.gitVersion=v{version}"
        )
    }
}

/// `1.34.4` from the line `k8s.io/kubernetes v1.34.4`.
fn kubernetes_version(go_mod: &str) -> Option<&str> {
    go_mod.lines().find_map(|line| {
        line.trim()
            .strip_prefix("k8s.io/kubernetes v")
            .and_then(|rest| rest.split_whitespace().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_one_that_the_module_requires() {
        let go_mod = "require (\n\tk8s.io/kubernetes v1.34.4\n)\nreplace k8s.io/api => k8s.io/api v0.34.4\n";
        assert_eq!(kubernetes_version(go_mod), Some("1.34.4"));
        assert_eq!(
            kubernetes_version("replace k8s.io/api => k8s.io/api v0.34.4"),
            None
        );
    }

    #[test]
    fn a_named_directory_without_the_programs_is_refused_with_what_to_do() {
        let directory = tempfile::tempdir().unwrap();
        let problem = Binaries::named(directory.path()).unwrap_err().to_string();
        assert!(
            problem.contains("does not hold both kube-apiserver and etcd"),
            "{problem}"
        );
        assert!(problem.contains("unset the variable"), "{problem}");
    }
}
