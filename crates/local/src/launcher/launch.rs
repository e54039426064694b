//! From a plan to the command lines of its processes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sluice_core::lifecycle::DeploymentPlan;

use super::directory::DeploymentDirectory;
use super::error::LaunchError;
use super::intent::{Intent, Ports, Program};
use super::memory::ProcessMemory;
use super::{configuration, jar, memory};
use crate::distribution::{Distribution, JavaRuntime};

const JOB_MANAGER_CLASS: &str =
    "org.apache.flink.container.entrypoint.StandaloneApplicationClusterEntryPoint";
const TASK_MANAGER_CLASS: &str = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner";

/// Below this heap the serial collector is chosen: the default one of a machine with several cores (G1) takes tens of
/// megabytes and several threads for itself, more than it gives to a heap this small.
const SMALL_HEAP: u64 = 1 << 30;

/// Everything that does not depend on what is on disk, checked before anything is written.
pub(super) struct Prepared<'a> {
    plan: &'a DeploymentPlan,
    distribution: Distribution,
    configuration: BTreeMap<String, String>,
    job_manager: ProcessMemory,
    task_manager: ProcessMemory,
    ports: Ports,
}

impl<'a> Prepared<'a> {
    /// Refuses what cannot work: memory, options, the jar.
    pub(super) fn new(
        plan: &'a DeploymentPlan,
        distribution: Distribution,
        directory: &DeploymentDirectory,
        ports: Ports,
    ) -> Result<Self, LaunchError> {
        if let Some(uri) = &plan.jar_uri
            && let Some(file) = jar::local_file(uri, &distribution.home)
        {
            jar::check(uri, &file)?;
        }
        let mut configuration = configuration::effective(plan, directory, ports);
        let job_manager = memory::job_manager(&configuration)?;
        let task_manager = memory::task_manager(&configuration)?;
        configuration.extend(job_manager.configuration.clone());
        configuration.extend(task_manager.configuration.clone());
        Ok(Self {
            plan,
            distribution,
            configuration,
            job_manager,
            task_manager,
            ports,
        })
    }

    /// Writes every file that the processes read, the intent last; when this returns, the intent is on disk.
    pub(super) fn write(
        &self,
        directory: &DeploymentDirectory,
        java: &JavaRuntime,
    ) -> Result<Intent, LaunchError> {
        directory.create()?;
        configuration::write(&self.configuration, self.plan, directory, &self.distribution)?;
        let intent = self.intent(directory, java)?;
        directory.write_intent(&intent)?;
        Ok(intent)
    }

    fn intent(&self, directory: &DeploymentDirectory, java: &JavaRuntime) -> Result<Intent, LaunchError> {
        let configuration_directory =
            || ["--configDir".to_owned(), directory.conf().display().to_string()].into_iter();
        let mut job_manager_arguments: Vec<String> = configuration_directory().collect();
        job_manager_arguments.extend(self.job_arguments(directory)?);

        let home = &self.distribution.home;
        let environment = [
            ("FLINK_HOME", home.clone()),
            ("FLINK_CONF_DIR", directory.conf()),
            ("FLINK_LIB_DIR", home.join("lib")),
            ("FLINK_OPT_DIR", home.join("opt")),
            ("FLINK_PLUGINS_DIR", home.join("plugins")),
            ("FLINK_BIN_DIR", home.join("bin")),
        ];
        Ok(Intent {
            deployment: self.plan.deployment,
            job_id: self.plan.job_id.clone(),
            restored_from: self.plan.restore.as_ref().map(|restore| restore.path.clone()),
            launched_at: Timestamp::now(),
            flink_version: self.distribution.version.to_string(),
            ports: self.ports,
            task_managers: u32::try_from(self.plan.task_manager_replicas).unwrap_or(0),
            java: java.executable().to_owned(),
            class_path: configuration::class_path(&self.distribution)?,
            environment: environment
                .into_iter()
                .map(|(name, path)| (name.to_owned(), path.display().to_string()))
                .collect(),
            job_manager: self.program(
                "jobmanager",
                "containerized.master.env.",
                &self.job_manager,
                JOB_MANAGER_CLASS,
                job_manager_arguments,
            )?,
            task_manager: self.program(
                "taskmanager",
                "containerized.taskmanager.env.",
                &self.task_manager,
                TASK_MANAGER_CLASS,
                configuration_directory().collect(),
            )?,
        })
    }

    /// What the entry point is told about the job; the same in 1.20 and 2.x.
    fn job_arguments(&self, directory: &DeploymentDirectory) -> Result<Vec<String>, LaunchError> {
        let plan = self.plan;
        let mut arguments = vec!["--job-id".to_owned(), plan.job_id.clone()];
        if let Some(class) = &plan.entry_class {
            arguments.extend(["--job-classname".to_owned(), class.clone()]);
        }
        if let Some(uri) = &plan.jar_uri {
            let named = match jar::local_file(uri, &self.distribution.home) {
                Some(file) => jar::copy(uri, &file, directory)?,
                None => uri.clone(),
            };
            arguments.extend(["--jars".to_owned(), named]);
        }
        if let Some(restore) = &plan.restore {
            arguments.extend(["--fromSavepoint".to_owned(), restore.path.clone()]);
            if restore.allow_non_restored_state {
                arguments.push("--allowNonRestoredState".to_owned());
            }
        }
        // From here on nothing is Flink's, whatever it begins with.
        arguments.push("--".to_owned());
        arguments.extend(plan.args.iter().cloned());
        Ok(arguments)
    }

    fn program(
        &self,
        component: &str,
        environment_prefix: &str,
        memory: &ProcessMemory,
        main_class: &str,
        arguments: Vec<String>,
    ) -> Result<Program, LaunchError> {
        let own = configuration::java_options(&self.configuration, &self.distribution, component)?;
        let mut options = memory.jvm_options.clone();
        let chooses_collector = own
            .iter()
            .any(|option| option.starts_with("-XX:+Use") && option.ends_with("GC"));
        if memory.heap < SMALL_HEAP && !chooses_collector {
            options.push("-XX:+UseSerialGC".to_owned());
        }
        options.extend(own);
        Ok(Program {
            options,
            main_class: main_class.to_owned(),
            arguments,
            environment: configuration::environment(&self.configuration, environment_prefix),
        })
    }
}
