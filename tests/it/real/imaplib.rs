//! Python's `imaplib`: a long scripted session, `session.py`.

use std::process::Command;

use libtest_mimic::Trial;
use serde_json::Value;

use super::super::support::dovecot::{Dovecot, PASSWORD};
use super::super::support::maildir::Mail;
use super::super::support::programs::{DOVECOT, PYTHON, needing};
use super::super::support::transcript::Transcript;
use super::super::support::trials;
use super::healthy::{self, Secrets};
use super::{DIRECT, Door, Security, THROUGH, at_once, direct, recording, run, through};

pub fn trials() -> Vec<Trial> {
    let trials = trials!("real::imaplib"; in_cleartext_with_secrets_shown, with_starttls, with_tls);
    needing(&[DOVECOT, PYTHON], trials)
}

const SESSION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/real/session.py");
const WRONG_PASSWORD: &str = "closed-Sesame-43";

fn with_tls() {
    let secrets = Secrets::Masked(&[PASSWORD, WRONG_PASSWORD]);
    let transcript = session(Security::Tls, secrets);
    untagged_responses_answer_what_asked_for_them(&transcript);
}

fn with_starttls() {
    let secrets = Secrets::Masked(&[PASSWORD, WRONG_PASSWORD]);
    session(Security::Starttls, secrets);
}

fn in_cleartext_with_secrets_shown() {
    let transcript = session(Security::Cleartext, Secrets::Shown);
    assert!(transcript.text().contains(PASSWORD));
    assert!(transcript.text().contains(WRONG_PASSWORD));
    assert!(healthy::is_in_base64(PASSWORD, transcript.text()));
}

fn session(security: Security, secrets: Secrets) -> Transcript {
    let dovecot = Dovecot::start();
    for user in [DIRECT, THROUGH] {
        dovecot.user(user, &[("INBOX", &inbox()), ("Archive", &[])]);
    }
    let mut recording = recording(&dovecot, security);
    if secrets == Secrets::Shown {
        recording = recording.with(&["--show-secrets"]);
    }
    let mut mailscope = recording.start();
    let (direct, through) = (direct(&dovecot, security), through(&mailscope, security));
    let (obtained, expected) = at_once(|| obtained(&through), || obtained(&direct));
    healthy::same_text(&obtained, &expected);
    healthy::check(&dovecot, &mut mailscope, 2, secrets)
}

pub(super) fn obtained(door: &Door) -> String {
    let security = match door.security {
        Security::Tls => "tls",
        Security::Starttls => "starttls",
        Security::Cleartext => "plain",
    };
    let printed = run(Command::new(PYTHON.path().unwrap())
        .args([SESSION, security, &door.port.to_string()])
        .arg(&door.ca)
        .args([door.user, PASSWORD, WRONG_PASSWORD]));
    String::from_utf8(printed).unwrap()
}

pub(super) fn inbox() -> Vec<Mail> {
    let long_line = "a line as long as no client wraps it, ".repeat(60);
    vec![
        Mail::new(
            "S",
            "From: Alice <alice@example.org>\nTo: bob@example.org\nMessage-ID: <1@example.org>\nSubject: see ticket {5}\n\nOne line.\n",
        ),
        Mail::new(
            "",
            format!(
                "From: \"B, ob\" <bob@example.org>\nMessage-ID: <2@example.org>\nIn-Reply-To: <1@example.org>\nSubject: Re: see ticket {{5}}\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\ngrün\n{long_line}\n)\na OK not a response {{3}}\n"
            ),
        ),
        Mail::new(
            "F",
            b"From: c@example.org\nSubject: 8-bit \xe9\n\n\xff\xfe\x80 \xe9t\xe9\n".as_slice(),
        ),
        Mail::new(
            "RS",
            "Subject: \"quoted\" and \\ back\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\npart one\n--x\nContent-Type: application/octet-stream; name=\"a \\\"b\\\".bin\"\n\nAAAA\n--x--\n",
        ),
        Mail::new("", "From: e@example.org\nSubject: no body\n"),
        Mail::new(
            "D",
            format!(
                "From: f@example.org\nSubject: large\n\n{}",
                "0123456789abcdef\n".repeat(9_000)
            ),
        ),
    ]
}

fn untagged_responses_answer_what_asked_for_them(transcript: &Transcript) {
    let commands = transcript.kind("command");
    let asked_by = |event: &Value| {
        let command = commands.iter().find(|c| c["n"] == event["answers"])?;
        command["name"].as_str()
    };
    let mut seen = Vec::new();
    for event in transcript.kind("untagged") {
        let name = event["name"].as_str().unwrap();
        let by = asked_by(event).unwrap_or("nobody");
        let is_right = match name {
            "CAPABILITY" => ["CAPABILITY", "LOGIN", "AUTHENTICATE"].contains(&by),
            "FETCH" => ["FETCH", "UID FETCH", "STORE", "nobody"].contains(&by),
            "EXPUNGE" => ["EXPUNGE", "UID MOVE", "nobody"].contains(&by),
            "EXISTS" | "RECENT" => ["SELECT", "EXAMINE", "nobody"].contains(&by),
            "FLAGS" => ["SELECT", "EXAMINE", "nobody"].contains(&by),
            "BYE" => by == "LOGOUT",
            "OK" => ["SELECT", "EXAMINE", "UID MOVE", "nobody"].contains(&by),
            "SEARCH" => ["SEARCH", "UID SEARCH"].contains(&by),
            other => by == other,
        };
        assert!(is_right, "{name} by {by}: {event}");
        seen.push((name, by));
    }
    for expected in [
        ("FETCH", "FETCH"),
        ("FETCH", "UID FETCH"),
        ("FETCH", "STORE"),
        // Another client's change, told while NOOP was on; the mail that came during IDLE; what the
        // other expunged.
        ("FETCH", "nobody"),
        ("EXISTS", "nobody"),
        ("EXPUNGE", "nobody"),
        ("EXPUNGE", "EXPUNGE"),
        ("EXPUNGE", "UID MOVE"),
        ("BYE", "LOGOUT"),
    ] {
        assert!(seen.contains(&expected), "{expected:?} in {seen:?}");
    }
}
