//! Names that fit the objects which are made from them.

use crate::problem::Problem;

/// Flink on Kubernetes makes the name of the REST service, `<name>-rest`, and labels from the name of a FlinkDeployment,
/// and refuses a longer cluster id: Kubernetes takes 63 characters for a label or the name of a service (RFC 1035).
const LONGEST_FLINK_DEPLOYMENT: usize = 45;
/// The longer ending, `-green`, is added to it.
const LONGEST_BLUE_GREEN: usize = 39;

pub(super) fn check_blue_green(name: Option<&str>, problems: &mut Vec<Problem>) {
    check(
        name,
        LONGEST_BLUE_GREEN,
        "the children are named `<name>-blue` and `<name>-green`, and Flink on Kubernetes takes names of at most 45",
        problems,
    );
}

pub(super) fn check_flink_deployment(name: Option<&str>, problems: &mut Vec<Problem>) {
    check(
        name,
        LONGEST_FLINK_DEPLOYMENT,
        "the names of Flink's objects on Kubernetes are made from it",
        problems,
    );
}

fn check(name: Option<&str>, longest: usize, reason: &str, problems: &mut Vec<Problem>) {
    let field = "metadata.name";
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        problems.push(Problem::new(
            field,
            "is missing, expected the name of the resource",
        ));
        return;
    };
    let length = name.chars().count();
    if length > longest {
        problems.push(Problem::new(
            field,
            format!("found `{name}` with {length} characters, expected at most {longest}, because {reason}"),
        ));
    }
    if !has_form(name) {
        problems.push(Problem::new(
            field,
            format!("found `{name}`, expected lower-case letters, digits and `-`, beginning with a letter and not ending with `-`, such as `orders-2`"),
        ));
    }
}

fn has_form(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.ends_with('-')
        && name
            .chars()
            .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-')
}
