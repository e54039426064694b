//! A block of lines that a terminal draws again in place.

use std::fmt::Write as _;

/// What stands on the terminal: the block is drawn over itself, and what was printed before it stays.
#[derive(Debug, Default)]
pub struct Screen {
    /// How wide each line was drawn.
    drawn: Vec<usize>,
}

/// The cursor goes up so many lines, to the first column.
fn up(lines: usize) -> String {
    format!("\u{1b}[{lines}F")
}

/// Clears the line that the cursor is on.
const CLEAR_LINE: &str = "\u{1b}[2K";
/// Clears all from the cursor on.
const CLEAR_REST: &str = "\u{1b}[0J";

impl Screen {
    /// The bytes that turn the last block into this one, on a terminal of this size now. Each line is cleared only when
    /// it is written anew, so nothing flickers; of a block that is too high for the terminal the end is left out.
    pub fn draw(&mut self, block: &str, columns: usize, rows: usize) -> String {
        // The cursor waits in the line below; what has been scrolled off cannot be drawn over.
        let highest = rows.saturating_sub(1).max(1);
        // A terminal that has become narrower has wrapped the lines that stand there.
        let there: usize = self
            .drawn
            .iter()
            .map(|width| width.div_ceil(columns.max(1)).max(1))
            .sum();
        let mut bytes = match there.min(highest) {
            0 => String::new(),
            lines => up(lines),
        };
        self.drawn.clear();
        for line in block.lines().take(highest) {
            let _infallible = writeln!(bytes, "{CLEAR_LINE}{line}");
            self.drawn.push(console::measure_text_width(line));
        }
        bytes + CLEAR_REST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_drawn_over_the_last_one_and_over_nothing_else() {
        let mut screen = Screen::default();
        assert_eq!(
            screen.draw("a\nb\nc\n", 80, 24),
            "\u{1b}[2Ka\n\u{1b}[2Kb\n\u{1b}[2Kc\n\u{1b}[0J"
        );
        let shorter = screen.draw("d\n", 80, 24);
        assert_eq!(
            shorter, "\u{1b}[3F\u{1b}[2Kd\n\u{1b}[0J",
            "the two lines left over are cleared"
        );
        assert!(screen.draw("e\nf\n", 80, 24).starts_with("\u{1b}[1F\u{1b}[2Ke"));
    }

    #[test]
    fn lines_that_a_narrower_terminal_has_wrapped_are_drawn_over_too() {
        let mut screen = Screen::default();
        let wide = format!("{}\nshort\n", "x".repeat(75));
        screen.draw(&wide, 80, 24);
        assert!(screen.draw("y\n", 40, 24).starts_with("\u{1b}[3F"));
    }

    #[test]
    fn a_block_is_never_higher_than_the_terminal() {
        let mut screen = Screen::default();
        for _ in 0..2 {
            let drawn = screen.draw("1\n2\n3\n4\n5\n", 80, 4);
            assert_eq!(drawn.matches('\n').count(), 3, "the cursor needs the last line");
        }
        assert!(
            screen.draw("1\n", 80, 3).starts_with("\u{1b}[2F"),
            "no more than there are"
        );
    }
}
