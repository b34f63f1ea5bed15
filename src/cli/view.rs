//! The conversation on standard output, live or from a transcript: one code path for both.

use std::io::{self, ErrorKind, IsTerminal, Write};

use super::{Color, Common, Output};
use crate::error::{Doing, Error, Result};
use crate::event::{Body, Event};
use crate::filter::Matcher;
use crate::limits;
use crate::lint::Linter;
use crate::lint::print::remark;
use crate::sink::batch::Batch;
use crate::sink::bus::{Purpose, Sink};
use crate::sink::queue::Policy;
use crate::sink::terminal::{ColorChoice, Stream, Style, Surroundings, Terminal, style_for};
use crate::transcript::write_event;

/// Prints events.
pub struct View {
    out: Box<dyn Write + Send>,
    format: Format,
    policy: Policy,
    buffer: Vec<u8>,
    /// Only what matches is printed.
    filter: Option<Matcher>,
    printed: u64,
    linter: Option<Linter>,
    /// The output is a terminal, as far as one can tell while it is open.
    on_terminal: bool,
    /// The reader of our output went away, which is no error.
    closed: bool,
}

enum Format {
    Text(Box<Terminal>),
    Json,
}

/// A view on standard output as the options want it; `None` for a quiet one.
pub fn standard_output(common: &Common, quiet: bool) -> Result<Option<View>> {
    if quiet {
        return Ok(None);
    }
    Ok(Some(View {
        policy: policy()?,
        out: Box::new(io::stdout()),
        format: match common.output {
            Output::Text => Format::Text(Box::new(Terminal::new(style(common)))),
            Output::Json => Format::Json,
        },
        buffer: Vec::new(),
        filter: None,
        printed: 0,
        linter: None,
        on_terminal: io::stdout().is_terminal(),
        closed: false,
    }))
}

/// How standard output is to look.
pub fn style(common: &Common) -> Style {
    let stream = match io::stdout().is_terminal() {
        true => Stream::Terminal {
            columns: terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)),
        },
        false => Stream::Other,
    };
    let variable = |name| std::env::var(name).ok();
    let (no_color, term, columns) = (variable("NO_COLOR"), variable("TERM"), variable("COLUMNS"));
    style_for(&Surroundings {
        choice: match common.color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        },
        stream,
        no_color: no_color.as_deref(),
        term: term.as_deref(),
        columns: columns.as_deref(),
    })
}

/// A file takes everything at once; a person or a pipe may stop reading, and must not stop the
/// relay by that.
fn policy() -> Result<Policy> {
    #[cfg(unix)]
    {
        use std::fs::File;
        use std::os::fd::AsFd;
        let doing = || "look at standard output".to_owned();
        let handle = io::stdout().as_fd().try_clone_to_owned().doing(doing)?;
        if File::from(handle).metadata().doing(doing)?.is_file() {
            return Ok(Policy::PushBack);
        }
    }
    Ok(Policy::Drop)
}

impl View {
    /// From here on it prints what matches alone.
    #[must_use = "the view with its filter is returned"]
    pub fn filtered(mut self, filter: Option<Matcher>) -> Self {
        self.filter = filter;
        self
    }

    /// Tells below each event what is against the RFCs in it.
    ///
    /// # Errors
    ///
    /// The output is JSON: the transcript's events, and nothing else.
    pub fn linting(mut self) -> Result<Self> {
        if matches!(self.format, Format::Json) {
            let error = Error::new("lint", "--output json has the transcript's events alone");
            return Err(error.hint("mailscope lint --output json"));
        }
        self.linter = Some(Linter::default());
        Ok(self)
    }

    /// Says below each event what it does, where it is printed for people.
    pub fn explaining(mut self, explain: bool) -> Self {
        if let Format::Text(terminal) = self.format {
            self.format = Format::Text(match explain {
                true => Box::new(terminal.explaining()),
                false => terminal,
            });
        }
        self
    }

    /// What is to happen when it is too slow.
    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// Prints one event; it may stay in the buffer until [`flush`](Self::flush).
    pub fn print(&mut self, event: &Event) -> Result<()> {
        // Both are to see every event.
        let found = self.linter.as_mut().map(|linter| linter.read(event));
        if self.closed || !self.wants(event) {
            return Ok(());
        }
        self.printed += 1;
        match &mut self.format {
            Format::Text(terminal) => {
                let found: Vec<_> = found.iter().flatten().map(remark).collect();
                terminal.write_with(&mut self.buffer, event, &found)
            }
            Format::Json => {
                write_event(&mut self.buffer, event);
                self.buffer.push(b'\n');
                Ok(())
            }
        }
        .doing(|| "format an event".into())?;
        match self.buffer.len() < limits::READ {
            true => Ok(()),
            false => self.flush(),
        }
    }

    /// A filter leaves no trace of what does not match; what a viewer was not given may have.
    fn wants(&mut self, event: &Event) -> bool {
        let matches = |filter: &mut Matcher| filter.matches(event);
        self.filter.as_mut().is_none_or(matches) || matches!(event.body, Body::Gap { .. })
    }

    /// Events that were printed.
    pub fn printed(&self) -> u64 {
        self.printed
    }

    /// Writes what is in the buffer.
    pub fn flush(&mut self) -> Result<()> {
        let written = self
            .out
            .write_all(&self.buffer)
            .and_then(|()| self.out.flush());
        self.buffer.clear();
        match written {
            Err(error) if self.has_no_reader(&error) => {
                self.closed = true;
                Ok(())
            }
            written => written.doing(|| "write to standard output".into()),
        }
    }

    /// A pipe that was closed, or a terminal, for which Unix has the error of a bad disk.
    fn has_no_reader(&self, error: &io::Error) -> bool {
        const EIO: i32 = 5;
        error.kind() == ErrorKind::BrokenPipe
            || cfg!(unix) && self.on_terminal && error.raw_os_error() == Some(EIO)
    }

    /// Whether nobody reads the output any more.
    pub fn is_closed(&self) -> bool {
        self.closed
    }
}

impl Sink for View {
    fn take(&mut self, events: &Batch) -> Result<()> {
        for event in events.iter() {
            self.print(event)?;
        }
        self.flush()
    }

    fn purpose(&self) -> Purpose {
        Purpose::View
    }
}
