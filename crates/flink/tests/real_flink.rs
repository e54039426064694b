//! Every call of the client against real Flink, 1.20 and 2.x: a JobManager and a TaskManager in processes of their own.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers of a test fail the test"
)]

mod support;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use sluice_flink::{
    Aggregation, CheckpointStatus, CheckpointType, Client, Error, JobId, JobState, OperationStatus,
    SavepointFormat, TaskState, TriggerId, VertexId,
};
use support::{Cluster, distribution};

#[tokio::test]
async fn flink_1_20() {
    every_call(Cluster::start(distribution("1.20", "FLINK_HOME_1_20", "1.20.5")).await).await;
}

#[tokio::test]
async fn flink_2() {
    every_call(Cluster::start(distribution("2", "FLINK_HOME_2", "2.3.0")).await).await;
}

/// The stories share a cluster: starting one is most of the time.
async fn every_call(mut cluster: Cluster) {
    the_cluster_describes_itself(&cluster).await;
    let fails = cluster.submit("fails", 20, 0, None).await;
    let slow = cluster.submit("slow", -1, 1500, None).await;
    a_running_job_is_described(&cluster, slow).await;
    a_failed_job_tells_the_users_exception(&cluster, fails).await;
    let savepoint = a_repeated_trigger_is_one_savepoint(&cluster, slow).await;
    a_stop_under_the_id_of_a_savepoint_stops_nothing(&cluster, slow, &savepoint).await;
    what_is_not_there_is_said_to_be_so(&cluster, slow).await;
    a_failed_savepoint_stays_failed_under_its_id(&cluster, slow).await;
    a_checkpoint_is_triggered_once(&cluster, slow).await;
    progress_can_be_measured(&cluster, slow).await;
    a_savepoint_is_disposed_of(&cluster, &savepoint).await;
    let location = a_repeated_stop_is_one_stop(&cluster, slow).await;
    let continued = a_job_says_what_it_was_restored_from(&cluster, &location).await;
    a_job_is_cancelled(&cluster, continued).await;
    after_a_restart_no_id_is_known(&mut cluster, continued).await;
    a_result_is_forgotten_after_a_while(&cluster).await;
    the_cluster_shuts_down(&mut cluster).await;
    a_job_whose_main_method_fails_is_described(&mut cluster).await;
}

fn trigger(number: u8) -> TriggerId {
    TriggerId::from_bytes([number; 16])
}

fn entries(directory: &Path) -> usize {
    fs::read_dir(directory).map_or(0, Iterator::count)
}

/// Asks until the answer is there; fails after 30 s with the last one.
async fn until<T: std::fmt::Debug, R>(ask: impl AsyncFn() -> T, accept: impl Fn(&T) -> Option<R>) -> R {
    let deadline = Instant::now() + Duration::from_secs(15);
    loop {
        let answer = ask().await;
        if let Some(result) = accept(&answer) {
            return result;
        }
        assert!(Instant::now() < deadline, "still {answer:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn finished<T: std::fmt::Debug + Clone>(
    ask: impl AsyncFn() -> Result<OperationStatus<T>, Error>,
) -> OperationStatus<T> {
    until(ask, |status| match status {
        Ok(OperationStatus::InProgress) => None,
        status => Some(status.clone().unwrap()),
    })
    .await
}

fn completed<T: std::fmt::Debug>(status: OperationStatus<T>) -> T {
    match status {
        OperationStatus::Completed(result) => result,
        other => panic!("not completed: {other:?}"),
    }
}

fn failure<T: std::fmt::Debug>(status: OperationStatus<T>) -> String {
    match status {
        OperationStatus::Failed { cause } => cause.summary(),
        other => panic!("not failed: {other:?}"),
    }
}

async fn reaches(client: &Client, job: JobId, state: JobState) {
    until(
        async || client.job(job).await.unwrap(),
        |details| (details.state == state).then_some(()),
    )
    .await;
}

async fn the_cluster_describes_itself(cluster: &Cluster) {
    let client = &cluster.client;
    let overview = client.overview().await.unwrap();
    assert_eq!(overview.flink_version, cluster.version());
    assert_eq!(
        (overview.taskmanagers, overview.slots_total, overview.jobs_running),
        (1, 4, 0)
    );
    assert_eq!(client.config().await.unwrap().flink_version, cluster.version());
    let config = client.job_manager_config().await.unwrap();
    assert_eq!(config["rest.port"], cluster.rest_port().to_string());
    assert_eq!(config["taskmanager.numberOfTaskSlots"], "4");
    let task_managers = client.task_managers().await.unwrap();
    assert_eq!(task_managers.len(), 1);
    assert_eq!(
        (task_managers[0].slots_number, task_managers[0].free_slots),
        (4, 4)
    );
    assert!(client.jobs().await.unwrap().is_empty());
}

async fn a_running_job_is_described(cluster: &Cluster, job: JobId) {
    let client = &cluster.client;
    let details = until(
        async || client.job(job).await.unwrap(),
        |details| details.all_tasks_running().then(|| details.clone()),
    )
    .await;
    assert_eq!(
        (details.id, details.name.as_str(), &details.state),
        (job, "slow", &JobState::Running)
    );
    assert_eq!(details.end_time, None);
    assert!(details.entered(&JobState::Running) >= Some(details.start_time));
    assert_eq!(details.entered(&JobState::Failed), None);
    assert_eq!(details.vertices.len(), 2);
    for vertex in &details.vertices {
        assert_eq!((vertex.parallelism, vertex.tasks_in(&TaskState::Running)), (1, 1));
        assert_eq!(vertex.status, TaskState::Running);
        assert!(vertex.start_time.is_some());
    }
    let jobs = client.jobs().await.unwrap();
    let listed = jobs.iter().find(|listed| listed.id == job).unwrap();
    assert_eq!(
        (listed.name.as_str(), &listed.state, listed.end_time),
        ("slow", &JobState::Running, None)
    );
    assert_eq!(client.job_exceptions(job).await.unwrap().root, None);
    let checkpoints = client.checkpoints(job).await.unwrap();
    assert_eq!(
        (&checkpoints.latest.savepoint, &checkpoints.latest.restored),
        (&None, &None)
    );
    let config = client.checkpoint_config(job).await.unwrap();
    assert_eq!(
        (config.mode.as_str(), config.interval),
        ("exactly_once", 3_600_000)
    );
    assert!(!config.unaligned_checkpoints);
}

async fn a_failed_job_tells_the_users_exception(cluster: &Cluster, job: JobId) {
    let client = &cluster.client;
    reaches(client, job, JobState::Failed).await;
    let details = client.job(job).await.unwrap();
    assert!(details.state.is_terminal() && details.end_time.is_some());
    let exceptions = client.job_exceptions(job).await.unwrap();
    let root = exceptions.root.unwrap();
    assert_eq!(
        root.trace.root_cause(),
        "java.lang.IllegalStateException: record 20 is one too many"
    );
    assert!(
        root.trace.first_line().contains("Recovery is suppressed"),
        "{}",
        root.trace.first_line()
    );
    assert!(root.trace.full().contains("\tat "));
    assert!(root.timestamp >= details.start_time && root.exception.is_some());
    assert_eq!(exceptions.history.first().unwrap().timestamp, root.timestamp);
    let of_the_task = exceptions
        .history
        .iter()
        .flat_map(|failure| &failure.concurrent)
        .chain(&exceptions.history);
    let tasks: Vec<&str> = of_the_task
        .filter_map(|failure| failure.task.as_deref())
        .collect();
    assert!(tasks.iter().any(|task| task.contains("step")), "{tasks:?}");
}

async fn a_repeated_trigger_is_one_savepoint(cluster: &Cluster, job: JobId) -> String {
    let client = &cluster.client;
    let (directory, uri) = cluster.place("savepoints");
    for _ in 0..3 {
        client
            .trigger_savepoint(job, trigger(1), &uri, &SavepointFormat::Canonical)
            .await
            .unwrap();
        let status = client.savepoint_status(job, trigger(1)).await.unwrap();
        assert_eq!(
            status,
            OperationStatus::InProgress,
            "the repetition must fall into the savepoint"
        );
    }
    let location = completed(finished(async || client.savepoint_status(job, trigger(1)).await).await);
    client
        .trigger_savepoint(job, trigger(1), &uri, &SavepointFormat::Canonical)
        .await
        .unwrap();
    let again = client.savepoint_status(job, trigger(1)).await.unwrap();
    assert_eq!(
        again,
        OperationStatus::Completed(location.clone()),
        "after completion, too"
    );
    // Longer than a second savepoint would take.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(entries(&directory), 1);
    let checkpoints = client.checkpoints(job).await.unwrap();
    assert_eq!(
        checkpoints
            .history
            .iter()
            .filter(|checkpoint| checkpoint.is_savepoint)
            .count(),
        1,
        "{checkpoints:?}"
    );
    assert!(checkpoints.counts.completed >= 1 && checkpoints.counts.total >= checkpoints.counts.completed);
    let savepoint = checkpoints.latest.savepoint.unwrap();
    assert_eq!(savepoint.external_path.as_deref(), Some(location.as_str()));
    assert_eq!(
        (savepoint.is_savepoint, &savepoint.status),
        (true, &CheckpointStatus::Completed)
    );
    assert_eq!(savepoint.savepoint_format, Some(SavepointFormat::Canonical));
    assert!(savepoint.latest_ack_timestamp.unwrap() >= savepoint.trigger_timestamp + 1500);
    assert!(savepoint.duration_millis.unwrap() >= 1500 && savepoint.state_size > 0);
    location
}

async fn a_stop_under_the_id_of_a_savepoint_stops_nothing(cluster: &Cluster, job: JobId, savepoint: &str) {
    let client = &cluster.client;
    let (_, uri) = cluster.place("savepoints");
    client
        .stop_with_savepoint(job, trigger(1), &uri, &SavepointFormat::Canonical, false)
        .await
        .unwrap();
    let status = client.savepoint_status(job, trigger(1)).await.unwrap();
    assert_eq!(status, OperationStatus::Completed(savepoint.to_owned()));
    assert_eq!(client.job(job).await.unwrap().state, JobState::Running);
}

async fn what_is_not_there_is_said_to_be_so(cluster: &Cluster, job: JobId) {
    let client = &cluster.client;
    let nobody = JobId::from_bytes([0xee; 16]);
    assert_eq!(
        client.savepoint_status(job, trigger(0xaa)).await.unwrap(),
        OperationStatus::NotKnown
    );
    assert_eq!(
        client.savepoint_status(nobody, trigger(1)).await.unwrap(),
        OperationStatus::NotKnown
    );
    assert_eq!(
        client.checkpoint_status(job, trigger(0xaa)).await.unwrap(),
        OperationStatus::NotKnown
    );
    assert_eq!(
        client.disposal_status(trigger(0xaa)).await.unwrap(),
        OperationStatus::NotKnown
    );
    for error in [
        client.job(nobody).await.unwrap_err(),
        client.job_exceptions(nobody).await.unwrap_err(),
        client.checkpoints(nobody).await.unwrap_err(),
        client.checkpoint_config(nobody).await.unwrap_err(),
        client.cancel(nobody).await.unwrap_err(),
        client
            .watermarks(job, VertexId::from_bytes([0xee; 16]))
            .await
            .unwrap_err(),
    ] {
        assert!(error.is_not_found() && error.is_definitive(), "{error:?}");
        assert!(!error.to_string().contains('\n'), "{error}");
    }
    let (_, uri) = cluster.place("savepoints");
    client
        .trigger_savepoint(nobody, trigger(2), &uri, &SavepointFormat::Canonical)
        .await
        .unwrap();
    let cause = failure(finished(async || client.savepoint_status(nobody, trigger(2)).await).await);
    assert!(cause.contains("Could not find Flink job"), "{cause}");
}

async fn a_failed_savepoint_stays_failed_under_its_id(cluster: &Cluster, job: JobId) {
    let client = &cluster.client;
    // No directory can be made below a file.
    let (file, uri) = cluster.place("a-file");
    fs::write(&file, "").unwrap();
    for _ in 0..2 {
        client
            .trigger_savepoint(job, trigger(3), &uri, &SavepointFormat::Native)
            .await
            .unwrap();
        let cause = failure(finished(async || client.savepoint_status(job, trigger(3)).await).await);
        assert!(cause.contains("CheckpointException"), "{cause}");
        assert!(!cause.contains('\n'), "{cause}");
        fs::remove_file(&file).unwrap_or_default();
    }
    assert_eq!(client.job(job).await.unwrap().state, JobState::Running);
}

async fn a_checkpoint_is_triggered_once(cluster: &Cluster, job: JobId) {
    let client = &cluster.client;
    for _ in 0..2 {
        client
            .trigger_checkpoint(job, trigger(4), &CheckpointType::Full)
            .await
            .unwrap();
    }
    let id = completed(finished(async || client.checkpoint_status(job, trigger(4)).await).await);
    let latest = until(
        async || client.checkpoints(job).await.unwrap(),
        |all| all.latest.completed.clone(),
    )
    .await;
    assert_eq!(
        (latest.id, latest.is_savepoint, latest.discarded),
        (id, false, false)
    );
    assert!(latest.external_path.unwrap().ends_with(&format!("chk-{id}")));
    client
        .trigger_checkpoint(job, trigger(4), &CheckpointType::Configured)
        .await
        .unwrap();
    assert_eq!(
        client.checkpoint_status(job, trigger(4)).await.unwrap(),
        OperationStatus::Completed(id)
    );
    assert_eq!(
        client.checkpoints(job).await.unwrap().history.first().unwrap().id,
        id
    );
}

async fn progress_can_be_measured(cluster: &Cluster, job: JobId) {
    let client = &cluster.client;
    let sink = client.job(job).await.unwrap().vertices.last().unwrap().id;
    let watermarks = until(
        async || client.watermarks(job, sink).await.unwrap(),
        |watermarks| {
            watermarks
                .iter()
                .all(|subtask| subtask.watermark.is_some())
                .then(|| watermarks.clone())
                .filter(|all| !all.is_empty())
        },
    )
    .await;
    assert_eq!(watermarks[0].subtask, 0);
    assert!(watermarks[0].watermark.unwrap() > 0);
    let metrics = until(
        async || {
            let names = ["numRecordsIn", "busyTimeMsPerSecond"];
            client
                .vertex_metrics(job, sink, &names, &[Aggregation::Sum, Aggregation::Max])
                .await
                .unwrap()
        },
        |metrics| (metrics.len() == 2).then(|| metrics.clone()),
    )
    .await;
    let records = metrics.iter().find(|metric| metric.id == "numRecordsIn").unwrap();
    assert!(
        records.sum.unwrap() > 0.0 && records.sum == records.max,
        "{records:?}"
    );
    assert_eq!(
        (records.min, records.avg),
        (None, None),
        "only what was asked for"
    );
    let all = client
        .vertex_metrics(job, sink, &["numRecordsIn"], &[])
        .await
        .unwrap();
    assert!(all[0].avg.is_some() && all[0].min.is_some());
    let spoilt = client
        .vertex_metrics(job, sink, &["numRecordsIn", "noSuchMetric"], &[])
        .await
        .unwrap();
    assert_eq!(spoilt, Vec::new(), "one unknown name empties the answer");
    let names = client.vertex_metric_names(job, sink).await.unwrap();
    assert!(
        names.iter().any(|name| name == "numRecordsInPerSecond"),
        "{names:?}"
    );
    let of_the_job = client
        .job_metrics(job, &["numRestarts", "uptime", "noSuchMetric"])
        .await
        .unwrap();
    assert_eq!(of_the_job.integer("numRestarts"), Some(0));
    assert!(of_the_job.number("uptime").unwrap() > 0.0);
    assert_eq!(of_the_job.text("noSuchMetric"), None);
}

async fn a_savepoint_is_disposed_of(cluster: &Cluster, location: &str) {
    let client = &cluster.client;
    let (directory, _) = cluster.place("savepoints");
    assert_eq!(entries(&directory), 1);
    let id = client.dispose_savepoint(location).await.unwrap();
    completed(finished(async || client.disposal_status(id).await).await);
    assert_eq!(entries(&directory), 0);
    let again = client.dispose_savepoint(location).await.unwrap();
    assert_ne!(again, id);
    let cause = failure(finished(async || client.disposal_status(again).await).await);
    assert!(cause.contains(location.trim_start_matches("file:")), "{cause}");
}

async fn a_repeated_stop_is_one_stop(cluster: &Cluster, job: JobId) -> String {
    let client = &cluster.client;
    let (directory, uri) = cluster.place("stopped");
    for _ in 0..2 {
        client
            .stop_with_savepoint(job, trigger(5), &uri, &SavepointFormat::Native, false)
            .await
            .unwrap();
        assert_eq!(
            client.savepoint_status(job, trigger(5)).await.unwrap(),
            OperationStatus::InProgress
        );
    }
    let location = completed(finished(async || client.savepoint_status(job, trigger(5)).await).await);
    client
        .stop_with_savepoint(job, trigger(5), &uri, &SavepointFormat::Native, false)
        .await
        .unwrap();
    let again = client.savepoint_status(job, trigger(5)).await.unwrap();
    assert_eq!(again, OperationStatus::Completed(location.clone()));
    assert_eq!(entries(&directory), 1);
    reaches(client, job, JobState::Finished).await;
    assert!(client.job(job).await.unwrap().end_time.is_some());
    let too_late = client.cancel(job).await.unwrap_err();
    assert!(
        matches!(too_late, Error::Refused { status: 409, .. }) && too_late.is_definitive(),
        "{too_late:?}"
    );
    let latest = client.checkpoints(job).await.unwrap().latest;
    assert_eq!(latest.savepoint.unwrap().external_path, Some(location.clone()));
    location
}

async fn a_job_says_what_it_was_restored_from(cluster: &Cluster, location: &str) -> JobId {
    let client = &cluster.client;
    let job = cluster.submit("continued", -1, 0, Some(location)).await;
    until(
        async || client.job(job).await.unwrap(),
        |details| details.all_tasks_running().then_some(()),
    )
    .await;
    let checkpoints = client.checkpoints(job).await.unwrap();
    let restored = checkpoints.latest.restored.unwrap();
    assert_eq!(
        (restored.external_path.as_deref(), restored.is_savepoint),
        (Some(location), true)
    );
    assert_eq!(checkpoints.counts.restored, 1);
    job
}

async fn a_job_is_cancelled(cluster: &Cluster, job: JobId) {
    let client = &cluster.client;
    client.cancel(job).await.unwrap();
    reaches(client, job, JobState::Canceled).await;
}

async fn after_a_restart_no_id_is_known(cluster: &mut Cluster, job: JobId) {
    let (_, uri) = cluster.place("savepoints");
    cluster
        .client
        .trigger_savepoint(job, trigger(6), &uri, &SavepointFormat::Canonical)
        .await
        .unwrap();
    failure(finished(async || cluster.client.savepoint_status(job, trigger(6)).await).await);
    cluster.kill_job_manager();
    let down = cluster
        .client
        .savepoint_status(job, trigger(6))
        .await
        .unwrap_err();
    assert!(
        matches!(down, Error::Unreachable { .. }) && down.could_not_ask(),
        "{down:?}"
    );
    cluster
        .restart_job_manager(&["rest.async.store-duration=1s"])
        .await;
    assert_eq!(
        cluster.client.savepoint_status(job, trigger(6)).await.unwrap(),
        OperationStatus::NotKnown
    );
    assert!(cluster.client.job(job).await.unwrap_err().is_not_found());
}

async fn a_result_is_forgotten_after_a_while(cluster: &Cluster) {
    let client = &cluster.client;
    let nobody = JobId::from_bytes([0xee; 16]);
    let (_, uri) = cluster.place("savepoints");
    client
        .trigger_savepoint(nobody, trigger(7), &uri, &SavepointFormat::Canonical)
        .await
        .unwrap();
    failure(finished(async || client.savepoint_status(nobody, trigger(7)).await).await);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(
        client.savepoint_status(nobody, trigger(7)).await.unwrap(),
        OperationStatus::NotKnown
    );
}

async fn the_cluster_shuts_down(cluster: &mut Cluster) {
    cluster.client.shut_down_cluster().await.unwrap();
    assert!(
        cluster.job_manager_ends().await,
        "the JobManager's process is still there"
    );
    let gone = cluster.client.overview().await.unwrap_err();
    assert!(matches!(gone, Error::Unreachable { .. }), "{gone:?}");
}

/// 1.20.5 has no details of such a job; see [`Client::job`].
async fn a_job_whose_main_method_fails_is_described(cluster: &mut Cluster) {
    let job = JobId::from_bytes([0xaf; 16]);
    cluster.start_application(job);
    let client = &cluster.client;
    let details = until(
        async || client.job(job).await,
        |answer| {
            let details = answer.as_ref().ok()?;
            details.state.is_terminal().then(|| details.clone())
        },
    )
    .await;
    assert_eq!((details.id, &details.state), (job, &JobState::Failed));
    assert!(details.end_time >= Some(details.start_time));
    assert_eq!(details.entered(&JobState::Failed), details.end_time);
    assert!(details.vertices.is_empty() && !details.all_tasks_running());
    let root = client.job_exceptions(job).await.unwrap().root.unwrap();
    assert_eq!(
        root.trace.root_cause(),
        "java.lang.ArrayIndexOutOfBoundsException: Index 0 out of bounds for length 0"
    );
}
