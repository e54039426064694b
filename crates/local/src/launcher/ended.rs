//! Why a JobManager ended, read from what it has left: its log, its output, its exit status.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::ExitStatus;

use super::directory::{DeploymentDirectory, JOB_MANAGER};
use super::intent::Intent;

/// How much of the end of a file is looked at.
const TAIL: u64 = 128 * 1024;
/// How much of an error is quoted.
const QUOTED: usize = 400;

/// One sentence for people.
pub(super) fn reason(directory: &DeploymentDirectory, intent: &Intent) -> String {
    if directory.stopping_since().is_some() {
        return "It was stopped.".to_owned();
    }
    let log_path = directory.log_of(JOB_MANAGER);
    let output_path = directory.output_of(JOB_MANAGER);
    let log = tail(&log_path);
    let output = tail(&output_path);
    let exit = directory
        .exit_of(JOB_MANAGER)
        .map_or(String::new(), |how| format!(" ({how})"));

    // Flink says the one of its REST endpoint, the system the other.
    let says_taken =
        |text: &String| text.contains("BindException") || text.contains("Address already in use");
    if [&log, &output].into_iter().any(says_taken) {
        return format!(
            "The JobManager could not start because another program had taken one of its ports, {} (REST) or {} (RPC), on 127.0.0.1; the next start takes other ports.",
            intent.ports.rest, intent.ports.rpc
        );
    }
    if let Some(line) = [&output, &log]
        .iter()
        .find_map(|text| last_line_with(text, "OutOfMemoryError"))
    {
        return format!(
            "The JobManager ran out of memory ({line}): raise spec.jobManager.resource.memory. More is in {}.",
            log_path.display()
        );
    }
    if let Some(line) = virtual_machine_error(&output) {
        return format!("Java refused to start the JobManager{exit}: {line}");
    }
    if let Some(error) = last_error(&log).or_else(|| last_error(&output)) {
        return format!(
            "The JobManager ended{exit}: {error} More is in {}.",
            log_path.display()
        );
    }
    format!(
        "The JobManager is gone{exit} and has left no error: something ended it from outside, such as a person, the system for want of memory, or a restart of the machine."
    )
}

/// An exit status in words.
pub(super) fn in_words(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => nix::sys::signal::Signal::try_from(signal).map_or_else(
            |_| format!("signal {signal}"),
            |signal| signal.as_str().to_owned(),
        ),
        (None, None) => "unknown exit status".to_owned(),
    }
}

/// The last bytes of a file as text; empty if there is none.
fn tail(path: &Path) -> String {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
        let mut bytes = Vec::new();
        file.take(TAIL).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read()
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

fn last_line_with<'a>(text: &'a str, what: &str) -> Option<&'a str> {
    text.lines().rfind(|line| line.contains(what)).map(str::trim)
}

/// What the JVM itself says before it has started anything.
fn virtual_machine_error(output: &str) -> Option<String> {
    let beginnings = [
        "Error occurred during initialization of VM",
        "Error: Could not create the Java Virtual Machine",
        "Unrecognized VM option",
        "Unrecognized option",
        "OpenJDK 64-Bit Server VM warning: INFO: os::commit_memory",
        "Error: Could not find or load main class",
        "Error opening zip file or JAR manifest missing",
    ];
    let first = output
        .lines()
        .position(|line| beginnings.iter().any(|beginning| line.starts_with(beginning)))?;
    let lines: Vec<&str> = output.lines().skip(first).take(3).map(str::trim).collect();
    Some(shortened(&lines.join(" ")))
}

/// The last error of a Flink log: the innermost cause of its stack trace, or its message.
fn last_error(log: &str) -> Option<String> {
    let lines: Vec<&str> = log.lines().collect();
    let start = lines.iter().rposition(|line| is_error(line))?;
    let error = lines.get(start..)?;
    let message = error
        .first()?
        .split_once(" - ")
        .map_or(*error.first()?, |(_, message)| message);
    let trace = || error.iter().skip(1).take_while(|line| !is_log_line(line));
    let innermost = trace()
        .filter(|line| line.starts_with("Caused by: "))
        .last()
        .or_else(|| trace().next());
    Some(shortened(
        innermost
            .map_or(message, |line| line.trim_start_matches("Caused by: "))
            .trim(),
    ))
}

/// The level stands after date and time.
fn is_error(line: &str) -> bool {
    is_log_line(line)
        && line
            .split_whitespace()
            .nth(2)
            .is_some_and(|level| ["ERROR", "FATAL"].contains(&level))
}

/// Flink's own pattern begins with the date.
fn is_log_line(line: &str) -> bool {
    let mut bytes = line.bytes();
    (0..4).all(|_| bytes.next().is_some_and(|byte| byte.is_ascii_digit())) && bytes.next() == Some(b'-')
}

fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(QUOTED).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    if !short.ends_with(['.', '…', '!']) {
        short.push('.');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_cause_of_the_last_error_is_quoted() {
        let log = "2026-11-21 10:00:00,000 INFO  Some - started\n\
                   2026-11-21 10:00:01,000 ERROR Other - an older error\n\
                   2026-11-21 10:00:02,000 ERROR org.apache.flink.Entrypoint [] - Could not start cluster entrypoint.\n\
                   org.apache.flink.EntrypointException: Failed to initialize\n\
                   \tat one\n\
                   Caused by: java.lang.RuntimeException: middle\n\
                   \tat two\n\
                   Caused by: java.io.FileNotFoundException: /no/such/savepoint\n\
                   \t... 3 more\n\
                   2026-11-21 10:00:03,000 INFO  Some - shutting down\n";
        assert_eq!(
            last_error(log).unwrap(),
            "java.io.FileNotFoundException: /no/such/savepoint."
        );
        assert_eq!(
            last_error("2026-11-21 10:00:01,000 ERROR Other - no trace\n").unwrap(),
            "no trace."
        );
        assert_eq!(
            last_error("2026-11-21 10:00:00,000 INFO  Some - an ERROR \n"),
            None
        );
    }
}
