//! Stories of a launcher with real Flink processes. They need Flink 1.20 and 2.3 (`sluice flink install 1.20.5`,
//! `sluice flink install 2.3.0`), a Java and, once, Maven.

mod memory;
mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sluice_core::Fact;

use sluice_shell::last_checkpoint;

use super::{LaunchError, Launcher, RunningCluster};
use support::{NAME, NAMESPACE, Stage, UID, plan, restore, signal, wait_until};

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_job_on_flink_1_20_survives_its_accidents() {
    let mut stage = Stage::new();
    assert_eq!(stage.launcher.observe(UID), Fact::Absent);
    let first = stage.ledger("v1_20", 1);
    let begun = Instant::now();
    stage.launch(&first);
    println!("launch: {:?}", begun.elapsed());
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "a launch waits for nothing: {:?}",
        begun.elapsed()
    );
    assert!(stage.cluster().alive);
    stage.wait_until_running(&first).await;
    println!("1.20 RUNNING after {:?}", begun.elapsed());

    // A look is cheap, also for a job that runs for months.
    let looks = Instant::now();
    for _ in 0..100 {
        assert!(stage.cluster().alive);
    }
    println!("100 looks: {:?}", looks.elapsed());
    assert!(looks.elapsed() < Duration::from_secs(1), "{:?}", looks.elapsed());

    // Launching it again starts nothing.
    stage.launch(&first);
    assert_eq!(stage.processes().len(), 2);

    // A TaskManager dies, and is started again.
    let lost = stage.process("taskmanager-1");
    wait_until("the pause after its first start", SOON, || {
        begun.elapsed() > Duration::from_secs(6)
    });
    signal("KILL", lost.identity.pid);
    wait_until("the loss to be seen", SOON, || {
        stage.launcher.task_managers(UID).unwrap().alive == 0
    });
    assert_eq!(stage.launcher.ensure_task_managers(UID).unwrap(), 1);
    assert_ne!(stage.process("taskmanager-1").identity, lost.identity);
    assert_eq!(stage.launcher.ensure_task_managers(UID).unwrap(), 0);

    // The runner was killed before it had written down what it had started.
    let job_manager = stage.process("jobmanager");
    for process in ["jobmanager", "taskmanager-1"] {
        let folder = stage.base().join(format!("clusters/{NAMESPACE}_{NAME}_{UID}/1"));
        fs::remove_file(folder.join(format!("{process}.pid"))).unwrap();
    }
    stage.start_the_runner_again();
    assert!(stage.cluster().alive);
    stage.launch(&first);
    assert_eq!(stage.launcher.ensure_task_managers(UID).unwrap(), 0);
    assert_eq!(stage.process("jobmanager"), job_manager);
    assert_eq!(stage.launcher.task_managers(UID).unwrap().alive, 1);

    // The next deployment does not start beside this one.
    let second = stage.ledger("v1_20", 2);
    let id = |number: u64| {
        last_checkpoint(&stage.checkpoints(), &first.job_id)
            .present()
            .is_some_and(|it| it.id > number)
    };
    wait_until("a checkpoint", SOON, || id(0));

    // Somebody kills the JobManager: nothing of the cluster goes on, and what it has left is known.
    signal("KILL", job_manager.identity.pid);
    let reason = stage.wait_for_the_end(SOON);
    assert!(reason.contains("has left no error"), "{reason}");
    assert_eq!(stage.processes(), Vec::new());
    let checkpoint = last_checkpoint(&stage.checkpoints(), &first.job_id)
        .present()
        .unwrap()
        .clone();

    let second = sluice_core::lifecycle::DeploymentPlan {
        restore: Some(restore(&checkpoint.path)),
        ..second
    };
    stage.launch(&second);
    assert_eq!(stage.cluster().deployment, 2);
    assert_eq!(stage.cluster().restored_from, Some(checkpoint.path));
    assert_eq!(stage.launcher.last_launched(UID).unwrap(), 2);
    stage.wait_until_running(&second).await;

    stage.launcher.stop(UID, 2).unwrap();
    assert_eq!(stage.wait_for_the_end(SOON), "It was stopped.");
    assert_eq!(stage.processes(), Vec::new());
    // A late order to launch what was stopped, or what came before it, changes nothing.
    stage.launch(&second);
    stage.launch(&first);
    assert_eq!(stage.processes(), Vec::new());
}

#[tokio::test]
async fn a_job_on_flink_2_3_outlives_its_runner_and_a_stuck_process_is_ended() {
    let stage = Stage::new();
    let job = stage.ledger("v2_3", 1);
    let mut runner = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "launcher::tests::a_runner_that_is_about_to_be_killed",
            "--ignored",
            "--nocapture",
        ])
        .env("LAUNCH_IN", stage.path(""))
        .env("LAUNCH_STATE", stage.base())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let said = BufReader::new(runner.stdout.take().unwrap());
    assert!(
        said.lines()
            .map_while(Result::ok)
            .any(|line| line.contains("launched"))
    );
    signal("KILL", runner.id().cast_signed());
    runner.wait().unwrap();

    assert!(stage.cluster().alive);
    stage.wait_until_running(&job).await;
    println!("2.3 RUNNING after {:?}", begun.elapsed());
    let found = RunningCluster {
        uid: UID.to_owned(),
        namespace: NAMESPACE.to_owned(),
        name: NAME.to_owned(),
        deployment: 1,
    };
    assert_eq!(stage.launcher.all().unwrap(), [found]);
    assert!(matches!(
        stage.launcher.forget(UID),
        Err(LaunchError::InUse { .. })
    ));
    let later = stage.ledger("v2_3", 2);

    // The next deployment is not started beside it, but instead of it; and a process that does not react is ended.
    signal("STOP", stage.process("taskmanager-1").identity.pid);
    let refused = stage.launcher.launch(&later, NAMESPACE, NAME, UID).unwrap_err();
    assert!(
        matches!(
            refused,
            LaunchError::StillRunning {
                running: 1,
                deployment: 2,
                ..
            }
        ),
        "{refused}"
    );
    wait_until("every process to be gone", SOON, || {
        stage.launcher.all().unwrap().is_empty()
    });
    assert_eq!(stage.wait_for_the_end(SOON), "It was stopped.");
    let logs = stage.launcher.log_files(UID);
    for process in ["jobmanager", "taskmanager-1"] {
        let log = logs
            .iter()
            .find(|file| file.process == process && file.path.extension().unwrap() == "log")
            .unwrap();
        assert!(fs::metadata(&log.path).unwrap().len() > 0);
    }
    stage.launcher.forget(UID).unwrap();
    assert_eq!(stage.launcher.observe(UID), Fact::Absent);
}

#[test]
#[ignore = "it is started, and killed, by the story of a job that outlives its runner"]
fn a_runner_that_is_about_to_be_killed() {
    let room = std::env::var("LAUNCH_IN").expect("started by the other story");
    let mut job = plan("v2_3", 1);
    job.jar_uri = Some(format!("file://{}", support::ledger_jar().display()));
    job.args = format!("--splits 2 --input {room}input --output {room}output")
        .split(' ')
        .map(str::to_owned)
        .collect();
    let launcher = Launcher::new(std::env::var("LAUNCH_STATE").unwrap()).unwrap();
    launcher.launch(&job, NAMESPACE, NAME, UID).unwrap();
    println!("launched");
    std::thread::sleep(Duration::from_mins(1));
}

#[test]
fn a_port_that_was_taken_in_between_is_named() {
    let stage = Stage::new();
    let mut job = stage.ledger("v1_20", 1);
    job.task_manager_replicas = 0;
    stage.launch(&job);
    let address = stage
        .launcher
        .rest_address(UID)
        .present()
        .unwrap()
        .replace("http://", "");
    let _taken = TcpListener::bind(&address).unwrap();
    let reason = stage.wait_for_the_end(Duration::from_secs(40));
    assert!(
        reason.contains("another program had taken one of its ports"),
        "{reason}"
    );

    // The next attempt takes others.
    job.deployment = 2;
    stage.launch(&job);
    assert_ne!(
        stage
            .launcher
            .rest_address(UID)
            .present()
            .unwrap()
            .replace("http://", ""),
        address
    );
}

#[test]
fn java_refuses_an_option_and_old_deployments_make_room() {
    let stage = Stage::new();
    for deployment in 1..=7 {
        let mut job = stage.ledger("v1_20", deployment);
        job.task_manager_replicas = 0;
        job.configuration.insert(
            "env.java.opts.jobmanager".to_owned(),
            "-XX:+NoSuchOption '-Da=b c'".to_owned(),
        );
        stage.launch(&job);
        let reason = stage.wait_for_the_end(SOON);
        assert!(reason.contains("exit status 1"), "{reason}");
        assert!(
            reason.contains("Unrecognized VM option 'NoSuchOption'"),
            "{reason}"
        );
    }
    let folder = stage.base().join(format!("clusters/{NAMESPACE}_{NAME}_{UID}"));
    let mut kept: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    kept.sort();
    assert_eq!(kept, ["3", "4", "5", "6", "7"]);
    assert!(folder.join("7/usrlib/ledger-job.jar").exists());
    assert!(!folder.join("6/usrlib").exists());
    assert!(folder.join("6/log/jobmanager.out").exists());
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_written() {
    let stage = Stage::new();
    let refusal = |change: &dyn Fn(&mut sluice_core::lifecycle::DeploymentPlan)| {
        let mut job = stage.ledger("v1_20", 1);
        change(&mut job);
        stage
            .launcher
            .launch(&job, NAMESPACE, NAME, UID)
            .unwrap_err()
            .to_string()
    };
    let no_jar = refusal(&|job| job.jar_uri = Some("local:///no/such/job.jar".to_owned()));
    assert!(
        no_jar.starts_with("spec.job.jarURI is local:///no/such/job.jar, and"),
        "{no_jar}"
    );
    assert!(refusal(&|job| job.jar_uri = Some("file:///tmp".to_owned())).contains("it is no file"));
    let no_flink = refusal(&|job| job.flink_version = Some("v1_99".to_owned()));
    assert!(no_flink.contains("Flink 1.99 is not installed"), "{no_flink}");
    assert!(refusal(&|job| job.flink_version = None).starts_with("spec.flinkVersion: "));
    let too_small = refusal(&|job| {
        job.configuration.clear();
        job.configuration
            .insert("jobmanager.memory.process.size".to_owned(), "420m".to_owned());
    });
    assert_eq!(
        too_small,
        "The memory of the jobManager does not fit: jobmanager.memory.process.size is 420m, and \
         jobmanager.memory.jvm-metaspace.size (256m) and the JVM overhead (192m) alone need more: raise the memory, or \
         lower jobmanager.memory.jvm-metaspace.size and jobmanager.memory.jvm-overhead.min."
    );
    let no_size = refusal(&|job| {
        job.configuration
            .insert("taskmanager.memory.process.size".to_owned(), "plenty".to_owned());
    });
    assert!(
        no_size.contains("taskmanager.memory.process.size is plenty"),
        "{no_size}"
    );
    assert!(!stage.base().join("clusters").exists());
    assert_eq!(stage.launcher.observe(UID), Fact::Absent);
}
