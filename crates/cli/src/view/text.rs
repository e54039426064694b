//! Colours and columns.

use sluice_api::blue_green::Color;

/// Whether colours may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Palette {
    /// Text only.
    #[default]
    Plain,
    /// With the terminal's colours.
    Colored,
}

/// What a piece of text is to say by its colour; never the only carrier of a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// On its way.
    Busy,
    /// Someone should look.
    Bad,
    /// Less important.
    Dim,
    /// A heading.
    Heading,
    /// The blue or the green side.
    Side(Color),
}

impl Palette {
    /// The text in its tone.
    pub fn paint(self, tone: Tone, text: impl AsRef<str>) -> String {
        let text = text.as_ref();
        if self == Self::Plain || text.is_empty() {
            return text.to_owned();
        }
        let style = console::Style::new().force_styling(true);
        let style = match tone {
            Tone::Good => style.green(),
            Tone::Busy => style.yellow(),
            Tone::Bad => style.red().bold(),
            Tone::Dim => style.dim(),
            Tone::Heading => style.bold(),
            Tone::Side(Color::Blue) => style.blue().bold(),
            Tone::Side(Color::Green) => style.green().bold(),
        };
        style.apply_to(text).to_string()
    }

    /// The name of a side in its colour.
    pub fn side(self, color: Color) -> String {
        self.paint(Tone::Side(color), color.name())
    }
}

/// The space between two columns, as kubectl has it.
const GAP: &str = "   ";

/// Rows under headings, each column as wide as its widest cell; an empty cell is shown as `-`.
pub fn table(palette: Palette, headings: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = headings.iter().map(|heading| width(heading)).collect();
    for row in rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(width(cell).max(1));
        }
    }
    let headings: Vec<String> = headings
        .iter()
        .map(|heading| palette.paint(Tone::Heading, heading))
        .collect();
    let mut text = row_text(&headings, &widths);
    for row in rows {
        text.push_str(&row_text(row, &widths));
    }
    text
}

fn row_text(cells: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (position, (cell, widest)) in cells.iter().zip(widths).enumerate() {
        let cell = if cell.is_empty() { "-" } else { cell };
        line.push_str(cell);
        if position + 1 < cells.len() {
            line.push_str(&" ".repeat(widest.saturating_sub(width(cell))));
            line.push_str(GAP);
        }
    }
    line.push('\n');
    line
}

/// Columns on a terminal; escape sequences take none.
fn width(text: &str) -> usize {
    console::measure_text_width(text)
}

/// The lines, none wider than `columns`, so that a redrawn block never wraps.
pub fn fit(text: &str, columns: usize) -> String {
    text.lines()
        .map(|line| console::truncate_str(line, columns, "…").into_owned() + "\n")
        .collect()
}

/// `key  value` lines under an optional heading, the values in one column.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    lines: Vec<(String, String)>,
}

impl Fields {
    /// One line; an empty value is left out.
    pub(crate) fn add(&mut self, name: &str, value: impl Into<String>) -> &mut Self {
        let value = value.into();
        if !value.is_empty() {
            self.lines.push((name.to_owned(), value));
        }
        self
    }

    /// All lines, indented by `indent` columns.
    pub(crate) fn render(&self, palette: Palette, indent: usize) -> String {
        let widest = self.lines.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
        let mut text = String::new();
        for (name, value) in &self.lines {
            text.push_str(&" ".repeat(indent));
            text.push_str(&palette.paint(Tone::Dim, name));
            text.push_str(&" ".repeat(widest - width(name) + 2));
            text.push_str(value);
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_the_colours() {
        let rows = |palette: Palette| {
            vec![
                vec!["ledger".to_owned(), palette.side(Color::Blue), "x".to_owned()],
                vec!["a".to_owned(), String::new(), "y".to_owned()],
            ]
        };
        let plain = table(Palette::Plain, &["NAME", "ACTIVE", "N"], &rows(Palette::Plain));
        let colored = table(
            Palette::Colored,
            &["NAME", "ACTIVE", "N"],
            &rows(Palette::Colored),
        );
        assert_eq!(
            plain,
            "NAME     ACTIVE   N\nledger   blue     x\na        -        y\n"
        );
        assert_ne!(colored, plain);
        assert_eq!(console::strip_ansi_codes(&colored), plain);
    }

    #[test]
    fn a_line_that_is_too_long_for_the_terminal_is_cut() {
        assert_eq!(fit("one\nabcdefgh\n", 5), "one\nabcd…\n");
    }
}
