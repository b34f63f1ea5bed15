//! The examples of the RFCs, with what is told of each message. Many are shortened, or completed by a
//! tagged response that the RFC leaves out.
//!
//! A file an RFC. `#` begins a conversation and says where its example stands; `C:` and `S:` are lines
//! of the peers, without their line ends; `>` is what is told of what was read until then, its data
//! included. A conversation that does not begin with a greeting is of a client that is logged in.
//!
//! When a reading is changed on purpose: a failure prints the file as it should be.

use super::{conversation, read, tell};
use crate::event::{Body, Event, Gate, Peer, Reading, Secrets};
use crate::protocol::imap::Observer;

/// One line of a peer.
struct Line<'a> {
    from: Peer,
    text: &'a str,
}

/// Each conversation of a file: its heading, and the lines.
fn conversations(file: &str) -> Vec<(&str, Vec<Line<'_>>)> {
    let mut all: Vec<(&str, Vec<Line<'_>>)> = Vec::new();
    for line in file.lines() {
        let (mark, text) = line.split_at_checked(2).unwrap_or((line, ""));
        let from = match mark {
            "# " => {
                all.push((line, Vec::new()));
                continue;
            }
            "C:" => Peer::Client,
            "S:" => Peer::Server,
            "> " | "" => continue,
            other => panic!("{other:?} begins no line"),
        };
        let text = text.strip_prefix(' ').unwrap_or(text);
        let lines = &mut all.last_mut().expect("a heading").1;
        lines.push(Line { from, text });
    }
    all
}

/// The event with its data.
fn told(event: &Event) -> String {
    let mut told = tell(event);
    let Body::Said(said) = &event.body else {
        return told;
    };
    let data = match said.reading {
        Reading::Untagged { data, .. } => data,
        _ => None,
    };
    let mut json = Vec::new();
    if let Some(code) = said.code() {
        told += &format!(" [{}", code.name);
        for value in &code.values {
            let mut json = vec![b' '];
            value.write_json(&mut json);
            told += &String::from_utf8(json).unwrap();
        }
        told += "]";
    }
    let readers = [data, said.details.arguments, said.details.code];
    for read in readers.into_iter().flatten() {
        json.push(b' ');
        read(said, &mut json);
    }
    told + &String::from_utf8(json).unwrap()
}

/// The file as it should be.
fn as_it_should_be(file: &str) -> String {
    let mut should = String::new();
    for (heading, lines) in conversations(file) {
        let greeting = Line {
            from: Peer::Server,
            text: "* PREAUTH hello",
        };
        let greets = |text: &str| text.starts_with("* OK") || text.starts_with("* PREAUTH");
        let is_greeted = lines.first().is_some_and(|line| greets(line.text));
        let skipped = usize::from(!is_greeted);
        let greeting = (!is_greeted).then_some(greeting);
        let lines: Vec<Line<'_>> = greeting.into_iter().chain(lines).collect();
        let octets: Vec<Vec<u8>> = lines
            .iter()
            .map(|line| [line.text.as_bytes(), b"\r\n"].concat())
            .collect();
        let steps: Vec<(Peer, &[u8])> = lines
            .iter()
            .zip(&octets)
            .map(|(line, octets)| (line.from, &octets[..]))
            .collect();
        conversation(&steps);
        let count = |steps: &[(Peer, &[u8])]| {
            let mut observer = Observer::new(Gate::new(Secrets::Masked));
            let mut drafts = Vec::new();
            for (from, octets) in steps {
                use crate::protocol::Protocol;
                let at = crate::event::Micros(0);
                let _ = observer.observe(*from, octets, at, &mut drafts);
            }
            drafts.len()
        };
        let events = read(&mut Observer::new(Gate::new(Secrets::Masked)), &steps);
        should += &format!("{heading}\n");
        let mut before = 0;
        for (at, line) in lines.iter().enumerate() {
            let now = count(&steps[..=at]);
            if at >= skipped {
                let mark = if line.from == Peer::Client {
                    "C:"
                } else {
                    "S:"
                };
                should += format!("{mark} {}", line.text).trim_end();
                should.push('\n');
                for event in &events[before..now] {
                    should += &format!("> {}\n", told(event));
                }
            }
            before = now;
        }
        should.push('\n');
    }
    should.trim_end().to_owned() + "\n"
}

fn check(file: &str) {
    let should = as_it_should_be(file);
    assert!(file == should, "it should be:\n{should}");
}

macro_rules! examples {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                check(include_str!(concat!(stringify!($name), ".txt")));
            }
        )*
    };
}

examples!(rfc2177 rfc3501 rfc4978 rfc5161 rfc5464 rfc5465 rfc6154 rfc6851 rfc7162 rfc7888 rfc8438 rfc8474 rfc9051);
