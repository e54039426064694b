//! The ledger job on real Flink: what it reads, what it has committed, and an upgrade of it.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use sluice_core::{Color, bluegreen};
use sluice_local::client::{Client, Component};
use sluice_local::distribution::{Cache, Source, Wanted};
use sluice_local::store::Kind;
use tempfile::TempDir;

use super::{FlinkEnds, Runner, eventually, flink_processes};

const PARENT: Kind = Kind::FlinkBlueGreenDeployment;
const SPLITS: u64 = 4;
/// How long Flink may take to come up.
pub(crate) const BOOT: Duration = Duration::from_mins(3);

/// Where everything of one story lies.
pub(crate) struct World {
    // First, for it is dropped first: the directory must still be there.
    _ends: FlinkEnds,
    directory: TempDir,
    jar: PathBuf,
    /// The agent that the runner delivers.
    agent: Option<PathBuf>,
    /// Whether the job is handed over at a cut in event time.
    gates: bool,
    pub(crate) feed: Feed,
}

/// Appends bookings to every split, twenty a second, until it is told to stop.
pub(crate) struct Feed {
    stop: Arc<AtomicBool>,
    written: Arc<AtomicU64>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl World {
    pub(crate) fn new() -> Self {
        let jar =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/ledger-job/target/ledger-job.jar");
        let jar = jar.canonicalize().unwrap_or_else(|error| {
            panic!(
                "{} is needed ({error}): build it with `mvn -q -f examples/ledger-job/pom.xml package`",
                jar.display()
            )
        });
        let wanted: Wanted = "v1_20".parse().unwrap();
        let cache = Cache::for_user();
        if cache.resolve(wanted).is_err() {
            let version = wanted.to_install().unwrap();
            cache
                .install(
                    version,
                    &Source::from_environment(),
                    &mut *sluice_local::distribution::progress_for_terminal(),
                )
                .unwrap();
        }
        let directory = TempDir::new().unwrap();
        let feed = Feed::start(&directory.path().join("in"));
        let ends = FlinkEnds(directory.path().to_owned());
        Self {
            directory,
            jar,
            agent: None,
            gates: false,
            feed,
            _ends: ends,
        }
    }

    pub(crate) fn with_agent() -> Self {
        let jar = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../gate/agent/target/bluegreen-agent.jar");
        let jar = jar.canonicalize().unwrap_or_else(|error| {
            panic!(
                "{} is needed ({error}): build it with `mvn -q -f gate/pom.xml -pl agent -am -DskipTests package`",
                jar.display()
            )
        });
        Self {
            agent: Some(jar),
            ..Self::new()
        }
    }

    pub(crate) fn with_gates() -> Self {
        Self {
            gates: true,
            ..Self::with_agent()
        }
    }

    /// A runner, which ends at this point.
    pub(crate) fn runner(&self, fail_at: Option<&str>) -> Runner {
        Runner::start_with(&self.state(), self.agent.as_deref(), fail_at)
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.directory.path().join("sluice")
    }

    pub(crate) fn resource(&self, mode: &str, label: &str) -> Value {
        let path = |name: &str| self.directory.path().join(name).display().to_string();
        let mut resource = json!({
            "apiVersion": sluice_api::API_VERSION,
            "kind": "FlinkBlueGreenDeployment",
            "metadata": { "name": "ledger" },
            "spec": {
                "transitionMode": mode,
                "configuration": {
                    "kubernetes.operator.bluegreen.abort.grace-period": "3 min",
                    "kubernetes.operator.bluegreen.deployment-deletion.delay": "0 ms",
                },
                "template": { "spec": {
                    "flinkVersion": "v1_20",
                    "flinkConfiguration": {
                        "taskmanager.numberOfTaskSlots": "2",
                        "execution.checkpointing.interval": "1 s",
                        "state.checkpoints.dir": format!("file://{}", path("checkpoints")),
                        "state.savepoints.dir": format!("file://{}", path("savepoints")),
                    },
                    "jobManager": { "resource": { "memory": "768m", "cpu": 0.5 } },
                    "taskManager": { "resource": { "memory": "1024m", "cpu": 0.5 } },
                    "job": {
                        "jarURI": format!("file://{}", self.jar.display()),
                        "parallelism": 2,
                        "upgradeMode": "savepoint",
                        "args": ["--input", path("in"), "--output", path("out"), "--label", label],
                    },
                } },
            },
        });
        if self.gates {
            resource["spec"]["template"]["spec"]["flinkConfiguration"]["bluegreen.gate.strategy"] =
                json!("WATERMARK");
        }
        resource
    }

    /// The directories of attempts at savepoints, and the finished savepoints in them.
    pub(crate) fn savepoints(&self) -> Vec<PathBuf> {
        find(&self.directory.path().join("savepoints"), &|path| {
            path.file_name().is_some_and(|name| name == "_metadata")
        })
    }

    /// Every committed line of the ledger, by split and sequence number: how often it was written, and by whom.
    pub(crate) fn ledger(&self) -> BTreeMap<(u64, u64), Vec<String>> {
        let mut lines = BTreeMap::<_, Vec<String>>::new();
        for line in self.committed("out") {
            let fields: Vec<&str> = line.split(',').collect();
            let key = (fields[0].parse().unwrap(), fields[1].parse().unwrap());
            lines.entry(key).or_default().push(fields[7].to_owned());
        }
        lines
    }

    /// Every committed count of an account's bookings in a second, by account and second: what was counted, and by whom.
    pub(crate) fn windows(&self) -> BTreeMap<(String, u64), Vec<(u64, String)>> {
        let mut windows = BTreeMap::<_, Vec<_>>::new();
        for line in self.committed("out-windows") {
            let fields: Vec<&str> = line.split(',').collect();
            let key = (fields[0].to_owned(), fields[1].parse().unwrap());
            let counted = (fields[2].parse().unwrap(), fields[3].to_owned());
            windows.entry(key).or_default().push(counted);
        }
        windows
    }

    fn committed(&self, output: &str) -> Vec<String> {
        let files = find(&self.directory.path().join(output), &|path| {
            path.file_name()
                .is_some_and(|name| !name.to_string_lossy().starts_with('.'))
        });
        let lines = |file| std::fs::read_to_string(file).unwrap_or_default();
        files
            .into_iter()
            .flat_map(|file| lines(file).lines().map(str::to_owned).collect::<Vec<_>>())
            .collect()
    }
}

impl Feed {
    fn start(directory: &Path) -> Self {
        std::fs::create_dir_all(directory).unwrap();
        let (stop, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut files: Vec<_> = (0..SPLITS)
            .map(|split| {
                let path = directory.join(format!("split-{split}.log"));
                OpenOptions::new().create(true).append(true).open(path).unwrap()
            })
            .collect();
        let thread = {
            let (stop, written) = (Arc::clone(&stop), Arc::clone(&written));
            std::thread::spawn(move || {
                while !stop.load(Ordering::SeqCst) {
                    let number = written.load(Ordering::SeqCst);
                    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
                    for file in &mut files {
                        writeln!(file, "{number},account-{},{},{now}", number % 10, number % 7).unwrap();
                    }
                    written.store(number + 1, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(50));
                }
            })
        };
        Self {
            stop,
            written,
            thread: Some(thread),
        }
    }

    /// Ends the feed; how many bookings each split has.
    pub(crate) fn end(&mut self) -> u64 {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
        self.written.load(Ordering::SeqCst)
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.end();
    }
}

fn find(directory: &Path, wanted: &dyn Fn(&Path) -> bool) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.path()) {
        if path.is_dir() {
            found.extend(find(&path, wanted));
        } else if wanted(&path) {
            found.push(path);
        }
    }
    found
}

pub(crate) async fn status(client: &Client, pointer: &str) -> Option<Value> {
    let resource = client.get(PARENT, "default", "ledger").await.ok()?;
    resource.pointer(&format!("/status/{pointer}")).cloned()
}

pub(crate) async fn active(client: &Client, state: &str) {
    eventually(state, BOOT, async || {
        (status(client, "blueGreenState").await? == state && status(client, "transition").await.is_none())
            .then_some(())
    })
    .await;
}

async fn child_uid(client: &Client, name: &str) -> Option<String> {
    let child = client.get(Kind::FlinkDeployment, "default", name).await.ok()?;
    Some(child.pointer("/metadata/uid")?.as_str()?.to_owned())
}

/// Deploys v1, then upgrades to v2 with the runner killed at each of the points in turn.
pub(crate) async fn upgrade(world: &World, mode: &str, points: &[&str]) -> (Runner, Client) {
    let state = world.state();
    let mut runner = world.runner(None);
    let client = runner.client().await;
    client.apply(vec![world.resource(mode, "v1")]).await.unwrap();
    active(&client, "ACTIVE_BLUE").await;
    eventually("output of v1", BOOT, async || {
        (world.ledger().len() > 40).then_some(())
    })
    .await;
    let processes = flink_processes(&state);
    assert_eq!(processes.len(), 2, "a JobManager and a TaskManager");

    // SIGKILL, and the next runner finds the same processes.
    runner.kill();
    assert_eq!(flink_processes(&state), processes);
    let mut runner = world.runner(points.first().copied());
    let client = runner.client().await;
    active(&client, "ACTIVE_BLUE").await;
    assert_eq!(flink_processes(&state), processes);

    client.apply(vec![world.resource(mode, "v2")]).await.unwrap();
    for (number, point) in points.iter().enumerate() {
        let ended = runner.ended_within(BOOT).await;
        assert!(
            ended.is_some(),
            "the runner never came to {point}:\n{}",
            runner.log()
        );
        runner = world.runner(points.get(number + 1).copied());
    }
    let client = runner.client().await;
    active(&client, "ACTIVE_GREEN").await;
    eventually("the end of blue", BOOT, async || {
        child_uid(&client, "ledger-blue").await.is_none().then_some(())
    })
    .await;
    eventually("the end of blue's processes", BOOT, async || {
        (flink_processes(&state).len() == 2).then_some(())
    })
    .await;

    let history = status(&client, "history").await.unwrap();
    assert_eq!(history[0]["outcome"], "COMPLETED", "{history}");
    assert_eq!(history.as_array().unwrap().len(), 2, "{history}");
    let savepoints = world.savepoints();
    assert_eq!(
        savepoints.len(),
        // One to begin from, and one that the outgoing job was stopped with.
        1 + usize::from(world.gates),
        "one savepoint, however often the runner died: {savepoints:?}"
    );
    let savepoint = history[0]["restoredFrom"]
        .as_str()
        .unwrap()
        .trim_start_matches("file:");
    let begins = |path: &PathBuf| path.starts_with(savepoint.replace("//", "/"));
    assert!(savepoints.iter().any(begins), "{savepoint} is not {savepoints:?}");

    // What is read at the end is what the last runner, alive, has brought about.
    let mut info = client.info().await.unwrap();
    println!("{mode}: {:?}", info.figures);
    assert!(
        info.figures.keys().all(|figure| !figure.ends_with("violations")),
        "{:?}",
        info.figures
    );
    assert!(!runner.log().contains("breaks a law"), "{}", runner.log());
    let endpoint = info.endpoints.remove(0);
    let overview: Value = reqwest::get(format!("{}/jobs/overview", endpoint.address))
        .await
        .unwrap()
        .text()
        .await
        .map(|text| serde_json::from_str(&text).unwrap())
        .unwrap();
    assert_eq!(overview["jobs"][0]["state"], "RUNNING", "{overview}");
    logs_of_green(&client, &state).await;

    // What `plan` is given says the same as the runner found: nothing is to be done.
    let observed = client.observed("default", "ledger").await.unwrap();
    let decision = bluegreen::decide(&observed, jiff::Timestamp::now());
    assert!(
        decision.effects.is_empty() && decision.status.is_none(),
        "{decision:?}"
    );
    assert!(
        observed.green.checkpoint.present().is_some(),
        "{:?}",
        observed.green.checkpoint
    );
    if let Ok(kept) = std::env::var("SLUICE_TEST_KEEP_LOG") {
        std::fs::write(format!("{kept}-{mode}.log"), runner.log()).unwrap();
    }
    (runner, client)
}

/// They can be asked for, and lie where docs/local.md says, for whoever looks with other tools.
async fn logs_of_green(client: &Client, state: &Path) {
    let logs = client
        .logs("default", "ledger", None, Some(Component::JobManager))
        .await
        .unwrap();
    assert!(
        logs.iter()
            .any(|log| log.color == Some(Color::Green) && log.path.exists()),
        "{logs:?}"
    );
    let green = child_uid(client, "ledger-green").await.unwrap();
    let folder = state
        .canonicalize()
        .unwrap()
        .join(format!("clusters/default_ledger-green_{green}/1/log"));
    assert!(
        logs.iter().any(|log| log.path.parent() == Some(&folder)),
        "{logs:?} are not in {}",
        folder.display()
    );
}

/// Ends the feed, and waits until every booking is in the ledger, once.
pub(crate) async fn all_of_it_once(world: &mut World) {
    let written = world.feed.end();
    let expected = written * SPLITS;
    eventually("the whole ledger", BOOT, async || {
        (u64::try_from(world.ledger().len()).unwrap() >= expected).then_some(())
    })
    .await;
    let doubled: Vec<_> = world
        .ledger()
        .into_iter()
        .filter(|(_, labels)| labels.len() > 1)
        .collect();
    assert!(
        doubled.is_empty(),
        "{} came twice, such as {:?}",
        doubled.len(),
        doubled.first()
    );
}
