//! Which connection a line is of, in a log that has several and does not say: told by its tag, and what has
//! none by whose command is open.
//!
//! ```text
//! new IMAP4 connection, tag=b'EPAL'       EPAL0, EPAL1... are its commands
//! > b'EPAL1 SELECT INBOX'
//! < b'* 3 EXISTS'                         EPAL1 is open, and no other connection's command
//! < b'EPAL1 OK done'
//! ```
//!
//! Not how lines are written (`imaplib.rs`). Where two connections have commands open, what is untagged
//! stays with the one that spoke last, and that is told.

use std::collections::{BTreeSet, HashMap, VecDeque};

use super::speech::greets;
use crate::event::{Peer, Status};

/// Commands of a connection that are held for their answers: imaplib has one, those that pipeline a few.
const OPEN: usize = 64;

/// A log's connections, each by its place.
#[derive(Default)]
pub struct Tags {
    /// The tags of each one's commands that are not answered.
    open: Vec<VecDeque<Vec<u8>>>,
    /// Those with such commands.
    busy: BTreeSet<usize>,
    /// What its tags begin with, of the last one with such tags.
    prefixes: HashMap<Vec<u8>, usize>,
    unnamed: BTreeSet<usize>,
    ungreeted: BTreeSet<usize>,
    /// The one that spoke last.
    last: usize,
}

/// A connection's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Its own line.
    Sure(u64),
    /// It may be another's.
    Doubted(u64),
}

impl Tags {
    /// Another connection begins.
    pub fn begins(&mut self) {
        self.last = self.open.len();
        self.open.push(VecDeque::new());
        self.unnamed.insert(self.last);
        self.ungreeted.insert(self.last);
    }

    /// The tags of the first one that has no name begin so, or of another that begins.
    pub fn named(&mut self, prefix: &[u8]) -> usize {
        let place = self.unnamed.pop_first().unwrap_or_else(|| {
            self.begins();
            self.unnamed.remove(&self.last);
            self.last
        });
        self.prefixes.insert(prefix.to_vec(), place);
        place
    }

    /// The number of the connection that spoke last: a literal's octets are its own.
    pub fn last(&mut self) -> u64 {
        if self.open.is_empty() {
            self.begins();
        }
        self.last as u64 + 1
    }

    /// Whose these lines are.
    pub fn of(&mut self, from: Peer, lines: &[u8]) -> Of {
        let _ = self.last(); // there is one
        let (place, is_sure) = self.place(from, lines);
        self.last = place;
        let open = &mut self.open[place];
        match from {
            Peer::Client => open.extend(tag(lines).map(|(tag, _)| tag.to_vec())),
            Peer::Server => {
                self.ungreeted.remove(&place);
                let lines = lines.split(|octet| *octet == b'\n');
                for (tag, _) in lines.filter_map(tag) {
                    open.retain(|open| open != tag);
                }
            }
        }
        open.truncate(OPEN);
        match open.is_empty() {
            true => self.busy.remove(&place),
            false => self.busy.insert(place),
        };
        let number = place as u64 + 1;
        match is_sure {
            true => Of::Sure(number),
            false => Of::Doubted(number),
        }
    }

    fn place(&mut self, from: Peer, lines: &[u8]) -> (usize, bool) {
        let tagged = tag(lines).filter(|_| from == Peer::Client || is_answer(lines));
        if let Some((tag, prefix)) = tagged {
            let has_it = |place: &&usize| self.open[**place].iter().any(|open| open == tag);
            let found = match from {
                Peer::Server => self.busy.iter().find(has_it),
                Peer::Client => None,
            };
            match (found.or_else(|| self.prefixes.get(prefix)), from) {
                (Some(place), _) => return (*place, true),
                (None, Peer::Client) => return (self.named(prefix), true),
                (None, Peer::Server) => {}
            }
        }
        let is_new = matches!(lines, [b'*' | b'+', b' ', ..]) || lines.trim_ascii_end() == b"+";
        if from == Peer::Client || !is_new {
            return (self.last, true); // a message goes on
        }
        let greeted = self.ungreeted.first().filter(|_| greets(lines));
        match (greeted, self.busy.len()) {
            (Some(place), busy) => (*place, busy == 0),
            (None, 0) => (self.last, self.open.len() == 1),
            (None, 1) => (*self.busy.first().unwrap_or(&self.last), true),
            (None, _) if self.busy.contains(&self.last) => (self.last, false),
            (None, _) => (*self.busy.last().unwrap_or(&self.last), false),
        }
    }
}

/// A tag of letters and a number, and its letters.
fn tag(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = line.iter().position(|octet| *octet == b' ')?;
    let tag = &line[..end];
    let letters = tag
        .iter()
        .take_while(|octet| octet.is_ascii_alphabetic())
        .count();
    let count = &tag[letters..];
    let is_tag = letters > 0 && !count.is_empty() && count.iter().all(u8::is_ascii_digit);
    is_tag.then_some((tag, &tag[..letters]))
}

fn is_answer(line: &[u8]) -> bool {
    let word = line.split(|octet| octet.is_ascii_whitespace()).nth(1);
    word.and_then(Status::parse).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use Of::{Doubted, Sure};
    use Peer::{Client as C, Server as S};

    #[test]
    fn a_line_is_of_the_connection_whose_tag_it_has_or_whose_command_is_open() {
        let mut tags = Tags::default();
        tags.begins();
        tags.begins();
        tags.named(b"AA");
        tags.named(b"BB");
        for (from, line, expected) in [
            (S, "* OK one", Sure(1)),
            (C, "BB0 NOOP", Sure(2)),
            (S, "* OK two", Doubted(2)),
            (S, "BB0 OK", Sure(2)),
            (C, "AA0 FETCH 1 BODY[]", Sure(1)),
            (S, "* 1 FETCH (BODY[] {3}", Sure(1)),
            (S, ")", Sure(1)),
            (C, "BB1 SELECT x", Sure(2)),
            (S, "AA0 OK", Sure(1)),
            (S, "* 1 EXISTS", Sure(2)),
            (C, "AA1 NOOP", Sure(1)),
            (S, "* 2 EXISTS", Doubted(1)),
            (S, "BB1 OK", Sure(2)),
            (S, "* 3 EXISTS", Sure(1)),
            (S, "AA1 OK", Sure(1)),
            (S, "* BYE", Doubted(1)),
            (C, "CC7 NOOP", Sure(3)),
            (S, "+ go", Sure(3)),
        ] {
            assert_eq!(tags.of(from, line.as_bytes()), expected, "{line}");
        }
    }

    #[test]
    fn one_connection_needs_no_name() {
        let mut tags = Tags::default();
        for (from, line) in [
            (S, "* OK"),
            (C, "A1 NOOP"),
            (S, "* 1 EXISTS"),
            (S, "A1 OK"),
            (S, "* BYE"),
        ] {
            assert_eq!(tags.of(from, line.as_bytes()), Sure(1), "{line}");
        }
    }
}
