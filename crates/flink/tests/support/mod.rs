//! Real Flink processes for the tests: a standalone session of one JobManager and one TaskManager, on free ports, in
//! a directory of its own, gone when it is dropped.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sluice_flink::{Client, JobId, Options};
use tempfile::TempDir;

/// The distribution of one line of Flink ("1.20", "2"), from the variable or from the cache that
/// `sluice flink install` fills.
pub(crate) fn distribution(line: &str, variable: &str, version: &str) -> PathBuf {
    let found = match std::env::var_os(variable) {
        Some(home) => Some(PathBuf::from(home)),
        None => newest_in_cache(line),
    };
    found.filter(|home| dist_jar(home).is_some()).unwrap_or_else(|| {
        panic!(
            "no Flink {line} distribution: run `make test`, or `sluice flink install {version}`, or set {variable} to the \
             directory of one (with lib/flink-dist-*.jar in it)"
        )
    })
}

fn newest_in_cache(line: &str) -> Option<PathBuf> {
    let set = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let cache = set("SLUICE_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|cache| cache.join("sluice")))
        .or_else(|| set("HOME").map(|home| home.join(".cache/sluice")))?;
    let versions = fs::read_dir(cache.join("flink")).ok()?.filter_map(|entry| {
        let entry = entry.ok()?;
        let name = entry.file_name().into_string().ok()?;
        let version = name.strip_prefix("flink-")?;
        let numbers: Vec<u32> = version
            .split('.')
            .map(str::parse)
            .collect::<Result<_, _>>()
            .ok()?;
        version
            .starts_with(&format!("{line}."))
            .then(|| (numbers, entry.path()))
    });
    versions.max().map(|(_, path)| path)
}

fn dist_jar(home: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(home.join("lib")).ok()?;
    entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| {
            path.file_name()
                .and_then(|name| name.to_str())
                .is_some_and(|name| name.starts_with("flink-dist-"))
        })
}

/// A tool of the JDK: of `JAVA_HOME`, or of the search path.
fn java_tool(name: &str) -> Command {
    match std::env::var_os("JAVA_HOME") {
        Some(home) => Command::new(PathBuf::from(home).join("bin").join(name)),
        None => Command::new(name),
    }
}

fn run(mut command: Command) {
    let output = command.output().unwrap_or_else(|error| {
        panic!("{command:?} cannot be started ({error}): install a JDK, 17 or newer")
    });
    assert!(
        output.status.success(),
        "{command:?} failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A running session cluster.
pub(crate) struct Cluster {
    home: PathBuf,
    dir: TempDir,
    rest_port: u16,
    rpc_port: u16,
    job_manager: Process,
    task_manager: Process,
    /// The client under test.
    pub(crate) client: Client,
}

/// Ends with its owner.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Cluster {
    /// Starts the processes and waits until the TaskManager's four slots are there.
    pub(crate) async fn start(home: PathBuf) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (rest_port, rpc_port) = free_ports();
        // Flink takes the jars that it finds there for uploaded ones.
        let jars = dir.path().join("upload/flink-web-upload");
        for directory in [&jars, &dir.path().join("conf"), &dir.path().join("tmp")] {
            fs::create_dir_all(directory).unwrap();
        }
        let jar = dir.path().join("job.jar");
        compile_job(&home, dir.path(), &jar);
        fs::copy(&jar, jars.join("job.jar")).unwrap();
        fs::write(
            dir.path().join("conf/config.yaml"),
            configuration(dir.path(), rest_port, rpc_port),
        )
        .unwrap();
        let client = Client::new(&format!("http://127.0.0.1:{rest_port}"), Options::default()).unwrap();
        let job_manager = job_manager(&home, dir.path(), &[]);
        let task_manager = start(
            &home,
            dir.path(),
            "taskmanager",
            "org.apache.flink.runtime.taskexecutor.TaskManagerRunner",
            &[],
            &[],
        );
        let mut cluster = Self {
            home,
            dir,
            rest_port,
            rpc_port,
            job_manager,
            task_manager,
            client,
        };
        cluster.wait_for_slots().await;
        cluster
    }

    /// The version as in the distribution's file names.
    pub(crate) fn version(&self) -> String {
        let jar = dist_jar(&self.home).unwrap();
        let name = jar.file_stem().unwrap().to_str().unwrap().to_owned();
        name.trim_start_matches("flink-dist-").to_owned()
    }

    pub(crate) fn rest_port(&self) -> u16 {
        self.rest_port
    }

    /// A path in the cluster's own directory, and the same as Flink's URI.
    pub(crate) fn place(&self, name: &str) -> (PathBuf, String) {
        let path = self.dir.path().join(name);
        let uri = format!("file://{}", path.display());
        (path, uri)
    }

    /// Submits the paced job; see `tests/job/PacedJob.java`.
    pub(crate) async fn submit(
        &self,
        name: &str,
        fail_at: i64,
        snapshot_millis: u64,
        savepoint: Option<&str>,
    ) -> JobId {
        let body = serde_json::json!({
            "entryClass": "PacedJob",
            "programArgsList": [name, fail_at.to_string(), snapshot_millis.to_string()],
            "parallelism": 1,
            "savepointPath": savepoint,
        });
        let url = format!("http://127.0.0.1:{}/jars/job.jar/run", self.rest_port);
        let answer = reqwest::Client::new()
            .post(url)
            .body(body.to_string())
            .send()
            .await
            .unwrap();
        let text = answer.text().await.unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        json["jobid"]
            .as_str()
            .unwrap_or_else(|| panic!("{text}"))
            .parse()
            .unwrap()
    }

    /// Kills the JobManager as a crash would.
    pub(crate) fn kill_job_manager(&mut self) {
        self.job_manager.0.kill().unwrap();
        self.job_manager.0.wait().unwrap();
    }

    /// Starts a new JobManager in the old one's place, which knows nothing of it.
    pub(crate) async fn restart_job_manager(&mut self, settings: &[&str]) {
        self.job_manager = job_manager(&self.home, self.dir.path(), settings);
        self.wait_for_slots().await;
    }

    /// Starts a JobManager in the old one's place, in application mode: it runs the paced job's main method itself,
    /// without arguments, under this id, and stays when that has failed.
    pub(crate) fn start_application(&mut self, job: JobId) {
        let jar = self.dir.path().join("job.jar");
        self.job_manager = start(
            &self.home,
            self.dir.path(),
            "jobmanager",
            "org.apache.flink.container.entrypoint.StandaloneApplicationClusterEntryPoint",
            &[
                "execution.shutdown-on-application-finish=false",
                "execution.submit-failed-job-on-application-error=true",
            ],
            &[
                "--job-id",
                &job.to_string(),
                "--job-classname",
                "PacedJob",
                "--jars",
                &jar.display().to_string(),
            ],
        );
    }

    /// Whether the JobManager's process ends by itself within 20 s.
    pub(crate) async fn job_manager_ends(&mut self) -> bool {
        let until = Instant::now() + Duration::from_secs(20);
        while Instant::now() < until {
            if self.job_manager.0.try_wait().unwrap().is_some() {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        false
    }

    async fn wait_for_slots(&mut self) {
        let until = Instant::now() + Duration::from_secs(90);
        loop {
            let overview = self.client.overview().await;
            if overview
                .as_ref()
                .is_ok_and(|overview| overview.slots_available == 4)
            {
                return;
            }
            let ended =
                [&mut self.job_manager, &mut self.task_manager].map(|process| process.0.try_wait().unwrap());
            if Instant::now() > until || ended.iter().any(Option::is_some) {
                for process in ["jobmanager", "taskmanager"] {
                    let log = fs::read_to_string(self.dir.path().join(format!("{process}.out")))
                        .unwrap_or_default();
                    let end: Vec<&str> = log.lines().rev().take(40).collect();
                    eprintln!("--- end of {process}.out");
                    end.iter().rev().for_each(|line| eprintln!("{line}"));
                }
                panic!(
                    "no cluster with 4 slots on ports {} and {}: {overview:?}",
                    self.rest_port, self.rpc_port
                );
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

fn job_manager(home: &Path, dir: &Path, settings: &[&str]) -> Process {
    let main = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint";
    start(home, dir, "jobmanager", main, settings, &[])
}

/// Starts one of Flink's processes without its shell scripts, which start two more JVMs to compute memory sizes.
fn start(home: &Path, dir: &Path, name: &str, main: &str, settings: &[&str], arguments: &[&str]) -> Process {
    let out = fs::File::options()
        .create(true)
        .append(true)
        .open(dir.join(format!("{name}.out")))
        .unwrap();
    let conf = fs::read_to_string(home.join("conf/config.yaml")).unwrap();
    // The module openings that this version needs.
    let openings = conf
        .lines()
        .find_map(|line| line.trim().strip_prefix("all: "))
        .unwrap_or_default();
    let mut command = java_tool("java");
    command
        .args([
            "-Xmx192m",
            "-XX:MaxMetaspaceSize=160m",
            "-XX:MaxDirectMemorySize=128m",
        ])
        .args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
        .args(openings.split_whitespace())
        .arg(format!(
            "-Dlog4j.configurationFile=file:{}",
            home.join("conf/log4j-console.properties").display()
        ))
        .arg(format!(
            "-Dlog.file={}",
            dir.join(format!("{name}.log")).display()
        ))
        .arg("-cp")
        .arg(home.join("lib/*"))
        .arg(main)
        .arg("--configDir")
        .arg(dir.join("conf"))
        .args(settings.iter().map(|setting| format!("-D{setting}")))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(out.try_clone().unwrap())
        .stderr(out);
    Process(
        command
            .spawn()
            .unwrap_or_else(|error| panic!("java cannot be started ({error}): install a JDK, 17 or newer")),
    )
}

fn configuration(dir: &Path, rest_port: u16, rpc_port: u16) -> String {
    let dir = dir.display();
    format!(
        "rest.address: 127.0.0.1\n\
         rest.bind-address: 127.0.0.1\n\
         rest.port: {rest_port}\n\
         jobmanager.rpc.address: 127.0.0.1\n\
         jobmanager.bind-host: 127.0.0.1\n\
         jobmanager.rpc.port: {rpc_port}\n\
         taskmanager.host: 127.0.0.1\n\
         taskmanager.bind-host: 127.0.0.1\n\
         taskmanager.numberOfTaskSlots: 4\n\
         taskmanager.cpu.cores: 4\n\
         taskmanager.memory.framework.heap.size: 64m\n\
         taskmanager.memory.framework.off-heap.size: 32m\n\
         taskmanager.memory.task.heap.size: 128m\n\
         taskmanager.memory.task.off-heap.size: 0\n\
         taskmanager.memory.managed.size: 0\n\
         taskmanager.memory.network.min: 16m\n\
         taskmanager.memory.network.max: 16m\n\
         taskmanager.memory.segment-size: 8kb\n\
         taskmanager.memory.jvm-metaspace.size: 160m\n\
         taskmanager.memory.jvm-overhead.min: 64m\n\
         taskmanager.memory.jvm-overhead.max: 64m\n\
         cluster.registration.error-delay: 300\n\
         execution.checkpointing.interval: 1 h\n\
         execution.checkpointing.dir: file://{dir}/checkpoints\n\
         restart-strategy.type: none\n\
         metrics.fetcher.update-interval: 300\n\
         web.refresh-interval: 200\n\
         web.upload.dir: {dir}/upload\n\
         io.tmp.dirs: {dir}/tmp\n"
    )
}

/// Compiles the paced job against this very version.
fn compile_job(home: &Path, dir: &Path, jar: &Path) {
    let classes = dir.join("classes");
    fs::create_dir_all(&classes).unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/job/PacedJob.java");
    let mut compiler = java_tool("javac");
    compiler
        .args(["--release", "11", "-cp"])
        .arg(dist_jar(home).unwrap())
        .arg("-d")
        .arg(&classes)
        .arg(source);
    run(compiler);
    let mut packer = java_tool("jar");
    packer.arg("cf").arg(jar).arg("-C").arg(&classes).arg(".");
    run(packer);
}

/// Two ports that were free a moment ago, held together so that they differ.
fn free_ports() -> (u16, u16) {
    let (one, two) = (
        TcpListener::bind("127.0.0.1:0").unwrap(),
        TcpListener::bind("127.0.0.1:0").unwrap(),
    );
    (one.local_addr().unwrap().port(), two.local_addr().unwrap().port())
}
