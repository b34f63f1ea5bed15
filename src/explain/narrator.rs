//! What each event does in this place, one plain sentence an event, told as to somebody who sees IMAP
//! for the first time.
//!
//! A tutorial does not repeat itself:
//!
//! - A command is put into words with its arguments every time, unless the same was said of the last
//!   one of its name. Its RFC and section stand behind the first sentence only.
//! - A response is explained when the first of its kind comes; later ones are silent. A command that
//!   failed is told every time.
//! - A term (capability, flag, mailbox attribute, item, response code...) is explained where it comes
//!   for the first time.
//!
//! What is kept for that is bounded by the table, and by the commands in flight.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::command::{self, Access, Command};
use super::response::{self, Placed};
use super::sentence::Sentence;
use super::table::{Entry, Kind, entry};
use super::terms;
use crate::event::{Awaited, Body, Code, Event, Peer, Reading, Relation, Said, Status};
use crate::limits;

#[cfg(test)]
mod tests;

/// Terms that are explained below one message; more of them are when they come again.
const TERMS: usize = 40;

/// What stands in the server's place where mailscope plays it.
const PLAYED: &str = "replay";

/// What is to be said of one event.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    /// What it does in this place.
    pub sentence: Option<Sentence>,
    /// The RFC and section, where the sentence is the first about this.
    pub source: Option<&'static str>,
    /// Terms in it that were not explained before.
    pub terms: Vec<Term>,
}

/// A term as it is written in this place.
#[derive(Debug, PartialEq, Eq)]
pub struct Term {
    /// Octets of the message.
    pub written: Vec<u8>,
    /// What it means.
    pub entry: &'static Entry,
}

impl Explanation {
    fn placed(placed: Placed) -> Self {
        Self {
            sentence: Some(placed.sentence),
            source: Some(placed.source),
            terms: Vec::new(),
        }
    }
}

/// Tells a run, an event at a time.
#[derive(Default)]
pub struct Narrator {
    /// Entries of the table that were explained.
    told: HashSet<usize>,
    /// Keys of what was said once.
    said: HashSet<&'static str>,
    /// What was said last of the commands of a name.
    last: HashMap<&'static str, u64>,
    /// The names of unanswered commands, by connection and number.
    open: HashMap<(u64, u64), Cow<'static, str>>,
    /// The connections whose mailbox is open for reading only.
    read_only: HashSet<u64>,
}

impl Narrator {
    /// What is to be said of the event.
    pub fn explain(&mut self, event: &Event) -> Explanation {
        match &event.body {
            Body::Said(said) => self.explain_said(event, said),
            Body::Closed { .. } => {
                self.open.retain(|(conn, _), _| *conn != event.conn);
                self.read_only.remove(&event.conn);
                Explanation::default()
            }
            body => match lifecycle(body) {
                Some(placed) => self.once(placed),
                None => Explanation::default(),
            },
        }
    }

    /// What the mailbox of a connection is open for.
    fn open_for(&mut self, conn: u64, said: &Said) -> Access {
        let code = said.code();
        let name = match &said.reading {
            Reading::Command { name, .. } => name.as_deref(),
            _ => code.as_ref().map(|code| &*code.name),
        };
        match name {
            Some("EXAMINE" | "READ-ONLY") => drop(self.read_only.insert(conn)),
            Some("SELECT" | "READ-WRITE") => drop(self.read_only.remove(&conn)),
            _ => {}
        }
        match self.read_only.contains(&conn) {
            true => Access::ReadOnly,
            false => Access::ReadWrite,
        }
    }

    fn explain_said(&mut self, event: &Event, said: &Said) -> Explanation {
        let access = self.open_for(event.conn, said);
        match &said.reading {
            Reading::Greeting { status } => self.greeting(said, *status),
            Reading::Command {
                tag,
                name: Some(name),
                mechanism,
                identity,
                ..
            } => {
                let arguments = said.arguments();
                let command = Command {
                    name,
                    arguments: &arguments,
                    identity: identity.as_deref(),
                    mechanism: mechanism.as_deref(),
                    access,
                };
                let explanation = self.command(said, &command, tag.as_deref());
                if self.open.len() < limits::IN_FLIGHT {
                    self.open.insert((event.conn, event.n), name.clone());
                }
                explanation
            }
            Reading::ContinuationRequest { awaited, .. } => self.continuation_request(*awaited),
            Reading::Continuation { idled, .. } => self.continuation(idled.is_some()),
            Reading::Untagged {
                name,
                number,
                status,
                ..
            } => {
                let command = match said.relation {
                    Relation::Answers(n) => self.open.get(&(event.conn, n)).cloned(),
                    _ => None,
                };
                self.untagged(said, name, (*number, *status), command.as_deref())
            }
            Reading::Tagged { tag, status, .. } => {
                let command = match said.relation {
                    Relation::Answers(n) => self.open.remove(&(event.conn, n)),
                    _ => None,
                };
                self.tagged(said, tag, *status, command.as_deref())
            }
            _ => Explanation::default(),
        }
    }

    /// What is said, if nothing with this key was said before.
    fn once(&mut self, placed: Placed) -> Explanation {
        match self.said.insert(placed.key) {
            true => Explanation::placed(placed),
            false => Explanation::default(),
        }
    }

    /// Adds those terms that were not explained before.
    fn tell(&mut self, explanation: &mut Explanation, terms: Vec<terms::Term>) {
        for (written, entry) in terms {
            if explanation.terms.len() < TERMS && self.told.insert(entry.index) {
                explanation.terms.push(Term { written, entry });
            }
        }
    }

    fn tell_syntax(&mut self, explanation: &mut Explanation, term: &str, written: &[u8]) {
        let term = entry(Kind::Syntax, term).map(|entry| (written.to_vec(), entry));
        self.tell(explanation, term.into_iter().collect());
    }

    fn greeting(&mut self, said: &Said, status: Option<Status>) -> Explanation {
        let placed = Placed::new(
            "greeting",
            "RFC 9051, 7.1.1",
            Sentence::new("the server speaks first: it is ready for commands"),
        );
        let mut explanation = match status {
            Some(Status::Ok) => self.once(placed),
            Some(status) => entry(Kind::Response, status.name())
                .map(|known| self.once(response::whole(known)))
                .unwrap_or_default(),
            None => Explanation::default(),
        };
        self.tell_code(&mut explanation, said);
        explanation
    }

    /// A status response's code as a term, and the terms in it.
    fn tell_code(&mut self, explanation: &mut Explanation, said: &Said) {
        let code = said.code();
        let known = code
            .as_ref()
            .and_then(|code| entry(Kind::ResponseCode, &code.name))
            // The view says already that the user must see it.
            .filter(|known| known.term != "ALERT");
        let known = known.map(|known| (known.term.as_bytes().to_vec(), known));
        self.tell_code_syntax(explanation, code.as_ref());
        self.tell(explanation, known.into_iter().collect());
        self.tell(explanation, terms::of_response(said, "", code.as_ref()));
    }

    /// What brackets behind a status are, at the first response code.
    fn tell_code_syntax(&mut self, explanation: &mut Explanation, code: Option<&Code<'_>>) {
        if let Some(code) = code {
            let written = format!("[{}]", code.name);
            self.tell_syntax(explanation, "[...]", written.as_bytes());
        }
    }

    /// What reads as something else: a mailbox name, or a word of a header, the first of its kind.
    fn decoded(&mut self, explanation: &mut Explanation, said: &Said, name: &str) {
        let placed = match name {
            "LIST" => response::encoded_name(said)
                .map(|sentence| Placed::new("modified utf-7", "RFC 3501, 5.1.3", sentence)),
            _ => terms::encoded_word(said)
                .filter(|(_, known)| !self.told.contains(&known.index))
                .and_then(|(word, known)| {
                    let sentence = response::encoded_word(&word)?;
                    self.told.insert(known.index);
                    Some(Placed::new("encoded word", known.source, sentence))
                }),
        };
        if let Some(placed) = placed {
            let decoded = self.once(placed);
            explanation.sentence = decoded.sentence;
            explanation.source = decoded.source;
        }
    }

    fn command(&mut self, said: &Said, command: &Command<'_>, tag: Option<&str>) -> Explanation {
        let Some(known) = entry(Kind::Command, command.name) else {
            return Explanation::default();
        };
        let sentence = command::sentence(command).unwrap_or_else(|| Sentence::new(known.phrase()));
        let mut hasher = DefaultHasher::new();
        sentence.hash(&mut hasher);
        let is_new = self.last.insert(known.term, hasher.finish()) != Some(hasher.finish());
        let is_first = self.told.insert(known.index);
        let mut explanation = Explanation {
            sentence: is_new.then_some(sentence),
            source: (is_first && is_new).then_some(known.source),
            terms: Vec::new(),
        };
        if let Some(tag) = tag {
            self.tell_syntax(&mut explanation, "tag", tag.as_bytes());
        }
        self.tell(&mut explanation, terms::of_command(command, said));
        explanation
    }

    fn continuation_request(&mut self, awaited: Option<Awaited>) -> Explanation {
        let placed = match awaited {
            Some(Awaited::Literal) => Some(Placed::new(
                "awaits a literal",
                "RFC 9051, 4.3",
                Sentence::new("go ahead: the server waits for the literal's octets"),
            )),
            Some(Awaited::Sasl) => Some(Placed::new(
                "awaits sasl",
                "RFC 9051, 6.2.2",
                Sentence::new("go ahead: the server waits for the app's next SASL response"),
            )),
            // The view says what it means.
            Some(Awaited::Idle) | None => None,
        };
        let mut explanation = placed.map(|placed| self.once(placed)).unwrap_or_default();
        self.tell_syntax(&mut explanation, "+", b"+");
        explanation
    }

    fn continuation(&mut self, is_done: bool) -> Explanation {
        let mut explanation = Explanation::default();
        if is_done {
            self.tell_syntax(&mut explanation, "DONE", b"DONE");
            return explanation;
        }
        self.once(Placed::new(
            "a sasl response",
            "RFC 9051, 6.2.2",
            Sentence::new("the app's SASL response, of which mailscope shows no secret"),
        ))
    }

    fn untagged(
        &mut self,
        said: &Said,
        name: &str,
        (number, status): (Option<u64>, Option<Status>),
        command: Option<&str>,
    ) -> Explanation {
        let code = status.and_then(|_| said.code());
        let mut explanation = match (said.relation == Relation::Unsolicited, status) {
            // What it means the view says.
            (true, Some(_)) => Explanation::default(),
            (true, None) => self.once(Placed::new(
                "unsolicited",
                "RFC 9051, 5.2",
                Sentence::new("a server may report changes at any time, and an app must heed them"),
            )),
            (false, Some(status)) => response::status_response(status, code.as_ref())
                .map(|placed| self.once(placed))
                .unwrap_or_default(),
            // Most lines of a session are such that were told already.
            (false, None) if self.said.contains(response::key(name)) => Explanation::default(),
            (false, None) => response::untagged(said, name, number, command)
                .map(|placed| self.once(placed))
                .unwrap_or_default(),
        };
        let code_entry = code
            .as_ref()
            .and_then(|code| entry(Kind::ResponseCode, &code.name));
        self.told.extend(code_entry.map(|known| known.index));
        self.tell_syntax(&mut explanation, "*", b"*");
        self.tell_code_syntax(&mut explanation, code.as_ref());
        if explanation.sentence.is_none() {
            self.decoded(&mut explanation, said, name);
        }
        self.tell(
            &mut explanation,
            terms::of_response(said, name, code.as_ref()),
        );
        explanation
    }

    fn tagged(
        &mut self,
        said: &Said,
        tag: &str,
        status: Option<Status>,
        command: Option<&str>,
    ) -> Explanation {
        let placed = response::tagged(tag, status, command);
        let mut explanation = placed.map(|placed| self.once(placed)).unwrap_or_default();
        if explanation.sentence.is_none()
            && let (Some(status), Some(command)) = (status, command)
        {
            explanation.sentence = response::failed_again(status, command);
        }
        self.tell_code(&mut explanation, said);
        explanation
    }
}

/// What a connection's own events mean.
fn lifecycle(body: &Body) -> Option<Placed> {
    let (key, source, words) = match body {
        Body::Connected { server, .. } if server == PLAYED => (
            "connected",
            "RFC 9051, 2.1",
            "an app has connected to mailscope, which plays the server from a recording; C: is what \
             the app says, S: what the server says",
        ),
        Body::Connected { .. } => (
            "connected",
            "RFC 9051, 2.1",
            "an app has connected to mailscope, which connects to the server in its place; C: is what \
             the app says, S: what the server says",
        ),
        Body::Secured(secured) if secured.leg == Peer::Server => (
            "secured server",
            "RFC 8446, 1",
            match secured.certificate["verified"].as_bool() {
                Some(false) => "TLS, but it is not known that the other end is the server",
                _ => "TLS: nobody between mailscope and the server can read or change what is said",
            },
        ),
        Body::Secured(_) => (
            "secured client",
            "RFC 8446, 1",
            "TLS with the app too, by a certificate of mailscope's own that the app trusts",
        ),
        _ => return None,
    };
    Some(Placed::new(key, source, Sentence::new(words)))
}
