//! What Flink needs of the JVM.

/// The packages of `java.base` that Flink reflects on, from `conf/config.yaml` of Flink 1.20 and 2.3.
const OPENED: [&str; 12] = [
    "java.lang",
    "java.net",
    "java.io",
    "java.nio",
    "sun.nio.ch",
    "java.lang.reflect",
    "java.text",
    "java.time",
    "java.util",
    "java.util.concurrent",
    "java.util.concurrent.atomic",
    "java.util.concurrent.locks",
];

/// The options that open to Flink what Java 9 and newer have closed.
pub fn add_opens() -> impl Iterator<Item = String> {
    OPENED
        .iter()
        .map(|package| format!("--add-opens=java.base/{package}=ALL-UNNAMED"))
}
