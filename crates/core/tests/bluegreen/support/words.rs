//! What the story tells, in words.

use sluice_core::bluegreen::decision::Effect;
use sluice_core::handover::HandoverRecord;

use super::controller::awaits_savepoint;

/// Where the handover stands, in a word.
fn phase(record: &HandoverRecord) -> String {
    let text = format!("{:?}", record.phase);
    let end = text.find(' ').unwrap_or(text.len());
    text[..end].to_uppercase()
}

/// An effect in a few words.
pub fn described(effect: &Effect) -> String {
    match effect {
        Effect::CreateChild { manifest } => {
            let job = manifest.spec.job.clone().unwrap_or_default();
            format!(
                "create {} with {}{}{}",
                manifest.metadata.name.clone().unwrap_or_default(),
                manifest.spec.image.clone().unwrap_or_default(),
                job.initial_savepoint_path
                    .map(|path| format!(" from {path}"))
                    .unwrap_or_default(),
                if awaits_savepoint(manifest) {
                    ", waiting"
                } else {
                    ""
                }
            )
        }
        Effect::ReplaceChild { manifest } => {
            let job = manifest.spec.job.clone().unwrap_or_default();
            let text = |value: serde_json::Value| value.as_str().unwrap_or("running").to_owned();
            format!(
                "change {} to {} {}",
                manifest.metadata.name.clone().unwrap_or_default(),
                manifest.spec.image.clone().unwrap_or_default(),
                text(serde_json::to_value(job.state).unwrap())
            )
        }
        Effect::DeleteChild { name, .. } => format!("delete {name}"),
        Effect::TriggerSavepoint { child, directory, .. } => {
            format!("ask {child} for a savepoint into {directory}")
        }
        Effect::DisposeSavepoint { path, .. } => format!("dispose of {path}"),
        Effect::StopDrained { child, .. } => format!("stop the job of {child} for good, and drain it"),
        Effect::WriteHandover { record, .. } if record.incoming.is_some() => {
            format!("hand over to {}: {}", record.active.color.other(), phase(record))
        }
        Effect::WriteHandover { record, .. } => format!(
            "name {} of transition {}{}",
            record.active.color,
            record.active.created_for.0,
            record
                .savepoint
                .as_ref()
                .map(|path| format!(", from {path}"))
                .unwrap_or_default()
        ),
        Effect::ApplyIngress { manifest } => {
            let rules = manifest.spec.as_ref().and_then(|spec| spec.rules.clone());
            let paths = rules.and_then(|rules| rules.first()?.http.clone());
            let backend = paths.and_then(|http| http.paths.first()?.backend.service.clone());
            format!(
                "Ingress to {}",
                backend.map(|service| service.name).unwrap_or_default()
            )
        }
        Effect::DeleteIngress { name, .. } => format!("delete the Ingress {name}"),
    }
}
