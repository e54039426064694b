//! How an installation tells how far it is.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Hears of the steps of an installation, one after the other.
pub trait Progress: Send {
    /// A step begins. `total` is its size in bytes, when that is known.
    fn begin(&mut self, step: &str, total: Option<u64>);

    /// So many bytes of the step are done. Called often.
    fn reached(&mut self, bytes: u64);

    /// The step is over, well or not.
    fn end(&mut self);
}

/// A progress bar if standard error is a terminal, else plain lines there.
pub fn progress_for_terminal() -> Box<dyn Progress> {
    let stderr = std::io::stderr();
    if stderr.is_terminal() {
        Box::new(TerminalProgress::default())
    } else {
        Box::new(PlainProgress::new(stderr))
    }
}

/// One line for each step, for logs and pipes.
#[derive(Debug)]
pub struct PlainProgress<W> {
    out: W,
}

impl<W: Write + Send> PlainProgress<W> {
    /// Lines go to `out`. One that cannot be written is dropped: no installation fails for want of a reader.
    pub fn new(out: W) -> Self {
        Self { out }
    }
}

impl<W: Write + Send> Progress for PlainProgress<W> {
    fn begin(&mut self, step: &str, _total: Option<u64>) {
        let _unread = writeln!(self.out, "{step}");
    }

    fn reached(&mut self, _bytes: u64) {}

    fn end(&mut self) {}
}

/// A bar (or, without a known size, a spinner) on a terminal.
#[derive(Debug, Default)]
pub struct TerminalProgress {
    bar: Option<ProgressBar>,
}

impl Progress for TerminalProgress {
    fn begin(&mut self, step: &str, total: Option<u64>) {
        self.end();
        let (bar, template) = match total {
            Some(total) => (ProgressBar::new(total), "{msg:40} {wide_bar} {percent:>3} %"),
            None => (ProgressBar::new_spinner(), "{spinner} {msg} {bytes}"),
        };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style);
        bar.set_message(step.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        self.bar = Some(bar);
    }

    fn reached(&mut self, bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(bytes);
        }
    }

    fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
