//! What the two jobs of a handover ask of a real API server, with the record in a ConfigMap.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::json;
use sluice_cluster::{ControlPlane, Grantee};

use super::{MAIN, Module, run};

/// The ConfigMap of the record.
const NAME: &str = "orders-configmap";
/// Who acts for the jobs, and with what rights; who for the operator.
const JOBS: (&str, &[&str]) = ("jobs", &["list", "watch", "patch"]);
const OPERATOR: (&str, &[&str]) = ("operator", &["create", "list", "watch", "patch"]);

/// One handover with so many subtasks in each job, and so on; what came out is added to the file.
pub(super) fn count(module: &Module, subtasks: &[usize], file: &Path) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    for parallelism in subtasks {
        runtime.block_on(one(module, *parallelism, file))?;
    }
    Ok(())
}

async fn one(module: &Module, subtasks: usize, file: &Path) -> Result<()> {
    let plane = ControlPlane::shared().await?;
    let namespace = plane.namespace("bench").await?;
    let home = tempfile::tempdir()?;
    for (account, verbs) in [JOBS, OPERATOR] {
        plane
            .grant_config_maps(&namespace, Grantee::Account(account), &[], verbs)
            .await?;
        let directory = home.path().join(account);
        fs::create_dir(&directory)?;
        fs::copy(plane.certificate_authority(), directory.join("ca.crt"))?;
        let token = plane.service_account_token(&namespace, account).await?;
        fs::write(directory.join("token"), token)?;
    }
    let audit = plane.audit().await?;
    let mut java = module.java();
    java.arg(format!("-Dbluegreen.kubernetes.address={}", plane.address()?))
        .arg(format!("-Dbench.accounts={}", home.path().display()))
        .arg(MAIN)
        .arg("requests")
        .arg(subtasks.to_string())
        .arg(file)
        .arg(&namespace)
        .arg(NAME);
    tokio::task::spawn_blocking(move || run(&mut java)).await??;
    let user = format!("system:serviceaccount:{namespace}:{}", JOBS.0);
    let requests = audit.requests().await?.by_user(&user);
    let counts: Vec<String> = requests
        .counts()
        .0
        .iter()
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    let line = json!({
        "kind": "requests",
        "subtasks": subtasks,
        "requests": requests.len(),
        "writes": requests.writes().len(),
        "counts": counts.join(", "),
    });
    let mut file = fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(file)
        .context("the figures cannot be added to")?;
    writeln!(file, "{line}")?;
    println!("{line}");
    Ok(())
}
