//! Templates of an Ingress.

use crate::flink_deployment::IngressSpec;
use crate::problem::Problem;
use crate::sentence;

/// The template must lead to a host, a path, or both, once its placeholders are filled in:
/// of a scheme alone, or of nothing, no rule of an Ingress can be made (Kubernetes takes hosts as RFC 1123 subdomains).
pub(super) fn check(path: &str, ingress: &IngressSpec, problems: &mut Vec<Problem>) {
    let template = ingress.template.as_deref().unwrap_or_default().trim();
    let message = if template.is_empty() {
        sentence::INGRESS_MISSING.text()
    } else if is_only_scheme(template) {
        sentence::INGRESS_ONLY_SCHEME.with(&[template])
    } else if let Some(part) = strange_part(template) {
        sentence::INGRESS_HOST.with(&[template, &part])
    } else {
        return;
    };
    problems.push(Problem::new(format!("{path}.template"), message));
}

fn is_only_scheme(template: &str) -> bool {
    let rest = template.split_once("://").map_or(template, |(_, rest)| rest);
    rest.is_empty() || template.trim_end_matches('/').ends_with(':')
}

/// The host, if it can be none. Paths may hold anything: annotations can make them regular expressions.
fn strange_part(template: &str) -> Option<String> {
    let filled = template
        .to_ascii_lowercase()
        .replace("{{name}}", "name")
        .replace("{{namespace}}", "namespace");
    let rest = filled.split_once("://").map_or(filled.as_str(), |(_, rest)| rest);
    let host = rest.split('/').next().unwrap_or_default();
    let is_plain = host
        .chars()
        .all(|it| it.is_ascii_alphanumeric() || matches!(it, '.' | '-' | '*' | ':'));
    (!is_plain).then(|| host.to_owned())
}
