//! Where text goes: standard output, coloured and redrawn only on a terminal.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use serde::Serialize;

use crate::failure::Failure;
use crate::view::Palette;

/// How a result is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
    /// As the resource would stand in a file.
    Yaml,
}

/// Standard output.
#[derive(Debug)]
pub struct Out {
    palette: Palette,
    terminal: bool,
}

impl Out {
    /// Standard output as it is; colours only on a terminal and without `NO_COLOR` (<https://no-color.org>).
    pub fn standard() -> Self {
        let terminal = io::stdout().is_terminal();
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            palette: if terminal && !refused {
                Palette::Colored
            } else {
                Palette::Plain
            },
            terminal,
        }
    }

    /// The colours that may be used.
    pub const fn palette(&self) -> Palette {
        self.palette
    }

    /// How many columns and rows there are; `None` where it is no terminal.
    pub fn size(&self) -> Option<(usize, usize)> {
        let (rows, columns) = console::Term::stdout().size_checked()?;
        self.terminal.then_some((usize::from(columns), usize::from(rows)))
    }

    /// Writes `text` as it is, and all of it now.
    #[expect(
        clippy::unused_self,
        reason = "writing needs the output, though its handle is the process's"
    )]
    pub fn text(&self, text: &str) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()?;
        Ok(())
    }

    /// Writes one line.
    pub fn line(&self, line: &str) -> Result<(), Failure> {
        self.text(&format!("{line}\n"))
    }

    /// Writes a value as JSON or YAML.
    pub fn value(&self, value: &impl Serialize, yaml: bool) -> Result<(), Failure> {
        let text = if yaml { to_yaml(value)? } else { to_json(value)? };
        self.text(&text)
    }
}

/// Pretty JSON that ends with a line feed.
fn to_json(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string_pretty(value)
        .map(|text| text + "\n")
        .map_err(|error| Failure::refused(format!("The result cannot be written as JSON: {error}.")))
}

/// YAML that ends with a line feed.
pub(crate) fn to_yaml(value: &impl Serialize) -> Result<String, Failure> {
    let mut text = serde_saphyr::to_string(value)
        .map_err(|error| Failure::refused(format!("The result cannot be written as YAML: {error}.")))?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

/// A remark beside the result, on standard error; one that nobody reads is dropped.
pub(crate) fn note(text: &str) {
    let _unread = writeln!(io::stderr().lock(), "{text}");
}
