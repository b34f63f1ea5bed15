//! ImapFlow's log, as its default logger (pino) writes it: a JSON object a line.
//!
//! ```text
//! {"level":20,"time":1700000000123,"cid":"g8b","src":"s","msg":"* OK ready"}
//! {"level":20,"time":1700000000123,"cid":"g8b","src":"c","msg":"9 FETCH 1 (FLAGS BODY.PEEK[])"}
//! {"level":10,"time":1700000000123,"cid":"g8b","src":"s","msg":"* 1 FETCH (BODY[] \"(* 177B literal *)\")"}
//! {"level":10,...,"msg":"read from socket","data":"KiBPSy...","hidden":true}          with logRaw: true
//! ```
//!
//! With `logRaw` the octets are there, and nothing else is read but the lines whose octets are hidden. Without it, literals are left out, and
//! what ImapFlow hides (`(* value hidden *)`) stays as it is.

use std::collections::HashMap;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{Log, Step, What};
use crate::event::Peer;

/// Whether it is such a line.
pub fn is_line(line: &[u8]) -> bool {
    line.starts_with(b"{") && entry(line).is_some()
}

struct Entry {
    at: u64,
    /// The connection's name.
    name: String,
    what: Said,
}

enum Said {
    Connected(String),
    Line(Peer, String),
    Raw(Peer, Vec<u8>),
    /// Octets that are not shown, of the line before.
    Hidden(Peer),
}

fn entry(line: &[u8]) -> Option<Entry> {
    let object: Value = serde_json::from_slice(line).ok()?;
    let text = |name: &str| object.get(name)?.as_str();
    let from = match text("src")? {
        "s" => Some(Peer::Server),
        "c" => Some(Peer::Client),
        _ => None,
    };
    let what = match (from, text("data")) {
        (Some(from), Some(_)) if object.get("hidden") == Some(&Value::Bool(true)) => {
            Said::Hidden(from)
        }
        (Some(from), Some(data)) => Said::Raw(from, STANDARD.decode(data).ok()?),
        (Some(from), None) => Said::Line(from, text("msg")?.to_owned()),
        (None, _) => {
            let port = object.get("port")?.as_u64()?;
            Said::Connected(format!("{}:{port}", text("host")?))
        }
    };
    Some(Entry {
        at: object.get("time")?.as_u64()?.saturating_mul(1000),
        name: text("cid")?.to_owned(),
        what,
    })
}

/// Reads one.
pub fn read(_: &Path, content: &[u8]) -> Log {
    let mut log = Log {
        is_dated: true,
        ..Log::default()
    };
    let lines = || content.split(|octet| *octet == b'\n').filter_map(entry);
    let is_raw = lines().any(|entry| matches!(entry.what, Said::Raw(..)));
    let mut last = String::new();
    let mut conns: HashMap<String, u64> = HashMap::new();
    for Entry { at, name, what } in lines() {
        let next = conns.len() as u64 + 1;
        let conn = *conns.entry(name).or_insert(next);
        match what {
            Said::Connected(address) => log.connected(at, conn, address.as_bytes()),
            Said::Raw(from, octets) => log.say(at, conn, from, octets),
            Said::Line(_, text) if is_raw => last = text,
            Said::Hidden(from) if is_raw => log.line(at, conn, from, &std::mem::take(&mut last)),
            Said::Hidden(_) => {}
            Said::Line(from, text) => log.line(at, conn, from, &text),
        }
    }
    log
}

impl Log {
    /// Adds a line in which a remark stands for each literal.
    fn line(&mut self, at: u64, conn: u64, from: Peer, line: &str) {
        let mut rest = line;
        while let Some((before, octets, behind)) = literal(rest) {
            self.say(
                at,
                conn,
                from,
                format!("{before}{{{octets}}}\r\n").into_bytes(),
            );
            self.steps.push(Step {
                at,
                conn,
                what: What::Missed(from, octets),
            });
            rest = behind;
        }
        self.say(at, conn, from, format!("{rest}\r\n").into_bytes());
    }
}

/// `"(* 177B literal *)"`: what stands before it, how many octets, and what stands behind it.
fn literal(line: &str) -> Option<(&str, u64, &str)> {
    let (before, rest) = line.split_once("\"(* ")?;
    let (octets, behind) = rest.split_once("B literal *)\"")?;
    Some((before, octets.parse().ok()?, behind))
}

#[cfg(test)]
mod tests {
    use super::super::lines::tests::said;
    use super::*;
    use Peer::{Client as C, Server as S};

    #[test]
    fn lines_are_read_and_literals_missed() {
        let log = read(
            Path::new("log"),
            br#"{"time":1700000000000,"cid":"x","src":"connection","msg":"Established","host":"localhost","port":993}
{"time":1700000000001,"cid":"x","src":"s","msg":"* OK hi"}
{"time":1700000000002,"cid":"y","src":"s","msg":"* OK hi"}
{"time":1700000000003,"cid":"x","src":"c","msg":"A APPEND INBOX \"(* 17B literal *)\""}
"#,
        );
        let said = said(&log);
        assert_eq!((said[0].0, said[1].0), (1, 2));
        assert_eq!(said[2], (1, C, "A APPEND INBOX {17}\r\n".into()));
        assert!(
            log.steps
                .iter()
                .any(|step| step.what == What::Missed(C, 17))
        );
        assert_eq!(log.server.as_deref(), Some("localhost:993"));
    }

    #[test]
    fn octets_are_preferred() {
        let log = read(
            Path::new("log"),
            br#"{"time":1700000000001,"cid":"x","src":"s","msg":"read from socket","data":"KiBPSyBoaQ0K"}
{"time":1700000000001,"cid":"x","src":"s","msg":"* OK hi"}
"#,
        );
        assert_eq!(said(&log), [(1, S, "* OK hi\r\n".to_owned())]);
    }
}
