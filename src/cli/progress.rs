//! A bar on standard error while something takes long: how much of it is done.
//!
//! It promises to be there only where standard error is a terminal and nothing else is printed there
//! meanwhile, only once there is something to wait for, and to be gone without a trace at the end.

use std::io::{self, BufRead, IsTerminal, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::error::Result;
use crate::limits;
use crate::recording::Input;
use crate::scrub::{Counter, Stage, Watch};

/// How long something takes before a bar comes: what is over at once needs none.
const PATIENCE: Duration = Duration::from_millis(400);

/// Octets that take a while in any case.
const LARGE: u64 = 16 * 1024 * 1024;

/// How often it is drawn in a second.
const DRAWS: u8 = 10;

/// What else is printed while the bar is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// Nothing.
    Nothing,
    /// Lines on standard output, which may be the same terminal.
    Output,
}

/// A bar, or none. It is gone when this is dropped.
pub struct Progress {
    bar: Option<Arc<Bar>>,
}

struct Bar {
    bar: ProgressBar,
    begun: Instant,
    is_shown: AtomicBool,
}

impl Progress {
    /// Begins; how much there is to do is said later.
    pub fn begin(what: &'static str, beside: Beside) -> Self {
        let is_dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
        let is_in_the_way = beside == Beside::Output && io::stdout().is_terminal();
        if !io::stderr().is_terminal() || is_dumb || is_in_the_way {
            return Self::none();
        }
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        bar.set_message(what);
        bar.set_style(style("{msg} {wide_bar} {percent:>3} % {eta:>4}"));
        let bar = Bar {
            bar,
            begun: Instant::now(),
            is_shown: AtomicBool::new(false),
        };
        Self {
            bar: Some(Arc::new(bar)),
        }
    }

    /// No bar: nothing is wanted on the terminal.
    pub fn none() -> Self {
        Self { bar: None }
    }

    /// What it is that goes on now, and how many of it there are.
    pub fn count(&self, what: &'static str, all: u64) {
        if let Some(bar) = &self.bar {
            bar.bar.set_message(what);
            bar.bar.set_length(all);
            bar.bar.set_position(0);
            bar.bar.reset_eta();
        }
    }

    /// What it is that goes on now, in one piece of so many octets: how long it lasts is shown.
    pub fn wait(&self, what: &'static str, octets: u64) {
        if let Some(bar) = &self.bar
            && octets >= LARGE
        {
            bar.bar.set_message(what);
            bar.bar.set_style(style("{msg} {elapsed}"));
            bar.show();
            bar.bar
                .enable_steady_tick(Duration::from_secs(1) / u32::from(DRAWS));
        }
    }

    /// So many more are done.
    pub fn advance(&self, by: u64) {
        if let Some(bar) = &self.bar {
            bar.advance(by);
        }
    }

    /// Opens a recording, of which is counted how much was read.
    ///
    /// # Errors
    ///
    /// It cannot be opened.
    pub fn input(&self, path: &Path) -> Result<Input> {
        let mut input = Input::open(path)?;
        if let Some(bar) = &self.bar {
            match path.metadata() {
                Ok(file) if file.is_file() => bar.bar.inc_length(file.len()),
                // Standard input, or a pipe: nobody knows how much comes.
                _ => bar.bar.set_style(style("{msg} {binary_bytes}")),
            }
            input.octets = Box::new(Watched {
                inner: input.octets,
                bar: bar.clone(),
                untold: 0,
            });
        }
        Ok(input)
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template);
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars("━╸─")
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.bar.finish_and_clear();
        }
    }
}

impl Bar {
    fn show(&self) {
        self.is_shown.store(true, Ordering::Relaxed);
        let target = ProgressDrawTarget::stderr_with_hz(DRAWS);
        self.bar.set_draw_target(target);
    }

    fn advance(&self, by: u64) {
        self.bar.inc(by);
        if !self.is_shown.load(Ordering::Relaxed) && self.begun.elapsed() > PATIENCE {
            self.show();
        }
    }
}

/// The stages of scrubbing.
impl Watch for Progress {
    fn begin(&self, stage: Stage, octets: u64) -> Counter {
        let what = match stage {
            Stage::Reading => "reading",
            Stage::Replacing => "replacing",
            Stage::Checking => "checking",
        };
        self.count(what, octets);
        match self.bar.clone() {
            Some(bar) => Box::new(move |octets| bar.advance(octets)),
            None => Box::new(|_| ()),
        }
    }
}

/// Octets that are counted as they are read, many at a time.
struct Watched {
    inner: Box<dyn BufRead + Send>,
    bar: Arc<Bar>,
    untold: usize,
}

impl Watched {
    fn count(&mut self, octets: usize) {
        self.untold += octets;
        if self.untold >= limits::READ {
            self.bar.advance(self.untold as u64);
            self.untold = 0;
        }
    }
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let octets = self.inner.read(buffer)?;
        self.count(octets);
        Ok(octets)
    }
}

impl BufRead for Watched {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, octets: usize) {
        self.inner.consume(octets);
        self.count(octets);
    }
}
