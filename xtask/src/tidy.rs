//! Rules about the files themselves: no long sources, and nothing about one developer's machine.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;

/// The longest that a source file may be, in lines.
const MOST_LINES: usize = 600;

/// File names that end like this are source code, written by hand.
const SOURCES: &[&str] = &[
    ".rs", ".java", ".py", ".sh", ".go", ".js", ".ts", ".kts", ".scala",
];

/// Longer files, each with the reason. An entry that is no longer needed is an error, too.
const LONG_FILES: &[(&str, &str)] = &[];

/// Absolute paths that are right where they are: file, path, reason.
const NAMED_PATHS: &[(&str, &str, &str)] = &[];

/// Where developers' files live. In pieces, because this file is searched like every other.
const MACHINE_PATHS: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
];

/// Fails with one line for each file that breaks a rule.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let mut complaints = Vec::new();
    let files = workspace.files()?;
    for file in &files {
        let bytes =
            fs::read(workspace.root().join(file)).with_context(|| format!("{file} cannot be read"))?;
        // Whatever is not text holds no sentence that a reader could trip over.
        if let Ok(text) = String::from_utf8(bytes) {
            complaints.extend(length_complaint(file, text.lines().count(), LONG_FILES));
            complaints.extend(path_complaints(file, &text));
        }
    }
    for (file, reason) in LONG_FILES {
        if !files.iter().any(|it| it == file) {
            complaints.push(format!(
                "{file} is on the list of long files ({reason}) but does not exist"
            ));
        }
    }
    if !complaints.is_empty() {
        bail!("{}", complaints.join("\n"));
    }
    println!(
        "{} files: none is too long, none names a path of a developer's machine",
        files.len()
    );
    Ok(())
}

fn length_complaint(file: &str, lines: usize, long_files: &[(&str, &str)]) -> Option<String> {
    let listed = long_files.iter().find(|(listed, _)| *listed == file);
    let source = SOURCES.iter().any(|ending| file.ends_with(ending));
    match listed {
        Some((_, reason)) if lines <= MOST_LINES => Some(format!(
            "{file} has {lines} lines and needs no place on the list of long files any more ({reason})"
        )),
        None if source && lines > MOST_LINES => Some(format!(
            "{file} has {lines} lines, more than {MOST_LINES}; split it by concern, or list it in xtask/src/tidy.rs with the reason"
        )),
        _ => None,
    }
}

fn path_complaints(file: &str, text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        for path in MACHINE_PATHS {
            let excused = NAMED_PATHS
                .iter()
                .any(|(excused, named, _)| *excused == file && line.contains(named));
            if !excused && names_absolute_path(line, path) {
                complaints.push(format!(
                    "{file}:{number} names a path of a developer's machine ({path}...)"
                ));
            }
        }
    }
    complaints
}

/// Whether the line has this directory at the start of a path: `target/work/` and `$HOME/work/` are other places.
/// A bare `/home/` without a name after it is a place in a sentence.
fn names_absolute_path(line: &str, directory: &str) -> bool {
    line.match_indices(directory).any(|(at, _)| {
        let before = line.get(..at).and_then(|start| start.chars().next_back());
        let after = line
            .get(at + directory.len()..)
            .and_then(|end| end.chars().next());
        let starts_path = !before.is_some_and(|c| c.is_alphanumeric() || "_-.~})*$".contains(c));
        let goes_on = after.is_some_and(|c| c.is_alphanumeric() || "._-".contains(c));
        starts_path && goes_on
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_a_developers_machine_is_found_with_its_line() {
        let text = format!("first\nlog = \"{}main/x.log\"\n", MACHINE_PATHS[0]);
        let complaints = path_complaints("docs/a.md", &text);
        assert_eq!(complaints.len(), 1);
        assert!(complaints[0].starts_with("docs/a.md:2 "), "{}", complaints[0]);
        for directory in MACHINE_PATHS {
            assert!(names_absolute_path(
                &format!("see {directory}someone/notes"),
                directory
            ));
            assert!(names_absolute_path(
                &format!("file://{directory}someone"),
                directory
            ));
        }
    }

    #[test]
    fn a_relative_path_that_looks_similar_is_left_alone() {
        let directory = MACHINE_PATHS[0];
        for before in ["target", "$HOME", "~", "${dir}", "..", "https://example.org"] {
            let line = format!("{before}{directory}main");
            assert!(!names_absolute_path(&line, directory), "{line}");
        }
        assert!(!names_absolute_path(
            &format!("the directory {directory} alone"),
            directory
        ));
    }

    #[test]
    fn a_long_source_needs_a_reason_and_a_reason_needs_a_long_source() {
        let listed = [("a/long.rs", "a table")];
        assert_eq!(length_complaint("a/short.rs", MOST_LINES, &[]), None);
        assert!(length_complaint("a/long.rs", MOST_LINES + 1, &[]).is_some());
        assert_eq!(length_complaint("a/long.rs", MOST_LINES + 1, &listed), None);
        assert!(length_complaint("a/long.rs", MOST_LINES, &listed).is_some());
        assert_eq!(length_complaint("a/data.json", MOST_LINES + 1, &[]), None);
    }
}
