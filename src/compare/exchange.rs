//! A recording as exchanges: each command with all that answers it, and what came unasked.
//!
//! What is left out of it here is never compared: go-aheads, SASL turns, `DONE`, texts without a code,
//! and how the leg to the app was secured (see the folder's page).

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::digest::{Digest, digest};
use super::facts::Facts;
use super::ignored::Ignored;
use super::listener::Building;
use crate::error::{Error, Result};
use crate::event::{Reading, Said};
use crate::protocol::imap::sameness::sets_seen;
use crate::protocol::imap::spans;
use crate::recording::{self, Input, Side};

/// One recording.
#[derive(Default)]
pub struct Conversation {
    /// Those connections in which something was said, in the order in which they began.
    pub connections: Vec<Connection>,
    /// What is to be said about a file that ends before its end.
    pub torn: Option<String>,
}

/// One connection.
#[derive(Default)]
pub struct Connection {
    /// Its number in the recording.
    pub conn: u64,
    /// What the server said first.
    pub greeting: Option<Answer>,
    /// In the order of their commands.
    pub exchanges: Vec<Exchange>,
    /// What nobody asked for, and in which exchange, or behind which, it came.
    pub unasked: Vec<(usize, Answer)>,
    /// The app secured its leg by STARTTLS.
    pub has_starttls: bool,
    /// What is not to be compared.
    pub ignored: Arc<Ignored>,
}

/// A command and what answers it.
pub struct Exchange {
    /// Where the command is: its event's number, or its line.
    pub n: u64,
    /// The command.
    pub command: Said,
    /// The digests of its literals that are too large to be held, in order.
    pub long: Vec<Digest>,
    /// What stands for its meaning.
    pub key: Digest,
    /// Whether a user was logged in.
    pub is_authenticated: bool,
    /// The mailbox that was selected.
    pub mailbox: Option<Vec<u8>>,
    /// Untagged responses.
    pub answers: Vec<Answer>,
    /// The tagged response.
    pub end: Option<Answer>,
    /// What stands for all answers, in any order; set when the recording was read.
    pub answers_key: Digest,
}

/// A response. Without the spans of its octets, which take more memory than all else of it: they are made
/// again where they are needed.
pub struct Answer {
    kept: Said,
    has_spans: bool,
    /// The digests of its streamed literals.
    pub long: Vec<Digest>,
    /// The number before its name, as it was when the exchange began.
    pub number: Option<u64>,
    /// The same, as it was when the mailbox was selected: whenever it came, it says the same.
    pub lasting: Option<u64>,
    /// It may as well have been asked for by another command.
    pub is_ambiguous: bool,
    /// What of it is not to be compared.
    pub ignored: Arc<Ignored>,
}

impl Answer {
    /// Of a response, with the digests of its streamed literals; `number` stands before its name, as it was
    /// when the exchange began.
    pub fn new(mut said: Said, long: Vec<Digest>, number: Option<u64>) -> Self {
        let has_spans = !said.spans.is_empty();
        said.spans = Vec::new();
        Self {
            kept: said,
            has_spans,
            long,
            number,
            lasting: number,
            is_ambiguous: false,
            ignored: Arc::default(),
        }
    }

    /// The response.
    pub fn said(&self) -> Said {
        let mut said = self.kept.clone();
        if self.has_spans {
            said.spans = spans(said.from, &said.wire);
        }
        said
    }

    /// What it is.
    pub fn reading(&self) -> &Reading {
        &self.kept.reading
    }

    /// What it says, of messages as they were numbered when the exchange began.
    pub fn facts(&self) -> Option<Facts> {
        Facts::of(&self.said(), self.number, &self.long, &self.ignored)
    }

    /// What it says, of messages as they were numbered when the mailbox was selected.
    pub fn lasting_facts(&self) -> Option<Facts> {
        Facts::of(&self.said(), self.lasting, &self.long, &self.ignored)
    }

    /// The message that it says something of as FETCH does.
    fn fetched(&self) -> Option<u64> {
        match &self.kept.reading {
            Reading::Untagged { name, .. } if name == "FETCH" => self.number,
            _ => None,
        }
    }
}

/// The number before a response's name.
pub fn number(said: &Said) -> Option<u64> {
    match said.reading {
        Reading::Untagged { number, .. } => number,
        _ => None,
    }
}

impl Exchange {
    /// The command's name, upper case; empty for none.
    pub fn name(&self) -> &str {
        match &self.command.reading {
            Reading::Command {
                name: Some(name), ..
            } => name,
            _ => "",
        }
    }

    /// Hands out what answers it, what is said of one message joined, each with its place among all. Not
    /// all at once, for there may be very many; what is joined comes last.
    pub fn each_fact<'e>(&'e self, mut each: impl FnMut(usize, &'e Answer, Facts)) {
        let mut times: HashMap<u64, usize> = HashMap::new();
        for number in self.answers.iter().filter_map(Answer::fetched) {
            *times.entry(number).or_default() += 1;
        }
        let mut joined: Vec<(usize, &Answer, Facts)> = Vec::new();
        let mut fetched: HashMap<u64, usize> = HashMap::new();
        for (order, answer) in self.answers.iter().enumerate() {
            let Some(mut facts) = answer.facts() else {
                continue;
            };
            let number = answer.fetched().filter(|number| times[number] > 1);
            let Some(number) = number else {
                each(order, answer, facts);
                continue;
            };
            if let Some(before) = fetched.get(&number) {
                match joined[*before].2.join(facts) {
                    Ok(()) => continue,
                    Err(not_joined) => facts = not_joined,
                }
            }
            fetched.insert(number, joined.len());
            joined.push((order, answer, facts));
        }
        for (order, answer, facts) in joined {
            each(order, answer, facts);
        }
    }

    /// What stands for all answers, in any order.
    pub fn digest_answers(&self) -> Digest {
        let mut all: Vec<Digest> = Vec::with_capacity(self.answers.len());
        self.each_fact(|_, _, facts| all.push(facts.digest()));
        all.sort_unstable();
        let end = self.end.as_ref().and_then(Answer::facts);
        digest(&(all, end))
    }
}

impl Conversation {
    /// Reads a recording, of which some is not to be compared; standard input for `-`.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is no recording, or nothing is said in it.
    pub fn open(path: &Path, ignored: &Ignored) -> Result<Self> {
        Self::of(Input::open(path)?, ignored)
    }

    /// As [`open`](Self::open), of what is open already.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn of(input: Input, ignored: &Ignored) -> Result<Self> {
        let Input { name, octets } = input;
        let mut building = Building::new(ignored);
        let torn = recording::read(octets, &name, Side::App, |heard| building.hear(heard))?;
        let conversation = building.finish(torn);
        match conversation.connections.is_empty() {
            true => Err(
                Error::new(format!("compare {name}"), "nothing is said in it")
                    .hint("a transcript of a session, such as mailscope record writes"),
            ),
            false => Ok(conversation),
        }
    }

    /// Reads a recording in one of its forms; `name` is what errors call it.
    ///
    /// # Errors
    ///
    /// It is no recording.
    pub fn read(recording: Vec<u8>, name: &str, ignored: &Ignored) -> Result<Self> {
        let mut building = Building::new(ignored);
        let recording = std::io::Cursor::new(recording);
        let torn = recording::read(recording, name, Side::App, |heard| building.hear(heard))?;
        Ok(building.finish(torn))
    }
}

/// Whether a command only asks, so that it does not matter which of several such comes first.
pub fn only_asks(exchange: &Exchange) -> bool {
    match exchange.name() {
        "CAPABILITY" | "CHECK" | "GETACL" | "GETMETADATA" | "GETQUOTA" | "GETQUOTAROOT" | "ID"
        | "LIST" | "LISTRIGHTS" | "LSUB" | "MYRIGHTS" | "NAMESPACE" | "NOOP" | "SEARCH"
        | "SORT" | "STATUS" | "THREAD" | "UID SEARCH" | "UID SORT" | "UID THREAD" => true,
        "FETCH" | "UID FETCH" => !sets_seen(&exchange.command),
        _ => false,
    }
}
