//! Rules of a FlinkDeployment's specification, as in `crate::validation::cluster`.

use super::{Rule, quantity};
use crate::sentence;

/// Every rule, for the template of a blue/green deployment.
pub(super) fn rules(place: &str, field: &str) -> Vec<Rule> {
    let mut rules = shared_rules(place, field);
    rules.push(
        Rule::plain(
            place,
            "has(self.job)",
            &format!("{field}.job"),
            sentence::JOB_MISSING,
        )
        .unless_broken_before(),
    );
    rules.extend(job(&format!("{place}/properties/job"), &format!("{field}.job")));
    for manager in MANAGERS {
        rules.extend(resource(
            &format!("{place}/properties/{manager}/properties/resource"),
            &format!("{field}.{manager}.resource"),
        ));
    }
    rules
}

/// The rules that upstream's operator has, too: they keep nothing out that it could run.
pub(super) fn shared_rules(place: &str, field: &str) -> Vec<Rule> {
    let version = format!("{field}.flinkVersion");
    let mut rules = vec![
        Rule::plain(
            place,
            "has(self.flinkVersion)",
            &version,
            sentence::FLINK_VERSION_MISSING,
        )
        .unless_broken_before(),
        Rule::found(
            &format!("{place}/properties/flinkVersion"),
            "self.matches(\"^v[0-9]+_[0-9]+$\")",
            &version,
            sentence::FLINK_VERSION_FORM,
            &["self"],
        ),
    ];
    rules.extend(ingress(
        &format!("{place}/properties/ingress"),
        &format!("{field}.ingress"),
    ));
    rules
}

const MANAGERS: [&str; 2] = ["jobManager", "taskManager"];
const SIZES: [&str; 2] = ["memory", "ephemeralStorage"];

/// The texts that rules look into.
pub(super) fn texts(place: &str) -> Vec<String> {
    let mut texts: Vec<String> = [
        "flinkVersion",
        "ingress/properties/template",
        "job/properties/jarURI",
        "job/properties/entryClass",
        "job/properties/initialSavepointPath",
    ]
    .iter()
    .map(|text| format!("{place}/properties/{text}"))
    .collect();
    for manager in MANAGERS {
        for size in SIZES {
            texts.push(format!(
                "{place}/properties/{manager}/properties/resource/properties/{size}"
            ));
        }
    }
    texts
}

/// The integers that our types hold in 32 bits, as upstream's.
pub(super) fn numbers(place: &str) -> Vec<String> {
    let mut numbers = vec![format!("{place}/properties/job/properties/parallelism")];
    for manager in MANAGERS {
        numbers.push(format!("{place}/properties/{manager}/properties/replicas"));
    }
    numbers
}

fn job(place: &str, field: &str) -> [Rule; 5] {
    let property = |name: &str| (format!("{place}/properties/{name}"), format!("{field}.{name}"));
    let (jar, jar_field) = property("jarURI");
    let (path, path_field) = property("initialSavepointPath");
    [
        Rule::plain(&jar, "self.trim() != \"\"", &jar_field, sentence::JAR_EMPTY),
        Rule::plain(
            place,
            "has(self.jarURI) || (has(self.entryClass) && self.entryClass.trim() != \"\")",
            &jar_field,
            sentence::JAR_MISSING,
        )
        .unless_broken_before(),
        Rule::plain(
            place,
            "has(self.parallelism)",
            &format!("{field}.parallelism"),
            sentence::PARALLELISM_MISSING,
        )
        .unless_broken_before(),
        Rule::plain(
            &path,
            "self.trim() != \"\"",
            &path_field,
            sentence::SAVEPOINT_PATH_EMPTY,
        ),
        Rule::plain(
            place,
            "!has(self.savepointRedeployNonce) || has(self.initialSavepointPath)",
            &format!("{field}.savepointRedeployNonce"),
            sentence::REDEPLOY_WITHOUT_PATH,
        )
        .unless_broken_before(),
    ]
}

fn resource(place: &str, field: &str) -> Vec<Rule> {
    // Without what was found: of the text that a number becomes, the API server cannot bound the length.
    let mut rules = vec![Rule::plain(
        &format!("{place}/properties/cpu"),
        "self > 0.0",
        &format!("{field}.cpu"),
        sentence::CPU,
    )];
    for size in SIZES {
        rules.push(quantity::memory_rule(
            &format!("{place}/properties/{size}"),
            &format!("{field}.{size}"),
        ));
    }
    rules
}

/// The template of an Ingress, as in `crate::validation::ingress`.
pub(super) fn ingress(place: &str, field: &str) -> [Rule; 3] {
    /// What may stand in the place of the host.
    const HOST: &str = r#"r.matches("^([-A-Za-z0-9.*:]|[{][{](?i:name|namespace)[}][}])*(/|$)")"#;
    /// The part after the scheme.
    const REST: &str = r#"[self.contains("://") ? self.substring(self.indexOf("://") + 3) : self.trim()]"#;
    /// The host with its placeholders filled in.
    const FILLED: &str =
        r#".map(r, r.lowerAscii().replace("{{name}}", "name").replace("{{namespace}}", "namespace"))"#;
    let template = format!("{place}/properties/template");
    let field = format!("{field}.template");
    [
        Rule::plain(
            place,
            "has(self.template) && self.template.trim() != \"\"",
            &field,
            sentence::INGRESS_MISSING,
        )
        .unless_broken_before(),
        Rule::found(
            &template,
            "!self.trim().matches(\":/*$\")",
            &field,
            sentence::INGRESS_ONLY_SCHEME,
            &["self.trim()"],
        ),
        Rule::found(
            &template,
            format!("{REST}.all(r, {HOST})"),
            &field,
            sentence::INGRESS_HOST,
            &["self.trim()", &format!("{REST}{FILLED}[0].split(\"/\")[0]")],
        ),
    ]
}
