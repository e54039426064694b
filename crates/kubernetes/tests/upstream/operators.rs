//! The two operators as processes.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::jars::Upstream;
use crate::job_managers::Place;

/// Ends with the test, however it ends.
pub struct Operator {
    child: Child,
    log: PathBuf,
}

impl Operator {
    fn start(command: &mut Command, log: PathBuf) -> Self {
        let file = File::create(&log).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::from(file.try_clone().unwrap()))
            .stderr(Stdio::from(file))
            .spawn()
            .unwrap();
        Self { child, log }
    }

    /// Upstream's. It has no other hosts than those of the children's REST services, each with an address of its own.
    pub fn upstream(
        jars: &Upstream,
        kubeconfig: &Path,
        directory: &Path,
        namespaces: &[String],
        places: &[Place],
    ) -> Self {
        let mut names = String::new();
        for place in places {
            let (address, child, namespace) = (place.address, &place.child, &place.namespace);
            writeln!(names, "{address} {child}-rest.{namespace}").unwrap();
        }
        let hosts = directory.join("hosts");
        fs::write(&hosts, names).unwrap();
        let configuration = directory.join("upstream");
        fs::create_dir(&configuration).unwrap();
        let text = format!(
            "kubernetes.operator.watched.namespaces: {}\n{SHORT}",
            namespaces.join(",")
        );
        fs::write(configuration.join("flink-conf.yaml"), text).unwrap();
        let logging = configuration.join("log4j2.properties");
        fs::write(&logging, LOGGING).unwrap();
        let mut command = Command::new("java");
        command
            .arg(format!("-Djdk.net.hosts.file={}", hosts.display()))
            .arg(format!("-Dlog4j.configurationFile={}", logging.display()))
            .args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp"])
            .arg(jars.class_path())
            .arg("org.apache.flink.kubernetes.operator.FlinkOperator")
            .env("KUBECONFIG", kubeconfig)
            .env("FLINK_CONF_DIR", &configuration)
            .env("OPERATOR_NAMESPACE", "default")
            // Without it the operator takes itself for one on a developer's machine, and asks every JobManager at localhost.
            .env("KUBERNETES_SERVICE_HOST", "127.0.0.1")
            .env_remove("JAVA_TOOL_OPTIONS")
            .current_dir(directory);
        Self::start(&mut command, directory.join("upstream.log"))
    }

    /// Sluice's, which leaves the FlinkDeployments to the other one.
    pub fn sluice(kubeconfig: &Path, directory: &Path, namespaces: &[String]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sluice-operator"));
        command
            .arg("--kubeconfig")
            .arg(kubeconfig)
            .args(["--flink-deployments", "external"])
            .arg("--watch-namespaces")
            .arg(namespaces.join(","))
            .args(["--rest-address", "http://127.0.0.1:{port}/{namespace}/{name}"])
            .args(["--leader-election=false", "--listen", "127.0.0.1:0"]);
        Self::start(&mut command, directory.join("sluice.log"))
    }

    /// Whether it has not ended by itself.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits until upstream's operator watches FlinkDeployments.
    pub async fn until_it_watches(&mut self) {
        let begun = Instant::now();
        while !self
            .log(20)
            .contains("'flinkdeploymentcontroller' controller started")
        {
            assert!(
                self.runs() && begun.elapsed() < Duration::from_secs(150),
                "upstream's operator does not start:\n{}",
                self.log(100)
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        println!("upstream's operator is ready after {:.1?}", begun.elapsed());
    }

    /// The end of its log.
    pub fn log(&self, lines: usize) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let all: Vec<&str> = text.lines().collect();
        let end = all.get(all.len().saturating_sub(lines)..).unwrap_or_default();
        end.join("\n")
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Upstream looks again after minutes where nothing tells it of a change, and at one object five times in 15 s at most; the
/// test does not wait so long.
const SHORT: &str = "\
kubernetes.operator.reconcile.interval: 1 s
kubernetes.operator.rate-limiter.limit: 1000
kubernetes.operator.observer.progress-check.interval: 200 ms
kubernetes.operator.observer.rest-ready.delay: 200 ms
kubernetes.operator.flink.client.timeout: 5 s
kubernetes.operator.leader-election.enabled: false
kubernetes.operator.health.probe.enabled: false
";

const LOGGING: &str = "\
rootLogger.level = INFO
rootLogger.appenderRef.console.ref = Console
logger.memory.name = org.apache.flink.runtime.util.config.memory
logger.memory.level = WARN
logger.configuration.name = org.apache.flink.configuration
logger.configuration.level = WARN
appender.console.name = Console
appender.console.type = CONSOLE
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss.SSS} %c{1} %-5p %X{resource.namespace}/%X{resource.name} %m%n
";
