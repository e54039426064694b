//! Which crates may not stand behind which of ours. The decisions are pure only as long as nothing that they are
//! built from can reach the outside.

use anyhow::{Context, Result, bail};

use crate::process;
use crate::workspace::Workspace;

struct Rule {
    package: &'static str,
    forbidden: &'static [&'static str],
    why: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        package: "sluice-core",
        forbidden: &[
            "async-std",
            "getrandom",
            "hyper",
            "kube",
            "kube-client",
            "mio",
            "rand",
            "reqwest",
            "rusqlite",
            "sluice-flink",
            "sluice-local",
            "tokio",
        ],
        why: "sluice-core decides; it has no I/O, no async, no clock and no randomness",
    },
    Rule {
        package: "sluice-flink",
        forbidden: &["sluice-api", "sluice-core", "sluice-local"],
        why: "sluice-flink knows Flink's REST API and none of Sluice's decisions",
    },
];

/// Fails at the first crate that a rule forbids, with the way by which it comes in.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    for rule in RULES {
        let tree = process::output(workspace.cargo().args([
            "tree",
            "--locked",
            "--package",
            rule.package,
            "--edges",
            "normal",
            "--prefix",
            "depth",
        ]))?;
        let path = forbidden_path(&tree, rule.forbidden)
            .with_context(|| format!("the dependency tree of {} could not be read", rule.package))?;
        if let Some(path) = path {
            let found = path.last().map_or("", String::as_str);
            bail!(
                "{found} must not stand behind {}: {}. It comes in by {}",
                rule.package,
                rule.why,
                path.join(" -> ")
            );
        }
        println!("{}: none of {}", rule.package, rule.forbidden.join(", "));
    }
    Ok(())
}

/// The way from the root to the first forbidden crate in what `cargo tree --prefix depth` printed.
fn forbidden_path(tree: &str, forbidden: &[&str]) -> Result<Option<Vec<String>>> {
    let mut path: Vec<String> = Vec::new();
    for line in tree.lines().filter(|line| !line.trim().is_empty()) {
        let (depth, name) = parse_line(line).with_context(|| format!("`{line}` has no depth and no name"))?;
        path.truncate(depth);
        path.push(name.to_owned());
        // The root is the crate that the rule is about.
        if depth > 0 && forbidden.contains(&name) {
            return Ok(Some(path));
        }
    }
    if path.is_empty() {
        bail!("cargo tree printed nothing");
    }
    Ok(None)
}

/// `2jiff v0.2.43 (*)` is depth 2 and the crate `jiff`; no crate's name begins with a digit.
fn parse_line(line: &str) -> Option<(usize, &str)> {
    let name_starts = line.find(|c: char| !c.is_ascii_digit())?;
    let (depth, rest) = line.split_at(name_starts);
    Some((depth.parse().ok()?, rest.split_whitespace().next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "\
0sluice-core v0.1.0 (crates/core)
1jiff v0.2.43
1k8s-openapi v0.29.0
2base64 v0.22.1
2jiff v0.2.43 (*)
1client v1.0.0
2hyper-util v0.1.0
3tokio v1.54.1
1serde v1.0.229
";

    #[test]
    fn a_forbidden_crate_is_reported_with_the_way_by_which_it_comes_in() {
        let path = forbidden_path(TREE, &["reqwest", "tokio"]).unwrap().unwrap();
        assert_eq!(path, ["sluice-core", "client", "hyper-util", "tokio"]);
    }

    #[test]
    fn a_crate_is_forbidden_by_its_whole_name() {
        assert_eq!(
            forbidden_path(TREE, &["hyper", "base", "sluice-core"]).unwrap(),
            None
        );
    }

    #[test]
    fn an_empty_or_unreadable_tree_does_not_pass_as_pure() {
        assert!(forbidden_path("", &["tokio"]).is_err());
        assert!(forbidden_path("sluice-core v0.1.0\n", &["tokio"]).is_err());
    }
}
