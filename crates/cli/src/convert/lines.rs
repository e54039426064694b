//! The conversion of one document as a change of lines.

use std::fmt::Write as _;
use std::ops::Range;

use super::SERVER_METADATA;

/// The document with its kind changed, its status left out and its `spec` wrapped; `None` where the lines do not show
/// where these are. Whether the result means the right thing is for the caller to check.
pub(super) fn rewrite(body: &str, configuration: &[(String, String)]) -> Option<String> {
    let lines: Vec<&str> = body.split_inclusive('\n').collect();
    let root = lines
        .iter()
        .find(|line| is_content(line))
        .map(|line| indentation(line))?;
    let kind = find(&lines, root, "kind")?;
    let spec = find(&lines, root, "spec")?;
    let spec_block = block(&lines, spec, root);
    let mut left_out: Vec<Range<usize>> = find(&lines, root, "status")
        .map(|status| block(&lines, status, root))
        .into_iter()
        .collect();
    if let Some(metadata) = find(&lines, root, "metadata") {
        left_out.extend(server_metadata(&lines, block(&lines, metadata, root)));
    }
    let mut text = String::with_capacity(body.len() + 256);
    let mut number = 0;
    while let Some(line) = lines.get(number) {
        if let Some(range) = left_out.iter().find(|range| range.start == number) {
            number = range.end;
            continue;
        }
        if number == kind {
            text.push_str(&line.replacen("FlinkDeployment", "FlinkBlueGreenDeployment", 1));
        } else if number == spec {
            text.push_str(&wrapped(lines.get(spec_block.clone())?, root, configuration)?);
            number = spec_block.end;
            continue;
        } else {
            text.push_str(line);
        }
        number += 1;
    }
    Some(text)
}

/// The lines of `spec`, wrapped.
fn wrapped(block: &[&str], root: usize, configuration: &[(String, String)]) -> Option<String> {
    let (first, rest) = block.split_first()?;
    let line_end = if first.ends_with("\r\n") { "\r\n" } else { "\n" };
    let step = rest
        .iter()
        .find(|line| is_content(line))
        .map(|line| indentation(line).saturating_sub(root))
        .filter(|step| (1..=8).contains(step))
        .unwrap_or(2);
    let at = |level: usize| " ".repeat(root + level * step);
    let key = first.trim_start_matches(' ');
    let key_end = key.find(':')? + 1;
    let mut text = format!("{}{}{line_end}", at(0), key.get(..key_end)?);
    if !configuration.is_empty() {
        let _infallible = write!(text, "{}configuration:{line_end}", at(1));
        for (name, value) in configuration {
            let _infallible = write!(text, "{}{}: {}{line_end}", at(2), scalar(name), quoted(value));
        }
    }
    let _infallible = write!(text, "{}template:{line_end}", at(1));
    // What stood behind `spec:` (a comment, an anchor, a flow mapping) goes with the specification that it spoke of.
    let _infallible = write!(text, "{}{key}", at(2));
    for line in rest {
        if line.trim_end_matches(['\r', '\n']).is_empty() {
            text.push_str(line);
        } else {
            text.push_str(&" ".repeat(2 * step));
            text.push_str(line);
        }
    }
    Some(text)
}

/// The line of a key of the mapping at this indentation.
fn find(lines: &[&str], indentation_wanted: usize, key: &str) -> Option<usize> {
    lines
        .iter()
        .position(|line| is_content(line) && indentation(line) == indentation_wanted && has_key(line, key))
}

fn has_key(line: &str, key: &str) -> bool {
    let line = line.trim_start_matches(' ');
    [key.to_owned(), format!("\"{key}\""), format!("'{key}'")]
        .iter()
        .any(|key| {
            line.strip_prefix(key.as_str())
                .and_then(|rest| rest.trim_start_matches([' ', '\t']).strip_prefix(':'))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
        })
}

/// The lines of a key with its value: up to the next line that is not indented deeper. Comments and empty lines at the end
/// belong to what follows, except where they are indented as the block is. A sequence may stand at the key's own indentation.
fn block(lines: &[&str], key: usize, indentation_of_key: usize) -> Range<usize> {
    let mut end = key + 1;
    let mut number = key + 1;
    while let Some(line) = lines.get(number) {
        let deeper = indentation(line) > indentation_of_key;
        let item = indentation(line) == indentation_of_key && line.trim_start().starts_with("- ");
        let closing = line.trim_start().starts_with(['}', ']']);
        if !line.trim().is_empty() && (deeper || item || closing) {
            end = number + 1;
        } else if is_content(line) {
            break;
        }
        number += 1;
    }
    key..end
}

/// The lines of the keys in `metadata` that an API server wrote.
fn server_metadata(lines: &[&str], metadata: Range<usize>) -> Vec<Range<usize>> {
    let inner = metadata.start + 1..metadata.end;
    let Some(level) = lines
        .get(inner.clone())
        .and_then(|lines| lines.iter().find(|line| is_content(line)))
        .map(|line| indentation(line))
    else {
        return Vec::new();
    };
    inner
        .filter(|&number| {
            lines.get(number).is_some_and(|line| {
                indentation(line) == level && SERVER_METADATA.iter().any(|key| has_key(line, key))
            })
        })
        .map(|number| block(lines, number, level))
        .collect()
}

/// Neither empty nor a comment.
fn is_content(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#')
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// The first line (from 0) that is indented with a tab.
pub(super) fn tab_indentation(body: &str) -> Option<usize> {
    body.lines()
        .position(|line| is_content(line) && line.trim_start_matches(' ').starts_with('\t'))
}

/// A key as it can stand without quotes, else with them.
fn scalar(text: &str) -> String {
    let plain = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || ".-_/".contains(character));
    if plain { text.to_owned() } else { quoted(text) }
}

/// A double-quoted scalar; JSON's strings are YAML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_told_from_what_only_looks_like_it() {
        assert!(has_key("spec:\n", "spec"));
        assert!(has_key("\"spec\" : {}\n", "spec"));
        assert!(has_key("spec:", "spec"));
        assert!(!has_key("specs:\n", "spec"));
        assert!(!has_key("spec:x\n", "spec"));
    }

    #[test]
    fn a_comment_before_the_next_key_stays_with_it() {
        let lines: Vec<&str> = "spec:\n  a: 1\n\n# about kind\nkind: X\n"
            .split_inclusive('\n')
            .collect();
        assert_eq!(block(&lines, 0, 0), 0..2);
    }
}
