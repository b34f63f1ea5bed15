//! A recording read again: who said what, on which of its connections, in which state.
//!
//! A JSON transcript or the short text form; which one it is, is found out. Not what is done with it:
//! a replay makes a script of it, a comparison a list of exchanges.
//!
//! What it was recorded as, a text cannot say of every message: in it, COMPRESS and STARTTLS change
//! nothing for the lines behind them, which are as readable as all others.

#[cfg(test)]
mod again;
mod counts;
mod events;
mod input;
mod told;

use std::collections::HashMap;
use std::io::BufRead;
use std::path::Path;

use crate::error::{Doing, Error, Result};
use crate::event::{
    Body, Draft, Gate, Micros, Peer, Recorded, RecordedBody, RecordedMessage, Said, Secrets,
};
use crate::protocol::imap::{Observer, State};
use crate::transcript::{Reader, TextLine, read_text};

use counts::Counts;
pub use events::{Events, Readings};
pub use input::{Form, Input, is_standard_input, name_of};
pub use told::{form, outline, told};

/// Something that was said.
pub struct Heard {
    /// Its connection's number.
    pub conn: u64,
    /// Its number, which relations refer to: in a transcript the event's, in a text the connection's
    /// own count.
    pub n: u64,
    /// Where people find it: the number of the event in a transcript, that of the line in a text.
    pub place: u64,
    /// When; in a text always zero.
    pub at: Micros,
    /// Where the session was before it.
    pub state: State,
    /// What.
    pub said: Said,
}

/// Whose view of the session is wanted, where mailscope had a hand in it (`from` `mailscope`, and
/// `sent`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Everything, as it was recorded.
    Both,
    /// The app's: what it was given counts, whoever said it, and what only the server was told or
    /// said does not.
    App,
}

/// Reads a recording from a file, or from standard input for `-`; `each` is given what was said, in
/// order. What is to be said about a file that ends before its end comes back.
///
/// # Errors
///
/// The file cannot be read, or is no recording: file, line and reason.
pub fn open(path: &Path, side: Side, each: impl FnMut(Heard)) -> Result<Option<String>> {
    let Input { name, octets } = Input::open(path)?;
    read(octets, &name, side, each)
}

/// As [`open`], from anywhere; `name` is what errors call it.
///
/// # Errors
///
/// It is no recording: line and reason.
pub fn read(
    mut recording: impl BufRead + Send + 'static,
    name: &str,
    side: Side,
    each: impl FnMut(Heard),
) -> Result<Option<String>> {
    let doing = || format!("read {name}");
    let mut connections = Connections {
        all: HashMap::new(),
        begun: HashMap::new(),
        each,
    };
    if Form::of(name, &mut recording)? == Form::Text {
        let mut text = Vec::new();
        recording.read_to_end(&mut text).doing(doing)?;
        connections
            .hear(&text)
            .map_err(|(line, why)| Error::new(format!("read {name}, line {line}"), why))?;
        return Ok(None);
    }
    let mut reader = Reader::new(recording, name)?;
    for recorded in &mut reader {
        connections.read(recorded?, side);
    }
    Ok(reader.torn())
}

struct Connections<F> {
    all: HashMap<u64, Observer>,
    /// The line in which a peer of a connection began the message that is not whole yet.
    begun: HashMap<(u64, Peer), u64>,
    each: F,
}

impl<F: FnMut(Heard)> Connections<F> {
    fn read(&mut self, recorded: Recorded, side: Side) {
        let Recorded { n, conn, at, body } = recorded;
        let RecordedBody::Message(message) = body else {
            return;
        };
        let message = match side {
            Side::Both => Some(*message),
            Side::App => as_the_app_saw(*message),
        };
        let Some(message) = message else {
            return;
        };
        let observer = observer(&mut self.all, conn);
        let state = observer.state();
        let mut drafts = Vec::new();
        observer.read_again(n, at, message, &mut drafts);
        for draft in drafts {
            if let Body::Said(said) = Draft::into_body(draft) {
                let said = *said;
                (self.each)(Heard {
                    conn,
                    n,
                    place: n,
                    at,
                    state,
                    said,
                });
            }
        }
    }

    /// Takes in a text, whose octets were never read as messages.
    fn hear(&mut self, text: &[u8]) -> Result<(), (u64, String)> {
        let mut counts = Counts::default();
        for line in read_text(text)? {
            counts.before(&line)?;
            self.hear_line(&mut counts, &line)?;
        }
        counts.end()
    }

    fn hear_line(&mut self, counts: &mut Counts, line: &TextLine) -> Result<(), (u64, String)> {
        let (conn, from) = (line.conn, line.from);
        let mut begun = *self.begun.entry((conn, from)).or_insert(line.number);
        let observer = observer(&mut self.all, conn);
        let state = observer.state();
        let at = Micros::default();
        let mut drafts = Vec::new();
        if line.is_behind_refusal {
            observer.goes_not_on(&mut drafts);
            counts.refused(conn);
        }
        let refused = drafts.len();
        if line.is_opaque {
            observer.opaque_from_here(at, &mut drafts);
        } else if from == Peer::Client && observer.awaits_go_ahead() {
            // It went on, so it was told to, whether that was written down or not.
            observer.hear_again(Peer::Server, b"+ OK\r\n", at, &mut Vec::new());
        }
        observer.hear_again(from, &line.octets, at, &mut drafts);
        let said = drafts[refused..]
            .iter()
            .filter_map(|draft| match draft.body() {
                Body::Said(said) => Some(&**said),
                _ => None,
            });
        counts.after(line, said)?;
        for draft in drafts {
            let n = draft.ordinal();
            if let Body::Said(said) = Draft::into_body(draft) {
                let said = *said;
                if said.from == from {
                    begun = self.begun.remove(&(conn, from)).unwrap_or(begun);
                }
                (self.each)(Heard {
                    conn,
                    n,
                    place: begun,
                    at,
                    state,
                    said,
                });
            }
        }
        Ok(())
    }
}

/// What is recorded is masked already, or was to be shown.
fn observer(all: &mut HashMap<u64, Observer>, conn: u64) -> &mut Observer {
    all.entry(conn)
        .or_insert_with(|| Observer::new(Gate::new(Secrets::Shown)))
}

/// The message in the app's view; `None` for one that it did not say or get.
fn as_the_app_saw(mut message: RecordedMessage) -> Option<RecordedMessage> {
    let sent = message.sent.take();
    match (message.from, message.own) {
        (Peer::Client, own) => (!own).then_some(message),
        (Peer::Server, true) => {
            message.own = false;
            Some(message)
        }
        (Peer::Server, false) => {
            match sent {
                Some(sent) if sent.is_empty() => return None,
                Some(sent) => message.message = sent,
                None => {}
            }
            Some(message)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Reading;

    /// Who said it, whether it is a command or a response that names one, and in which line.
    fn heard(recording: &str, side: Side) -> Vec<(Peer, String, u64)> {
        let mut all = Vec::new();
        let recording = std::io::Cursor::new(recording.to_owned().into_bytes());
        read(recording, "test", side, |heard| {
            let what = match &heard.said.reading {
                Reading::Command { name, .. } => name.as_deref().unwrap_or("?").to_owned(),
                _ => outline(&heard.said),
            };
            all.push((heard.said.from, what, heard.place));
        })
        .unwrap();
        all
    }

    use Peer::{Client as C, Server as S};

    fn owned(all: &[(Peer, &str, u64)]) -> Vec<(Peer, String, u64)> {
        let all = all.iter();
        all.map(|(from, what, line)| (*from, (*what).to_owned(), *line))
            .collect()
    }

    #[test]
    fn a_text_goes_on_behind_starttls_and_compress() {
        let text = "# a text\nS: * OK hi\nC: a STARTTLS\nS: a OK go\nC: b COMPRESS DEFLATE\nS: b OK on\n\
            C: c LOGIN {5+}\nC: alice x\nS: c OK in\n";
        assert_eq!(
            heard(text, Side::Both),
            owned(&[
                (S, "* OK hi", 2),
                (C, "STARTTLS", 3),
                (S, "OK go", 4),
                (C, "COMPRESS", 5),
                (S, "OK on", 6),
                (C, "LOGIN", 7),
                (S, "OK in", 9),
            ])
        );
    }

    #[test]
    fn a_text_may_say_that_octets_are_of_no_messages() {
        let text = "S: * OK hi\nC: a STARTTLS\nS: a OK go\n# opaque from here on\nC: b NOOP {3}\n\
            C\\: \\x16\\\nS: c OK\n# connection 2\nS: * OK other\n";
        assert_eq!(
            heard(text, Side::Both),
            owned(&[
                (S, "* OK hi", 1),
                (C, "STARTTLS", 2),
                (S, "OK go", 3),
                (C, "b NOOP {3}", 5), // of a command, its name is told
                (C, "\u{16}", 6),
                (S, "c OK", 7),
                (S, "* OK other", 9),
            ])
        );
    }

    #[test]
    fn the_apps_side_is_what_it_said_and_was_given() {
        let events = r#"{"mailscope":{"format":1,"started":"2026-11-23T12:00:00.000Z"},"events":[
            {"from":"server","wire":["* OK [CAPABILITY A] hi\r\n"],"sent":["* OK [CAPABILITY B] hi\r\n"]},
            {"from":"mailscope","to":"server","kind":"command","wire":["m STARTTLS\r\n"]},
            {"from":"server","wire":["m OK go\r\n"],"sent":[]},
            {"from":"client","wire":["a STARTTLS\r\n"],"sent":[]},
            {"from":"mailscope","to":"client","kind":"tagged","wire":["a OK begin\r\n"]}]}"#;
        let app = [
            (S, "* OK [CAPABILITY B] hi", 1),
            (C, "STARTTLS", 4),
            (S, "OK begin", 5),
        ];
        assert_eq!(heard(events, Side::App), owned(&app));
        assert_eq!(heard(events, Side::Both).len(), 5);
    }
}
