//! `sluice logs`.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use sluice_local::client::{Component, LogFile};
use sluice_local::store::Kind;

use super::target::Target;
use crate::context::Context;
use crate::failure::Failure;
use crate::runner::failed;

/// Show the logs of the Flink processes of a resource
///
/// Of several processes, each line begins with the deployment and the component that wrote it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice logs orders
  sluice logs orders --color green --component jobmanager
  sluice logs orders -f | grep ERROR")]
pub(crate) struct Arguments {
    /// Name of the resource or of one FlinkDeployment, or KIND/NAME
    #[arg(value_name = "NAME")]
    target: Target,

    /// Only this side
    #[arg(long, value_enum)]
    color: Option<Color>,

    /// Only these processes
    #[arg(long, value_enum)]
    component: Option<Process>,

    /// Go on as the logs grow, until Ctrl-C
    #[arg(short, long)]
    follow: bool,
}

impl Arguments {
    /// Flink labels its pods with the name of the deployment.
    fn with_kubectl(&self) -> String {
        let name = &self.target.name;
        let selector = match (self.color, self.target.kind) {
            (Some(Color::Blue), _) => format!("app={name}-blue"),
            (Some(Color::Green), _) => format!("app={name}-green"),
            (None, Some(Kind::FlinkDeployment)) => format!("app={name}"),
            (None, _) => format!("'app in ({name}-blue,{name}-green)'"),
        };
        format!("kubectl logs --prefix -l {selector}")
    }
}

/// A side.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Color {
    Blue,
    Green,
}

/// A process of a Flink cluster.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "lowercase")]
enum Process {
    JobManager,
    TaskManager,
}

/// How often a followed file is looked at, and how often for new processes.
const LOOK: Duration = Duration::from_millis(300);

pub(crate) async fn run(arguments: Arguments, context: &Context) -> Result<(), Failure> {
    let mut tails: Vec<Tail> = Vec::new();
    loop {
        let files = files(&arguments, context).await?;
        if files.is_empty() && !arguments.follow {
            return Err(Failure::refused(format!(
                "There are no such logs of {}; its Flink processes have not been started yet.",
                arguments.target.name
            )));
        }
        let several = files.len() > 1 || arguments.follow;
        for file in files {
            if tails.iter().all(|tail| tail.path != file.path) {
                tails.push(Tail::of(file, several));
            }
        }
        for tail in &mut tails {
            let text = tail.read();
            if !text.is_empty() {
                context.out.text(&text)?;
            }
        }
        if !arguments.follow {
            return Ok(());
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = tokio::signal::ctrl_c() => return Ok(()),
        }
    }
}

async fn files(arguments: &Arguments, context: &Context) -> Result<Vec<LogFile>, Failure> {
    let color = arguments.color.map(|color| match color {
        Color::Blue => sluice_api::blue_green::Color::Blue,
        Color::Green => sluice_api::blue_green::Color::Green,
    });
    let component = arguments.component.map(|component| match component {
        Process::JobManager => Component::JobManager,
        Process::TaskManager => Component::TaskManager,
    });
    let Target { kind, name } = &arguments.target;
    if *kind == Some(Kind::Ingress) {
        return Err(Failure::Usage("An Ingress has no logs.".to_owned()));
    }
    let instead = arguments.with_kubectl();
    let local = context.runner("logs", &instead).await?;
    let mut files = local
        .client
        .logs(&local.namespace, name, color, component)
        .await
        .map_err(failed)?;
    // The runner answers for both kinds of that name.
    files.retain(|file| match kind {
        Some(Kind::FlinkDeployment) => file.deployment == *name,
        Some(Kind::FlinkBlueGreenDeployment) => file.color.is_some(),
        Some(Kind::Ingress) | None => true,
    });
    Ok(files)
}

/// One log file, and how far it has been shown.
struct Tail {
    path: PathBuf,
    prefix: String,
    offset: u64,
    /// The beginning of a line whose end has not been written yet.
    unfinished: String,
}

impl Tail {
    fn of(file: LogFile, with_prefix: bool) -> Self {
        let component = match file.component {
            Component::JobManager => "jobmanager",
            Component::TaskManager => "taskmanager",
        };
        Self {
            prefix: if with_prefix {
                format!("{}/{component} ", file.deployment)
            } else {
                String::new()
            },
            path: file.path,
            offset: 0,
            unfinished: String::new(),
        }
    }

    /// The whole lines that came since the last look. A file that is gone, or cannot be read now, has none.
    fn read(&mut self) -> String {
        let mut bytes = Vec::new();
        let read = File::open(&self.path).and_then(|mut file| {
            if file.metadata()?.len() < self.offset {
                // Rolled over.
                self.offset = 0;
            }
            file.seek(SeekFrom::Start(self.offset))?;
            file.read_to_end(&mut bytes)
        });
        let Ok(count) = read else {
            return String::new();
        };
        self.offset += count as u64;
        self.unfinished.push_str(&String::from_utf8_lossy(&bytes));
        let whole = self.unfinished.rfind('\n').map_or(0, |end| end + 1);
        let rest = self.unfinished.split_off(whole);
        let lines = std::mem::replace(&mut self.unfinished, rest);
        if self.prefix.is_empty() {
            return lines;
        }
        let mut text = String::with_capacity(lines.len());
        for line in lines.lines() {
            text.push_str(&self.prefix);
            text.push_str(line);
            text.push('\n');
        }
        text
    }
}
