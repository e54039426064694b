//! Names that fit the objects which are made from them.

use crate::problem::Problem;
use crate::sentence::{self, Sentence};

/// Flink on Kubernetes makes the name of the REST service, `<name>-rest`, and labels from the name of a FlinkDeployment,
/// and refuses a longer cluster id: Kubernetes takes 63 characters for a label or the name of a service (RFC 1035).
pub(crate) const LONGEST_FLINK_DEPLOYMENT: usize = 45;
/// The longer ending, `-green`, is added to it.
pub(crate) const LONGEST_BLUE_GREEN: usize = 39;

pub(super) fn check_blue_green(name: Option<&str>, problems: &mut Vec<Problem>) {
    check(
        name,
        LONGEST_BLUE_GREEN,
        sentence::NAME_TOO_LONG_BLUE_GREEN,
        problems,
    );
}

pub(super) fn check_flink_deployment(name: Option<&str>, problems: &mut Vec<Problem>) {
    check(name, LONGEST_FLINK_DEPLOYMENT, sentence::NAME_TOO_LONG, problems);
}

fn check(name: Option<&str>, longest: usize, too_long: Sentence, problems: &mut Vec<Problem>) {
    let field = "metadata.name";
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        problems.push(Problem::new(
            field,
            "is missing, expected the name of the resource",
        ));
        return;
    };
    if name.chars().count() > longest {
        problems.push(Problem::new(field, too_long.with(&[name])));
    }
    if !has_form(name) {
        problems.push(Problem::new(field, sentence::NAME_FORM.with(&[name])));
    }
}

fn has_form(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.ends_with('-')
        && name
            .chars()
            .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-')
}
