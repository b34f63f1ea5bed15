//! Two directions that were kept apart, put in turns by the protocol.
//!
//! Where both sides have times, the earlier goes first. Where they have none, or the same, this is what
//! IMAP says, and no more:
//!
//! ```text
//! * 3 EXISTS         stands behind the command that is unanswered; with none, behind the next one
//! a2 OK              stands behind a2; the client says nothing more before it that it need not
//! +                  stands behind what waits for it: a literal's header, IDLE, AUTHENTICATE
//! DONE, a literal    stand behind their +, and before their command's answer
//! ```
//!
//! So every command is as late as the answers allow: whether commands were sent at once nobody can
//! know, nor whether an untagged response came unasked.

use std::collections::{HashSet, VecDeque};

use super::speech::{self, is_text};
use crate::event::Peer;

/// A line of one direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Microseconds, where it is known.
    pub at: Option<u64>,
    /// The octets, line end included.
    pub octets: Vec<u8>,
}

/// Lines that belong together: a message, or a client's up to where it has to wait.
#[derive(Debug)]
struct Turn {
    at: Option<u64>,
    octets: Vec<u8>,
    /// It goes on with a message, behind a literal's header.
    goes_on: bool,
    /// It ends with the header of a literal that waits.
    waits: bool,
}

/// What each side said, and when, in turns.
pub fn in_turn(client: Vec<Line>, server: Vec<Line>) -> Vec<(Peer, Option<u64>, Vec<u8>)> {
    let (mut client, mut server) = (turns(client, Peer::Client), turns(server, Peer::Server));
    let tags = client
        .iter()
        .filter_map(|turn| Some(command(turn)?.0.to_vec()));
    let mut table = Table {
        tags: tags.collect(),
        ..Table::default()
    };
    let mut said = Vec::new();
    loop {
        let from = match (client.front(), server.front()) {
            (None, None) => return said,
            (Some(_), None) => Peer::Client,
            (None, Some(_)) => Peer::Server,
            (Some(client), Some(server)) => table.next(client, server),
        };
        let next = match from {
            Peer::Client => client.pop_front().inspect(|turn| table.client(turn)),
            Peer::Server => server.pop_front().inspect(|turn| table.server(turn)),
        };
        said.extend(next.map(|turn| (from, turn.at, turn.octets)));
    }
}

/// What is open.
#[derive(Default)]
struct Table {
    /// All tags of the client's.
    tags: HashSet<Vec<u8>>,
    has_begun: bool,
    /// Commands without an answer.
    unanswered: Vec<Vec<u8>>,
    /// The command that waits for a `+`.
    waiting: Option<Vec<u8>>,
    /// The command that the client has to go on with.
    owing: Option<Vec<u8>>,
    /// The command of a SASL exchange.
    sasl: Option<Vec<u8>>,
}

impl Table {
    fn next(&self, client: &Turn, server: &Turn) -> Peer {
        if let (Some(said), Some(answered)) = (client.at, server.at)
            && said != answered
        {
            return if said < answered {
                Peer::Client
            } else {
                Peer::Server
            };
        }
        let is_server = match first_word(&server.octets) {
            b"*" => !self.has_begun || !self.unanswered.is_empty(),
            b"+" => self.waiting.is_some(),
            tag if self.owing.as_deref() == Some(tag) => false,
            tag => !self.tags.contains(tag) || self.unanswered.iter().any(|open| open == tag),
        };
        if is_server {
            Peer::Server
        } else {
            Peer::Client
        }
    }

    fn client(&mut self, turn: &Turn) {
        self.has_begun = true;
        let owed = self.owing.take();
        if turn.goes_on {
            self.waiting = owed.filter(|_| turn.waits);
            return;
        }
        let Some((tag, name)) = command(turn) else {
            // DONE, or a turn of a SASL exchange.
            self.waiting = self.sasl.clone();
            return;
        };
        self.unanswered.push(tag.to_vec());
        let is_sasl = name.eq_ignore_ascii_case(b"AUTHENTICATE");
        if turn.waits || is_sasl || name.eq_ignore_ascii_case(b"IDLE") {
            self.waiting = Some(tag.to_vec());
        }
        self.sasl = is_sasl.then(|| tag.to_vec());
    }

    fn server(&mut self, turn: &Turn) {
        self.has_begun = true;
        match first_word(&turn.octets) {
            b"*" => {}
            b"+" => self.owing = self.waiting.take(),
            tag => {
                let is_it = |open: &Vec<u8>| open == tag;
                if let Some(place) = self.unanswered.iter().position(is_it) {
                    self.unanswered.remove(place);
                }
                for open in [&mut self.waiting, &mut self.owing, &mut self.sasl] {
                    open.take_if(|open| open == tag);
                }
            }
        }
    }
}

fn first_word(octets: &[u8]) -> &[u8] {
    let line = octets.split(|octet| octet.is_ascii_whitespace());
    line.into_iter().next().unwrap_or_default()
}

/// A command's tag and name.
fn command(turn: &Turn) -> Option<(&[u8], &[u8])> {
    if turn.goes_on {
        return None;
    }
    let mut words = turn.octets.split(|octet| octet.is_ascii_whitespace());
    let (tag, name) = (words.next()?, words.next()?);
    (!tag.is_empty() && !name.is_empty()).then_some((tag, name))
}

fn turns(lines: Vec<Line>, from: Peer) -> VecDeque<Turn> {
    let mut turns = VecDeque::new();
    let mut open: Option<Turn> = None;
    let mut left = 0;
    let mut goes_on = false;
    for Line { at, octets } in lines {
        let mut turn = open.take().unwrap_or(Turn {
            at,
            octets: Vec::new(),
            goes_on,
            waits: false,
        });
        let literal = left.min(octets.len());
        left -= literal;
        let text = octets.len() > literal;
        let begins = turn.octets.is_empty() && !turn.goes_on;
        let is_text = begins && from == Peer::Server && is_text(&octets);
        let header = (text && !is_text)
            .then(|| header(&octets[literal..]))
            .flatten();
        turn.octets.extend_from_slice(&octets);
        goes_on = false;
        match header {
            Some((octets, waits)) if from == Peer::Client && waits => {
                (left, goes_on, turn.waits) = (octets, true, true);
                turns.push_back(turn);
            }
            Some((octets, _)) => {
                left = octets;
                open = Some(turn);
            }
            None if left > 0 || !text => open = Some(turn),
            None => turns.push_back(turn),
        }
    }
    turns.extend(open);
    turns
}

/// The octets that a literal's header at the end of this line announces, and whether it waits.
fn header(line: &[u8]) -> Option<(usize, bool)> {
    let line = line.strip_suffix(b"\n")?;
    let header = speech::header(line.strip_suffix(b"\r").unwrap_or(line))?;
    Some((usize::try_from(header.octets).ok()?, header.waits))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The turns without times, those of the client marked.
    fn said(client: &str, server: &str) -> Vec<String> {
        let lines = |text: &str| {
            let lines = text.split_inclusive('\n').map(|line| Line {
                at: None,
                octets: line.replace('\n', "\r\n").into_bytes(),
            });
            lines.collect()
        };
        let show = |(from, _, octets): (Peer, Option<u64>, Vec<u8>)| {
            let text = String::from_utf8(octets).unwrap().replace("\r\n", "/");
            match from {
                Peer::Client => format!("> {text}"),
                Peer::Server => text,
            }
        };
        in_turn(lines(client), lines(server))
            .into_iter()
            .map(show)
            .collect()
    }

    #[test]
    fn a_command_stands_before_what_answers_it() {
        assert_eq!(
            said(
                "b NOOP\nc NOOP\n",
                "a OK in\n* 1 EXISTS\nb OK\n* 2 EXISTS\nc OK\n"
            ),
            [
                "a OK in/",
                "> b NOOP/",
                "* 1 EXISTS/",
                "b OK/",
                "> c NOOP/",
                "* 2 EXISTS/",
                "c OK/"
            ]
        );
    }

    #[test]
    fn commands_that_are_answered_in_another_order_were_sent_before() {
        assert_eq!(
            said("b X\nc X\n", "c OK\nb OK\n"),
            ["> b X/", "> c X/", "c OK/", "b OK/"]
        );
    }

    #[test]
    fn a_literal_waits_for_its_go_ahead_and_a_refused_one_is_none() {
        assert_eq!(
            said("b APPEND x {4}\nhi\n\nc NOOP\n", "+ go\nb OK\nc OK\n"),
            [
                "> b APPEND x {4}/",
                "+ go/",
                "> hi//",
                "b OK/",
                "> c NOOP/",
                "c OK/"
            ]
        );
        assert_eq!(
            said("b APPEND x {4+}\nhi\n\n", "b OK\n"),
            ["> b APPEND x {4+}/hi//", "b OK/"]
        );
    }

    #[test]
    fn idle_ends_before_its_answer_and_a_sasl_exchange_goes_to_and_fro() {
        assert_eq!(
            said("b IDLE\nDONE\n", "+ idling\n* 1 EXISTS\nb OK\n"),
            ["> b IDLE/", "+ idling/", "* 1 EXISTS/", "> DONE/", "b OK/"]
        );
        assert_eq!(
            said("b AUTHENTICATE X\none\ntwo\n", "* OK\n+ \n+ \nb OK\n"),
            [
                "* OK/",
                "> b AUTHENTICATE X/",
                "+ /",
                "> one/",
                "+ /",
                "> two/",
                "b OK/"
            ]
        );
    }

    #[test]
    fn a_servers_literal_is_not_read_and_its_text_has_none() {
        assert_eq!(
            said(
                "b X\n",
                "* OK hi\n* 1 FETCH (A {6}\nb OK\n)\n* OK see {9}\nb OK\n"
            ),
            [
                "* OK hi/",
                "> b X/",
                "* 1 FETCH (A {6}/b OK/)/",
                "* OK see {9}/",
                "b OK/"
            ]
        );
    }

    #[test]
    fn nothing_is_lost_whatever_it_is() {
        let (client, server) = ("\nx\n{3}\n{9", "\n+\n* \n{3}\nzz OK\nx");
        let all = said(client, server);
        let of = |mark: bool| -> String {
            let own = all.iter().filter(|line| line.starts_with("> ") == mark);
            own.map(|line| line.trim_start_matches("> ")).collect()
        };
        assert_eq!(of(true), client.replace('\n', "/"));
        assert_eq!(of(false), server.replace('\n', "/"));
    }
}
