//! Texts with a grammar: the API server and our own reading draw the line at the same place.

use serde_json::{Value, json};
use sluice_api::Kind;

use crate::examples::{blue_green, set, texts};
use crate::server::{Server, problems};

/// Puts each text at each path. `lenient`: what only the controller refuses, because telling it apart is too much for
/// a rule.
async fn compare(server: &Server, paths: &[&str], values: &[&str], lenient: &[&str]) {
    let kind = Kind::FlinkBlueGreenDeployment;
    let mut let_through = Vec::new();
    for path in paths {
        for text in values {
            let mut value = blue_green();
            set(&mut value, "/spec/template/spec/jobManager/resource", json!({}));
            set(&mut value, path, Value::from(*text));
            let ours = texts(&problems(kind, &value));
            match server.would_take(kind, &value).await {
                Ok(_) if ours.is_empty() => {}
                Ok(_) if lenient.contains(text) => let_through.push(*text),
                Ok(_) => panic!("{path}: {text:?} is let through: {ours:?}"),
                Err(message) => {
                    assert!(
                        !ours.is_empty(),
                        "{path}: {text:?} is valid, and refused: {message}"
                    );
                    for problem in &ours {
                        // A text with a line break is not repeated by the API server.
                        let told = message.contains(problem) || text.contains('\n');
                        assert!(told, "{path}: {text:?}: {problem}\n{message}");
                    }
                }
            }
        }
    }
    for text in lenient {
        assert!(let_through.contains(text), "{text:?} is not let through any more");
    }
}

const DURATIONS: &[&str] = &[
    "10 min",
    "15s",
    "500 ms",
    "PT10M",
    "1",
    "007",
    " 5 s ",
    "\t5\u{a0}min\u{2003}",
    "5\u{b}s",
    "5\u{85}s",
    "1 D",
    "2 Days",
    "3 HOURS",
    "4 h",
    "5 Minutes",
    "6 m",
    "7 sec",
    "8 secs",
    "9 seconds",
    "10 milli",
    "11 millis",
    "12 micros",
    "13 µs",
    "14 μs",
    "15 nanos",
    "16 NS",
    "2073600 s",
    "576 h",
    "24 d",
    "P1D",
    "pt1h",
    "+PT5M",
    "PT1.5S",
    "PT1,5S",
    "P0Y1D",
    "P1DT2H3M4S",
    "PT0.5H",
    "",
    " ",
    "\n",
    "soon",
    "min",
    "5 parsecs",
    "5 min 3",
    "5.5 s",
    "-5 s",
    "+5 s",
    "5 5",
    "5 é",
    "５ s",
    "P",
    "PT",
    "P1Y",
    "P1M",
    "P1W",
    "P1H",
    "PT5",
    "PTX",
    "PT-5M",
    "--PT5M",
    "P1DT",
    "PT5M ago",
    "five",
];

#[tokio::test]
async fn durations_above_zero() {
    let server = Server::with_our_definitions("durations").await;
    let mut values = DURATIONS.to_vec();
    values.extend([
        "0",
        "0 d",
        "000 ms",
        "PT0S",
        "P0D",
        "-PT5M",
        "-P1D",
        "-PT0S",
        "0 parsecs",
        "25 d",
        "PT577H",
    ]);
    let key = "/spec/configuration/kubernetes.operator.bluegreen.savepoint.timeout";
    compare(&server, &[key], &values, &[]).await;
}

#[tokio::test]
async fn durations_of_at_most_24_days() {
    let server = Server::with_our_definitions("delays").await;
    let mut values = DURATIONS.to_vec();
    values.extend([
        "0",
        "0 ms",
        "PT0S",
        "-PT0S",
        "-PT5M",
        "25 d",
        "577 hours",
        "34561 min",
        "2073601 s",
        "2073600001",
        "2073600001 ms",
        "2073600000001 µs",
        "2073600000000001 ns",
        "2073600000",
        "00000000000000000000024 d",
    ]);
    let key = "/spec/configuration/kubernetes.operator.bluegreen.deployment-deletion.delay";
    compare(&server, &[key], &values, &[]).await;
}

#[tokio::test]
async fn sizes_of_memory() {
    let server = Server::with_our_definitions("sizes").await;
    let values = [
        "2048m",
        "4g",
        "1 gb",
        "2Gi",
        "1.5G",
        "1024",
        "0",
        "7 bytes",
        "3 KiBiBytes",
        "2 T",
        " 5 mb ",
        "1.Gi",
        "1.123456789Ki",
        "5E",
        "2k",
        "2 kb",
        "",
        " ",
        "lots",
        "2 Gib",
        "2gi",
        "-1g",
        "1.5",
        "1.5 g",
        "1.5 Gi",
        "1.1234567890Ki",
        "0x10",
        "2 g 3",
        "５g",
        "1e3",
        "5mm",
    ];
    let paths = [
        "/spec/template/spec/taskManager/resource/memory",
        "/spec/template/spec/jobManager/resource/ephemeralStorage",
    ];
    compare(&server, &paths, &values, &[]).await;
}

#[tokio::test]
async fn words_and_counts() {
    let server = Server::with_our_definitions("words").await;
    let key = |name: &str| format!("/spec/configuration/kubernetes.operator.{name}");
    for (name, values) in [
        (
            "bluegreen.abort.failed-deployment",
            vec!["KEEP", "keep", "Suspend", "DELETE", "", " KEEP", "no"],
        ),
        ("bluegreen.promotion", vec!["AUTO", "manual", "", "maybe"]),
        (
            "bluegreen.transition-mode",
            vec!["BASIC", "advanced", "", "basic "],
        ),
        ("ingress.manage", vec!["true", "FALSE", "", "yes", "1"]),
        (
            "bluegreen.savepoint.retention",
            vec![
                "1",
                "+3",
                "007",
                "ALL",
                "all",
                "4294967295",
                "4294967296",
                "0",
                "-1",
                "",
                " 3",
                "3.0",
                "9999999999",
                "99999999999",
                "+",
                "00",
            ],
        ),
    ] {
        compare(&server, &[&key(name)], &values, &[]).await;
    }
}

#[tokio::test]
async fn templates_of_an_ingress() {
    let server = Server::with_our_definitions("templates").await;
    let values = [
        "{{name}}.example.org",
        "/{{namespace}}/{{name}}(/|$)(.*)",
        "https://{{NAME}}.{{Namespace}}.example.org:8443",
        "*.example.org",
        "//x",
        "a",
        "a/b c",
        "http://a//b://c",
        " host ",
        "ftp://x",
        "my host://ok",
        "",
        " ",
        "/",
        "https://",
        "https:",
        "x:///",
        "http:///",
        "{{nam}}.example.org",
        "my host/x",
        "http://my host",
        "a{{b",
        "ä.example.org",
        "a_b",
        "{name}",
        "a://b c://d",
        "x?y",
        "x\ny",
    ];
    compare(&server, &["/spec/ingress/template"], &values, &[]).await;
}

#[tokio::test]
async fn texts_about_the_job_and_versions() {
    let server = Server::with_our_definitions("texts").await;
    let job = "/spec/template/spec/job";
    for (path, values) in [
        (
            format!("{job}/jarURI"),
            vec!["local:///a.jar", "x", " x ", "", " ", "\u{a0}"],
        ),
        (
            format!("{job}/initialSavepointPath"),
            vec!["s3://b/s", "x", "", " ", "\u{2003}"],
        ),
        (
            "/spec/template/spec/flinkVersion".to_owned(),
            vec![
                "v1_20", "v2_1", "v0_0", "v10_300", "", "v1", "v1_", "V1_20", "v1_20 ", "v1_20\n", "v１_20",
                "1.20",
            ],
        ),
    ] {
        compare(&server, &[&path], &values, &[]).await;
    }
}
