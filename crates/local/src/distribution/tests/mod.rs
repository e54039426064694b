//! A user installs Flink, and what can come in between. Archives are made here, small but laid out as Apache's are; one
//! test installs a real release.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use sha2::{Digest, Sha512};

use super::*;

mod fetching;
use fetching::script;

const V1_20_5: FlinkVersion = FlinkVersion::new(1, 20, 5);

#[derive(Default)]
struct Steps(Vec<String>);

impl Progress for Steps {
    fn begin(&mut self, step: &str, _total: Option<u64>) {
        self.0.push(step.to_owned());
    }
    fn reached(&mut self, _bytes: u64) {}
    fn end(&mut self) {}
}

/// A release archive of `version` in `directory`, without the entries whose name contains `without`.
fn release(directory: &Path, version: &str, without: &str) -> PathBuf {
    let path = directory.join(format!("flink-{version}-bin-scala_2.12.tgz"));
    let gzip = flate2::write::GzEncoder::new(File::create(&path).unwrap(), flate2::Compression::fast());
    let mut tar = tar::Builder::new(gzip);
    let jar = pseudo_random(200_000);
    let files: [(String, &[u8]); 9] = [
        ("bin/config.sh".into(), b"#!/bin/bash\n"),
        ("bin/flink".into(), b"#!/bin/bash\n"),
        ("bin/bash-java-utils.jar".into(), b"jar"),
        ("conf/config.yaml".into(), b"rest:\n  address: localhost\n"),
        (format!("lib/flink-dist-{version}.jar"), &jar),
        ("lib/log4j-core-2.24.3.jar".into(), b"log4j"),
        ("opt/flink-python.jar".into(), b"python"),
        ("plugins/metrics-jmx/flink-metrics-jmx.jar".into(), b"jmx"),
        ("examples/streaming/WordCount.jar".into(), b"example"),
    ];
    for (name, content) in files
        .iter()
        .filter(|(name, _)| without.is_empty() || !name.contains(without))
    {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append_data(&mut header, format!("flink-{version}/{name}"), *content)
            .unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap();
    path
}

/// Bytes that do not compress, so that cutting the archive cuts the jar.
fn pseudo_random(count: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    })
    .take(count)
    .collect()
}

fn install_tarball(cache: &Cache, tarball: &Path) -> Result<Distribution, InstallError> {
    cache.install(
        V1_20_5,
        &Source::Tarball(tarball.to_owned()),
        &mut Steps::default(),
    )
}

/// Everything in the cache but the finished distributions and the locks.
fn left_overs(cache_root: &Path) -> Vec<String> {
    fs::read_dir(cache_root.join("flink"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("partial"))
        .collect()
}

#[test]
fn a_downloaded_release_is_installed_and_found_again() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::at(directory.path());
    let tarball = release(directory.path(), "1.20.5", "");

    let installed = install_tarball(&cache, &tarball).unwrap();

    assert_eq!(installed.home, directory.path().join("flink/flink-1.20.5"));
    assert_eq!(cache.installed(), std::slice::from_ref(&installed));
    assert_eq!(
        cache.resolve_with("v1_20".parse().unwrap(), None).unwrap(),
        installed
    );
    installed.verify().unwrap();
    let mode = |name: &str| {
        fs::metadata(installed.home.join(name))
            .unwrap()
            .permissions()
            .mode()
            & 0o111
    };
    assert_eq!(
        (
            mode("bin/flink"),
            mode("bin/config.sh"),
            mode("bin/bash-java-utils.jar")
        ),
        (0o111, 0o111, 0)
    );
    assert!(
        installed
            .home
            .join("plugins/metrics-jmx/flink-metrics-jmx.jar")
            .is_file()
    );
    assert!(
        !installed.home.join("examples").exists(),
        "examples only take room"
    );
    assert_eq!(left_overs(directory.path()), Vec::<String>::new());

    let record: serde_json::Value =
        serde_json::from_slice(&fs::read(installed.home.join("sluice-distribution.json")).unwrap()).unwrap();
    assert_eq!(record["version"], "1.20.5");
    assert_eq!(record["source"], tarball.display().to_string());
    assert_eq!(record["lib"]["log4j-core-2.24.3.jar"]["bytes"], 5);
}

#[test]
fn what_is_installed_is_not_fetched_again() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::at(directory.path());
    let tarball = release(directory.path(), "1.20.5", "");
    install_tarball(&cache, &tarball).unwrap();
    fs::remove_file(&tarball).unwrap();

    install_tarball(&cache, &tarball).unwrap();
}

#[test]
fn two_installations_at_once_end_in_one_distribution() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::at(directory.path());
    let tarball = release(directory.path(), "1.20.5", "");
    let start = Barrier::new(2);

    let steps: Vec<Vec<String>> = thread::scope(|scope| {
        let one = || {
            let mut steps = Steps::default();
            start.wait();
            cache
                .install(V1_20_5, &Source::Tarball(tarball.clone()), &mut steps)
                .unwrap();
            steps.0
        };
        let both = [scope.spawn(one), scope.spawn(one)];
        both.map(|thread| thread.join().unwrap()).into()
    });

    let unpacked = steps
        .iter()
        .filter(|steps| steps.iter().any(|step| step == "Unpacking Flink"))
        .count();
    assert_eq!(unpacked, 1, "{steps:?}");
    cache.installed()[0].verify().unwrap();
    assert_eq!(left_overs(directory.path()), Vec::<String>::new());
}

/// Lets go of the lock once the installation says that it waits.
struct LetGo(Option<File>);
impl Progress for LetGo {
    fn begin(&mut self, step: &str, _total: Option<u64>) {
        if step.starts_with("Waiting for another installation") {
            self.0 = None;
        }
    }
    fn reached(&mut self, _bytes: u64) {}
    fn end(&mut self) {}
}

#[test]
fn an_installation_waits_for_the_one_under_way() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::at(directory.path());
    let tarball = release(directory.path(), "1.20.5", "");
    fs::create_dir_all(directory.path().join("flink")).unwrap();
    let held = File::create(directory.path().join("flink/.flink-1.20.5.lock")).unwrap();
    held.lock().unwrap();

    let mut progress = LetGo(Some(held));
    cache
        .install(V1_20_5, &Source::Tarball(tarball), &mut progress)
        .unwrap();
    assert!(progress.0.is_none(), "the installation went past the lock");
}

#[test]
fn a_distribution_that_lost_a_jar_is_reported_and_fetched_again() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::at(directory.path());
    let tarball = release(directory.path(), "1.20.5", "");
    let installed = install_tarball(&cache, &tarball).unwrap();
    let jar = installed.home.join("lib/log4j-core-2.24.3.jar");
    fs::remove_file(&jar).unwrap();

    assert_eq!(installed.check(), Err(Damage::Missing { path: jar.clone() }));
    assert_eq!(cache.installed(), []);
    assert_eq!(cache.broken(), [Damage::Missing { path: jar }]);

    install_tarball(&cache, &tarball).unwrap().verify().unwrap();
}

#[test]
fn a_jar_that_was_cut_or_altered_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let installed = install_tarball(
        &Cache::at(directory.path()),
        &release(directory.path(), "1.20.5", ""),
    )
    .unwrap();
    let jar = installed.home.join("lib/log4j-core-2.24.3.jar");

    fs::write(&jar, b"log4").unwrap();
    assert_eq!(
        installed.check(),
        Err(Damage::Changed {
            path: jar.clone(),
            what: "its size"
        })
    );

    fs::write(&jar, b"LOG4J").unwrap();
    assert_eq!(installed.check(), Ok(()));
    assert_eq!(
        installed.verify(),
        Err(Damage::Changed {
            path: jar,
            what: "its SHA-256 checksum"
        })
    );
}

#[test]
fn a_half_downloaded_archive_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::at(directory.path());
    let tarball = release(directory.path(), "1.20.5", "");
    let whole = fs::read(&tarball).unwrap();
    fs::write(&tarball, &whole[..whole.len() / 2]).unwrap();

    let error = install_tarball(&cache, &tarball).unwrap_err();

    assert!(matches!(error, InstallError::DamagedArchive { .. }), "{error}");
    assert_eq!(cache.installed(), []);
    assert_eq!(left_overs(directory.path()), Vec::<String>::new());
}

#[test]
fn what_a_killed_installation_left_is_cleared_away() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::at(directory.path());
    let abandoned = directory.path().join("flink/.flink-1.20.5.partial-abc/home/lib");
    fs::create_dir_all(&abandoned).unwrap();

    install_tarball(&cache, &release(directory.path(), "1.20.5", "")).unwrap();

    assert_eq!(left_overs(directory.path()), Vec::<String>::new());
}

#[test]
fn an_archive_of_another_release_or_of_something_else_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::at(directory.path());

    let other = install_tarball(&cache, &release(directory.path(), "1.20.1", "")).unwrap_err();
    assert!(
        other.to_string().contains("holds Flink 1.20.1, not 1.20.5"),
        "{other}"
    );

    let incomplete = install_tarball(&cache, &release(directory.path(), "1.20.5", "conf/")).unwrap_err();
    assert!(
        incomplete
            .to_string()
            .ends_with("is no complete Flink distribution: conf is missing."),
        "{incomplete}"
    );

    assert_eq!(cache.installed(), []);
}

#[test]
fn a_distribution_put_there_by_hand_counts() {
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path().join("flink/flink-2.1.3");
    for path in ["bin", "conf", "lib"] {
        fs::create_dir_all(home.join(path)).unwrap();
    }
    let cache = Cache::at(directory.path());
    fs::write(home.join("bin/flink-daemon.sh"), "").unwrap();
    assert_eq!(cache.installed(), []);

    fs::write(home.join("lib/flink-dist-2.1.3.jar"), "").unwrap();
    assert_eq!(
        cache.installed(),
        [Distribution {
            version: "2.1.3".parse().unwrap(),
            home: home.clone()
        }]
    );

    fs::rename(&home, directory.path().join("flink/flink-2.1.1")).unwrap();
    assert!(matches!(cache.broken()[..], [Damage::OtherVersion { .. }]));
}

#[test]
fn flink_home_wins_for_its_own_line_only() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::at(directory.path().join("cache"));
    let own = Cache::at(directory.path().join("own"));
    let tarball = release(directory.path(), "1.20.5", "");
    let cached = install_tarball(&cache, &tarball).unwrap();
    let home = install_tarball(&own, &tarball).unwrap();

    let resolve = |wanted: &str, flink_home: Option<&Path>| {
        cache.resolve_with(wanted.parse().unwrap(), flink_home.map(Path::to_owned))
    };
    assert_eq!(resolve("v1_20", None).unwrap(), cached);
    assert_eq!(resolve("v1_20", Some(&home.home)).unwrap(), home);
    assert_eq!(resolve("1.20.5", Some(&home.home)).unwrap(), home);
    assert_eq!(
        resolve("v2_3", None).unwrap_err().to_string(),
        "Flink 2.3 is not installed: run \"sluice flink install 2.3.0\"."
    );
    assert!(
        resolve("v2_3", Some(&home.home))
            .unwrap_err()
            .to_string()
            .contains("has 1.20.5")
    );
    let broken = resolve("v1_20", Some(directory.path())).unwrap_err();
    assert!(matches!(broken, ResolveError::BrokenFlinkHome { .. }), "{broken}");
}

#[test]
fn the_newest_of_a_line_is_resolved() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::at(directory.path());
    for version in ["1.20.5", "1.20.10", "1.19.3"] {
        let source = Source::Tarball(release(directory.path(), version, ""));
        cache
            .install(version.parse().unwrap(), &source, &mut Steps::default())
            .unwrap();
    }
    let resolved = cache.resolve_with("v1_20".parse().unwrap(), None).unwrap();
    assert_eq!(resolved.version, FlinkVersion::new(1, 20, 10));
}

#[test]
fn versions_are_read_as_people_write_them() {
    assert_eq!("1.20.5".parse(), Ok(Wanted::Exact(V1_20_5)));
    assert_eq!("v1_20".parse(), Ok(Wanted::Line(V1_20_5.line())));
    assert_eq!("1.20".parse(), Ok(Wanted::Line(V1_20_5.line())));
    let newest = |line: &str| {
        line.parse::<Wanted>()
            .unwrap()
            .to_install()
            .map(|version| version.to_string())
    };
    assert_eq!(newest("v2_3").as_deref(), Some("2.3.0"));
    assert_eq!(newest("v1_20").as_deref(), Some("1.20.5"));
    assert_eq!(newest("v9_9"), None);

    for wrong in [
        "", "1", "1.x", "v1.20", "1_20", "1.20.5.1", "1.+20", "../1.20", "latest",
    ] {
        let error = wrong.parse::<Wanted>().unwrap_err();
        assert!(
            error
                .to_string()
                .contains(&format!("\"{wrong}\" is not a Flink version")),
            "{error}"
        );
    }
}

#[test]
fn java_is_found_and_a_wrong_one_is_named() {
    let directory = tempfile::tempdir().unwrap();
    // Flink runs on this machine, so there is one.
    assert!(JavaRuntime::find().unwrap().major() >= 11);

    let broken = JavaRuntime::find_with(Some(directory.path())).unwrap_err();
    assert!(
        broken
            .to_string()
            .starts_with("JAVA_HOME points to a Java that cannot be run"),
        "{broken}"
    );

    script(
        &directory.path().join("bin"),
        "java",
        "echo 'openjdk version \"1.8.0_402\"' >&2",
    );
    let old = JavaRuntime::find_with(Some(directory.path())).unwrap_err();
    assert!(old.to_string().contains("is Java 8"), "{old}");

    for (said, major) in [
        ("openjdk version \"17.0.15\" 2025-04-15", 17),
        ("java version \"21\"", 21),
        ("openjdk version \"25-ea\"", 25),
    ] {
        assert_eq!(java::major_version(said), Some(major));
    }
}

#[test]
fn without_a_terminal_every_step_is_a_line() {
    let directory = tempfile::tempdir().unwrap();
    let tarball = release(directory.path(), "1.20.5", "");
    let mut lines = Vec::new();

    Cache::at(directory.path())
        .install(
            V1_20_5,
            &Source::Tarball(tarball),
            &mut PlainProgress::new(&mut lines),
        )
        .unwrap();

    assert_eq!(
        String::from_utf8(lines).unwrap(),
        "Unpacking Flink\nChecking what was installed\n"
    );
}

/// Takes some 20 to 40 seconds and fetches 230 MB from the package index that pip is configured for.
#[test]
fn real_flink_is_installed_by_pip() {
    let directory = tempfile::tempdir().unwrap();
    let cache = Cache::at(directory.path());

    let missing = cache
        .install(
            FlinkVersion::new(1, 20, 99),
            &Source::pip(),
            &mut Steps::default(),
        )
        .unwrap_err();
    assert!(matches!(missing, InstallError::NoSuchVersion { .. }), "{missing}");

    let flink = cache
        .install(V1_20_5, &Source::pip(), &mut Steps::default())
        .unwrap();

    flink.verify().unwrap();
    assert_eq!(left_overs(directory.path()), Vec::<String>::new());
    // Flink's own script runs and says its version: scripts, configuration, jars and Java fit together.
    let said = std::process::Command::new(flink.home.join("bin/flink"))
        .arg("--version")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("Version: 1.20.5"), "{said}");
}
