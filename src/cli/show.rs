//! `mailscope show TRANSCRIPT`: print a transcript exactly as `record` would have.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::ExitCode;

use super::Common;
use super::say::{say, warn};
use super::view;
use crate::error::Result;
use crate::event::{Body, Draft, Event, Gate, Numbers, Recorded, RecordedBody, Secrets};
use crate::protocol::imap::Observer;
use crate::transcript::Reader;

/// The arguments of `show`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The transcript.
    transcript: PathBuf,
}

/// Prints every event, then says on standard error if the file is torn.
pub fn run(arguments: &Arguments, common: &Common) -> Result<ExitCode> {
    let mut reader = Reader::open(&arguments.transcript)?;
    let Some(mut view) = view::standard_output(common, false)? else {
        return Ok(ExitCode::SUCCESS);
    };
    let mut readings = Readings::default();
    for recorded in &mut reader {
        let recorded = recorded.inspect_err(|_| {
            // What could be read is not lost; the error itself is what is reported.
            let _ = view.flush();
        })?;
        for event in readings.read(recorded) {
            view.print(&event)?;
        }
        if view.is_closed() {
            return Ok(ExitCode::SUCCESS);
        }
    }
    view.flush()?;
    if let Some(torn) = reader.torn() {
        say(&warn(&torn.to_string()));
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes whole events of recorded ones, each connection with a reader of its own.
#[derive(Default)]
struct Readings {
    connections: HashMap<u64, (Observer, Numbers)>,
}

impl Readings {
    fn read(&mut self, recorded: Recorded) -> Vec<Event> {
        let Recorded { n, conn, at, body } = recorded;
        let (observer, numbers) = self.connections.entry(conn).or_insert_with(|| {
            // What is recorded is masked already, or was to be shown.
            let gate = Gate::new(Secrets::Shown);
            (Observer::new(gate), Numbers::new(conn))
        });
        let mut drafts = Vec::new();
        let mut is_last = false;
        match body {
            RecordedBody::Bare(body) => {
                is_last = matches!(body, Body::Closed { .. });
                drafts.push(Draft::new(n, at, body));
            }
            RecordedBody::Message(message) => observer.read_again(n, at, *message, &mut drafts),
        }
        let number = |draft| numbers.number(draft, n);
        let events = drafts.into_iter().map(number).collect();
        if is_last {
            self.connections.remove(&conn);
        }
        events
    }
}
