//! Where sessions are, as their events tell it: which commands wait for an answer, which mailbox is
//! selected, and so to which command and which mailbox an event belongs.
//!
//! Made of events alone, one after the other, so that it is the same for a live session and for a
//! transcript of it. Not the tracker (`protocol`), which makes the events and knows what a server may
//! say; nothing here looks ahead, and nothing changes what was read.
//!
//! ```text
//! #4  C: a1 SELECT INBOX         belongs to #4, and to INBOX
//! #5  S: * 3 EXISTS              answers #4
//! #9  S: * 4 EXISTS              belongs to no command; INBOX is selected
//! ```

mod mailbox;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use smallvec::SmallVec;

pub use mailbox::mailbox_name;

use crate::event::{Body, Event, Micros, Reading, Relation, Said, Status, Value};
use crate::limits;

/// A command that was said.
#[derive(Debug)]
pub struct Command {
    /// Its event's number.
    pub n: u64,
    /// When it began.
    pub at: Micros,
    /// Its tag, or as much of it as is kept ([`limits::TAG`]).
    pub tag: String,
    /// Upper case, `UID FETCH` one name; empty where there is none to be read.
    pub name: Cow<'static, str>,
    /// The mailboxes that it names.
    pub named: SmallVec<[Arc<str>; 1]>,
    /// The mailbox that was selected, or was being selected, when it was said; for a command that acts
    /// on the selected mailbox.
    pub selected: Option<Arc<str>>,
}

impl Command {
    /// The mailboxes that it is about.
    pub fn mailboxes(&self) -> impl Iterator<Item = &str> {
        self.named.iter().chain(&self.selected).map(|name| &**name)
    }
}

/// What an event belongs to.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// The command that it is, or that it answers or goes on; several where it is ambiguous.
    pub commands: SmallVec<[Arc<Command>; 1]>,
    /// The mailbox that was selected before it.
    pub selected: Option<Arc<str>>,
}

/// The sessions of a run.
#[derive(Default)]
pub struct Sessions {
    open: HashMap<u64, Session>,
}

impl Sessions {
    /// Takes the next event in; what it belongs to comes back.
    pub fn take(&mut self, event: &Event) -> Place {
        match &event.body {
            Body::Said(said) => {
                let session = self.open.entry(event.conn).or_default();
                session.take(event.n, event.at, said)
            }
            Body::Closed { .. } => {
                let session = self.open.remove(&event.conn);
                session.map_or_else(Place::default, |session| session.place())
            }
            _ => {
                let session = self.open.get(&event.conn);
                session.map_or_else(Place::default, Session::place)
            }
        }
    }
}

/// One connection's.
#[derive(Default)]
struct Session {
    selected: Option<Arc<str>>,
    in_flight: BTreeMap<u64, Arc<Command>>,
    /// The SELECT or EXAMINE that was said last, while it has no answer.
    selecting: Option<u64>,
    /// The AUTHENTICATE or IDLE with this tag that was said last.
    continued: HashMap<String, u64>,
}

impl Session {
    fn place(&self) -> Place {
        Place {
            commands: SmallVec::new(),
            selected: self.selected.clone(),
        }
    }

    fn take(&mut self, n: u64, at: Micros, said: &Said) -> Place {
        let mut place = self.place();
        match &said.reading {
            Reading::Command { tag, name, .. } => {
                let command = self.command(n, at, tag.as_deref(), name.clone(), said);
                place.commands.push(command);
            }
            Reading::Continuation { tag, .. } => {
                let n = tag.as_deref().and_then(|tag| self.continued.get(key(tag)));
                let command = n.and_then(|n| self.in_flight.get(n));
                place.commands.extend(command.cloned());
            }
            reading => {
                place.commands.extend(self.answered(&said.relation));
                match reading {
                    Reading::Tagged { status, .. } => self.tagged(&place, *status),
                    Reading::Untagged {
                        status: Some(_), ..
                    } if said.code().is_some_and(|code| code.name == "CLOSED") => {
                        self.selected = None;
                    }
                    _ => {}
                }
            }
        }
        place
    }

    fn answered(&self, relation: &Relation) -> SmallVec<[Arc<Command>; 1]> {
        let command = |n| self.in_flight.get(n).cloned();
        match relation {
            Relation::Answers(n) => command(n).into_iter().collect(),
            Relation::Ambiguous(several) => several.iter().filter_map(command).collect(),
            Relation::None | Relation::Unsolicited => SmallVec::new(),
        }
    }

    fn command(
        &mut self,
        n: u64,
        at: Micros,
        tag: Option<&str>,
        name: Option<Cow<'static, str>>,
        said: &Said,
    ) -> Arc<Command> {
        let name = match name {
            Some(Cow::Owned(long)) => Cow::Owned(key(&long).to_owned()),
            name => name.unwrap_or_default(),
        };
        let tag = key(tag.unwrap_or_default()).to_owned();
        let named = named(&name, said);
        let selecting = self.selecting.and_then(|n| self.in_flight.get(&n));
        let selected = selecting.map_or(self.selected.as_ref(), |command| command.named.first());
        let selected = selected.filter(|_| acts_on_selected(&name)).cloned();
        match &*name {
            "SELECT" | "EXAMINE" => self.selecting = Some(n),
            "AUTHENTICATE" | "IDLE" => {
                self.continued.insert(tag.clone(), n);
            }
            _ => {}
        }
        let command = Arc::new(Command {
            n,
            at,
            tag,
            name,
            named,
            selected,
        });
        self.in_flight.insert(n, Arc::clone(&command));
        if self.in_flight.len() > limits::IN_FLIGHT
            && let Some((_, oldest)) = self.in_flight.pop_first()
        {
            self.forget(&oldest);
        }
        command
    }

    /// The command waits for nothing any more.
    fn forget(&mut self, command: &Command) {
        if self.selecting == Some(command.n) {
            self.selecting = None;
        }
        if self.continued.get(&command.tag) == Some(&command.n) {
            self.continued.remove(&command.tag);
        }
    }

    /// RFC 9051, section 3, figure 1.
    fn tagged(&mut self, place: &Place, status: Option<Status>) {
        let Some(command) = place.commands.first() else {
            return;
        };
        self.in_flight.remove(&command.n);
        self.forget(command);
        match (&*command.name, status) {
            ("SELECT" | "EXAMINE", Some(Status::Ok)) => {
                self.selected = command.named.first().cloned();
            }
            // A SELECT that fails leaves no mailbox selected (RFC 9051, section 6.3.2).
            ("SELECT" | "EXAMINE", Some(Status::No))
            | ("CLOSE" | "UNSELECT" | "LOGOUT" | "UNAUTHENTICATE", Some(Status::Ok)) => {
                self.selected = None;
            }
            _ => {}
        }
    }
}

/// As much of a tag or a name as is kept.
fn key(text: &str) -> &str {
    let mut end = text.len().min(limits::TAG);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Where the mailboxes stand among a command's arguments.
fn places(name: &str) -> &'static [usize] {
    match name {
        "APPEND" | "CREATE" | "DELETE" | "DELETEACL" | "EXAMINE" | "GETACL" | "GETQUOTAROOT"
        | "LISTRIGHTS" | "MYRIGHTS" | "SELECT" | "SETACL" | "SETMETADATA" | "STATUS"
        | "SUBSCRIBE" | "UNSUBSCRIBE" => &[0],
        "RENAME" => &[0, 1],
        "COPY" | "MOVE" | "REPLACE" | "UID COPY" | "UID MOVE" | "UID REPLACE" => &[1],
        _ => &[],
    }
}

/// Whether the command is about the selected mailbox (RFC 9051, section 6.4), or asks what is new.
fn acts_on_selected(name: &str) -> bool {
    name.starts_with("UID ")
        || matches!(
            name,
            "CHECK"
                | "CLOSE"
                | "CONVERT"
                | "COPY"
                | "EXPUNGE"
                | "FETCH"
                | "IDLE"
                | "MOVE"
                | "NOOP"
                | "REPLACE"
                | "SEARCH"
                | "SORT"
                | "STORE"
                | "THREAD"
                | "UNSELECT"
        )
}

fn named(name: &str, said: &Said) -> SmallVec<[Arc<str>; 1]> {
    let places = places(name);
    if places.is_empty() {
        return SmallVec::new();
    }
    let arguments = said.arguments();
    let mailbox = |place: &usize| arguments.get(*place).and_then(mailbox_of);
    places.iter().filter_map(mailbox).collect()
}

/// The mailbox that an argument names.
pub fn mailbox_of(value: &Value<'_>) -> Option<Arc<str>> {
    match value {
        Value::Number(number) => Some(number.to_string().into()),
        Value::Nil => Some("NIL".into()),
        value => value.bytes().map(mailbox_name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Peer::{Client as C, Server as S};
    use crate::event::Secrets;
    use crate::protocol::imap::conversations::random::{Step, events};

    /// The commands and the mailboxes that each event belongs to.
    fn places(steps: &[(crate::event::Peer, &[u8])]) -> Vec<String> {
        let steps: Vec<Step> = steps
            .iter()
            .map(|(p, octets)| (*p, (*octets).into()))
            .collect();
        let mut sessions = Sessions::default();
        let tell = |event: &Event| {
            let place = sessions.take(event);
            let mut words = Vec::new();
            for command in &place.commands {
                words.push(format!("#{}", command.n));
                words.extend(command.mailboxes().map(str::to_owned));
            }
            if words.is_empty() {
                words.extend(place.selected.iter().map(|name| format!("in {name}")));
            }
            words.join(" ")
        };
        events(&steps, Secrets::Masked).iter().map(tell).collect()
    }

    #[test]
    fn events_belong_to_commands_and_mailboxes() {
        let told = places(&[
            (S, b"* PREAUTH hi\r\n"),
            (C, b"a SELECT inbox\r\nb FETCH 1 FLAGS\r\n"),
            (S, b"* 3 EXISTS\r\na OK\r\n* 4 EXISTS\r\nb OK\r\n"),
            (
                C,
                b"c COPY 1 \"Entw&APw-rfe\"\r\nd STATUS Other (UIDNEXT)\r\n",
            ),
            (S, b"d OK\r\nc OK\r\n"),
            (C, b"e IDLE\r\n"),
            (S, b"+ idling\r\n"),
            (C, b"DONE\r\n"),
            (S, b"e OK\r\n"),
            (C, b"f CLOSE\r\n"),
            (S, b"f OK\r\n* BYE\r\n"),
        ]);
        let expected = [
            "",
            "#2 INBOX",
            "#3 INBOX",
            "#2 INBOX",
            "#2 INBOX",
            "in INBOX",
            "#3 INBOX",
            "#8 Entwürfe INBOX",
            "#9 Other",
            "#9 Other",
            "#8 Entwürfe INBOX",
            "#12 INBOX",
            "#12 INBOX",
            "#12 INBOX",
            "#12 INBOX",
            "#16 INBOX",
            "#16 INBOX",
            "",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_select_that_fails_leaves_none_selected() {
        let told = places(&[
            (S, b"* PREAUTH hi\r\n"),
            (C, b"a SELECT A\r\n"),
            (S, b"a OK\r\n"),
            (C, b"b SELECT B\r\n"),
            (S, b"* 1 RECENT\r\nb NO\r\n* 5 EXISTS\r\n"),
        ]);
        assert_eq!(told.last().unwrap(), "");
        assert_eq!(told[4], "#4 B");
    }
}
