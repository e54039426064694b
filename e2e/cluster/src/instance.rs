//! One etcd and one kube-apiserver: started, watched until they answer, stopped.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use kube::Client;
use serde::{Deserialize, Serialize};

use crate::binaries::Binaries;
use crate::certificates::Files;
use crate::kubeconfig::{self, Credentials};
use crate::places;
use crate::processes::Process;

/// A loaded machine may need this long; an idle one needs 4 seconds.
const TIME_TO_START: Duration = Duration::from_mins(2);
/// After this an API server that was asked to end is made to.
const TIME_TO_END: Duration = Duration::from_secs(15);
const ADMIN_KUBECONFIG: &str = "admin.kubeconfig";
const TOKENS: &str = "tokens.csv";
const AUDIT_POLICY: &str = "audit-policy.yaml";
const STATE: &str = "state.json";
/// The ports stay when the state goes.
const PORTS: &str = "ports.json";
const CRDS_LOCK: &str = "crds.lock";

/// What is on the disk about a control plane: enough to find it, to stop it and to start it again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct State {
    /// [`Binaries::id`] of what runs.
    pub(crate) binaries: String,
    pub(crate) ports: Ports,
    pub(crate) etcd: Option<Process>,
    pub(crate) api_server: Option<Process>,
}

impl State {
    fn runs(&self) -> bool {
        let alive = |process: &Option<Process>| process.as_ref().is_some_and(Process::is_alive);
        alive(&self.etcd) && alive(&self.api_server)
    }
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Ports {
    pub(crate) api_server: u16,
    etcd: u16,
    etcd_peers: u16,
}

impl Ports {
    /// Free ports below the range from which the system takes ports for outgoing connections: an API server that is
    /// stopped for a while must find its port again.
    fn free() -> Result<Self> {
        const FIRST: u16 = 24_000;
        const COUNT: u16 = 8_000;
        let (random, _) = uuid::Uuid::new_v4().as_u64_pair();
        let start = u16::try_from(random % u64::from(COUNT)).unwrap_or_default();
        let mut free = (0..COUNT)
            .map(|step| FIRST + (start + step) % COUNT)
            .filter(|port| is_free(*port));
        let mut next = || {
            free.next()
                .with_context(|| format!("No port from {FIRST} to {} is free.", FIRST + COUNT - 1))
        };
        Ok(Self {
            api_server: next()?,
            etcd: next()?,
            etcd_peers: next()?,
        })
    }

    fn are_free(self) -> bool {
        [self.api_server, self.etcd, self.etcd_peers]
            .into_iter()
            .all(is_free)
    }
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// A control plane in its directory. What runs is told by the state on the disk, which other processes may change, too.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    directory: PathBuf,
}

impl Instance {
    pub(crate) fn in_directory(directory: PathBuf) -> Self {
        Self { directory }
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.directory.join(ADMIN_KUBECONFIG)
    }

    pub(crate) fn certificates(&self) -> Files {
        Files::below(&self.directory)
    }

    pub(crate) fn audit_log(&self) -> PathBuf {
        self.directory.join("audit/audit.log")
    }

    fn log(&self, program: &str) -> PathBuf {
        self.directory.join(format!("{program}.log"))
    }

    /// The state on the disk; `None` where no control plane was started, or it was stopped.
    pub(crate) fn state(&self) -> Result<Option<State>> {
        let file = self.directory.join(STATE);
        if !file.exists() {
            return Ok(None);
        }
        let problem = || {
            format!(
                "The control plane's state {} could not be read. Stop what runs, and delete {}.",
                file.display(),
                self.directory.display()
            )
        };
        let text = fs::read_to_string(&file).with_context(problem)?;
        serde_json::from_str(&text).map(Some).with_context(problem)
    }

    /// As [`Instance::state`], where a control plane has to be.
    pub(crate) fn started(&self) -> Result<State> {
        self.state()?.with_context(|| {
            format!(
                "There is no control plane in {}; it was stopped.",
                self.directory.display()
            )
        })
    }

    fn save(&self, state: &State) -> Result<()> {
        let text =
            serde_json::to_string_pretty(state).context("The control plane's state could not be written.")?;
        places::write(&self.directory.join(STATE), &text)
    }

    /// Whether both processes run.
    pub(crate) fn runs(&self) -> Result<bool> {
        Ok(self.state()?.is_some_and(|state| state.runs()))
    }

    /// Starts both processes and returns when the API server is ready. Data, keys and, where they are free, ports are those
    /// of an earlier start in this directory.
    pub(crate) async fn start(&self, binaries: &Binaries) -> Result<()> {
        const ATTEMPTS: usize = 3;
        self.stop()?;
        self.prepare()?;
        let mut attempt = 1;
        loop {
            let result = self.start_processes(binaries).await;
            let port_was_taken = || {
                ["etcd", "kube-apiserver"]
                    .iter()
                    .any(|it| self.complains_of_port(it))
            };
            match result {
                Ok(()) => return Ok(()),
                Err(problem) => {
                    let again = attempt < ATTEMPTS && port_was_taken();
                    // What began is of no use to anybody.
                    self.stop()?;
                    if !again {
                        return Err(problem);
                    }
                    attempt += 1;
                }
            }
        }
    }

    fn complains_of_port(&self, program: &str) -> bool {
        last_lines(&self.log(program)).contains("address already in use")
    }

    /// What has to be there before the programs start.
    fn prepare(&self) -> Result<()> {
        places::create_directory(&self.directory)?;
        places::create_directory(&self.directory.join("audit"))?;
        for program in ["etcd", "kube-apiserver"] {
            // A log tells of one start.
            places::write(&self.log(program), "")?;
        }
        self.certificates().ensure()?;
        let tokens = self.directory.join(TOKENS);
        if !tokens.exists() {
            let token = uuid::Uuid::new_v4().simple();
            places::write(&tokens, &format!("{token},admin,admin,\"system:masters\"\n"))?;
        }
        places::write(
            &self.directory.join(AUDIT_POLICY),
            "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: [{level: Metadata}]\n",
        )
    }

    async fn start_processes(&self, binaries: &Binaries) -> Result<()> {
        let earlier = self.last_ports().filter(|ports| ports.are_free());
        let ports = match earlier {
            Some(ports) => ports,
            None => Ports::free()?,
        };
        places::write(
            &self.directory.join(PORTS),
            &serde_json::to_string(&ports).context("Ports could not be written.")?,
        )?;
        self.write_kubeconfig(ports)?;
        let mut state = State {
            binaries: binaries.id.clone(),
            ports,
            etcd: None,
            api_server: None,
        };
        state.etcd = Some(Process::start(
            &mut etcd(binaries, &self.directory, ports),
            &self.log("etcd"),
        )?);
        self.save(&state)?;
        self.start_api_server(binaries).await
    }

    /// The ports of the start before this one, so that kubeconfig files of before stay good.
    fn last_ports(&self) -> Option<Ports> {
        let text = fs::read_to_string(self.directory.join(PORTS)).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Starts the API server over the etcd that runs, and returns when it is ready.
    pub(crate) async fn start_api_server(&self, binaries: &Binaries) -> Result<()> {
        let mut state = self.started()?;
        if !state.api_server.as_ref().is_some_and(Process::is_alive) {
            state.api_server = Some(Process::start(
                &mut self.api_server(binaries, state.ports),
                &self.log("kube-apiserver"),
            )?);
            self.save(&state)?;
        }
        self.wait_until_ready().await
    }

    fn write_kubeconfig(&self, ports: Ports) -> Result<()> {
        let tokens = fs::read_to_string(self.directory.join(TOKENS));
        let tokens = tokens.context("The control plane's tokens could not be read.")?;
        let (token, _) = tokens.split_once(',').unwrap_or_default();
        kubeconfig::write(
            &self.kubeconfig(),
            &address(ports),
            &self.certificates().authority(),
            "default",
            &Credentials::Token(token),
        )
    }

    fn api_server(&self, binaries: &Binaries, ports: Ports) -> Command {
        let certificates = self.certificates();
        let mut command = Command::new(&binaries.api_server);
        let mut option = |name: &str, value: &dyn std::fmt::Display| {
            command.arg(format!("--{name}={value}"));
        };
        option("etcd-servers", &format!("http://127.0.0.1:{}", ports.etcd));
        option("bind-address", &"127.0.0.1");
        option("advertise-address", &"127.0.0.1");
        option("secure-port", &ports.api_server);
        // The Service `kubernetes` must not have an endpoint on the loopback; nothing here uses it.
        option("endpoint-reconciler-type", &"none");
        option("service-cluster-ip-range", &"10.96.0.0/16");
        option("authorization-mode", &"RBAC");
        option("tls-cert-file", &certificates.server().display());
        option("tls-private-key-file", &certificates.server_key().display());
        option("client-ca-file", &certificates.authority().display());
        option("token-auth-file", &self.directory.join(TOKENS).display());
        option(
            "service-account-issuer",
            &"https://kubernetes.default.svc.cluster.local",
        );
        option(
            "service-account-key-file",
            &certificates.service_account_public_key().display(),
        );
        option(
            "service-account-signing-key-file",
            &certificates.service_account_key().display(),
        );
        option("audit-policy-file", &self.directory.join(AUDIT_POLICY).display());
        option("audit-log-path", &self.audit_log().display());
        // Megabytes; a million requests. The file before is kept, so that no reader loses its place.
        option("audit-log-maxsize", &1000);
        option("audit-log-maxbackup", &1);
        // Without this an API server that is asked to end waits a minute for its watches.
        option("shutdown-watch-termination-grace-period", &"1s");
        option("profiling", &false);
        command
    }

    /// Returns when the API server says that it is ready; fails early when a process ends.
    pub(crate) async fn wait_until_ready(&self) -> Result<()> {
        let mut config = kubeconfig::client_config(&self.kubeconfig()).await?;
        config.connect_timeout = Some(Duration::from_secs(2));
        config.read_timeout = Some(Duration::from_secs(10));
        let client = Client::try_from(config).context("A client of the control plane could not be made.")?;
        let started = Instant::now();
        loop {
            let problem = match ready(&client).await {
                Ok(()) => return Ok(()),
                Err(problem) => problem,
            };
            let state = self.started()?;
            for (program, process) in [("etcd", &state.etcd), ("kube-apiserver", &state.api_server)] {
                if !process.as_ref().is_some_and(Process::is_alive) {
                    let log = self.log(program);
                    bail!(
                        "{program} ended before the API server was ready. The end of {}:\n{}",
                        log.display(),
                        last_lines(&log)
                    );
                }
            }
            if started.elapsed() > TIME_TO_START {
                let log = self.log("kube-apiserver");
                bail!(
                    "The API server at {} was not ready within {} s ({problem:#}). The end of {}:\n{}",
                    address(state.ports),
                    TIME_TO_START.as_secs(),
                    log.display(),
                    last_lines(&log)
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Ends the API server and leaves etcd: with a word, so that requests under way are answered, or without.
    pub(crate) fn stop_api_server(&self, with_a_word: bool) -> Result<()> {
        let mut state = self.started()?;
        if let Some(process) = state.api_server.take() {
            if with_a_word {
                process.stop(TIME_TO_END);
            } else {
                process.kill();
            }
        }
        self.save(&state)
    }

    /// Ends both processes. Data and keys stay.
    pub(crate) fn stop(&self) -> Result<()> {
        let Some(state) = self.state()? else {
            return Ok(());
        };
        for process in [state.api_server, state.etcd].iter().flatten() {
            process.stop(TIME_TO_END);
        }
        let file = self.directory.join(STATE);
        fs::remove_file(&file).with_context(|| format!("{} could not be deleted.", file.display()))
    }

    /// Ends both processes without a word and deletes the directory.
    pub(crate) fn destroy(&self) -> Result<()> {
        if let Some(state) = self.state()? {
            for process in [state.api_server, state.etcd].iter().flatten() {
                process.kill();
            }
        }
        ignore_absence(fs::remove_dir_all(&self.directory))
            .with_context(|| format!("{} could not be deleted.", self.directory.display()))
    }

    /// Deletes what a control plane that is stopped has kept, and nothing else: its user named the directory and may have put
    /// it to other uses, too.
    pub(crate) fn wipe(&self) -> Result<()> {
        for name in ["etcd", "audit", "pki"] {
            let directory = self.directory.join(name);
            ignore_absence(fs::remove_dir_all(&directory))
                .with_context(|| format!("{} could not be deleted.", directory.display()))?;
        }
        let programs = ["etcd", "kube-apiserver"].map(|program| self.log(program));
        let files = [ADMIN_KUBECONFIG, TOKENS, AUDIT_POLICY, STATE, PORTS, CRDS_LOCK];
        for file in files
            .map(|name| self.directory.join(name))
            .iter()
            .chain(&programs)
        {
            ignore_absence(fs::remove_file(file))
                .with_context(|| format!("{} could not be deleted.", file.display()))?;
        }
        // It stays if there is something else in it.
        let _ = fs::remove_dir(&self.directory);
        Ok(())
    }

    /// Held while definitions are installed.
    pub(crate) fn crds_lock(&self) -> PathBuf {
        self.directory.join(CRDS_LOCK)
    }
}

fn ignore_absence(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// The URL of an API server.
pub(crate) fn address(ports: Ports) -> String {
    format!("https://127.0.0.1:{}", ports.api_server)
}

async fn ready(client: &Client) -> Result<()> {
    let request = http::Request::get("/readyz").body(Vec::new())?;
    client.request_text(request).await?;
    Ok(())
}

fn etcd(binaries: &Binaries, directory: &Path, ports: Ports) -> Command {
    let clients = format!("http://127.0.0.1:{}", ports.etcd);
    let peers = format!("http://127.0.0.1:{}", ports.etcd_peers);
    let mut command = Command::new(&binaries.etcd);
    command
        .arg("--data-dir")
        .arg(directory.join("etcd"))
        .args([
            "--listen-client-urls",
            &clients,
            "--advertise-client-urls",
            &clients,
        ])
        .args([
            "--listen-peer-urls",
            &peers,
            "--initial-advertise-peer-urls",
            &peers,
        ])
        .args(["--initial-cluster", &format!("default={peers}")])
        // What the tests write need not outlive a crash of the machine.
        .args(["--unsafe-no-fsync", "--log-level", "warn"]);
    command
}

fn last_lines(log: &Path) -> String {
    const LINES: usize = 15;
    let Ok(bytes) = fs::read(log) else {
        return String::new();
    };
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    let start = lines.len().saturating_sub(LINES);
    lines.into_iter().skip(start).collect::<Vec<_>>().join("\n")
}
