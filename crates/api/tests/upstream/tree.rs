//! The fields of a resource as a tree: name, type, values. The lists beside this file hold what upstream's published
//! CRDs declare, one field a line, indented below its parent; `*` are the values of a map, `[]` the items of a list.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

/// One field and what is below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// `object`, `map`, `list`, `string`, `integer`, `number`, `boolean`, `int-or-string` or `any`.
    pub kind: String,
    /// The values of an enumeration; empty if any is allowed.
    pub values: Vec<String>,
    pub children: BTreeMap<String, Tree>,
}

/// The field whose fields are written once, in a list of its own.
const POD_TEMPLATE: &str = "podTemplate";
const POD_TEMPLATE_LIST: &str = "@pod-template";

impl Tree {
    /// Reads `spec` and `status` from a CustomResourceDefinition.
    pub fn of_definition(definition: &Value) -> Self {
        let schema = definition
            .pointer("/spec/versions/0/schema/openAPIV3Schema")
            .expect("a CRD has a schema");
        let mut tree = Self::of_schema(schema);
        tree.children
            .retain(|name, _| ["spec", "status"].contains(&name.as_str()));
        tree
    }

    fn of_schema(schema: &Value) -> Self {
        let mut tree = Self {
            kind: schema["type"].as_str().unwrap_or("any").to_owned(),
            ..Self::default()
        };
        if schema["x-kubernetes-int-or-string"] == true {
            "int-or-string".clone_into(&mut tree.kind);
        }
        if let Some(values) = schema["enum"].as_array() {
            tree.values = values
                .iter()
                .map(|value| value.as_str().expect("values are text").to_owned())
                .collect();
            tree.values.sort();
        }
        if let Some(properties) = schema["properties"].as_object() {
            for (name, property) in properties {
                tree.children.insert(name.clone(), Self::of_schema(property));
            }
        }
        if schema["additionalProperties"].is_object() {
            "map".clone_into(&mut tree.kind);
            tree.children
                .insert("*".to_owned(), Self::of_schema(&schema["additionalProperties"]));
        }
        if schema["items"].is_object() {
            "list".clone_into(&mut tree.kind);
            tree.children
                .insert("[]".to_owned(), Self::of_schema(&schema["items"]));
        }
        tree
    }

    /// Reads a list.
    pub fn parse(text: &str, pod_template: Option<&Self>) -> Self {
        let mut root = Self {
            kind: "object".to_owned(),
            ..Self::default()
        };
        let mut path: Vec<String> = Vec::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let name_and_rest = line.trim_start();
            path.truncate((line.len() - name_and_rest.len()) / 2);
            let mut words = name_and_rest.split(' ').map(str::to_owned);
            let name = words.next().expect("a field has a name");
            let kind = words.next().expect("a field has a type");
            let field = if kind == POD_TEMPLATE_LIST {
                pod_template.expect("the list of the pod template").clone()
            } else {
                Self {
                    kind,
                    values: words.collect(),
                    children: BTreeMap::new(),
                }
            };
            let parent = path.iter().fold(&mut root, |parent, name| {
                parent.children.get_mut(name).expect("a parent comes first")
            });
            parent.children.insert(name.clone(), field);
            path.push(name);
        }
        root
    }

    /// Writes a list.
    pub fn print(&self) -> String {
        let mut text = String::new();
        self.print_children(0, &mut text);
        text
    }

    fn print_children(&self, depth: usize, text: &mut String) {
        for (name, field) in &self.children {
            let indent = "  ".repeat(depth);
            if name == POD_TEMPLATE {
                writeln!(text, "{indent}{name} {POD_TEMPLATE_LIST}").unwrap();
                continue;
            }
            write!(text, "{indent}{name} {}", field.kind).unwrap();
            for value in &field.values {
                write!(text, " {value}").unwrap();
            }
            text.push('\n');
            field.print_children(depth + 1, text);
        }
    }

    /// Every pod template below this field.
    pub fn pod_templates(&self) -> Vec<&Self> {
        self.children
            .iter()
            .flat_map(|(name, field)| {
                if name == POD_TEMPLATE {
                    vec![field]
                } else {
                    field.pod_templates()
                }
            })
            .collect()
    }

    /// Every field, with the names that lead to it.
    pub fn paths(&self) -> Vec<(Vec<String>, &Self)> {
        let mut paths = Vec::new();
        for (name, field) in &self.children {
            paths.push((vec![name.clone()], field));
            for (mut path, below) in field.paths() {
                path.insert(0, name.clone());
                paths.push((path, below));
            }
        }
        paths
    }
}
