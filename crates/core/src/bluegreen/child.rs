//! The two children: their manifests, whose they are, and when they count as ready.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use serde_json::Value;
use sluice_api::blue_green::{Color, FlinkBlueGreenDeployment, FlinkBlueGreenDeploymentSpec};
use sluice_api::flink_deployment::{FlinkDeploymentStatus, FlinkJobState, LifecycleState};
use sluice_api::metadata::{ANNOTATION_RESTORED_FROM, LABEL_COLOR, LABEL_TRANSITION};
use sluice_api::{API_VERSION, FlinkDeployment, FlinkDeploymentSpec, JobState};

use crate::{fields, upstream};

/// The child of `color` as transition `number` makes it from `spec`; it starts from `restore`, or from nothing.
pub fn manifest(
    parent: &FlinkBlueGreenDeployment,
    color: Color,
    number: u64,
    spec: &FlinkBlueGreenDeploymentSpec,
    restore: Option<&str>,
) -> FlinkDeployment {
    let template = spec.template.clone().unwrap_or_default();
    let template_metadata = template.metadata.unwrap_or_default();
    // The parent's labels first: an operator that watches by label must find the child, too (FLINK-41403).
    let mut labels = parent.metadata.labels.clone().unwrap_or_default();
    labels.extend(template_metadata.labels.unwrap_or_default());
    labels.insert(LABEL_COLOR.to_owned(), color.label().to_owned());
    labels.insert(LABEL_TRANSITION.to_owned(), number.to_string());
    let mut annotations = template_metadata.annotations.unwrap_or_default();
    if let Some(path) = restore {
        annotations.insert(ANNOTATION_RESTORED_FROM.to_owned(), path.to_owned());
    }
    let mut child = template.spec.unwrap_or_default();
    if let Some(job) = &mut child.job {
        job.initial_savepoint_path = restore.map(str::to_owned);
    }
    if let Some(template) = child
        .ingress
        .as_mut()
        .and_then(|ingress| ingress.template.as_mut())
    {
        *template = prefixed_template(template, color);
    }
    FlinkDeployment {
        api_version: API_VERSION.to_owned(),
        kind: "FlinkDeployment".to_owned(),
        metadata: ObjectMeta {
            name: Some(color.child_name(name(parent))),
            namespace: parent.metadata.namespace.clone(),
            labels: Some(labels),
            annotations: (!annotations.is_empty()).then_some(annotations),
            owner_references: Some(vec![owner_reference(parent)]),
            ..ObjectMeta::default()
        },
        spec: child,
        status: None,
    }
}

/// The reference by which a child or an Ingress belongs to the resource.
pub fn owner_reference(parent: &FlinkBlueGreenDeployment) -> OwnerReference {
    OwnerReference {
        api_version: API_VERSION.to_owned(),
        kind: "FlinkBlueGreenDeployment".to_owned(),
        name: name(parent).to_owned(),
        uid: uid(parent).to_owned(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}

/// The resource's name.
pub fn name(parent: &FlinkBlueGreenDeployment) -> &str {
    parent.metadata.name.as_deref().unwrap_or_default()
}

/// The resource's uid.
pub fn uid(parent: &FlinkBlueGreenDeployment) -> &str {
    parent.metadata.uid.as_deref().unwrap_or_default()
}

/// Whether an object belongs to the resource: by the owner's uid, never by a name (scenario R8).
pub fn is_owned(metadata: &ObjectMeta, parent: &FlinkBlueGreenDeployment) -> bool {
    let uid = uid(parent);
    !uid.is_empty()
        && metadata
            .owner_references
            .as_deref()
            .unwrap_or_default()
            .iter()
            .any(|owner| owner.uid == uid)
}

/// Whether the child is being deleted.
pub const fn is_terminating(child: &FlinkDeployment) -> bool {
    child.metadata.deletion_timestamp.is_some()
}

/// The number of the transition that created the child; 0 for one that another operator created.
pub fn transition(child: &FlinkDeployment) -> u64 {
    let label = child
        .metadata
        .labels
        .as_ref()
        .and_then(|labels| labels.get(LABEL_TRANSITION));
    label.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Whether the child's status describes its present specification, and not one from before the last edit (FLINK-41074).
fn status_is_current(child: &FlinkDeployment) -> Option<&FlinkDeploymentStatus> {
    let status = child.status.as_ref()?;
    if let (Some(observed), Some(generation)) = (status.observed_generation, child.metadata.generation) {
        return (observed >= generation).then_some(status);
    }
    // An operator that does not tell the generation tells the specification that it last deployed, and of which generation
    // that is: upstream before 1.8 writes other fields into it than were asked for, such as the upgradeMode of a first start.
    let reconciled = upstream::reconciled(status)?;
    let of = reconciled.pointer("/resource_metadata/metadata/generation");
    if let (Some(of), Some(generation)) = (of.and_then(Value::as_i64), child.metadata.generation) {
        return (of >= generation).then_some(status);
    }
    let reconciled: FlinkDeploymentSpec =
        serde_json::from_value(reconciled.get("spec").cloned().unwrap_or(reconciled)).ok()?;
    (fields::normalized(&reconciled) == fields::normalized(&child.spec)).then_some(status)
}

/// Ready means RUNNING and STABLE for the child's present specification (FLIP-503, FLINK-41074).
pub fn is_ready(child: &FlinkDeployment) -> bool {
    !is_terminating(child)
        && status_is_current(child).is_some_and(|status| {
            job_state_of(status) == Some(FlinkJobState::Running)
                && status.lifecycle_state == Some(LifecycleState::Stable)
        })
}

/// Whether the child is suspended as its present specification asks.
pub fn is_suspended(child: &FlinkDeployment) -> bool {
    fields::job_state(&child.spec) == JobState::Suspended
        && status_is_current(child)
            .is_some_and(|status| status.lifecycle_state == Some(LifecycleState::Suspended))
}

/// Whether the child's job runs at this moment, by its own status.
pub fn job_is_running(child: &FlinkDeployment) -> bool {
    child.status.as_ref().and_then(job_state_of) == Some(FlinkJobState::Running)
}

/// The state of the child's job, where its status describes its present specification, which asks for a running job.
pub fn current_job_state(child: &FlinkDeployment) -> Option<FlinkJobState> {
    status_is_current(child)
        .filter(|_| fields::job_state(&child.spec) == JobState::Running)
        .and_then(job_state_of)
}

/// When the child's job was started, by its own status; otherwise, when the child was created.
pub fn running_since(child: &FlinkDeployment) -> Option<Timestamp> {
    let told = || {
        let job = child.status.as_ref()?.job_status.as_ref()?;
        Timestamp::from_millisecond(job.start_time.as_deref()?.parse().ok()?).ok()
    };
    // Not the present time where it is not told: what is said of it would be another at every look.
    told().or_else(|| Some(child.metadata.creation_timestamp.as_ref()?.0))
}

fn job_state_of(status: &FlinkDeploymentStatus) -> Option<FlinkJobState> {
    status.job_status.as_ref().and_then(|job| job.state)
}

/// Whether the child's job was ever seen to run; one that was not has left nothing.
pub fn has_run(child: &FlinkDeployment) -> bool {
    let job = child
        .status
        .as_ref()
        .and_then(|status| status.job_status.as_ref());
    job.is_some_and(|job| {
        job.state == Some(FlinkJobState::Running)
            || job.start_time.as_deref().is_some_and(|time| !time.is_empty())
    })
}

/// The id of the child's job.
pub fn job_id(child: &FlinkDeployment) -> Option<&str> {
    child
        .status
        .as_ref()?
        .job_status
        .as_ref()?
        .job_id
        .as_deref()
        .filter(|id| !id.is_empty())
}

/// The savepoint or checkpoint that a suspended child would resume from.
pub fn upgrade_savepoint(child: &FlinkDeployment) -> Option<&str> {
    child.status.as_ref().and_then(upstream::upgrade_savepoint)
}

/// What the child was started from.
pub fn restored_from(child: &FlinkDeployment) -> Option<&str> {
    child.spec.job.as_ref()?.initial_savepoint_path.as_deref()
}

/// The child's state and its own error, for people.
pub fn describe(child: &FlinkDeployment) -> String {
    let status = child.status.clone().unwrap_or_default();
    let job = job_state_of(&status).map_or("no job state yet".to_owned(), |state| {
        serde_json::to_value(state)
            .ok()
            .and_then(|v| v.as_str().map(str::to_owned))
            .unwrap_or_default()
    });
    let lifecycle = status
        .lifecycle_state
        .map_or("not looked at yet".to_owned(), |state| {
            serde_json::to_value(state)
                .ok()
                .and_then(|v| v.as_str().map(str::to_owned))
                .unwrap_or_default()
        });
    let older = if child.status.is_some() && status_is_current(child).is_none() {
        ", as of before its last change"
    } else {
        ""
    };
    match status.error.as_deref().filter(|error| !error.is_empty()) {
        Some(error) => format!("job {job}, {lifecycle}{older}: {}", shortened(&in_words(error))),
        None => format!("job {job}, {lifecycle}{older}"),
    }
}

/// Upstream writes an error as JSON with its message, its type and a list of causes; people want the message.
fn in_words(error: &str) -> String {
    let message = serde_json::from_str::<Value>(error)
        .ok()
        .and_then(|value| value.get("message")?.as_str().map(str::to_owned))
        .filter(|message| !message.is_empty());
    message.unwrap_or_else(|| error.to_owned())
}

/// The first thousand characters, so that a stack trace does not fill the status.
pub fn shortened(text: &str) -> String {
    const LIMIT: usize = 1000;
    let line = text.trim();
    if line.chars().count() <= LIMIT {
        return line.to_owned();
    }
    let mut short: String = line.chars().take(LIMIT).collect();
    short.push('…');
    short
}

/// The template of the child's own Ingress with its colour before the host, or before the path if there is no host.
fn prefixed_template(template: &str, color: Color) -> String {
    let (scheme, rest) = match template.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), template),
    };
    match rest.strip_prefix('/') {
        Some(path) => format!("{scheme}/{color}-{path}"),
        None => format!("{scheme}{color}-{rest}"),
    }
}

/// The template of the resource from the one that a child bears: the reverse of the prefix.
pub fn unprefixed_template(template: &str, color: Color) -> String {
    let prefix = format!("{color}-");
    let (scheme, rest) = match template.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), template),
    };
    match rest.strip_prefix('/') {
        Some(path) => format!("{scheme}/{}", path.strip_prefix(&prefix).unwrap_or(path)),
        None => format!("{scheme}{}", rest.strip_prefix(&prefix).unwrap_or(rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenario_38_the_colour_goes_before_the_right_part_of_the_template() {
        for (template, blue) in [
            ("{{name}}.example.com", "blue-{{name}}.example.com"),
            ("/{{namespace}}/{{name}}", "/blue-{{namespace}}/{{name}}"),
            ("https://example.com/x", "https://blue-example.com/x"),
            ("example.com/x(/|$)(.*)", "blue-example.com/x(/|$)(.*)"),
        ] {
            assert_eq!(prefixed_template(template, Color::Blue), blue);
            assert_eq!(unprefixed_template(blue, Color::Blue), template);
        }
    }
}
