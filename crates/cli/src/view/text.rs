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

/// A path of which at most `columns` are shown: its end tells more than its middle.
pub(crate) fn fit_path(path: &str, columns: usize) -> String {
    let letters = path.chars().count();
    if letters <= columns {
        return path.to_owned();
    }
    let kept = columns.saturating_sub(1);
    let head: String = path.chars().take(kept / 3).collect();
    let tail: String = path.chars().skip(letters - (kept - kept / 3)).collect();
    format!("{head}…{tail}")
}

/// The words on lines of at most `columns`; a word that is wider has a line of its own.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(word) <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// `key  value` lines under an optional heading, the values in one column.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    lines: Vec<Field>,
}

#[derive(Debug)]
struct Field {
    name: String,
    value: String,
    kind: FieldKind,
}

#[derive(Clone, Copy, Debug)]
enum FieldKind {
    /// As it is, maybe painted; too long, it is cut.
    Line,
    /// Words that somebody should look at; too many, they go on in the next line.
    Bad,
    /// Words; too many, they go on in the next line.
    Words,
    /// A path; too long, its middle is left out.
    Path,
}

impl Fields {
    /// One line; an empty value is left out.
    pub(crate) fn add(&mut self, name: &str, value: impl Into<String>) -> &mut Self {
        self.field(name, value.into(), FieldKind::Line)
    }

    /// Words, of which none is cut off.
    pub(crate) fn words(&mut self, name: &str, value: impl Into<String>) -> &mut Self {
        self.field(name, value.into(), FieldKind::Words)
    }

    /// Words that somebody should look at, of which none is cut off.
    pub(crate) fn bad(&mut self, name: &str, value: impl Into<String>) -> &mut Self {
        self.field(name, value.into(), FieldKind::Bad)
    }

    /// A path.
    pub(crate) fn path(&mut self, name: &str, value: impl Into<String>) -> &mut Self {
        self.field(name, value.into(), FieldKind::Path)
    }

    fn field(&mut self, name: &str, value: String, kind: FieldKind) -> &mut Self {
        if !value.is_empty() {
            let name = name.to_owned();
            self.lines.push(Field { name, value, kind });
        }
        self
    }

    /// All lines, indented by `indent` columns and as long as their values are.
    pub(crate) fn render(&self, palette: Palette, indent: usize) -> String {
        self.render_within(palette, indent, usize::MAX)
    }

    /// All lines, indented by `indent` columns, on a terminal of so many columns.
    pub(crate) fn render_within(&self, palette: Palette, indent: usize, columns: usize) -> String {
        let widest = self
            .lines
            .iter()
            .map(|field| width(&field.name))
            .max()
            .unwrap_or(0);
        let left = indent + widest + 2;
        let room = columns.saturating_sub(left);
        let mut text = String::new();
        for Field { name, value, kind } in &self.lines {
            text.push_str(&" ".repeat(indent));
            text.push_str(&palette.paint(Tone::Dim, name));
            text.push_str(&" ".repeat(widest - width(name) + 2));
            let lines = match kind {
                FieldKind::Line => vec![value.clone()],
                FieldKind::Path => vec![fit_path(value, room)],
                FieldKind::Words => wrapped(value, room),
                FieldKind::Bad => wrapped(value, room)
                    .iter()
                    .map(|line| palette.paint(Tone::Bad, line))
                    .collect(),
            };
            text.push_str(&lines.join(&format!("\n{}", " ".repeat(left))));
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

    #[test]
    fn of_what_is_too_long_the_part_that_tells_most_is_kept() {
        let mut fields = Fields::default();
        fields
            .bad("error", "the job failed because it was told to")
            .path("from", "s3://bucket/savepoints/9c1/2-1/savepoint-3f0c2b");
        assert_eq!(
            fields.render_within(Palette::Plain, 2, 30),
            "  error  the job failed\n\
             \x20        because it was told\n\
             \x20        to\n\
             \x20 from   s3://b…vepoint-3f0c2b\n"
        );
        let colored = fields.render_within(Palette::Colored, 2, 30);
        assert!(colored.lines().all(|line| width(line) <= 30), "{colored}");
    }
}
