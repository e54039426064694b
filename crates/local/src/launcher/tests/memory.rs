//! Our sizes are those of Flink itself: what `BashJavaUtils` of both real distributions prints for the same configuration.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use super::support::small_memory;
use crate::distribution::{Cache, Distribution, JavaRuntime};
use crate::launcher::{configuration, memory};

type Configuration = BTreeMap<String, String>;

/// What Flink's scripts would pass: the JVM's options, and `-D key=value`.
fn asked(
    distribution: &Distribution,
    java: &JavaRuntime,
    command: &str,
    with: &Configuration,
) -> (Vec<String>, Configuration) {
    let conf = tempfile::tempdir().unwrap();
    let mut text = String::new();
    for (key, value) in with {
        writeln!(text, "{key}: \"{value}\"").unwrap();
    }
    fs::write(conf.path().join("config.yaml"), text).unwrap();
    let class_path = format!(
        "{}:{}",
        distribution.home.join("bin/bash-java-utils.jar").display(),
        configuration::class_path(distribution)
            .unwrap()
            .rsplit(':')
            .next()
            .unwrap()
    );
    let output = Command::new(java.executable())
        .args(["-XX:TieredStopAtLevel=1", "-classpath", &class_path])
        .args([
            "org.apache.flink.runtime.util.bash.BashJavaUtils",
            command,
            "--configDir",
        ])
        .arg(conf.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let results: Vec<&str> = said
        .lines()
        .filter_map(|line| line.strip_prefix("BASH_JAVA_UTILS_EXEC_RESULT:"))
        .collect();
    assert_eq!(
        results.len(),
        2,
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let options = results[0].split_whitespace().map(str::to_owned).collect();
    let dynamic = results[1]
        .split_whitespace()
        .filter_map(|word| word.split_once('='));
    let dynamic = dynamic
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        // Resources such as graphics cards: none, and none of the launcher's business.
        .filter(|(key, _)| key != "external-resources")
        .collect();
    (options, dynamic)
}

fn with(entries: &[(&str, &str)]) -> Configuration {
    entries
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn our_memory_is_flinks() {
    // Each way of saying it, in both components at once, so that a JVM is started for each only once.
    let configurations = [
        // The defaults of a distribution, and sizes that do not divide evenly.
        with(&[
            ("jobmanager.memory.process.size", "1600m"),
            ("taskmanager.memory.process.size", "1728m"),
        ]),
        with(&[
            ("jobmanager.memory.process.size", "3333333333b"),
            ("jobmanager.memory.jvm-overhead.fraction", "0.137"),
            ("jobmanager.memory.enable-jvm-direct-memory-limit", "true"),
            ("taskmanager.memory.process.size", "7777777777b"),
            ("taskmanager.memory.managed.fraction", "0.33"),
            ("taskmanager.memory.network.fraction", "0.07"),
            ("taskmanager.numberOfTaskSlots", "4"),
        ]),
        small_memory(),
        // Without the JVM's share.
        with(&[
            ("jobmanager.memory.flink.size", "3000m"),
            ("taskmanager.memory.flink.size", "9 gb"),
            ("taskmanager.memory.task.heap.size", "4321m"),
            ("taskmanager.memory.network.max", "3g"),
            ("taskmanager.cpu.cores", "1.5"),
        ]),
        // Piece by piece.
        with(&[
            ("jobmanager.memory.heap.size", "777m"),
            ("jobmanager.memory.flink.size", "1000m"),
            ("taskmanager.memory.task.heap.size", "555m"),
            ("taskmanager.memory.managed.size", "0"),
            ("taskmanager.memory.task.off-heap.size", "10m"),
        ]),
        with(&[
            ("jobmanager.memory.heap.size", "777m"),
            ("jobmanager.memory.process.size", "1400m"),
            ("taskmanager.memory.process.size", "2 g"),
            ("taskmanager.memory.managed.size", "123m"),
        ]),
    ];
    let java = JavaRuntime::find().unwrap();
    for wanted in ["v1_20", "v2_3"] {
        let distribution = Cache::for_user().resolve(wanted.parse().unwrap()).unwrap();
        for configuration in &configurations {
            std::thread::scope(|scope| {
                let job_manager =
                    scope.spawn(|| asked(&distribution, &java, "GET_JM_RESOURCE_PARAMS", configuration));
                let flinks = asked(&distribution, &java, "GET_TM_RESOURCE_PARAMS", configuration);
                let ours = memory::task_manager(configuration).unwrap();
                assert_eq!(
                    (ours.jvm_options, ours.configuration),
                    flinks,
                    "{wanted} {configuration:?}"
                );
                let ours = memory::job_manager(configuration).unwrap();
                let flinks = job_manager.join().unwrap();
                assert_eq!(
                    (ours.jvm_options, ours.configuration),
                    flinks,
                    "{wanted} {configuration:?}"
                );
            });
        }
    }
}

#[test]
fn what_flink_refuses_is_refused_with_the_key() {
    let refused = |entries: &[(&str, &str)]| memory::task_manager(&with(entries)).unwrap_err().to_string();
    let parts = refused(&[("taskmanager.memory.process.size", "600m")]);
    assert!(
        parts.contains("taskmanager.memory.framework.heap.size (128m)"),
        "{parts}"
    );
    let network = refused(&[
        ("taskmanager.memory.flink.size", "1g"),
        ("taskmanager.memory.task.heap.size", "340m"),
    ]);
    assert!(
        network.contains("taskmanager.memory.network.min (64m)"),
        "{network}"
    );
    let fraction = refused(&[("taskmanager.memory.managed.fraction", "1.5")]);
    assert!(
        fraction.contains("taskmanager.memory.managed.fraction is 1.5"),
        "{fraction}"
    );
    let slots = refused(&[("taskmanager.numberOfTaskSlots", "0")]);
    assert!(slots.contains("taskmanager.numberOfTaskSlots is 0"), "{slots}");
    let both = memory::job_manager(&with(&[
        ("jobmanager.memory.heap.size", "2g"),
        ("jobmanager.memory.process.size", "1g"),
    ]));
    assert!(
        both.unwrap_err()
            .to_string()
            .contains("jobmanager.memory.process.size (1024m) is less than")
    );
}
