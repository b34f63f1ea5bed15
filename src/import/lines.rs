//! Lines that say who speaks: mailscope's own text, MailKit's `ProtocolLogger`, Ruby's Net::IMAP, curl's
//! `-v`, mutt and neomutt with `-d 5`, fetchmail with `-v -v`, and what people paste into bugs.
//!
//! A line ends with CRLF on the wire, in a literal too; MailKit alone keeps line ends as they were. Where
//! the marks are C: and S:, every line has one; in logs with other marks, lines without one are the log's
//! own, but for those of a literal (see [`literals`](super::literals)).

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::Path;

use super::entry::{Entry, Heard, LINE_END};
use super::literals::{Counts, settle};
use super::marks::Line;
use super::speech::{greets, server_says};
use super::{Layer, Log, Step, What, damaged};
use crate::event::Peer;
use crate::transcript::{COUNTS_AS_SENT, read_text};

/// Whether it is a line of such a log, the first of which decides.
pub fn is_line(line: &[u8]) -> bool {
    Line::decides(line)
}

/// Reads one.
pub fn read(path: &Path, content: &[u8]) -> Log {
    let mut reading = Reading::of(content);
    let mut damage = None;
    for (number, whole) in (1_u64..).zip(content.split_inclusive(|octet| *octet == b'\n')) {
        if let Err(why) = reading.line(number, whole) {
            damage = Some((number, why));
            break;
        }
    }
    let Reading {
        mut entries,
        counts,
        is_dated,
        ..
    } = reading;
    if let Err((place, line, why)) = settle(&mut entries, counts) {
        entries.truncate(place);
        damage = Some((line, why));
    }
    let mut log = Log {
        is_dated,
        ..Log::default()
    };
    let (at, conn) = entries
        .last()
        .map_or((0, 1), |entry| (entry.at, entry.conn));
    log.take(entries);
    if let Some((line, why)) = damage {
        let left: u64 = (1_u64..)
            .zip(content.split_inclusive(|octet| *octet == b'\n'))
            .filter(|(number, _)| *number >= line)
            .map(|(_, line)| line.len() as u64)
            .sum();
        log.damage = Some(damaged(path, &format!("line {line}"), why));
        log.steps.push(Step {
            at,
            conn,
            what: What::Damaged(left),
        });
    }
    log
}

/// Lines in the course of being told apart.
struct Reading<'a> {
    entries: Vec<Entry<'a>>,
    counts: Counts,
    is_dated: bool,
    /// The marks are C: and S:.
    is_strict: bool,
    /// MailKit writes what it reads, line ends too.
    keeps_line_ends: bool,
    conn: u64,
    /// The highest number of a connection.
    last: u64,
    at: u64,
    /// Connections whose octets are opaque from here on.
    opaque: HashSet<u64>,
    /// What the connection said last.
    is_over: bool,
    /// A client's line, without a mark, may follow.
    goes_on: bool,
}

impl<'a> Reading<'a> {
    fn of(content: &'a [u8]) -> Self {
        let lines = || content.split(|octet| *octet == b'\n');
        let mut marked = lines().filter_map(|line| match Line::of(line).1 {
            Line::Own(_) => Some(true),
            Line::Marked(..) => Some(false),
            _ => None,
        });
        let is_strict = marked.next().unwrap_or(true);
        let connects = |line: &[u8]| matches!(Line::of(line).1, Line::ConnectedTo(to) if line.ends_with(b"\r") && to.starts_with(b"imap"));
        let is_marked = lines().any(|line| line.trim_ascii_end() == COUNTS_AS_SENT.as_bytes());
        Self {
            entries: Vec::new(),
            counts: match is_strict {
                _ if is_marked => Counts::Trusted,
                true => Counts::Marked,
                false => Counts::Unmarked,
            },
            is_dated: false,
            is_strict,
            keeps_line_ends: is_strict && lines().any(connects),
            conn: 1,
            last: 0,
            at: 0,
            opaque: HashSet::new(),
            is_over: false,
            goes_on: false,
        }
    }

    fn line(&mut self, number: u64, whole: &'a [u8]) -> Result<(), String> {
        let line = whole.strip_suffix(b"\n").unwrap_or(whole);
        let has_cr = line.ends_with(b"\r");
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let (when, read) = Line::of(line);
        if let Some(when) = when {
            self.at = when.micros;
            self.is_dated |= when.is_dated;
        }
        let goes_on = std::mem::take(&mut self.goes_on);
        let what = match read {
            Line::Comment => return Ok(()),
            Line::Empty if self.is_strict => return Ok(()),
            Line::Other if self.is_strict => {
                return Err("a line begins with C: , S: or #".to_owned());
            }
            // mutt writes commands that it sends at once without repeating the mark.
            Line::Other if goes_on && when.is_none() && super::speech::client_says(line) => {
                self.goes_on = true;
                Heard::Said(Peer::Client, Cow::Borrowed(line), LINE_END)
            }
            Line::Empty | Line::Other if when.is_some() || is_curls(line) => return Ok(()),
            Line::Empty | Line::Other => Heard::Aside(Cow::Borrowed(line)),
            Line::Connection(number) => {
                self.conn = number;
                return Ok(());
            }
            Line::Opaque => {
                self.opaque.insert(self.conn);
                return Ok(());
            }
            Line::Refused => Heard::Refused,
            Line::ConnectedTo(address) => {
                self.conn = self.last + 1;
                Heard::Connected(address)
            }
            Line::Own(line) => {
                let (from, said, end) = read_own(line)?;
                match end {
                    _ if self.opaque.contains(&self.conn) => Heard::Opaque(from, said, end),
                    LINE_END if self.keeps_line_ends && !has_cr => Heard::Said(from, said, b"\n"),
                    _ => Heard::Said(from, said, end),
                }
            }
            Line::Marked(from, said) => {
                self.goes_on = from == Peer::Client;
                Heard::Said(from, Cow::Borrowed(said), LINE_END)
            }
        };
        if let Heard::Said(Peer::Server, said, _) = &what {
            if self.is_over && greets(said) && !self.is_strict {
                self.conn = self.last + 1;
            }
            self.is_over =
                said.starts_with(b"* BYE") || (self.is_over && server_says(said) && !greets(said));
        }
        self.last = self.last.max(self.conn);
        let (line, at, conn) = (number, self.at, self.conn);
        self.entries.push(Entry {
            line,
            at,
            conn,
            what,
        });
        Ok(())
    }
}

/// What curl says of its own, in the middle of what it prints.
fn is_curls(line: &[u8]) -> bool {
    let words: [&[u8]; 4] = [b"* ", b"{ [", b"} [", b"  % Total"];
    words.iter().any(|words| line.starts_with(words))
}

/// Who said it, what, and its line end, if it has one.
type Own<'a> = (Peer, Cow<'a, [u8]>, &'static [u8]);

fn read_own(line: &[u8]) -> Result<Own<'_>, String> {
    let (from, rest) = match line {
        [b'C', b':', rest @ ..] => (Peer::Client, rest),
        [b'S', b':', rest @ ..] => (Peer::Server, rest),
        _ => {
            let read = read_text(line).map_err(|(_, why)| why)?;
            let mut said = read.into_iter().next().ok_or("nothing is said in it")?;
            let end = match said.octets.ends_with(LINE_END) {
                true => LINE_END,
                false => b"",
            };
            said.octets.truncate(said.octets.len() - end.len());
            return Ok((said.from, Cow::Owned(said.octets), end));
        }
    };
    let said = rest.strip_prefix(b" ").unwrap_or(rest);
    Ok((from, Cow::Borrowed(said), LINE_END))
}

impl Log {
    /// Adds what a peer said; joined to what it said just before at the same time.
    pub(super) fn say(&mut self, at: u64, conn: u64, from: Peer, octets: Vec<u8>) {
        if let Some(step) = self.steps.last_mut()
            && (step.at, step.conn) == (at, conn)
            && let What::Said(peer, said) = &mut step.what
            && *peer == from
        {
            said.extend(octets);
            return;
        }
        let what = What::Said(from, octets);
        self.steps.push(Step { at, conn, what });
    }

    /// Adds a connection whose server has this address or URL: `imaps://host:993/`, `host:993 on fd=4`,
    /// `host (127.0.0.1) port 993 (#0)`.
    pub(super) fn connected(&mut self, at: u64, conn: u64, server: &[u8]) {
        let text = String::from_utf8_lossy(server);
        let (scheme, rest) = text.split_once("://").unwrap_or(("imap", &text));
        let authority = rest
            .split(['/', '?', ' '])
            .next()
            .unwrap_or_default()
            .trim();
        let said = rest
            .split_once(" port ")
            .and_then(|(_, port)| port.split(' ').next());
        let port = said.unwrap_or(if scheme == "imaps" { "993" } else { "143" });
        let has_port = authority
            .rsplit_once(':')
            .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let server = match has_port {
            true => authority.to_owned(),
            false => format!("{authority}:{port}"),
        };
        self.server.get_or_insert_with(|| server.clone());
        let client = "unknown".to_owned();
        let layer = Layer::Inside;
        let what = What::Connected {
            client,
            server,
            layer,
        };
        self.steps.push(Step { at, conn, what });
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Who said what, with the connection's number.
    pub(in crate::import) fn said(log: &Log) -> Vec<(u64, Peer, String)> {
        let said = log.steps.iter().filter_map(|step| match &step.what {
            What::Said(from, octets) => Some((
                step.conn,
                *from,
                String::from_utf8_lossy(octets).into_owned(),
            )),
            _ => None,
        });
        said.collect()
    }

    fn read(text: &str) -> Log {
        super::read(Path::new("log"), text.as_bytes())
    }

    use Peer::{Client as C, Server as S};

    #[test]
    fn each_spelling_says_the_same() {
        for (client, server) in [
            ("C: ", "S: "),
            ("C:", "S:"),
            ("> ", "< "),
            (">>> ", "<<< "),
            ("-> ", "<- "),
            ("--> ", "<-- "),
            ("Client: ", "Server: "),
            ("C> ", "S< "),
            ("2023-11-11T10:11:12Z C: ", "2023-11-11T10:11:12Z S: "),
            ("[10:11:12.5] C: ", "[10:11:12.5] S: "),
        ] {
            let text = format!("{server}* OK hi\n{client}a NOOP\r\n{server}a OK\n");
            let expected = [
                (1, S, "* OK hi\r\n".to_owned()),
                (1, C, "a NOOP\r\n".to_owned()),
                (1, S, "a OK\r\n".to_owned()),
            ];
            let log = read(&text);
            assert_eq!(said(&log), expected, "{client}");
            assert!(log.damage.is_none(), "{client}");
        }
    }

    /// Written from MailKit's source, not by a run of it.
    #[test]
    fn mailkits_connections_are_told_apart() {
        let log = read(
            "Connected to imaps://imap.example.com:993/?starttls=when-available\n\
             S: * OK hi\nC: A00000000 CAPABILITY\nC: A00000001 LOGIN alice ********\n\
             Connected to imap://imap.example.com/\nS: * OK again\n",
        );
        assert_eq!(log.server.as_deref(), Some("imap.example.com:993"));
        let said = said(&log);
        assert_eq!((said[0].0, said[2].0), (1, 2));
        let connected = log.steps.iter().filter_map(|step| match &step.what {
            What::Connected { server, .. } => Some(server.as_str()),
            _ => None,
        });
        let connected: Vec<&str> = connected.collect();
        assert_eq!(connected, ["imap.example.com:993", "imap.example.com:143"]);
    }

    #[test]
    fn curls_own_lines_are_passed_over() {
        let log = read(
            "*   Trying 127.0.0.1:143...\n< * OK hi\n> A001 NOOP\n* Connection #0 left\n< A001 OK\n",
        );
        assert_eq!(said(&log).len(), 3);
    }

    #[test]
    fn a_line_of_neither_ends_the_reading_and_is_told() {
        let log = read("S: * OK hi\nC: a NOOP\nhello\nS: a OK\n");
        assert_eq!(said(&log).len(), 2);
        let why = log.damage.unwrap().to_string();
        assert!(why.starts_with("read log, line 3: "), "{why}");
        assert_eq!(log.steps.last().unwrap().what, What::Damaged(14));
    }
}
