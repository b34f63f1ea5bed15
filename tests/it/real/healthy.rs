//! What is true of every recording of peers that do nothing wrong.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::super::support::dovecot::{Dovecot, Rawlog};
use super::super::support::mailscope::Mailscope;
use super::super::support::schema;
use super::super::support::transcript::Transcript;
use super::{THROUGH, lint};

/// Whether mailscope was to keep secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets<'a> {
    /// None of these may be found anywhere.
    Masked(&'a [&'a str]),
    /// `--show-secrets` was given.
    Shown,
}

/// Waits for the end of so many connections, ends mailscope, and looks at all that it kept.
pub fn check(
    dovecot: &Dovecot,
    mailscope: &mut Mailscope,
    connections: usize,
    secrets: Secrets,
) -> Transcript {
    let transcript = check_without_rawlogs(mailscope, connections, secrets);
    the_wires_are_the_rawlogs(&transcript, dovecot.rawlogs(THROUGH, connections));
    transcript
}

/// The same where Dovecot's own log has what was compressed.
pub fn check_without_rawlogs(
    mailscope: &mut Mailscope,
    connections: usize,
    secrets: Secrets,
) -> Transcript {
    mailscope.closed(connections);
    let transcript = mailscope.stop();
    same_text(&mailscope.stdout(), &mailscope.show());
    lint::is_quiet(mailscope.out());
    assert_eq!(schema::errors(&transcript), Vec::<String>::new());
    nothing_was_found(&transcript, secrets);
    nothing_was_edited_behind_the_login(&transcript);
    every_response_is_attributed(&transcript);
    every_command_is_answered(&transcript);
    if let Secrets::Masked(secrets) = secrets {
        let (stdout, stderr) = (mailscope.stdout(), mailscope.stderr());
        for text in [transcript.text(), &stdout, &stderr] {
            for secret in secrets {
                let found = text.contains(secret) || is_in_base64(secret, text);
                assert!(!found, "{secret:?} was kept");
            }
        }
    }
    transcript
}

/// No findings, no octets that could not be framed, nothing cut off.
fn nothing_was_found(transcript: &Transcript, secrets: Secrets) {
    let expected = |event: &Value| secrets == Secrets::Shown && event["id"] == "secrets-shown";
    for event in transcript.events() {
        let kind = event["kind"].as_str().unwrap();
        let is_wrong = ["note", "opaque", "gap"].contains(&kind) && !expected(event);
        assert!(!is_wrong, "{}", short(event));
        assert_eq!(event.get("incomplete"), None, "{}", short(event));
        if kind == "closed" && !is_done_with(transcript, event) {
            assert_eq!(event.get("reason"), None, "{event}");
        }
    }
}

/// Whether the app broke off what it was done with: Node's programs may close a connection with
/// octets of its end unread, which resets it.
fn is_done_with(transcript: &Transcript, closed: &Value) -> bool {
    let mut commands = transcript.kind("command").into_iter();
    let last = commands.rfind(|command| command["conn"] == closed["conn"]);
    let reason = closed["reason"].as_str().unwrap_or_default();
    reason.starts_with("the app broke the connection off")
        && last.is_some_and(|command| command["name"] == "LOGOUT")
}

/// Before it, STARTTLS may be offered, answered and hidden.
fn nothing_was_edited_behind_the_login(transcript: &Transcript) {
    for connected in transcript.kind("connected") {
        let conn = connected["conn"].as_u64().unwrap();
        let (_, logged_in) = login(transcript, conn);
        let behind = |event: &&Value| event["conn"] == conn && number(event, "n") > logged_in;
        for event in transcript.events().iter().filter(behind) {
            assert_eq!(event.get("sent"), None, "{}", short(event));
            assert_ne!(event["from"], "mailscope", "{}", short(event));
        }
    }
}

fn every_response_is_attributed(transcript: &Transcript) {
    for event in transcript.events() {
        let kind = event["kind"].as_str().unwrap();
        let may_be = ["untagged", "tagged", "continuation_request", "literal_part"];
        // What mailscope says to the app stands in the server's place.
        let from_server = event["from"] == "server" || event["to"] == "client";
        let is_response = from_server && may_be.contains(&kind);
        let fields = ["answers", "ambiguous", "unsolicited"];
        let given = fields.iter().filter(|field| event.get(field).is_some());
        // The command is not whole yet when the server asks for its literal.
        let asks_for_literal = kind == "continuation_request" && event["for"] == "literal";
        let expected = usize::from(is_response && !asks_for_literal);
        assert_eq!(given.count(), expected, "{}", short(event));
        assert!(!asks_for_literal || event["tag"].is_string(), "{event}");
    }
}

/// By one tagged response of its connection with its tag, later than itself by `elapsed`.
fn every_command_is_answered(transcript: &Transcript) {
    let tagged = transcript.kind("tagged");
    let commands = transcript.kind("command");
    assert_eq!(tagged.len(), commands.len());
    for command in commands {
        let answers = tagged
            .iter()
            .filter(|event| event["answers"] == command["n"]);
        let answers: Vec<_> = answers.collect();
        assert_eq!(answers.len(), 1, "{command}: {answers:?}");
        let answer = answers[0];
        assert_eq!(answer["conn"], command["conn"], "{command}: {answer}");
        assert_eq!(answer["tag"], command["tag"], "{command}: {answer}");
        let seconds = |event: &Value, field: &str| event[field].as_f64().unwrap();
        let elapsed = seconds(answer, "at") - seconds(command, "at");
        let difference = (seconds(answer, "elapsed") - elapsed).abs();
        assert!(elapsed >= 0.0 && difference < 2e-6, "{command}: {answer}");
    }
}

/// Each connection's wires from the login on are what Dovecot kept of one connection. Its own log
/// begins with the answer to the login.
fn the_wires_are_the_rawlogs(transcript: &Transcript, mut rawlogs: Vec<Rawlog>) {
    let connections = transcript.kind("connected");
    let mut wires: Vec<Rawlog> = connections
        .iter()
        .map(|connected| since_login(transcript, connected["conn"].as_u64().unwrap()))
        .collect();
    wires.sort();
    rawlogs.sort();
    assert_eq!(wires.len(), rawlogs.len(), "connections");
    for (wire, rawlog) in wires.iter().zip(&rawlogs) {
        same_octets(&wire.client, &rawlog.client);
        same_octets(&wire.server, &rawlog.server);
    }
}

fn number(event: &Value, field: &str) -> u64 {
    event[field].as_u64().unwrap()
}

/// The numbers of the command that logged in and of its answer.
fn login(transcript: &Transcript, conn: u64) -> (u64, u64) {
    let of_this = |event: &&&Value| event["conn"] == conn;
    let tagged = transcript.kind("tagged");
    let commands = transcript.kind("command");
    let ok = tagged.iter().filter(of_this).find(|event| {
        let command = commands.iter().find(|c| c["n"] == event["answers"]);
        let name = command.unwrap()["name"].as_str().unwrap();
        ["LOGIN", "AUTHENTICATE"].contains(&name) && event["status"] == "OK"
    });
    let ok = ok.unwrap_or_else(|| panic!("no login on connection {conn}"));
    (number(ok, "answers"), number(ok, "n"))
}

fn since_login(transcript: &Transcript, conn: u64) -> Rawlog {
    let (login, logged_in) = login(transcript, conn);
    Rawlog {
        client: transcript.wire_where(conn, "client", b"", |event| number(event, "n") > logged_in),
        server: transcript.wire_where(conn, "server", b"", |event| {
            let asks_for_sasl = event["kind"] == "continuation_request" && event["for"] == "sasl";
            // What answers mailscope's own STARTTLS.
            let is_for_mailscope = event.get("sent").is_some();
            number(event, "n") > login && !asks_for_sasl && !is_for_mailscope
        }),
    }
}

/// The beginning of an event, which may hold a whole mail.
fn short(event: &Value) -> String {
    event.to_string().chars().take(500).collect()
}

/// Shows the first difference instead of two long heaps.
pub fn same_octets(one: &[u8], other: &[u8]) {
    if one != other {
        let place = one.iter().zip(other).take_while(|(a, b)| a == b).count();
        let around = |octets: &[u8]| {
            let end = octets.len().min(place + 200);
            String::from_utf8_lossy(&octets[place.saturating_sub(200)..end]).into_owned()
        };
        panic!(
            "they differ from octet {place} on ({} and {} octets):\n{:?}\n{:?}",
            one.len(),
            other.len(),
            around(one),
            around(other)
        );
    }
}

pub fn same_text(one: &str, other: &str) {
    same_octets(one.as_bytes(), other.as_bytes());
}

/// Whether it is there in base64, wherever in the encoded octets it began.
pub fn is_in_base64(secret: &str, text: &str) -> bool {
    (0..3).any(|before| {
        let padded = [&b"\0\0\0"[..before], secret.as_bytes()].concat();
        let encoded = STANDARD.encode(&padded);
        // The digits that depend on what stands before and behind are left out.
        let digits = (before * 8).div_ceil(6)..padded.len() * 8 / 6;
        text.contains(&encoded[digits])
    })
}
