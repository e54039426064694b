//! The Java side of the handover record, in a process of its own: `Player` in `gate/runtime`'s test classes, built by Maven.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// A loaded machine may need this long to start a JVM.
const PATIENCE: Duration = Duration::from_mins(1);

static CLASSPATH: LazyLock<String> = LazyLock::new(|| {
    let gate = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../gate");
    let output = Command::new("mvn")
        .args(["--batch-mode", "--quiet", "--file"])
        .arg(&gate)
        .args(["--projects", "runtime", "process-test-classes"])
        .output()
        .expect("this test needs Maven, `mvn`, to build the Java side of the record");
    assert!(
        output.status.success(),
        "Maven could not build gate/runtime:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let target = gate.join("runtime/target");
    let libraries = fs::read_to_string(target.join("test.classpath")).unwrap();
    let classes = ["classes", "test-classes"].map(|it| target.join(it).display().to_string());
    format!("{}:{libraries}", classes.join(":"))
});

fn java() -> PathBuf {
    match std::env::var_os("JAVA_HOME") {
        Some(home) => PathBuf::from(home).join("bin/java"),
        None => PathBuf::from("java"),
    }
}

/// Ends with its owner.
pub struct Player {
    pub child: Child,
    input: ChildStdin,
    /// What it says.
    pub lines: Receiver<String>,
}

impl Player {
    /// Starts one; its arguments are those of `Player.main`.
    pub fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(java())
            .args(["-Xmx64m", "-XX:TieredStopAtLevel=1", "-cp", &CLASSPATH])
            .arg("io.github.sluiceflink.gate.record.Player")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this test needs a Java, 17 or newer");
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (tell, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, input, lines }
    }

    /// Tells it to do something.
    pub fn say(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
        self.input.flush().unwrap();
    }

    /// The next thing that it says, which has to begin like this; what follows the beginning.
    pub fn expect(&self, beginning: &str) -> String {
        let line = self.next();
        line.strip_prefix(beginning)
            .unwrap_or_else(|| panic!("{beginning:?} was expected, and not {line:?}"))
            .trim_start()
            .to_owned()
    }

    /// As [`Player::expect`], of the first line that begins like this; others before it do not count.
    pub fn wait_for(&self, beginning: &str) -> String {
        loop {
            if let Some(rest) = self.next().strip_prefix(beginning) {
                return rest.trim_start().to_owned();
            }
        }
    }

    /// The next thing that it says.
    pub fn next(&self) -> String {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(problem) => panic!("nothing more was said: {problem}"),
        }
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Version, microseconds since 1970 and data of what follows `READ`.
pub fn read(line: &str) -> (u64, u64, serde_json::Value) {
    let mut words = line.splitn(3, ' ');
    let mut word = || words.next().unwrap();
    (
        word().parse().unwrap(),
        word().parse().unwrap(),
        serde_json::from_str(word()).unwrap(),
    )
}

/// Microseconds since 1970.
pub fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    u64::try_from(since.unwrap().as_micros()).unwrap()
}
