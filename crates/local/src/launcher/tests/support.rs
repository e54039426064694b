//! A stage for stories with real Flink: a directory, a launcher, the ledger job with its input, and the certainty that
//! nothing is left running when the story ends, however it ends.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::time::{Duration, Instant};

use sluice_core::lifecycle::{Cluster, DeploymentPlan, Restore};
use sluice_core::{Fact, identity};
use sluice_flink::{Client, JobState, Options};

use crate::launcher::Launcher;
use crate::launcher::process::{MarkedProcess, marked};

pub(super) const UID: &str = "5f0c7a52-0000-4000-8000-000000000001";
pub(super) const NAMESPACE: &str = "default";
pub(super) const NAME: &str = "ledger-blue";

/// One cluster at a time: two of them on two cores would be measured against each other.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

pub(super) struct Stage {
    pub(super) launcher: Launcher,
    base: PathBuf,
    room: tempfile::TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Stage {
    pub(super) fn new() -> Self {
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let room = tempfile::tempdir().unwrap();
        let base = room.path().canonicalize().unwrap().join("state");
        let launcher = Launcher::new(&base).unwrap();
        launcher.prepare().unwrap();
        Self {
            launcher,
            base,
            room,
            _turn: turn,
        }
    }

    pub(super) fn base(&self) -> &Path {
        &self.base
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.room.path().canonicalize().unwrap().join(name)
    }

    /// Another runner on the same directory, as after a crash of the first.
    pub(super) fn start_the_runner_again(&mut self) {
        self.launcher = Launcher::new(&self.base).unwrap();
        self.launcher.prepare().unwrap();
    }

    pub(super) fn checkpoints(&self) -> String {
        format!("file://{}", self.path("checkpoints").display())
    }

    /// The ledger job with one TaskManager of two slots, in as little memory as is comfortable.
    pub(super) fn ledger(&self, flink_version: &str, deployment: u64) -> DeploymentPlan {
        let input = self.path("input");
        fs::create_dir_all(&input).unwrap();
        for split in 0..2 {
            fs::write(
                input.join(format!("split-{split}.log")),
                "0,account-1,5,1000\n1,account-2,7,2000\n",
            )
            .unwrap();
        }
        let mut plan = plan(flink_version, deployment);
        plan.jar_uri = Some(format!("local://{}", ledger_jar().display()));
        plan.args = ["--splits", "2", "--input"].map(str::to_owned).to_vec();
        plan.args.extend([
            input.display().to_string(),
            "--output".to_owned(),
            self.path("output").display().to_string(),
        ]);
        plan.configuration.extend(
            [
                ("execution.checkpointing.interval", "500 ms".to_owned()),
                ("execution.checkpointing.dir", self.checkpoints()),
                (
                    "execution.checkpointing.externalized-checkpoint-retention",
                    "RETAIN_ON_CANCELLATION".to_owned(),
                ),
            ]
            .map(|(key, value)| (key.to_owned(), value)),
        );
        plan
    }

    pub(super) fn launch(&self, plan: &DeploymentPlan) {
        self.launcher.launch(plan, NAMESPACE, NAME, UID).unwrap();
    }

    pub(super) fn cluster(&self) -> Cluster {
        match self.launcher.observe(UID) {
            Fact::Present(cluster) => cluster,
            other => panic!("expected a cluster, found {other:?}"),
        }
    }

    /// Looks until the cluster is known to be dead; why it is.
    pub(super) fn wait_for_the_end(&self, limit: Duration) -> String {
        let mut reason = None;
        wait_until("the cluster to be dead", limit, || {
            if let Fact::Present(Cluster {
                alive: false, exit, ..
            }) = self.launcher.observe(UID)
            {
                reason = exit;
                return true;
            }
            false
        });
        reason.expect("a dead cluster says why")
    }

    pub(super) fn processes(&self) -> Vec<MarkedProcess> {
        marked(&self.base).unwrap()
    }

    /// The one process of this name; right after its start the system does not show its command line yet.
    pub(super) fn process(&self, name: &str) -> MarkedProcess {
        let mut found = Vec::new();
        wait_until(name, Duration::from_secs(1), || {
            found = self.processes();
            found.retain(|found| found.process == name);
            !found.is_empty()
        });
        assert_eq!(found.len(), 1, "exactly one {name}: {found:?}");
        found.remove(0)
    }

    /// Waits until the job of this plan is RUNNING, as its JobManager says.
    pub(super) async fn wait_until_running(&self, plan: &DeploymentPlan) {
        // Ten seconds as a rule; a busy machine takes its time.
        let limit = Instant::now() + Duration::from_mins(2);
        let address = self.launcher.rest_address(UID).present().unwrap().clone();
        let client = Client::new(&address, Options::default()).unwrap();
        loop {
            let jobs = client.jobs().await;
            if let Ok(jobs) = &jobs
                && jobs
                    .iter()
                    .any(|job| job.state == JobState::Running && job.id.to_string() == plan.job_id)
                && client
                    .job(plan.job_id.parse().unwrap())
                    .await
                    .is_ok_and(|job| job.all_tasks_running())
            {
                return;
            }
            let cluster = self.cluster();
            assert!(cluster.alive, "the JobManager ended: {:?}", cluster.exit);
            assert!(
                Instant::now() < limit,
                "not RUNNING in time: {jobs:?}\n{}",
                self.logs()
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn logs(&self) -> String {
        let mut ends = Vec::new();
        for file in self.launcher.log_files(UID) {
            let text = fs::read_to_string(&file.path).unwrap_or_default();
            ends.push(format!("== {}", file.path.display()));
            ends.extend(
                text.lines()
                    .skip(text.lines().count().saturating_sub(15))
                    .map(str::to_owned),
            );
        }
        ends.join("\n")
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let limit = Instant::now() + Duration::from_secs(5);
        while let Ok(left) = marked(&self.base) {
            if left.is_empty() || Instant::now() > limit {
                break;
            }
            for found in left {
                let _gone_already = found.identity.kill();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// A plan without a job of its own.
pub(super) fn plan(flink_version: &str, deployment: u64) -> DeploymentPlan {
    DeploymentPlan {
        deployment,
        job_id: identity::job_id(UID, deployment),
        flink_version: Some(flink_version.to_owned()),
        configuration: small_memory(),
        jar_uri: None,
        entry_class: None,
        args: Vec::new(),
        parallelism: 2,
        restore: None,
        job_manager_replicas: 1,
        task_manager_replicas: 1,
        log_configuration: BTreeMap::new(),
    }
}

pub(super) fn restore(path: &str) -> Restore {
    Restore {
        path: path.to_owned(),
        allow_non_restored_state: false,
    }
}

pub(super) fn small_memory() -> BTreeMap<String, String> {
    [
        ("jobmanager.memory.process.size", "420m"),
        ("jobmanager.memory.jvm-overhead.min", "64m"),
        ("jobmanager.memory.jvm-metaspace.size", "112m"),
        ("jobmanager.memory.off-heap.size", "48m"),
        ("taskmanager.memory.process.size", "400m"),
        ("taskmanager.memory.framework.heap.size", "48m"),
        ("taskmanager.memory.framework.off-heap.size", "32m"),
        ("taskmanager.memory.managed.size", "0"),
        ("taskmanager.memory.network.min", "8m"),
        ("taskmanager.memory.network.max", "8m"),
        ("taskmanager.memory.segment-size", "8kb"),
        ("taskmanager.memory.jvm-metaspace.size", "96m"),
        ("taskmanager.memory.jvm-overhead.min", "64m"),
        ("taskmanager.numberOfTaskSlots", "2"),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .collect()
}

/// The ledger job's jar, built if it is not there.
pub(super) fn ledger_jar() -> PathBuf {
    static BUILT: Once = Once::new();
    let project = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples/ledger-job")
        .canonicalize()
        .unwrap();
    let jar = project.join("target/ledger-job.jar");
    BUILT.call_once(|| {
        if !jar.is_file() {
            let built = Command::new("mvn")
                .args(["-q", "-B", "package", "-DskipTests", "-f"])
                .arg(project.join("pom.xml"))
                .status()
                .expect("Maven is needed to build the ledger job");
            assert!(built.success(), "Maven could not build the ledger job");
        }
    });
    jar
}

pub(super) fn wait_until(what: &str, limit: Duration, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < limit, "waited {limit:?} in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Sends a signal by its name, as a person would.
pub(super) fn signal(name: &str, pid: i32) {
    let sent = Command::new("kill")
        .args([format!("-{name}"), pid.to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}
