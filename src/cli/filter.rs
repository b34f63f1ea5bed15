//! `--filter EXPR`: which events are wanted, the same for every command that has it.

use crate::error::{Error, Result};
use crate::filter::{Matcher, parse};

/// The option of a command that looks at events.
#[derive(Debug, clap::Args)]
pub struct FilterArgument {
    /// Only the events that match, such as 'command:FETCH status:NO', 'mailbox:INBOX unsolicited' or
    /// 'from:server (elapsed>200ms or "quota")'.
    ///
    /// Tests stand side by side (and), with `or`, `not` (or -, !) and parentheses between them:
    /// command: mailbox: tag: status: code: name: kind: from: note: flag: with a value (* stands for any
    /// characters, commas between several); conn, n, at, elapsed, octets with a comparison;
    /// unsolicited, ambiguous, incomplete; "text" for what stands in the octets. What is recorded is
    /// never changed by it.
    #[arg(long, value_name = "EXPR", allow_hyphen_values = true)]
    filter: Option<String>,
}

impl FilterArgument {
    /// What tells whether an event matches, if there is a filter.
    ///
    /// # Errors
    ///
    /// It is none: where, and what was expected.
    pub fn read(&self) -> Result<Option<Matcher>> {
        let Some(text) = &self.filter else {
            return Ok(None);
        };
        let filter = parse(text).map_err(|bad| Error::new("read the filter", bad))?;
        Ok(Some(Matcher::new(&filter)))
    }
}
