//! Dovecot's rawlog (`rawlog_dir`): a file for each direction, as the server sees them.
//!
//! ```text
//! 20231114-221320-4711.in     what the client said       1700000000.123456 a2 SELECT INBOX
//! 20231114-221320-4711.out    what the server said       1700000000.000123 a1 OK Logged in
//! ```
//!
//! A time stands before each line, in literals too; old versions and `rawlog` with `-f` leave it out.
//! Without times the two directions are put in [turns](super::turns), and the file's name says when
//! the session began (taken for UTC). It begins with the answer to the login, and has
//! the octets of the wire: compressed ones behind COMPRESS.

use std::path::{Path, PathBuf};

use super::layer::layer;
use super::turns::{Line, in_turn};
use super::{Kind, Log, Step, What, contents, damaged};
use crate::error::{Error, Result};
use crate::event::Peer;

/// A file to be read, or both of a rawlog.
#[derive(Debug, PartialEq, Eq)]
pub enum Source {
    One(PathBuf),
    Pair { client: PathBuf, server: PathBuf },
}

/// The sources that these paths mean; either file of a rawlog finds the other.
pub fn paired(paths: &[PathBuf]) -> Vec<Source> {
    let mut sources = Vec::new();
    for path in paths {
        let source = match direction(path) {
            Some(_) => {
                let (client, server) = (path.with_extension("in"), path.with_extension("out"));
                match client.exists() && server.exists() {
                    true => Source::Pair { client, server },
                    false => Source::One(path.clone()),
                }
            }
            None => Source::One(path.clone()),
        };
        if !sources.contains(&source) {
            sources.push(source);
        }
    }
    sources
}

/// Whose octets a file of a rawlog has, by its name.
fn direction(path: &Path) -> Option<Peer> {
    match path.extension()?.to_str()? {
        "in" => Some(Peer::Client),
        "out" => Some(Peer::Server),
        _ => None,
    }
}

/// Whether a file with this name that begins so is one.
pub fn is_rawlog(path: &Path, beginning: &[u8]) -> bool {
    let Some(from) = direction(path) else {
        return false;
    };
    let line = beginning
        .split(|octet| *octet == b'\n')
        .next()
        .unwrap_or_default();
    let mut words = line.split(|octet| *octet == b' ').map(<[u8]>::trim_ascii);
    timed(line).is_some()
        || match (from, words.next(), words.next()) {
            (Peer::Server, Some(b"*" | b"+"), _) => true,
            (_, Some(tag), Some(word)) => {
                !tag.is_empty() && !tag.ends_with(b":") && word.iter().all(u8::is_ascii_alphabetic)
            }
            _ => false,
        }
}

/// `1700000000.123456 `: microseconds since 1970, and the rest of the line.
fn timed(line: &[u8]) -> Option<(u64, &[u8])> {
    let space = line.iter().position(|octet| *octet == b' ')?;
    let (time, rest) = (str::from_utf8(&line[..space]).ok()?, &line[space + 1..]);
    let (seconds, micros) = time.split_once('.')?;
    if micros.len() != 6 || seconds.len() < 9 {
        return None;
    }
    let seconds: u64 = seconds.parse().ok()?;
    let at = seconds
        .checked_mul(1_000_000)?
        .checked_add(micros.parse().ok()?)?;
    Some((at, rest))
}

impl Source {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// It cannot be read, or nobody knows what it is.
    pub(super) fn read(&self, octets: &mut u64) -> Result<Log> {
        let (path, other) = match self {
            Self::One(path) => (path, None),
            Self::Pair { client, server } => (client, Some(server)),
        };
        let content = contents(path, octets)?;
        let other = other.map(|path| Ok::<_, Error>((path.as_path(), contents(path, octets)?)));
        let other = other.transpose()?;
        let other = other.as_ref().map(|(path, content)| (*path, &content[..]));
        log((path, &content), other)
    }
}

/// What a file says that has this name and content; `other` is that of a rawlog's other direction.
///
/// # Errors
///
/// Nobody knows what it is, or nothing in it can be imported.
pub(super) fn log(one: (&Path, &[u8]), other: Option<(&Path, &[u8])>) -> Result<Log> {
    let (path, content) = one;
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content); // of a text from Windows
    let kind = match (content, other) {
        ([], Some(_)) => Kind::Rawlog, // a client that said nothing
        _ => Kind::of(path, content).map_err(|unknown| {
            Error::new(format!("read {}", path.display()), unknown.why).hint(unknown.hint)
        })?,
    };
    Ok(match kind {
        Kind::Rawlog => rawlog(one, other),
        Kind::Imaplib => super::imaplib::read(path, content),
        Kind::Thunderbird => super::thunderbird::read(path, content),
        Kind::Imapflow => super::imapflow::read(path, content),
        Kind::Unmarked => super::unmarked::read(path, content),
        Kind::Lines => super::lines::read(path, content),
        Kind::Pcap | Kind::Pcapng => super::capture::read(path, kind, content)?,
    })
}

fn rawlog(one: (&Path, &[u8]), other: Option<(&Path, &[u8])>) -> Log {
    let mut log = Log::default();
    let mut lines = [Vec::new(), Vec::new()];
    let mut left = 0;
    for (path, content) in [Some(one), other].into_iter().flatten() {
        let from = direction(path).unwrap_or(Peer::Client);
        let (read, damage) = read_lines(path, content);
        lines[usize::from(from == Peer::Server)] = read;
        if let Some((octets, error)) = damage {
            left += octets;
            log.damage.get_or_insert(error);
        }
    }
    if other.is_none() {
        let missing = one.0.with_extension(match direction(one.0) {
            Some(Peer::Server) => "in",
            _ => "out",
        });
        let missing = missing.display();
        log.remarks.push(format!(
            "{missing} is not there: what the other side said is missing"
        ));
    }
    let [client, server] = lines;
    let has_times = client.iter().chain(&server).any(|line| line.at.is_some());
    let began = named(one.0);
    log.is_dated = has_times || began.is_some();
    let first = client.iter().chain(&server).find_map(|line| line.at);
    let mut at = first.or(began).unwrap_or(0);
    let conn = 1;
    let unknown = || "unknown".to_owned();
    let said: Vec<u8> = client.iter().flat_map(|line| line.octets.clone()).collect();
    let layer = layer(&said);
    let what = What::Connected {
        client: unknown(),
        server: unknown(),
        layer,
    };
    log.steps.push(Step { at, conn, what });
    let what = What::LoggedIn;
    log.steps.push(Step { at, conn, what });
    if !has_times && !client.is_empty() && !server.is_empty() {
        log.steps.push(Step {
            at,
            conn,
            what: What::Ordered,
        });
    }
    for (from, time, octets) in in_turn(client, server) {
        at = time.unwrap_or(at);
        log.say(at, conn, from, octets);
    }
    if log.damage.is_some() {
        log.steps.push(Step {
            at,
            conn,
            what: What::Damaged(left),
        });
    }
    log
}

/// When the session began, by the name that Dovecot gives the file.
fn named(path: &Path) -> Option<u64> {
    let name = path.file_stem()?.to_str()?;
    let (date, rest) = name.split_once('-')?;
    let time = rest.split('-').next()?;
    if date.len() != 8 || time.len() != 6 || !(date.to_owned() + time).is_ascii() {
        return None;
    }
    let written = format!(
        "{}-{}-{} {}:{}:{} ",
        &date[..4],
        &date[4..6],
        &date[6..],
        &time[..2],
        &time[2..4],
        &time[4..]
    );
    Some(super::when::leading(written.as_bytes())?.0.micros)
}

type Damage = Option<(u64, Error)>;

/// The lines, as far as they can be read.
fn read_lines(path: &Path, content: &[u8]) -> (Vec<Line>, Damage) {
    let has_times = timed(
        content
            .split(|octet| *octet == b'\n')
            .next()
            .unwrap_or_default(),
    )
    .is_some();
    let mut lines = Vec::new();
    let mut offset = 0;
    for (number, line) in (1_u64..).zip(content.split_inclusive(|octet| *octet == b'\n')) {
        let (at, octets) = match has_times.then(|| timed(line)) {
            None => (None, line),
            Some(Some((at, octets))) => (Some(at), octets),
            Some(None) => {
                let left = (content.len() - offset) as u64;
                let why = "there is no time before the line";
                return (
                    lines,
                    Some((left, damaged(path, &format!("line {number}"), why))),
                );
            }
        };
        offset += line.len();
        let octets = octets.to_vec();
        lines.push(Line { at, octets });
    }
    (lines, None)
}

#[cfg(test)]
mod tests {
    use super::super::lines::tests::said;
    use super::*;
    use Peer::{Client as C, Server as S};

    fn files(client: &str, server: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("20231114-221320-4711.in");
        std::fs::write(&path, client).unwrap();
        std::fs::write(path.with_extension("out"), server).unwrap();
        (folder, path)
    }

    fn read(client: &str, server: &str) -> Log {
        let (_folder, path) = files(client, server);
        Log::read(&[path]).unwrap()
    }

    #[test]
    fn either_file_finds_the_other_and_both_are_one() {
        let (_folder, path) = files("a NOOP\r\n", "a OK\r\n");
        let other = path.with_extension("out");
        let one = paired(std::slice::from_ref(&path));
        assert_eq!(one, paired(std::slice::from_ref(&other)));
        assert_eq!(one, paired(&[other, path]));
        assert!(matches!(one[..], [Source::Pair { .. }]));
    }

    #[test]
    fn lines_are_put_in_order_by_their_times() {
        let log = read(
            "1700000000.000002 a2 NOOP\r\n1700000000.000004 a3 NOOP\r\n",
            "1700000000.000001 a1 OK in\r\n1700000000.000005 a2 OK\r\n1700000000.000006 a3 OK\r\n",
        );
        let said = said(&log);
        let who: Vec<Peer> = said.iter().map(|(_, from, _)| *from).collect();
        assert_eq!(who, [S, C, C, S, S]);
        assert!(log.is_dated);
        assert_eq!(log.steps[0].at, 1_700_000_000_000_002);
    }

    #[test]
    fn without_times_the_name_says_when_and_the_order_is_told_to_be_ours() {
        let log = read("a2 NOOP\r\n", "a1 OK in\r\na2 OK\r\n");
        assert_eq!(log.steps[0].at, 1_700_000_000_000_000);
        assert_eq!(log.steps[2].what, What::Ordered);
        assert_eq!(said(&log).len(), 3);
    }

    #[test]
    fn a_line_without_its_time_is_told_and_the_rest_is_kept() {
        let log = read(
            "1700000000.000002 a2 NOOP\r\nNOOP\r\n",
            "1700000000.000001 a1 OK in\r\n",
        );
        assert_eq!(said(&log).len(), 2);
        let why = log.damage.unwrap().to_string();
        assert!(why.contains("4711.in, line 2: "), "{why}");
    }

    #[test]
    fn two_sessions_are_two_connections_in_the_order_of_their_times() {
        let (_one, one) = files(
            "1700000000.000002 a2 NOOP\r\n",
            "1700000000.000004 a2 OK\r\n",
        );
        let (_two, two) = files(
            "1700000000.000001 b2 NOOP\r\n",
            "1700000000.000003 b2 OK\r\n",
        );
        let log = Log::read(&[one, two]).unwrap();
        let conns: Vec<u64> = said(&log).iter().map(|(conn, ..)| *conn).collect();
        assert_eq!(conns, [2, 1, 2, 1]);
    }
}
