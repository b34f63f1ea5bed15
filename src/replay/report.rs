//! What came of a replay: how many commands fitted, which did not and why, and what was never asked
//! for.

use std::fmt;

use serde::Serialize;

#[cfg(doc)]
use crate::limits;
use crate::sink::printable::escaped;

/// The report's JSON as a JSON Schema (draft 2020-12).
pub const REPORT_SCHEMA: &str = include_str!("report.schema.json");

/// What came of a replay. Displayed, it is fit for a terminal whatever was said; as JSON it is the file that `--report` writes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Commands that were answered as recorded.
    pub matched: u64,
    /// Those that the real server answered, and that were recorded; `None` without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded: Option<u64>,
    /// Those that were not, up to [`limits::MISMATCHES`].
    pub mismatches: Vec<Mismatch>,
    /// How many there were besides.
    #[serde(skip_serializing_if = "is_none")]
    pub unlisted: u64,
    /// Recorded commands that no app sent.
    pub never_asked: Vec<NeverAsked>,
}

fn is_none(count: &u64) -> bool {
    *count == 0
}

/// In what a command differs that was asked more often than it is recorded.
pub(super) const TIMES: &str = "times asked";

/// A command that no recorded one fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// The live connection's number.
    pub conn: u64,
    /// The command, without its tag.
    pub command: String,
    /// The number of the recorded command that comes nearest.
    pub nearest: Option<u64>,
    /// In what they differ: `mailbox`, `sequence set`; `times asked` where it is the same, and was asked
    /// more often than it is recorded.
    pub argument: Option<String>,
    /// What that is in the recording.
    pub recorded: Option<String>,
    /// What the app said.
    pub live: Option<String>,
    /// Why the real server was not asked, or did not answer, where it was to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Mismatch {
    /// Where the same command was recorded, but not so often: its number, and how often it was.
    pub(super) fn asked_again(&self) -> Option<(u64, String)> {
        let times = match self.recorded.as_deref()? {
            "1" => "1 time".to_owned(),
            times => format!("{times} times"),
        };
        let is_it = self.argument.as_deref() == Some(TIMES);
        self.nearest
            .filter(|_| is_it)
            .map(|nearest| (nearest, times))
    }

    /// It is a line without a tag.
    pub(super) fn of_no_command(conn: u64, command: String) -> Self {
        Self {
            conn,
            command,
            nearest: None,
            argument: None,
            recorded: None,
            live: None,
            why: None,
        }
    }

    /// The real server did not even greet.
    pub(super) fn of_greeting(conn: u64, why: &str) -> Self {
        Self {
            conn,
            command: "(the greeting)".into(),
            nearest: None,
            argument: None,
            recorded: None,
            live: None,
            why: Some(why.to_owned()),
        }
    }
}

/// A recorded command that was not sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NeverAsked {
    /// Its number in the recording.
    pub n: u64,
    /// The command, without its tag.
    pub command: String,
}

impl Report {
    /// Whether everything fitted; `all`: and nothing was left.
    pub fn is_content(&self, all: bool) -> bool {
        self.mismatches.is_empty() && (!all || self.never_asked.is_empty())
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let command = match &*self.command {
            "" => "a tag without a command".into(),
            command => escaped(command),
        };
        write!(
            f,
            "connection {}: nothing recorded fits {command}",
            self.conn
        )?;
        if let Some(why) = &self.why {
            let why = escaped(why);
            write!(f, ", and the server was of no help\n    {why}")?;
        } else if let Some((nearest, times)) = self.asked_again() {
            write!(
                f,
                ": #{nearest} is the same, and this is once more than it was recorded ({times})"
            )?;
        } else if let (Some(nearest), Some(argument)) = (self.nearest, &self.argument) {
            let shown = |text: &Option<String>| escaped(text.as_deref().unwrap_or_default());
            let (recorded, live) = (shown(&self.recorded), shown(&self.live));
            let argument = escaped(argument);
            write!(
                f,
                "; the nearest is #{nearest}, whose {argument} is\n    recorded: {recorded}\n    live:     {live}"
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let commands = |count: usize| match count {
            1 => "1 command".to_owned(),
            count => format!("{count} commands"),
        };
        let matched = usize::try_from(self.matched).unwrap_or(usize::MAX);
        write!(f, "{} matched", commands(matched))?;
        if let Some(recorded) = self.recorded {
            write!(f, ", {recorded} recorded")?;
        }
        let unlisted = usize::try_from(self.unlisted).unwrap_or(usize::MAX);
        if !self.mismatches.is_empty() {
            let all = self.mismatches.len().saturating_add(unlisted);
            write!(f, ", {} did not", commands(all))?;
        }
        for mismatch in &self.mismatches {
            write!(f, "\n  {mismatch}")?;
        }
        if unlisted > 0 {
            write!(f, "\n  and {} more", commands(unlisted))?;
        }
        if !self.never_asked.is_empty() {
            write!(
                f,
                "\n  never asked for: {}",
                commands(self.never_asked.len())
            )?;
        }
        for never in &self.never_asked {
            write!(f, "\n    #{} {}", never.n, escaped(&never.command))?;
        }
        Ok(())
    }
}
