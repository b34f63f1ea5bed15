//! Each rule is broken by a conversation, and kept by another one: `cases/*.txt`.
//!
//! A case begins with `== ID` or `== not ID` and is in the short text form. Besides:
//!
//! - `! in CAPABILITIES`: greeted and logged in, to a server that has these besides IMAP4rev1;
//! - `! selected CAPABILITIES`: and INBOX selected, with 3 messages;
//! - `! enabled NAME`: an extension is on;
//! - `! connected HOST:PORT`, `! imported HOST:PORT`, `! secured PEER`, `! ended PEER`, `! closed`: such an event;
//! - `! at SECONDS`: later; `! note ID TEXT`: a note; `! cut PEER`: a message without an end;
//! - `! passed LINE`: what the app is given in place of the next line;
//! - `LONG` and `LONG5000`: 9,000 and 5,000 octets.

use std::collections::HashMap;

use super::{Finding, Linter, RULES};
use crate::event::{
    Body, Draft, Event, Finding as Note, Gate, Message, Micros, Numbers, Passed, Peer, Reading,
    Said, Secrets, Secured,
};
use crate::protocol::imap::Observer;
use crate::transcript::read_text;

const FILES: &[&str] = &[
    include_str!("cases/arguments.txt"),
    include_str!("cases/capabilities.txt"),
    include_str!("cases/closing.txt"),
    include_str!("cases/drift.txt"),
    include_str!("cases/fetched.txt"),
    include_str!("cases/framing.txt"),
    include_str!("cases/mailbox.txt"),
    include_str!("cases/names.txt"),
    include_str!("cases/sasl.txt"),
    include_str!("cases/searching.txt"),
    include_str!("cases/security.txt"),
    include_str!("cases/selecting.txt"),
    include_str!("cases/state.txt"),
];

/// Connections as they are made of text, and what was found in them.
#[derive(Default)]
struct Talk {
    linter: Linter,
    connections: HashMap<u64, (Observer, Numbers)>,
    conn: u64,
    n: u64,
    at: Micros,
    passed: Option<String>,
    events: Vec<Event>,
    found: Vec<Finding>,
}

impl Talk {
    fn of(case: &str) -> Self {
        let mut talk = Self {
            conn: 1,
            ..Self::default()
        };
        for line in case.lines() {
            match line.strip_prefix("! ") {
                Some(directive) => talk.direct(directive),
                None => talk.hear(
                    &line
                        .replace("LONG5000", &"x".repeat(5_000))
                        .replace("LONG", &"x".repeat(9_000)),
                ),
            }
        }
        talk
    }

    fn hear(&mut self, line: &str) {
        if let Some(conn) = line.strip_prefix("# connection ") {
            self.conn = conn.parse().unwrap();
        }
        for line in read_text(line.as_bytes()).unwrap() {
            let conn = self.connections.entry(self.conn);
            let (observer, _) = conn.or_insert_with(|| connection(self.conn));
            let mut drafts = Vec::new();
            observer.hear_again(line.from, &line.octets, self.at, &mut drafts);
            drafts.into_iter().for_each(|draft| self.take(draft));
        }
    }

    fn take(&mut self, draft: Draft) {
        self.n += 1;
        let conn = self.connections.entry(self.conn);
        let (_, numbers) = conn.or_insert_with(|| connection(self.conn));
        let mut event = numbers.number(draft, self.n);
        if let (Body::Said(said), Some(line)) = (&mut event.body, self.passed.take()) {
            let gate = Gate::new(Secrets::Shown);
            let line = Message::text(format!("{line}\r\n").as_bytes());
            said.passed = Passed::Instead(gate.seal(line, &[]));
        }
        self.found.extend(self.linter.read(&event));
        self.events.push(event);
    }

    fn body(&mut self, body: Body) {
        let ordinal = self.n + 1;
        self.take(Draft::new(ordinal, self.at, body));
    }

    fn direct(&mut self, directive: &str) {
        let (word, rest) = directive.split_once(' ').unwrap_or((directive, ""));
        match word {
            "in" => self.log_in(rest),
            "selected" => {
                self.log_in(rest);
                self.select();
            }
            "enabled" => {
                self.hear(&format!("C: e ENABLE {rest}"));
                self.hear(&format!("S: * ENABLED {rest}"));
                self.hear("S: e OK on");
            }
            "passed" => self.passed = Some(rest.into()),
            "at" => self.at = Micros::from_seconds(rest.parse().unwrap()),
            "connected" => self.body(Body::Connected {
                client: "127.0.0.1:50000".into(),
                server: rest.into(),
            }),
            "imported" => self.body(Body::Connected {
                client: "unknown".into(),
                server: rest.into(),
            }),
            "secured" => self.body(Body::Secured(Box::new(secured(peer(rest))))),
            "ended" => self.body(Body::HalfClosed { from: peer(rest) }),
            "cut" => {
                let gate = Gate::new(Secrets::Shown);
                let wire = gate.seal(Message::text(b"a OK do"), &[]);
                let mut said = Said::new(peer(rest), wire, Reading::Opaque);
                said.incomplete = true;
                self.body(Body::Said(Box::new(said)));
            }
            "closed" => self.body(Body::Closed { reason: None }),
            "note" => {
                let (id, text) = rest.split_once(' ').unwrap_or((rest, ""));
                self.body(Body::Note(Note {
                    id: id.to_owned().into(),
                    text: text.into(),
                    clause: None,
                }));
            }
            _ => panic!("nobody knows what {directive:?} is"),
        }
    }

    fn log_in(&mut self, capabilities: &str) {
        self.hear("S: * OK [CAPABILITY IMAP4rev1] ready");
        self.hear("C: l LOGIN alice <secret:password>");
        let listed = format!("S: l OK [CAPABILITY IMAP4rev1 {capabilities}] in");
        self.hear(&listed.replace(" ]", "]"));
    }

    fn select(&mut self) {
        for line in [
            "C: s SELECT INBOX",
            "S: * FLAGS (\\Seen \\Deleted)",
            "S: * OK [PERMANENTFLAGS (\\Seen \\Deleted)] these",
            "S: * OK [UIDVALIDITY 7] valid",
            "S: * OK [UIDNEXT 20] next",
            "S: * 3 EXISTS",
            "S: s OK [READ-WRITE] selected",
        ] {
            self.hear(line);
        }
    }

    fn ids(&self) -> Vec<&'static str> {
        self.found.iter().map(|finding| finding.rule.id).collect()
    }
}

fn connection(conn: u64) -> (Observer, Numbers) {
    let gate = Gate::new(Secrets::Shown);
    (Observer::new(gate), Numbers::new(conn))
}

fn peer(name: &str) -> Peer {
    match name {
        "client" => Peer::Client,
        "server" => Peer::Server,
        _ => panic!("{name:?} is nobody"),
    }
}

fn secured(leg: Peer) -> Secured {
    Secured {
        leg,
        version: "TLSv1.3".into(),
        cipher: String::new(),
        alpn: None,
        sni: None,
        certificate: serde_json::Value::Null,
        group: None,
        client_certificate: None,
        keylog: false,
    }
}

/// The id, whether it is to be found, and the conversation.
fn cases() -> Vec<(&'static str, bool, &'static str)> {
    let cases = FILES.iter().flat_map(|file| file.split("== ").skip(1));
    cases
        .map(|case| {
            let (title, text) = case.split_once('\n').unwrap();
            match title.strip_prefix("not ") {
                Some(id) => (id, false, text),
                None => (title, true, text),
            }
        })
        .collect()
}

#[test]
fn each_rule_is_broken_by_its_cases_and_kept_by_the_others() {
    let mut wrong = Vec::new();
    for (id, expected, text) in cases() {
        let talk = Talk::of(text);
        let found = talk.ids();
        if found.contains(&id) != expected {
            wrong.push(format!("{id}, {expected}: {found:?}\n{text}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_rule_has_a_case_that_breaks_it_and_one_that_keeps_it() {
    let mut missing = Vec::new();
    for rule in RULES {
        for expected in [true, false] {
            let has = |case: &(&str, bool, &str)| (case.0, case.1) == (rule.id, expected);
            if !cases().iter().any(has) {
                missing.push((rule.id, expected));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
    for (id, ..) in cases() {
        assert!(super::rule(id).is_some(), "no rule {id}");
    }
}

#[test]
fn whoever_is_to_blame_can_break_the_rule() {
    for (id, _, text) in cases() {
        for finding in Talk::of(text).found {
            assert!(finding.rule.side.includes(finding.blame), "{id}");
        }
    }
}

#[test]
fn the_octets_that_are_wrong_are_marked() {
    for (text, marked) in [
        ("S\\: * OK hi\\x0a* OK there", "\n"),
        ("S: * OK hi\nC: a SELECT \"caf\u{e9} x\"", "\u{e9}"),
        ("! in\nC: a XX (b (c)", "("),
        ("! selected\nC: a FETCH 1,9 FLAGS", "1,9"),
        (
            "! in LITERAL-\nC: a APPEND x {5000+}\nC: LONG5000",
            "{5000+}",
        ),
        ("S: * OK [CAPABILITY IMAP4rev1 ID id] hi", "id"),
        ("! selected\nC: a SEARCH UNSEEN OR SEEN 2:9", "2:9"),
        ("! selected\nC: a SEARCH SINCE 2026-01-01", "2026-01-01"),
        ("! selected\nC: a FETCH 1 (UID BODY[]<0.0>)", "BODY[]<0.0>"),
        ("! in\nC: a NOOP now (or later)", "now (or later)"),
        ("! selected\nC: a SEARCH SEEN\nS: * SEARCH 2 4", "4"),
        (
            "! selected ESEARCH\nC: a SEARCH RETURN () SEEN\nS: * ESEARCH (TAG \"q\") ALL 1",
            "\"q\"",
        ),
        (
            "S: * OK hi\nC: a AUTHENTICATE LOGIN\nS: + Username:",
            "Username:",
        ),
    ] {
        let talk = Talk::of(text);
        let quotes = talk
            .found
            .iter()
            .filter_map(|finding| finding.quote.as_ref());
        let wrong = quotes.map(|quote| &quote.octets[quote.wrong.clone()]);
        let wrong: Vec<_> = wrong.map(String::from_utf8_lossy).collect();
        assert!(
            wrong.iter().any(|octets| octets == marked),
            "{wrong:?} {text}"
        );
    }
}

#[test]
fn of_a_long_line_what_is_around_the_wrong_octets_is_quoted() {
    let text = format!(
        "! in\nC\\: a SELECT {}\\x07{}",
        "x".repeat(5_000),
        "y".repeat(5_000)
    );
    let talk = Talk::of(&text);
    let is_it = |finding: &&Finding| finding.rule.id == "control-in-atom";
    let finding = talk.found.iter().find(is_it).unwrap();
    let quote = finding.quote.as_ref().unwrap();
    assert!(quote.octets.len() <= crate::limits::QUOTED);
    assert_eq!(&quote.octets[quote.wrong.clone()], b"\x07");
    assert_eq!(quote.start + quote.wrong.start, "a SELECT ".len() + 5_000);
    assert!(quote.cut);
}

#[test]
fn rules_that_are_allowed_are_left_out() {
    let talk = Talk::of("S: * OK hi\nC: a CREATE inbox");
    assert_eq!(talk.ids(), ["not-authenticated", "inbox-created"]);
    let mut linter = Linter::allowing(["inbox-created"]);
    let found = talk.events.iter().flat_map(|event| linter.read(event));
    let found: Vec<_> = found.map(|finding| finding.rule.id).collect();
    assert_eq!(found, ["not-authenticated"]);
    assert_eq!(linter.counts().found(), 1);
}

/// What fuzzing found: it was taken for one with arguments.
#[test]
fn r003_an_append_of_nothing_is_looked_at() {
    let talk = Talk::of("! in\nC: a APPEND\nC: b STORE\nC: c APPEND ");
    assert!(!talk.ids().contains(&"flag-unknown"), "{:?}", talk.ids());
}

#[test]
fn the_work_grows_with_the_session() {
    let prepare = |messages: usize| {
        let mut text = String::from("! selected\n");
        text.push_str(&format!(
            "C: a NOOP\nS: * {messages} EXISTS\nC: b UID FETCH 1:* FLAGS\n"
        ));
        for number in 1..=messages {
            text.push_str(&format!(
                "S: * {number} FETCH (UID {} FLAGS ())\n",
                number + 100
            ));
        }
        for number in (1..=messages).rev() {
            text.push_str(&format!("S: * {} EXPUNGE\n", number.div_ceil(2)));
        }
        Talk::of(&text).events
    };
    crate::growth::assert_linear(200, prepare, |events| {
        let mut linter = Linter::default();
        for event in events.iter() {
            linter.read(event);
        }
    });
}

/// The examples of the RFCs, which are right: what is found in them is what they leave out, or what they
/// show being wrong. When a rule is changed on purpose: a failure prints the file as it should be.
#[test]
fn in_the_examples_of_the_rfcs_nothing_is_found_but_what_they_leave_out() {
    macro_rules! examples {
        ($($name:literal)*) => {
            [$(include_str!(concat!("../protocol/imap/conversations/rfc/", $name, ".txt")),)*]
        };
    }
    let files = examples!("rfc2177" "rfc3501" "rfc4978" "rfc5161" "rfc5464" "rfc5465" "rfc6154"
        "rfc6851" "rfc7162" "rfc7888" "rfc8438" "rfc8474" "rfc9051");
    let mut told = String::new();
    let mut count = 0;
    for file in files {
        for example in file
            .split("\n# ")
            .map(|example| example.strip_prefix("# ").unwrap_or(example))
            .filter(|example| !example.trim().is_empty())
        {
            let (heading, lines) = example.split_once('\n').unwrap();
            let spoken = lines.lines().filter(|line| !line.starts_with(['>', ';']));
            let spoken = spoken.filter(|line| !line.is_empty());
            // Without a greeting it is an excerpt, as most are.
            let mut talk = Talk {
                conn: 1,
                ..Talk::default()
            };
            for line in spoken {
                let (who, text) = line.split_at(2);
                talk.hear(&format!("{who} {}", text.strip_prefix(' ').unwrap_or(text)));
            }
            count += 1;
            if !talk.found.is_empty() {
                told += &format!("{heading}\n");
            }
            for finding in &talk.found {
                let about = finding.about.as_deref().unwrap_or("-");
                told += &format!("    {} {}: {about}\n", finding.rule, finding.blame.name());
            }
        }
    }
    assert!(count > 50, "{count} examples");
    let should = include_str!("cases/rfc_examples.expected");
    assert!(told == should, "it should be:\n{told}");
}
