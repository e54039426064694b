//! The Helm chart: it is linted, rendered with each of its value sets, and packaged. Whether an API server takes what it
//! renders is tested in `crates/kubernetes/tests/chart.rs`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::workspace::Workspace;
use crate::{helm, process};

const CHART: &str = "deploy/helm/sluice";
/// The set in which every value differs from its default.
const EVERYTHING: &str = "everything-values.yaml";

/// Kinds without a namespace that the chart may have.
const CLUSTER_WIDE: &[&str] = &[
    "ClusterRole",
    "ClusterRoleBinding",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
];

/// What is refused, and a part of the sentence that says so.
const REFUSED: &[(&[&str], &str)] = &[
    (
        &["watchNamespace=flink"],
        "additional properties 'watchNamespace'",
    ),
    (
        &["watchNamespaces={flink}", "namespaceSelector.matchLabels.a=b"],
        "watchNamespaces and namespaceSelector are both set",
    ),
    (
        &["replicas=2", "leaderElection.enabled=false"],
        "leader election must be on",
    ),
    (&["flinkDeployments=upstream"], "flinkDeployments"),
    (&["watchNamespaces={Flink}"], "watchNamespaces"),
    (
        &["flinkDeploymentControllers={flink-operator}"],
        "flinkDeploymentControllers",
    ),
    (
        &["defaultConfiguration.config\\.yaml.abort=1"],
        "defaultConfiguration",
    ),
    (
        &["admissionPolicy.validationActions={Deny,Warn}"],
        "validationActions",
    ),
    (&["jvmArgs.operator=-Xmx1g"], "additional properties 'jvmArgs'"),
];

/// Checks the chart and leaves its package in the target directory.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let chart = Chart {
        helm: helm::program(workspace)?,
        directory: workspace.root().join(CHART),
    };
    let sets = chart.value_sets()?;
    let mut complaints = Vec::new();
    for set in &sets {
        process::output(
            Command::new(&chart.helm)
                .args(["lint", "--quiet", "--strict"])
                .arg(&chart.directory)
                .arg("--values")
                .arg(set),
        )?;
        let objects = chart.render(set)?;
        let name = set.file_name().unwrap_or_default().to_string_lossy();
        println!("{name}: {} objects", objects.len());
        complaints.extend(
            object_complaints(&objects)
                .into_iter()
                .map(|it| format!("{name}: {it}")),
        );
    }
    for (settings, sentence) in REFUSED {
        let answer = chart.refusal(settings)?;
        if !answer.contains(sentence) {
            complaints.push(format!(
                "with {} Helm should say `{sentence}`; it says: {answer}",
                settings.join(" and ")
            ));
        }
    }
    complaints.extend(chart.values_without_effect()?);
    if !complaints.is_empty() {
        bail!("{}", complaints.join("\n"));
    }
    let packages = workspace.target_directory()?.join("chart");
    process::run(
        Command::new(&chart.helm)
            .arg("package")
            .arg(&chart.directory)
            .arg("--destination")
            .arg(packages),
    )
}

struct Chart {
    helm: PathBuf,
    directory: PathBuf,
}

impl Chart {
    fn value_sets(&self) -> Result<Vec<PathBuf>> {
        let directory = self.directory.join("ci");
        let mut sets = Vec::new();
        for entry in
            fs::read_dir(&directory).with_context(|| format!("{} cannot be read", directory.display()))?
        {
            sets.push(entry?.path());
        }
        sets.sort();
        Ok(sets)
    }

    fn template(&self) -> Command {
        let mut command = Command::new(&self.helm);
        command
            .args(["template", "sluice"])
            .arg(&self.directory)
            .args(["--namespace", "sluice-system"]);
        command
    }

    fn render(&self, values: &Path) -> Result<Vec<Value>> {
        let rendered = process::output(self.template().arg("--values").arg(values))?;
        objects(&rendered)
    }

    /// What Helm says when it refuses these settings.
    fn refusal(&self, settings: &[&str]) -> Result<String> {
        let mut command = self.template();
        for setting in settings {
            command.args(["--set", setting]);
        }
        let output = command.output().context("Helm could not be started")?;
        if output.status.success() {
            return Ok("nothing, it renders".to_owned());
        }
        Ok(String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// A value that changes nothing is a slip in a template. Each value of the set in which all differ is left out in turn.
    fn values_without_effect(&self) -> Result<Vec<String>> {
        let set = self.directory.join("ci").join(EVERYTHING);
        let text = fs::read_to_string(&set).with_context(|| format!("{} cannot be read", set.display()))?;
        let all: Value = serde_saphyr::from_str(&text)?;
        let with_all = self.render(&set)?;
        let file = tempfile::Builder::new().suffix(".yaml").tempfile()?;
        let mut complaints = Vec::new();
        for path in paths(&all) {
            let mut fewer = all.clone();
            remove(&mut fewer, &path);
            fs::write(file.path(), serde_json::to_string(&fewer)?)?;
            if self.render(file.path())? == with_all {
                complaints.push(format!(
                    "the value {} of {EVERYTHING} has no effect",
                    path.join(".")
                ));
            }
        }
        Ok(complaints)
    }
}

/// The first two levels: `replicas`, `operatorPod.env`.
fn paths(values: &Value) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (key, value) in values.as_object().into_iter().flatten() {
        match value.as_object() {
            Some(inner) => found.extend(inner.keys().map(|inner| vec![key.clone(), inner.clone()])),
            None => found.push(vec![key.clone()]),
        }
    }
    found
}

fn remove(values: &mut Value, path: &[String]) {
    let Some((last, before)) = path.split_last() else {
        return;
    };
    let parent = before
        .iter()
        .try_fold(values, |values, key| values.get_mut(key.as_str()));
    if let Some(parent) = parent.and_then(Value::as_object_mut) {
        parent.remove(last);
    }
}

fn objects(rendered: &str) -> Result<Vec<Value>> {
    let documents: Vec<Value> =
        serde_saphyr::from_multiple(rendered).context("what Helm renders is not YAML")?;
    Ok(documents.into_iter().filter(|it| !it.is_null()).collect())
}

/// What every object has to have, whatever its kind.
fn object_complaints(objects: &[Value]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut complaints = Vec::new();
    for object in objects {
        let text = |pointer: &str| {
            object
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let (kind, name, namespace) = (text("/kind"), text("/metadata/name"), text("/metadata/namespace"));
        let it = format!("{kind} {namespace}/{name}");
        if kind.is_empty() || name.is_empty() || text("/apiVersion").is_empty() {
            complaints.push(format!("an object lacks its apiVersion, kind or name: {object}"));
        }
        if namespace.is_empty() != CLUSTER_WIDE.contains(&kind) {
            complaints.push(format!(
                "{it} has a namespace and should have none, or the reverse"
            ));
        }
        if text("/metadata/labels/app.kubernetes.io~1instance").is_empty() {
            complaints.push(format!("{it} has no label app.kubernetes.io/instance"));
        }
        if !seen.insert(it.clone()) {
            complaints.push(format!("{it} is there twice"));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_without_its_namespace_and_one_that_is_there_twice_are_found() {
        let role =
            "kind: Role\napiVersion: v1\nmetadata: {name: a, labels: {app.kubernetes.io/instance: i}}\n";
        let policy = "kind: ClusterRole\napiVersion: v1\nmetadata: {name: a, labels: {app.kubernetes.io/instance: i}}\n";
        let found = object_complaints(&objects(&[role, policy, policy].join("---\n")).unwrap());
        assert_eq!(
            found,
            [
                "Role /a has a namespace and should have none, or the reverse",
                "ClusterRole /a is there twice"
            ]
        );
    }

    #[test]
    fn each_value_is_left_out_in_turn() {
        let values = serde_json::json!({"replicas": 2, "log": {"level": "debug", "format": "text"}});
        let found = paths(&values);
        assert_eq!(
            found,
            [vec!["replicas"], vec!["log", "level"], vec!["log", "format"]]
                .map(|path| path.into_iter().map(str::to_owned).collect::<Vec<_>>())
        );
        let mut fewer = values;
        remove(&mut fewer, &found[1]);
        assert_eq!(
            fewer,
            serde_json::json!({"replicas": 2, "log": {"format": "text"}})
        );
    }
}
