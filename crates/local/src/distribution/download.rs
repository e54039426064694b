//! Fetching a release archive by HTTP, and the checksums that Apache publishes beside each.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use reqwest::StatusCode;
use sha2::{Digest, Sha512};

use super::error::InstallError;
use super::found::{hex, read_in_chunks};
use super::progress::Progress;
use super::version::FlinkVersion;

/// Fetches the release archive of `version` and its checksum file into `staging`, and returns the archive. The checksum is
/// not looked at here: [`check_sha512`].
pub(super) fn fetch(
    base: &str,
    version: FlinkVersion,
    staging: &Path,
    progress: &mut dyn Progress,
) -> Result<PathBuf, InstallError> {
    let name = format!("flink-{version}-bin-scala_2.12.tgz");
    let url = format!("{}/flink-{version}/{name}", base.trim_end_matches('/'));
    let archive = staging.join(name);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(InstallError::file(staging))?;
    let download = Download { base, version };
    let outcome = runtime.block_on(async {
        download
            .save(
                &format!("{url}.sha512"),
                &checksum_file(&archive),
                "Fetching the checksum",
                progress,
            )
            .await?;
        download.save(&url, &archive, "Fetching Flink", progress).await
    });
    progress.end();
    outcome.map(|()| archive)
}

struct Download<'a> {
    base: &'a str,
    version: FlinkVersion,
}

impl Download<'_> {
    async fn save(
        &self,
        url: &str,
        file: &Path,
        step: &str,
        progress: &mut dyn Progress,
    ) -> Result<(), InstallError> {
        let mut response = reqwest::get(url).await.map_err(|error| self.network(&error))?;
        if response.status() == StatusCode::NOT_FOUND {
            return Err(InstallError::NoSuchVersion {
                version: self.version,
                origin: self.base.to_owned(),
            });
        }
        response = response
            .error_for_status()
            .map_err(|error| self.network(&error))?;
        progress.begin(step, response.content_length());
        let mut out = File::create(file).map_err(InstallError::file(file))?;
        let mut written = 0;
        while let Some(bytes) = response.chunk().await.map_err(|error| self.network(&error))? {
            out.write_all(&bytes).map_err(InstallError::file(file))?;
            written += bytes.len() as u64;
            progress.reached(written);
        }
        progress.end();
        Ok(())
    }

    fn network(&self, error: &reqwest::Error) -> InstallError {
        // The innermost cause is the telling one: "Connection refused", and not "error sending request".
        let mut cause: &dyn std::error::Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        InstallError::Network {
            version: self.version,
            origin: self.base.to_owned(),
            detail: cause.to_string(),
        }
    }
}

/// Compares `archive` with the checksum file beside it, if there is one.
pub(super) fn check_sha512(archive: &Path) -> Result<(), InstallError> {
    let Ok(published) = fs::read_to_string(checksum_file(archive)) else {
        return Ok(());
    };
    // "<sum>  <name>", as sha512sum writes it.
    let Some(expected) = published.split_whitespace().next().map(str::to_ascii_lowercase) else {
        return Ok(());
    };
    let mut hasher = Sha512::new();
    let mut file = File::open(archive).map_err(InstallError::file(archive))?;
    read_in_chunks(&mut file, |chunk| hasher.update(chunk)).map_err(InstallError::file(archive))?;
    let found = hex(&hasher.finalize());
    if found == expected {
        Ok(())
    } else {
        Err(InstallError::ChecksumDiffers {
            file: archive.to_owned(),
            expected,
            found,
        })
    }
}

fn checksum_file(archive: &Path) -> PathBuf {
    let mut name = archive.as_os_str().to_owned();
    name.push(".sha512");
    PathBuf::from(name)
}
