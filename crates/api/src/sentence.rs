//! The sentences that people are told, once for the API server's rules ([`crate::rules`]) and for our own validation,
//! so that the two cannot drift apart.

use serde_json::json;

/// A sentence without the name of its field. Each `{}` stands for what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sentence(pub(crate) &'static str);

const PLACE: &str = "{}";

impl Sentence {
    /// The sentence with `found` in its places, in order.
    pub(crate) fn with(self, found: &[&str]) -> String {
        let mut found = found.iter();
        let mut parts = self.0.split(PLACE);
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            text.push_str(found.next().unwrap_or(&""));
            text.push_str(part);
        }
        text
    }

    /// The sentence as it stands; for those that have no places.
    pub(crate) fn text(self) -> String {
        self.0.to_owned()
    }

    /// A CEL expression for the sentence, with the CEL expressions `found`, of type string, in its places.
    pub(crate) fn expression(self, found: &[&str]) -> String {
        let mut found = found.iter();
        let mut parts = self.0.split(PLACE);
        let mut terms = vec![literal(parts.next().unwrap_or_default())];
        for part in parts {
            terms.extend(found.next().map(|it| (*it).to_owned()));
            terms.push(literal(part));
        }
        terms.retain(|term| term != "\"\"");
        terms.join(" + ")
    }
}

/// The text as a string of CEL, whose escapes are those of JSON.
pub(crate) fn literal(text: &str) -> String {
    json!(text).to_string()
}

pub(crate) const NAME_TOO_LONG_BLUE_GREEN: Sentence = Sentence(
    "found `{}`, expected at most 39 characters, because the children are named `<name>-blue` and `<name>-green`, and Flink on Kubernetes takes names of at most 45",
);
pub(crate) const NAME_TOO_LONG: Sentence = Sentence(
    "found `{}`, expected at most 45 characters, because the names of Flink's objects on Kubernetes are made from it",
);
pub(crate) const NAME_FORM: Sentence = Sentence(
    "found `{}`, expected lower-case letters, digits and `-`, beginning with a letter and not ending with `-`, such as `orders-2`",
);

pub(crate) const TEMPLATE_MISSING: Sentence = Sentence(
    "is missing, expected the specification of the FlinkDeployments, with `job`, `flinkVersion`, `jobManager` and `taskManager`",
);
pub(crate) const JOB_MISSING: Sentence = Sentence(
    "is missing, expected the job to run, such as `job: {jarURI: local:///opt/flink/usrlib/job.jar, parallelism: 2}`; session clusters are not supported",
);
pub(crate) const FLINK_VERSION_MISSING: Sentence =
    Sentence("is missing, expected `v<major>_<minor>`, such as `v1_20` or `v2_1`");
pub(crate) const FLINK_VERSION_FORM: Sentence =
    Sentence("found `{}`, expected `v<major>_<minor>`, such as `v1_20` or `v2_1`");
pub(crate) const CPU: Sentence = Sentence("expected a number of cores above 0, such as 1 or 0.5");
pub(crate) const JAR_EMPTY: Sentence = Sentence(
    "found an empty text, expected the address of the job's jar, such as `local:///opt/flink/usrlib/job.jar`",
);
pub(crate) const JAR_MISSING: Sentence = Sentence(
    "is missing, expected the address of the job's jar, such as `local:///opt/flink/usrlib/job.jar`; or `entryClass`, if the job is on the class path of the image",
);
pub(crate) const PARALLELISM_MISSING: Sentence =
    Sentence("is missing, expected a whole number of at least 1");
pub(crate) const SAVEPOINT_PATH_EMPTY: Sentence = Sentence(
    "found an empty text, expected the path of a savepoint, such as `s3://bucket/savepoints/savepoint-1`, or leave the field out",
);
pub(crate) const REDEPLOY_WITHOUT_PATH: Sentence = Sentence(
    "is set without `initialSavepointPath`, expected the path of the savepoint to deploy from there",
);
pub(crate) const ADVANCED_STATELESS: Sentence = Sentence(
    "found `stateless`, expected `savepoint` or `last-state`, because the transition mode ADVANCED hands the state over",
);

pub(crate) const INGRESS_MISSING: Sentence = Sentence(
    "is missing, expected a host, a path, or both, such as `{{name}}.example.org` or `/{{namespace}}/{{name}}`",
);
pub(crate) const INGRESS_ONLY_SCHEME: Sentence = Sentence(
    "found `{}`, which is only a scheme, expected a host, a path, or both, such as `{{name}}.example.org` or `/{{namespace}}/{{name}}`",
);
pub(crate) const INGRESS_HOST: Sentence = Sentence(
    "found `{}` with `{}` in the place of the host, expected a host, a path, or both, such as `{{name}}.example.org` or `/{{namespace}}/{{name}}`",
);

pub(crate) const UNKNOWN_KEY: Sentence = Sentence("is not a known key");
pub(crate) const MODES_DIFFER: Sentence =
    Sentence("found `{}`, expected the same as `spec.transitionMode`, or only one of the two");
pub(crate) const FAILED_DEPLOYMENT: Sentence = Sentence("found `{}`, expected `KEEP`, `SUSPEND` or `DELETE`");
pub(crate) const PROMOTION: Sentence = Sentence("found `{}`, expected `AUTO` or `MANUAL`");
pub(crate) const TRANSITION_MODE: Sentence = Sentence("found `{}`, expected `BASIC` or `ADVANCED`");
pub(crate) const RETENTION: Sentence =
    Sentence("found `{}`, expected a whole number of at least 1, such as `3`, or `ALL`");
pub(crate) const REQUIRED_GUARANTEE: Sentence =
    Sentence("found `{}`, expected `EXACTLY_ONCE`, `EXACTLY_ONCE_EXCEPT_LATE` or `AT_LEAST_ONCE`");
pub(crate) const BOOLEAN: Sentence = Sentence("found `{}`, expected `true` or `false`");

pub(crate) const DURATION_POSITIVE: Sentence =
    Sentence("found `{}`, expected a duration above 0, such as `10 min`");
pub(crate) const DURATION_NEGATIVE: Sentence =
    Sentence("found `{}`, expected a duration of 0 or more, such as `10 min`");
pub(crate) const DELAY_TOO_LONG: Sentence = Sentence("found `{}`, expected at most 24 days, such as `2 h`");

pub(crate) const UNKNOWN_PLACEHOLDER: Sentence =
    Sentence("found `{}`, which is no placeholder, expected `%bluegreen.color%`");
pub(crate) const PLACEHOLDER_NOT_FILLED: Sentence = Sentence(
    "found the placeholder `{}`, which this release does not fill in yet, expected the same text for both colours",
);
pub(crate) const PLACEHOLDER_IN_KEY: Sentence =
    Sentence("found a placeholder in the key `{}`, expected placeholders in values only");
pub(crate) const TRANSACTION_TIMEOUT: Sentence = Sentence(
    "found `{}`, expected more than {}, the milliseconds that a savepoint (`savepoint.timeout`) and a start (`abort.grace-period`) may take, because transactions that the outgoing job leaves open are committed after them",
);

/// What is said about a text that is no quantity: a number and a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quantity {
    pub(crate) empty: Sentence,
    pub(crate) no_number: Sentence,
    pub(crate) unknown_unit: Sentence,
    pub(crate) too_large: Sentence,
}

pub(crate) const DURATION: Quantity = Quantity {
    empty: Sentence("found an empty text, expected a duration such as `10 min`, `15s`, `500 ms` or `PT10M`"),
    no_number: Sentence(
        "found `{}`, which does not begin with a number, expected a duration such as `10 min`, `15s`, `500 ms` or `PT10M`",
    ),
    unknown_unit: Sentence(
        "found `{}` with the unknown unit `{}`, expected one of d, h, min, s, ms, µs and ns, such as `10 min`",
    ),
    too_large: Sentence(
        "found `{}`, which is too large, expected a duration such as `10 min`, `15s`, `500 ms` or `PT10M`",
    ),
};
/// Of a duration in ISO-8601.
pub(crate) const DURATION_ISO: Sentence =
    Sentence("found `{}`, expected a duration such as `10 min`, `15s`, `500 ms` or `PT10M`");

pub(crate) const MEMORY: Quantity = Quantity {
    empty: Sentence("found an empty text, expected a memory size such as `2048m`, `4g` or `1 gb`"),
    no_number: Sentence(
        "found `{}`, which does not begin with a number, expected a memory size such as `2048m`, `4g` or `1 gb`",
    ),
    unknown_unit: Sentence(
        "found `{}` with the unknown unit `{}`, expected one of b, k, m, g and t, such as `2048m`",
    ),
    too_large: Sentence(
        "found `{}`, which is too large, expected a memory size such as `2048m`, `4g` or `1 gb`",
    ),
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_the_same_as_text_and_as_an_expression() {
        let sentence = Sentence("found `{}` with \"{}\", not `{{name}}`");
        assert_eq!(sentence.with(&["a", "b"]), "found `a` with \"b\", not `{{name}}`");
        assert_eq!(
            sentence.expression(&["self.a", "string(self.b)"]),
            r#""found `" + self.a + "` with \"" + string(self.b) + "\", not `{{name}}`""#
        );
        assert_eq!(Sentence("plain").expression(&[]), r#""plain""#);
    }
}
