//! The findings that must not be overlooked, on standard error: for a run whose conversation goes to
//! a file, a pipe or nowhere, where nobody would see them.

use super::say::{say, warn};
use crate::error::Result;
use crate::event::{Body, Note};
use crate::sink::batch::Batch;
use crate::sink::bus::{Purpose, Sink};
use crate::sink::terminal::is_warning;

/// Says each with the number of its connection.
pub struct Warnings;

impl Sink for Warnings {
    fn take(&mut self, events: &Batch) -> Result<()> {
        // The user asked for these, and was told when the run began.
        let known = [Note::Insecure.id(), Note::SecretsShown.id()];
        for event in events.iter() {
            if let Body::Note(finding) = &event.body
                && is_warning(&finding.id)
                && !known.contains(&&*finding.id)
            {
                let text = format!("connection {}: {}", event.conn, finding.text);
                say(&warn(&printable(&text)));
            }
        }
        Ok(())
    }

    fn purpose(&self) -> Purpose {
        Purpose::View
    }
}

/// Names come from the wire; no octet of them may drive a terminal.
fn printable(text: &str) -> String {
    let hidden = |c: char| c.is_control() || crate::transcript::is_hidden(c);
    let shown = |c: char| match hidden(c) {
        true => c.escape_unicode().to_string(),
        false => c.to_string(),
    };
    text.chars().map(shown).collect()
}
