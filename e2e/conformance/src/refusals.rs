//! An API server that refuses to create objects, by a ValidatingAdmissionPolicy for the one namespace: a quota, a webhook
//! or a missing right look like this to an operator.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use kube::Client;
use kube::api::{DeleteParams, PostParams};
use serde_json::{Value, json};

use crate::kinds::{Kind, is_absent};
use crate::scenario::Refused;

/// How long the API server may take to learn of a policy.
const PATIENCE: Duration = Duration::from_mins(1);

const fn kind(refused: Refused) -> Kind {
    match refused {
        Refused::Children => Kind::Flink,
        Refused::Ingresses => Kind::Ingress,
    }
}

fn name(namespace: &str, refused: Refused) -> String {
    format!("{namespace}-{}", kind(refused).resource().plural)
}

/// From now on the objects are refused with these words.
pub(crate) async fn refuse(client: &Client, namespace: &str, refused: Refused, saying: &str) -> Result<()> {
    let resource = kind(refused).resource();
    let name = name(namespace, refused);
    let policy = json!({
        "metadata": { "name": name },
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {
                "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": namespace } },
                "resourceRules": [{
                    "apiGroups": [resource.group],
                    "apiVersions": ["*"],
                    "operations": ["CREATE"],
                    "resources": [resource.plural]
                }]
            },
            "validations": [{ "expression": "false", "message": saying }]
        }
    });
    let binding = json!({
        "metadata": { "name": name },
        "spec": { "policyName": name, "validationActions": ["Deny"] }
    });
    for (kind, object) in [(Kind::Policy, policy), (Kind::PolicyBinding, binding)] {
        kind.everywhere(client)
            .create(&PostParams::default(), &kind.object(object)?)
            .await
            .context("the API server takes no ValidatingAdmissionPolicy, which refusals are played with")?;
    }
    until(client, namespace, refused, true).await
}

/// From now on the objects are taken again.
pub(crate) async fn allow(client: &Client, namespace: &str, refused: Refused) -> Result<()> {
    forget(client, namespace, refused).await;
    until(client, namespace, refused, false).await
}

/// Takes away what a scenario has left.
pub(crate) async fn clean_up(client: &Client, namespace: &str) {
    for refused in [Refused::Children, Refused::Ingresses] {
        forget(client, namespace, refused).await;
    }
}

async fn forget(client: &Client, namespace: &str, refused: Refused) {
    let name = name(namespace, refused);
    for kind in [Kind::PolicyBinding, Kind::Policy] {
        if let Err(error) = kind
            .everywhere(client)
            .delete(&name, &DeleteParams::default())
            .await
            && !is_absent(&error)
        {
            eprintln!("{name} could not be deleted: {error}");
        }
    }
}

/// Policies take a moment to be known; tried is a creation that is not carried out.
async fn until(client: &Client, namespace: &str, refused: Refused, is_refused: bool) -> Result<()> {
    let api = kind(refused).within(client, namespace);
    let probe = kind(refused).object(probe(refused))?;
    let parameters = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = api.create(&parameters, &probe).await;
        let denied = matches!(&answer, Err(kube::Error::Api(status)) if status.message.contains("ValidatingAdmissionPolicy"));
        match answer {
            Err(error) if !denied => return Err(error).context("the probe of a refusal failed"),
            _ if denied == is_refused => return Ok(()),
            _ if Instant::now() >= deadline => bail!(
                "the API server does not {} {refused:?} yet, though the policy was {} {} s ago",
                if is_refused { "refuse" } else { "take" },
                if is_refused { "created" } else { "deleted" },
                PATIENCE.as_secs()
            ),
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

fn probe(refused: Refused) -> Value {
    match refused {
        Refused::Children => json!({
            "metadata": { "name": "probe" },
            "spec": {
                "image": "probe",
                "flinkVersion": "v1_20",
                "jobManager": { "resource": { "cpu": 1, "memory": "1024m" } },
                "taskManager": { "resource": { "cpu": 1, "memory": "1024m" } },
                "job": { "jarURI": "local:///probe.jar", "parallelism": 1, "upgradeMode": "stateless" }
            }
        }),
        Refused::Ingresses => json!({
            "metadata": { "name": "probe" },
            "spec": { "defaultBackend": { "service": { "name": "probe", "port": { "number": 80 } } } }
        }),
    }
}
