//! The job's jar: found, copied, named to Flink.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::directory::DeploymentDirectory;
use super::error::LaunchError;

/// Where the file of a `jarURI` is on this machine; none if it is elsewhere (`https://`, `s3://`), which Flink fetches.
pub(super) fn local_file(uri: &str, flink_home: &Path) -> Option<PathBuf> {
    let path = match uri.split_once(':') {
        Some(("local" | "file", rest)) => rest.strip_prefix("//").unwrap_or(rest),
        Some(_) => return None,
        None => uri,
    };
    let file = PathBuf::from(path);
    // In Flink's image the distribution is in /opt/flink; a manifest that names a jar of it works here as well.
    match file.strip_prefix("/opt/flink") {
        Ok(inside) if !file.exists() && flink_home.join(inside).is_file() => Some(flink_home.join(inside)),
        _ => Some(file),
    }
}

/// Fails if the jar cannot be read.
pub(super) fn check(uri: &str, file: &Path) -> Result<(), LaunchError> {
    let readable = File::open(file).and_then(|opened| {
        if opened.metadata()?.is_file() {
            Ok(())
        } else {
            Err(std::io::Error::other("it is no file"))
        }
    });
    readable.map_err(|source| LaunchError::Jar {
        uri: uri.to_owned(),
        path: file.to_owned(),
        source,
    })
}

/// Copies the jar to the deployment, so that building it anew does not change it under a running JVM, and returns its
/// name for Flink: `local:` is what Flink uses in place, without another copy.
pub(super) fn copy(uri: &str, file: &Path, directory: &DeploymentDirectory) -> Result<String, LaunchError> {
    check(uri, file)?;
    let name = file.file_name().unwrap_or_else(|| "job.jar".as_ref());
    let target = directory.usrlib().join(name);
    fs::copy(file, &target).map_err(LaunchError::file(&target))?;
    Ok(format!("local://{}", encoded(&target)))
}

/// A path as it stands in a URI.
pub(super) fn encoded(path: &Path) -> String {
    let mut text = String::new();
    for byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~+@=,".contains(byte) {
            text.push(char::from(*byte));
        } else {
            let _writing_to_a_string_cannot_fail = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jar_is_looked_for_where_its_uri_says() {
        let home = Path::new("/flink");
        assert_eq!(
            local_file("local:///a/b.jar", home),
            Some(PathBuf::from("/a/b.jar"))
        );
        assert_eq!(local_file("file:/a/b.jar", home), Some(PathBuf::from("/a/b.jar")));
        assert_eq!(local_file("/a/b.jar", home), Some(PathBuf::from("/a/b.jar")));
        assert_eq!(local_file("s3://bucket/b.jar", home), None);
        assert_eq!(encoded(Path::new("/a b/ü.jar")), "/a%20b/%C3%BC.jar");
    }
}
