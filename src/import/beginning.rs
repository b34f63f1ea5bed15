//! How a connection begins in a log: with the greeting, or later.
//!
//! ```text
//! S: * OK ready                the greeting
//! S: a1 OK Logged in           a rawlog: what Dovecot's imap process says first, perhaps behind its
//!                              capabilities, with nobody having asked it
//! C: a7 UID FETCH 1 FLAGS      a capture that was started later
//! ```

use std::collections::HashMap;

use super::{Step, What};
use crate::event::{Peer, Status};
use crate::protocol::imap::is_command;

/// How a connection begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// With the server's greeting, or with nothing that the server said.
    Greeting,
    /// With the tagged answer to a login that was not kept.
    LoginAnswer(Vec<u8>),
    /// Later, with what only somebody who is logged in may say.
    LoggedIn,
    /// Later, and what was said before is not known.
    Later,
}

/// Octets of each peer that are looked at.
const LOOK: usize = 4096;

#[derive(Default)]
struct Heard {
    client: Vec<u8>,
    server: Vec<u8>,
    /// Octets of the server's that came before the client's first.
    server_first: usize,
    /// It is known that a login was before.
    is_logged_in: bool,
}

/// The beginnings of all connections.
pub fn beginnings(steps: &[Step]) -> HashMap<u64, Beginning> {
    let mut heard: HashMap<u64, Heard> = HashMap::new();
    for step in steps {
        let heard = heard.entry(step.conn).or_default();
        heard.is_logged_in |= step.what == What::LoggedIn;
        let What::Said(from, octets) = &step.what else {
            continue;
        };
        let own = match from {
            Peer::Client => &mut heard.client,
            Peer::Server => &mut heard.server,
        };
        let room = LOOK - own.len().min(LOOK);
        own.extend_from_slice(&octets[..octets.len().min(room)]);
        if heard.client.is_empty() {
            heard.server_first = heard.server.len();
        }
    }
    heard
        .into_iter()
        .map(|(conn, heard)| (conn, beginning(&heard)))
        .collect()
}

fn beginning(heard: &Heard) -> Beginning {
    if heard.server.is_empty() {
        return Beginning::Greeting;
    }
    let is_first = heard.server_first > 0 || heard.client.is_empty();
    let greets = |(tag, status): (&[u8], Option<Status>)| {
        tag == b"*" && matches!(status, Some(Status::Ok | Status::Preauth | Status::Bye))
    };
    if is_first && lines(&heard.server).next().map(answer).is_some_and(greets) {
        return Beginning::Greeting;
    }
    // Dovecot tells its capabilities first.
    let mut tagged = lines(&heard.server).filter(|line| !matches!(line, [] | [b'*' | b'+', ..]));
    if let Some((tag, Some(Status::Ok))) = tagged.next().map(answer).filter(|_| heard.is_logged_in)
    {
        let asked = |line: &[u8]| line.starts_with(tag) && line.get(tag.len()) == Some(&b' ');
        if !lines(&heard.client).any(asked) {
            return Beginning::LoginAnswer(tag.to_vec());
        }
    }
    let first = lines(&heard.client).next().unwrap_or_default();
    let name = first
        .split(|octet| *octet == b' ')
        .nth(1)
        .unwrap_or_default();
    let name = String::from_utf8_lossy(name.trim_ascii()).to_ascii_uppercase();
    let is_before_login = BEFORE_LOGIN.contains(&&*name);
    match (is_command(&name) || name == "UID") && !is_before_login {
        true => Beginning::LoggedIn,
        false => Beginning::Later,
    }
}

/// The first word of a response, and the status that may follow.
fn answer(line: &[u8]) -> (&[u8], Option<Status>) {
    let mut words = line.split(|octet| *octet == b' ');
    let (tag, status) = (words.next().unwrap_or_default(), words.next());
    (
        tag,
        status.and_then(|status| Status::parse(status.trim_ascii())),
    )
}

/// Commands that say nothing about whether somebody is logged in, or that nobody is.
const BEFORE_LOGIN: [&str; 9] = [
    "AUTHENTICATE",
    "CAPABILITY",
    "COMPRESS",
    "ID",
    "LANGUAGE",
    "LOGIN",
    "LOGOUT",
    "NOOP",
    "STARTTLS",
];

fn lines(octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    octets
        .split(|octet| *octet == b'\n')
        .map(<[u8]>::trim_ascii_end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(said: &[(Peer, &str)]) -> Beginning {
        behind(said, false)
    }

    fn behind(said: &[(Peer, &str)], login: bool) -> Beginning {
        let step = |(from, octets): &(Peer, &str)| Step {
            at: 0,
            conn: 1,
            what: What::Said(*from, octets.as_bytes().to_vec()),
        };
        let mut steps: Vec<Step> = said.iter().map(step).collect();
        steps.extend(login.then_some(Step {
            at: 0,
            conn: 1,
            what: What::LoggedIn,
        }));
        beginnings(&steps).remove(&1).unwrap()
    }

    use Peer::{Client as C, Server as S};

    #[test]
    fn a_beginning_is_told_by_the_first_lines() {
        assert_eq!(
            of(&[(S, "* OK hi\r\n"), (C, "a NOOP\r\n")]),
            Beginning::Greeting
        );
        assert_eq!(of(&[(C, "a NOOP\r\n")]), Beginning::Greeting);
        let login = Beginning::LoginAnswer(b"a1".to_vec());
        let told = "* CAPABILITY IMAP4rev1\r\na1 OK Logged in\r\n";
        for said in [
            [(S, "a1 OK Logged in\r\n"), (C, "a2 NOOP\r\n")],
            [(C, "a2 NOOP\r\n"), (S, "a1 OK in\r\n")],
            [(S, told), (C, "a2 NOOP\r\n")],
        ] {
            assert_eq!(behind(&said, true), login);
            // Whatever it answers: in a capture nobody knows.
            assert_eq!(of(&said), Beginning::Later);
        }
        assert_eq!(
            of(&[(C, "a UID FETCH 1 X\r\n"), (S, "a OK\r\n")]),
            Beginning::LoggedIn
        );
    }

    /// Its octets may be the answer to a challenge, and are masked.
    #[test]
    fn who_may_be_logging_in_is_not_taken_to_be_logged_in() {
        for line in [
            "AGFsaWNlAGh1bnRlcjI=\r\n",
            "a LOGIN alice x\r\n",
            "a NOOP\r\n",
            "\r\n",
        ] {
            assert_eq!(
                of(&[(C, line), (S, "a NO\r\n")]),
                Beginning::Later,
                "{line}"
            );
        }
    }
}
