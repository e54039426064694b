//! Fetching a release: an archive mirror, and the user's own pip.

use super::*;

#[test]
fn a_checksum_beside_the_archive_is_checked() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::at(directory.path());
    let tarball = release(directory.path(), "1.20.5", "");
    let checksum = directory.path().join("flink-1.20.5-bin-scala_2.12.tgz.sha512");

    fs::write(&checksum, "00ff  flink-1.20.5-bin-scala_2.12.tgz\n").unwrap();
    let error = install_tarball(&cache, &tarball).unwrap_err();
    assert!(matches!(error, InstallError::ChecksumDiffers { .. }), "{error}");

    fs::write(&checksum, format!("{}  flink.tgz\n", sha512(&tarball))).unwrap();
    install_tarball(&cache, &tarball).unwrap();
}

fn sha512(file: &Path) -> String {
    found::hex(&Sha512::digest(fs::read(file).unwrap()))
}

#[test]
fn a_release_is_fetched_from_an_archive_mirror() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::at(directory.path());
    let tarball = release(directory.path(), "1.20.5", "");
    let path = "/flink/flink-1.20.5/flink-1.20.5-bin-scala_2.12.tgz";
    let checksum = format!("{}  flink-1.20.5-bin-scala_2.12.tgz\n", sha512(&tarball));
    let mirror = Mirror::start(vec![
        (path.to_owned(), fs::read(&tarball).unwrap()),
        (format!("{path}.sha512"), checksum.into_bytes()),
    ]);
    let source = Source::Archive {
        base: format!("{}/flink/", mirror.url),
    };

    cache
        .install(V1_20_5, &source, &mut Steps::default())
        .unwrap()
        .verify()
        .unwrap();

    let error = cache
        .install(FlinkVersion::new(1, 20, 99), &source, &mut Steps::default())
        .unwrap_err();
    assert!(matches!(error, InstallError::NoSuchVersion { .. }), "{error}");
    assert_eq!(
        mirror.asked.lock().unwrap()[..2],
        [format!("{path}.sha512"), path.to_owned()]
    );
}

#[test]
fn a_mirror_that_does_not_answer_is_named() {
    let directory = tempfile::tempdir().unwrap();
    // A port that was free a moment ago: nobody listens there.
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let source = Source::Archive {
        base: format!("http://127.0.0.1:{port}/flink"),
    };

    let error = Cache::at(directory.path())
        .install(V1_20_5, &source, &mut Steps::default())
        .unwrap_err();

    assert!(matches!(error, InstallError::Network { .. }), "{error}");
    assert!(
        error.to_string().contains(&format!("127.0.0.1:{port}")),
        "{error}"
    );
}

/// A web server with a few files.
struct Mirror {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Mirror {
    fn start(files: Vec<(String, Vec<u8>)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        thread::spawn(move || {
            for connection in listener.incoming() {
                let mut connection = connection.unwrap();
                let mut request = Vec::new();
                let mut byte = [0];
                while !request.ends_with(b"\r\n\r\n") && connection.read(&mut byte).unwrap_or(0) == 1 {
                    request.push(byte[0]);
                }
                let request = String::from_utf8(request).unwrap();
                let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
                let found = files.iter().find(|(name, _)| *name == path);
                let (status, body) = found.map_or(("404 Not Found", &[][..]), |(_, body)| {
                    ("200 OK", body.as_slice())
                });
                log.lock().unwrap().push(path);
                let head = format!(
                    "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                connection.write_all(head.as_bytes()).unwrap();
                connection.write_all(body).unwrap();
            }
        });
        Self { url, asked }
    }
}

#[test]
fn a_missing_python_and_a_python_without_pip_are_told_apart() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::at(directory.path());
    let by = |python: PathBuf| {
        cache
            .install(V1_20_5, &Source::Pip { python }, &mut Steps::default())
            .unwrap_err()
    };

    let absent = by(directory.path().join("no-python"));
    assert!(matches!(absent, InstallError::NoPython { .. }), "{absent}");

    // A real Python in which nothing that was installed beside it is seen.
    let bare = script(directory.path(), "bare-python", "exec python3 -I -S \"$@\"");
    let no_pip = by(bare);
    assert!(matches!(no_pip, InstallError::NoPip { .. }), "{no_pip}");
    assert_eq!(left_overs(directory.path()), Vec::<String>::new());
}

#[test]
fn a_package_index_that_does_not_answer_is_no_missing_version() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::at(directory.path());
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    for retries in [0, 1] {
        // The real pip, as a user without network has it.
        let configured = format!(
            "unset PIP_FIND_LINKS PIP_EXTRA_INDEX_URL\n\
             export PIP_CONFIG_FILE=/dev/null PIP_INDEX_URL=http://127.0.0.1:{port}/simple PIP_RETRIES={retries}\n\
             exec python3 \"$@\""
        );
        let python = script(directory.path(), &format!("python-{retries}"), &configured);
        let error = cache
            .install(V1_20_5, &Source::Pip { python }, &mut Steps::default())
            .unwrap_err();
        assert!(matches!(error, InstallError::Network { .. }), "{error}");
    }
}

pub(super) fn script(directory: &Path, name: &str, body: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;

    let path = directory.join(name);
    fs::create_dir_all(directory).unwrap();
    fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn what_pip_says_becomes_one_sentence() {
    let explain =
        |complaint: &str| pip::explain(Path::new("python3"), V1_20_5, Path::new("/cache"), complaint);

    let unreachable = "WARNING: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError('x')'\n\
        ERROR: Could not find a version that satisfies the requirement apache-flink==1.20.5 (from versions: none)\n\
        ERROR: No matching distribution found for apache-flink==1.20.5\n";
    assert!(matches!(explain(unreachable), InstallError::Network { .. }));
    let full = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n";
    assert!(matches!(explain(full), InstallError::DiskFull { .. }));
    assert_eq!(
        explain("some warning\nERROR: something new\n\n").to_string(),
        "pip could not fetch Flink 1.20.5: ERROR: something new"
    );
}
