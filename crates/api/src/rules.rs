//! What the API server refuses by itself: our own validation as rules in CEL, as far as CEL can say it.
//!
//! An object from before a rule is not locked: its status is written, it is edited elsewhere, fixed bit by bit, deleted.
//! The API server itself sees to that where a rule looks at one value, or at a map of texts: it does not tell a broken
//! rule again while what the rule looks at stays as it is ("ratcheting", on by default since Kubernetes 1.30). Of an
//! object that holds anything without a schema, such as `flinkConfiguration`, it cannot tell that it stayed as it is; the
//! rules of such a place look at the object as it was before themselves ([`Rule::unless_before`]).
//!
//! No rule refuses what [`crate::validate`] takes. What CEL cannot say, or only at a cost above the API server's budget, the controller says
//! alone: everything in `flinkConfiguration`, which has no schema; the size of the whole; what depends on the operator's
//! defaults; numbers that overflow.

mod cluster;
mod configuration;
mod quantity;

use serde_json::{Map, Value, json};

use crate::crd::Kind;
use crate::sentence::{self, Sentence, literal};
use crate::settings::key;
use crate::validation::{LARGEST_SPEC, LONGEST_BLUE_GREEN, LONGEST_FLINK_DEPLOYMENT};

/// One rule at its place in the schema of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    /// JSON pointer to the schema that it stands in.
    place: String,
    /// Holds if all is well.
    condition: String,
    /// The field and the sentence, where what was found cannot be told (it has a line break, or is very long).
    message: String,
    /// The same with what was found.
    expression: Option<String>,
    /// The condition looks at the object as it was before, too.
    looks_back: bool,
}

impl Rule {
    /// The sentence says nothing of what was found.
    fn plain(place: &str, condition: impl Into<String>, field: &str, sentence: Sentence) -> Self {
        Self {
            place: place.to_owned(),
            condition: condition.into(),
            message: format!("{field}: {}", sentence.0),
            expression: None,
            looks_back: false,
        }
    }

    /// `found` are CEL expressions of type string for the places of the sentence.
    fn found(
        place: &str,
        condition: impl Into<String>,
        field: &str,
        sentence: Sentence,
        found: &[&str],
    ) -> Self {
        let places = vec!["..."; found.len()];
        let words = sentence.expression(found);
        Self {
            message: format!("{field}: {}", sentence.with(&places)),
            expression: Some(format!("{} + {words}", literal(&format!("{field}: ")))),
            ..Self::plain(place, condition, field, sentence)
        }
    }

    /// What is told is the CEL expression `words`, after `beginning`.
    fn said(&mut self, beginning: &str, words: &str) {
        self.expression = Some(format!("{} + {words}", literal(beginning)));
    }

    /// Only new objects are judged: the field can never change.
    fn at_creation(self) -> Self {
        Self {
            condition: format!("oldSelf.hasValue() || ({})", self.condition),
            looks_back: true,
            ..self
        }
    }

    /// An update of an object that breaks the rule already is not judged.
    fn unless_broken_before(self) -> Self {
        let broken = format!("!({})", self.condition.replace("self.", "before."));
        self.unless_before(&broken)
    }

    /// An update of an object `before` is not judged if the CEL expression `broken` holds of it.
    fn unless_before(self, broken: &str) -> Self {
        Self {
            condition: format!(
                "({}) || oldSelf.optMap(before, {broken}).orValue(false)",
                self.condition
            ),
            looks_back: true,
            ..self
        }
    }

    fn value(&self) -> Value {
        let mut rule = Map::new();
        rule.insert("rule".into(), json!(self.condition));
        rule.insert("message".into(), json!(self.message));
        if let Some(expression) = &self.expression {
            rule.insert("messageExpression".into(), json!(expression));
        }
        if self.looks_back {
            rule.insert("optionalOldSelf".into(), json!(true));
        }
        rule.into()
    }
}

/// Puts the rules of `kind` into the schema of the whole resource, and the bounds that their cost is estimated with.
pub(crate) fn add(kind: Kind, schema: &mut Value) {
    for rule in of(kind) {
        if let Some(Value::Object(place)) = schema.pointer_mut(&rule.place)
            && let Some(rules) = place
                .entry("x-kubernetes-validations")
                .or_insert_with(|| json!([]))
                .as_array_mut()
        {
            rules.push(rule.value());
        }
    }
    for (place, keyword, bound) in bounds(kind) {
        if let Some(Value::Object(place)) = schema.pointer_mut(&place) {
            place.insert(keyword.into(), json!(bound));
        }
    }
}

/// The rules of `kind`.
pub(crate) fn of(kind: Kind) -> Vec<Rule> {
    let mut rules = Vec::new();
    match kind {
        Kind::FlinkBlueGreenDeployment => {
            rules.extend(name(LONGEST_BLUE_GREEN, sentence::NAME_TOO_LONG_BLUE_GREEN));
            rules.extend(configuration::rules());
            rules.extend(cluster::ingress(INGRESS, "spec.ingress"));
            rules.extend(blue_green());
            rules.extend(cluster::rules(TEMPLATE, "spec.template.spec"));
        }
        // None that would keep out what the upstream operator can run and Sluice cannot: the two may share it.
        Kind::FlinkDeployment => {
            rules.extend(name(LONGEST_FLINK_DEPLOYMENT, sentence::NAME_TOO_LONG));
            rules.extend(cluster::shared_rules(SPEC, "spec"));
        }
    }
    rules
}

const SPEC: &str = "/properties/spec";
const CONFIGURATION: &str = "/properties/spec/properties/configuration";
const INGRESS: &str = "/properties/spec/properties/ingress";
const TEMPLATE: &str = "/properties/spec/properties/template/properties/spec";

/// The API server estimates what a rule costs from the largest value that the schema allows. These bounds follow from
/// one that holds anyway: a specification of more than [`LARGEST_SPEC`] bytes is refused. And of an integer of 32 bits
/// it looks at the least only, so the greatest is said here.
fn bounds(kind: Kind) -> Vec<(String, &'static str, usize)> {
    /// `"":"",` is the shortest entry of a map in JSON.
    const SHORTEST_ENTRY: usize = 6;
    let place = match kind {
        Kind::FlinkBlueGreenDeployment => TEMPLATE,
        Kind::FlinkDeployment => SPEC,
    };
    let texts = cluster::texts(place).into_iter();
    let mut bounds: Vec<_> = texts.map(|place| (place, "maxLength", LARGEST_SPEC)).collect();
    let numbers = cluster::numbers(place).into_iter();
    bounds.extend(numbers.map(|place| (place, "maximum", i32::MAX as usize)));
    if kind == Kind::FlinkBlueGreenDeployment {
        bounds.push((
            format!("{INGRESS}/properties/template"),
            "maxLength",
            LARGEST_SPEC,
        ));
        bounds.push((
            CONFIGURATION.to_owned(),
            "maxProperties",
            LARGEST_SPEC / SHORTEST_ENTRY,
        ));
        bounds.push((
            format!("{CONFIGURATION}/additionalProperties"),
            "maxLength",
            LARGEST_SPEC,
        ));
    }
    bounds
}

fn name(longest: usize, too_long: Sentence) -> [Rule; 2] {
    const NAME: &str = "self.metadata.name";
    let field = "metadata.name";
    [
        Rule::found("", format!("size({NAME}) <= {longest}"), field, too_long, &[NAME]).at_creation(),
        Rule::found(
            "",
            format!("{NAME}.matches({})", literal("^[a-z]([-a-z0-9]*[a-z0-9])?$")),
            field,
            sentence::NAME_FORM,
            &[NAME],
        )
        .at_creation(),
    ]
}

/// Rules about several parts of a blue/green specification.
fn blue_green() -> [Rule; 3] {
    let mode = literal(key::TRANSITION_MODE);
    let has_key = format!("has(self.configuration) && {mode} in self.configuration");
    let by_key = format!("self.configuration[{mode}].upperAscii()");
    let known = r#"["BASIC", "ADVANCED"]"#;
    let advanced = r#""ADVANCED""#;
    // Of texts in an object as it was before, the API server knows no bound: they are only compared with what has one.
    let before = format!("before.?configuration[?{mode}].orValue(\"\") == self.configuration[{mode}]");
    [
        Rule::plain(
            SPEC,
            "has(self.template) && has(self.template.spec)",
            "spec.template.spec",
            sentence::TEMPLATE_MISSING,
        )
        .unless_broken_before(),
        Rule::found(
            SPEC,
            format!(
                "!(has(self.transitionMode) && {has_key} && {by_key} in {known}) || {by_key} == self.transitionMode"
            ),
            &format!("spec.configuration[{}]", key::TRANSITION_MODE),
            sentence::MODES_DIFFER,
            &[&format!("self.configuration[{mode}]")],
        )
        .unless_before(&format!(
            "before.?transitionMode.orValue(\"\") == self.transitionMode && {before}"
        )),
        Rule::plain(
            SPEC,
            format!(
                "!(has(self.transitionMode) ? self.transitionMode == {advanced} : {has_key} && {by_key} == {advanced}) \
                 || !has(self.template) || !has(self.template.spec) || !has(self.template.spec.job) \
                 || (has(self.template.spec.job.upgradeMode) && self.template.spec.job.upgradeMode != \"stateless\")"
            ),
            "spec.template.spec.job.upgradeMode",
            sentence::ADVANCED_STATELESS,
        )
        .unless_before(&format!(
            "before.?template.?spec.?job.?upgradeMode.orValue(\"\") in [\"\", \"stateless\"] \
             && (before.?transitionMode.orValue(\"\") == {advanced} \
             || (!has(self.transitionMode) && {has_key} && {before}))"
        )),
    ]
}
