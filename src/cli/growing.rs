//! `replay --on-miss record`: which server is asked what the recording has no answer to, and what of
//! that is recorded.

use std::path::Path;
use std::sync::Arc;

use clap::{ValueEnum, ValueHint};

use super::known;
use super::provider;
use super::say::{say, warn};
use super::server_leg::{ServerLeg, described};
use super::session::told;
use crate::error::{Error, Result};
use crate::event::Note;
use crate::net::{KeyLogFile, Ours, ServerAddress, TlsToServer};
use crate::recording::is_standard_input;
use crate::replay::{Cassette, Denied, RecordMode, Script, Upstream};
use crate::sink::bus::OnFailure;
use crate::sink::recording::OnDisplaced;

/// The arguments.
#[derive(Clone, Debug, clap::Args)]
pub struct Growing {
    /// The real server that --on-miss record asks; written as for `record`.
    #[arg(
        long,
        value_name = "SERVER",
        value_hint = ValueHint::Hostname,
        value_parser = known::servers(),
        hide_possible_values = true
    )]
    server: Option<String>,

    /// What --on-miss record passes to the server and records [default: new].
    #[arg(long, value_enum, value_name = "WHAT")]
    record: Option<Mode>,

    #[command(flatten)]
    leg: ServerLeg,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// Everything, where there is no recording yet; else nothing.
    Once,
    /// What is not recorded; a transcript that is not there is made.
    New,
    /// Nothing.
    None,
    /// Everything, anew; the former transcript is kept as TRANSCRIPT.old.
    All,
}

/// A transcript that may grow.
pub struct Grown {
    /// What is in it.
    pub cassette: Cassette,
    server: ServerAddress,
    tls: Option<TlsToServer>,
    insecure: bool,
}

impl Growing {
    /// What `--on-miss` without `record` has no use for is refused.
    pub fn refuse_without_miss(&self) -> Result<()> {
        let flags = [
            (self.server.is_some(), "--server"),
            (self.record.is_some(), "--record"),
        ];
        let given = flags
            .iter()
            .find(|(given, _)| *given)
            .map(|(_, flag)| *flag);
        match given.or(self.leg.given()) {
            None => Ok(()),
            Some(flag) => Err(Error::new(
                format!("replay with {flag}"),
                "it is of use to --on-miss record only, and a replay asks no server without that",
            )
            .hint(format!("--on-miss record, or leave {flag} out"))),
        }
    }

    /// Opens the one transcript that is to grow. The keys of the server's leg go to `keylog` too.
    pub fn open(
        &self,
        transcripts: &[impl AsRef<Path>],
        keylog: Option<&Arc<KeyLogFile>>,
    ) -> Result<Grown> {
        let doing = "replay with --on-miss record";
        let [transcript] = transcripts else {
            return Err(Error::new(
                doing,
                "several transcripts are given, and only one can be added to",
            )
            .hint("one TRANSCRIPT; those that are only to be played need another replay"));
        };
        if is_standard_input(transcript.as_ref()) {
            return Err(
                Error::new(doing, "standard input is no file that could be added to")
                    .hint("the name of a file in place of -"),
            );
        }
        let Some(text) = &self.server else {
            return Err(Error::new(doing, "no server is named that could be asked")
                .hint("--server imaps://imap.example.com, as for mailscope record"));
        };
        let asked = self.leg.asked();
        let provider = provider::named(text);
        let text = provider.map_or(text.as_str(), |provider| provider.server());
        let server = ServerAddress::parse(text, asked)?;
        let tls = self.leg.tls(keylog)?;
        let mode = match self.record.unwrap_or(Mode::New) {
            Mode::Once => RecordMode::Once,
            Mode::New => RecordMode::New,
            Mode::None => RecordMode::None,
            Mode::All => RecordMode::All,
        };
        let on_failure: OnFailure = Arc::new(|_, error: &Error| {
            say(&format!(
                "{}\n{}",
                warn(&error.to_string()),
                warn("the replay goes on, but NOTHING IS RECORDED from here on")
            ));
        });
        let insecure = self.leg.is_insecure();
        let path = transcript.as_ref();
        let on_displaced: OnDisplaced = Arc::new(|before, displaced| {
            say(&warn(&told(before, displaced)));
        });
        let name = server.name();
        let cassette = Cassette::open(path, mode, &name, insecure, &on_failure, &on_displaced)?;
        if let Some(torn) = &cassette.torn {
            say(&warn(torn));
        }
        Ok(Grown {
            cassette,
            server,
            tls,
            insecure,
        })
    }
}

impl Grown {
    /// What the user has to know.
    pub fn introduction(&self, transcript: &Path) -> Vec<String> {
        let (server, file) = (described(&self.server), transcript.display());
        if self.cassette.recorder.is_none() {
            return vec![format!(
                "  {file} has its recording: nothing goes to {server}, nothing is added"
            )];
        }
        let mut lines = vec![match (self.cassette.is_blank, self.cassette.puts_aside) {
            (false, _) => {
                format!("  commands that are not recorded go to {server} and are added to {file}")
            }
            (true, false) => format!("  all commands go to {server} and are recorded to {file}"),
            (true, true) => format!(
                "  all commands go to {server} and are recorded to {file}; what is in it now is \
                 kept as {file}.old"
            ),
        }];
        if self.insecure {
            lines.push(warn(&Note::Insecure.text()));
        }
        lines
    }

    /// What is played, and the server that the rest is passed to, if any is; our own listeners are
    /// not taken for it.
    pub fn divided(self, ours: Ours) -> (Script, Option<Arc<Upstream>>) {
        let upstream = self.cassette.recorder.map(|recorder| {
            Arc::new(Upstream {
                server: self.server,
                tls: self.tls,
                insecure: self.insecure,
                recorder,
                is_all: self.cassette.is_blank,
                ours,
                denied: Denied::default(),
            })
        });
        (self.cassette.script, upstream)
    }
}
