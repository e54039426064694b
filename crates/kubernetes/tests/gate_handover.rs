//! A handover between two real Flink jobs, record by record, with the record in a ConfigMap of a real API server.
//! Needs Maven, and the agent's jar: `mvn -q -f gate/pom.xml -pl agent -am -DskipTests package`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what cannot be set up ends the test"
)]

use std::fs;
use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use sluice_cluster::{ControlPlane, Grantee};
use tokio::process::Command;

/// The ConfigMap of the record.
const NAME: &str = "orders-configmap";
/// Who acts for the jobs, who for the operator, and what each may do with the record.
const JOBS: (&str, &[&str]) = ("jobs", &["list", "watch", "patch"]);
const OPERATOR: (&str, &[&str]) = ("operator", &["create", "list", "watch", "patch"]);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_record_in_a_config_map_a_task_manager_dies_and_nothing_is_lost_or_doubled() {
    let plane = ControlPlane::shared().await.unwrap();
    let namespace = plane.namespace("gate").await.unwrap();
    let client = plane.client().await.unwrap();
    let home = tempfile::tempdir().unwrap();
    for (account, verbs) in [JOBS, OPERATOR] {
        plane
            .grant_config_maps(&namespace, Grantee::Account(account), &[], verbs)
            .await
            .unwrap();
        let directory = home.path().join(account);
        fs::create_dir(&directory).unwrap();
        fs::copy(plane.certificate_authority(), directory.join("ca.crt")).unwrap();
        let token = plane.service_account_token(&namespace, account).await.unwrap();
        fs::write(directory.join("token"), token).unwrap();
    }
    let audit = plane.audit().await.unwrap();
    let flink = Flink::build().await;

    let output = flink
        .java()
        .arg(format!(
            "-Dbluegreen.kubernetes.address={}",
            plane.address().unwrap()
        ))
        .arg(format!(
            "-Dbluegreen.kubernetes.service-account-directory={}",
            home.path().join(OPERATOR.0).display()
        ))
        .arg("io.github.sluiceflink.gate.twojobs.ConfigMapHandover")
        .args([&namespace, NAME])
        .arg(home.path().join(JOBS.0))
        .output()
        .await
        .unwrap();

    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(
        output.status.success() && said.contains("lost=0 doubled=0 "),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let record: Api<ConfigMap> = Api::namespaced(client, &namespace);
    let data = record.get(NAME).await.unwrap().data.unwrap();
    assert_eq!(
        (
            data["epoch"].as_str(),
            data["phase"].as_str(),
            data["active"].as_str()
        ),
        ("2", "STABLE", "GREEN")
    );
    let user = format!("system:serviceaccount:{namespace}:{}", JOBS.0);
    let requests = audit.requests().await.unwrap().by_user(&user);
    println!("{}", requests.counts());
    assert!(
        requests.count("patch", "configmaps") > 0,
        "the jobs have reported"
    );
}

/// The two-job test of the gate with the newest Flink.
struct Flink {
    module: PathBuf,
    agent: PathBuf,
}

impl Flink {
    async fn build() -> Self {
        let gate = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../gate");
        let agent = gate.join("agent/target/bluegreen-agent.jar");
        let agent = agent.canonicalize().unwrap_or_else(|error| {
            panic!(
                "{} is needed ({error}): build it with `mvn -q -f gate/pom.xml -pl agent -am -DskipTests package`",
                agent.display()
            )
        });
        let output = Command::new("mvn")
            .args(["--batch-mode", "--quiet", "--file"])
            .arg(&gate)
            .args(["--projects", "tests/handover/flink-2", "--also-make"])
            .arg("process-test-classes")
            .output()
            .await
            .unwrap_or_else(|error| panic!("this test needs Maven, `mvn`: {error}"));
        assert!(
            output.status.success(),
            "Maven could not build gate/tests/handover:\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        let module = gate.join("tests/handover/flink-2").canonicalize().unwrap();
        Self { module, agent }
    }

    /// The JVM of the one that drives the handover.
    fn java(&self) -> Command {
        let java = std::env::var_os("JAVA_HOME").map_or_else(
            || PathBuf::from("java"),
            |home| PathBuf::from(home).join("bin/java"),
        );
        let target = self.module.join("target");
        let libraries = fs::read_to_string(target.join("test.classpath")).unwrap();
        let opens: Vec<String> = sluice_shell::java::add_opens().collect();
        let mut command = Command::new(java);
        command
            .args(["-Xmx192m", "-XX:TieredStopAtLevel=1"])
            .arg(format!("-Dgate.agent.jar={}", self.agent.display()))
            .arg(format!("-Dgate.jvm.opens={}", opens.join(" ")))
            .arg(format!("-Dgate.runs={}", target.join("runs").display()))
            .arg("-cp")
            .arg(format!(
                "{}:{}",
                target.join("test-classes").display(),
                libraries.trim()
            ))
            .kill_on_drop(true);
        command
    }
}
