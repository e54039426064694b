//! Rules of a FlinkDeployment's specification, whether it stands alone or in a blue/green template.

use crate::configuration::{FlinkConfiguration, parse_resource_memory};
use crate::flink_deployment::{FlinkDeploymentSpec, JobSpec, Resource};
use crate::problem::Problem;
use crate::sentence;

use super::{ingress, options, savepoint_directory};

/// What was read on the way.
pub(super) struct CheckedCluster {
    pub(super) job: JobSpec,
    pub(super) configuration: FlinkConfiguration,
}

/// Checks the specification at `path`. `None` where a part is missing without which nothing more can be said.
pub(super) fn check_cluster(
    path: &str,
    spec: &FlinkDeploymentSpec,
    problems: &mut Vec<Problem>,
) -> Option<CheckedCluster> {
    let mut checker = Checker { path, problems };
    checker.flink_version(spec.flink_version.as_deref());
    if let Some(manager) = &spec.job_manager {
        checker.replicas("jobManager", manager.replicas);
        checker.resource("jobManager", manager.resource.as_ref());
    }
    if let Some(manager) = &spec.task_manager {
        checker.replicas("taskManager", manager.replicas);
        checker.resource("taskManager", manager.resource.as_ref());
    }
    let configuration = checker.configuration(spec);
    if let Some(ingress) = &spec.ingress {
        ingress::check(&format!("{path}.ingress"), ingress, checker.problems);
    }
    let Some(job) = &spec.job else {
        checker.add("job", sentence::JOB_MISSING.text());
        return None;
    };
    checker.job(job, configuration.as_ref());
    Some(CheckedCluster {
        job: job.clone(),
        configuration: configuration?,
    })
}

struct Checker<'a> {
    path: &'a str,
    problems: &'a mut Vec<Problem>,
}

impl Checker<'_> {
    fn add(&mut self, field: &str, message: impl Into<String>) {
        self.problems
            .push(Problem::new(format!("{}.{field}", self.path), message));
    }

    fn flink_version(&mut self, version: Option<&str>) {
        match version {
            None => self.add("flinkVersion", sentence::FLINK_VERSION_MISSING.text()),
            Some(version) if !is_flink_version(version) => {
                self.add("flinkVersion", sentence::FLINK_VERSION_FORM.with(&[version]));
            }
            Some(_) => {}
        }
    }

    fn replicas(&mut self, manager: &str, replicas: Option<i32>) {
        if let Some(replicas) = replicas.filter(|replicas| *replicas < 1) {
            self.add(
                &format!("{manager}.replicas"),
                format!("found {replicas}, expected at least 1"),
            );
        }
    }

    fn resource(&mut self, manager: &str, resource: Option<&Resource>) {
        let Some(resource) = resource else { return };
        if let Some(cpu) = &resource.cpu
            && !cpu.as_f64().is_some_and(|cores| cores > 0.0)
        {
            self.add(
                &format!("{manager}.resource.cpu"),
                format!("found {cpu}, {}", sentence::CPU.0),
            );
        }
        for (field, text) in [
            ("memory", &resource.memory),
            ("ephemeralStorage", &resource.ephemeral_storage),
        ] {
            if let Some(Err(message)) = text.as_deref().map(parse_resource_memory) {
                self.add(&format!("{manager}.resource.{field}"), message);
            }
        }
    }

    fn configuration(&mut self, spec: &FlinkDeploymentSpec) -> Option<FlinkConfiguration> {
        let field = format!("{}.flinkConfiguration", self.path);
        let configuration = match spec.flink_configuration.as_ref() {
            None => Ok(FlinkConfiguration::default()),
            Some(value) => FlinkConfiguration::read_at(&field, value),
        };
        match configuration {
            Ok(configuration) => {
                options::check(self.path, &configuration, self.problems);
                Some(configuration)
            }
            Err(problems) => {
                self.problems.extend(problems);
                None
            }
        }
    }

    fn job(&mut self, job: &JobSpec, configuration: Option<&FlinkConfiguration>) {
        self.code(job);
        match job.parallelism {
            None => self.add("job.parallelism", sentence::PARALLELISM_MISSING.text()),
            Some(parallelism) if parallelism < 1 => {
                self.add(
                    "job.parallelism",
                    format!("found {parallelism}, expected at least 1"),
                );
            }
            Some(_) => {}
        }
        let initial = job.initial_savepoint_path.as_deref();
        if initial.is_some_and(|path| path.trim().is_empty()) {
            self.add("job.initialSavepointPath", sentence::SAVEPOINT_PATH_EMPTY.text());
        }
        if job.savepoint_redeploy_nonce.is_some() && initial.is_none() {
            self.add(
                "job.savepointRedeployNonce",
                sentence::REDEPLOY_WITHOUT_PATH.text(),
            );
        }
        // Upstream's rule: a savepoint by nonce needs a place to go.
        if job.savepoint_trigger_nonce.is_some()
            && configuration.is_some_and(|configuration| savepoint_directory(configuration).is_none())
        {
            self.add(
                "job.savepointTriggerNonce",
                "is set without a directory for savepoints; expected `execution.checkpointing.savepoint-dir` in flinkConfiguration, such as `s3://bucket/savepoints`",
            );
        }
    }

    /// Upstream documents `jarURI` as optional: without it, the job is in the image, on Flink's class path. Then the
    /// main class must be named, as for PyFlink, whose main class is Flink's own.
    fn code(&mut self, job: &JobSpec) {
        let entry_class = job.entry_class.as_deref().map(str::trim);
        match job.jar_uri.as_deref().map(str::trim) {
            Some("") => self.add("job.jarURI", sentence::JAR_EMPTY.text()),
            None if entry_class.is_none_or(str::is_empty) => {
                self.add("job.jarURI", sentence::JAR_MISSING.text());
            }
            _ => {}
        }
    }
}

fn is_flink_version(text: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.chars().all(|it| it.is_ascii_digit());
    text.strip_prefix('v')
        .and_then(|numbers| numbers.split_once('_'))
        .is_some_and(|(major, minor)| is_number(major) && is_number(minor))
}
