//! `curl`: a connection for each thing that is asked for.

use std::path::Path;
use std::process::Command;

use libtest_mimic::Trial;

use super::super::support::dovecot::{Dovecot, PASSWORD};
use super::super::support::maildir::{self, Mail};
use super::super::support::noise;
use super::super::support::programs::{CURL, DOVECOT, needing};
use super::super::support::trials;
use super::healthy::{self, Secrets};
use super::{DIRECT, Door, Security, THROUGH, direct, recording, run, through};

pub fn trials() -> Vec<Trial> {
    let trials = trials!("real::curl"; in_cleartext, uploads, with_tls);
    needing(&[DOVECOT, CURL], trials)
}

/// The path of the URL, and what else curl is told.
pub(super) const QUESTIONS: [(&str, &[&str]); 8] = [
    ("", &[]),
    ("INBOX;UID=1", &[]),
    ("INBOX;MAILINDEX=2", &["--login-options", "AUTH=PLAIN"]),
    (
        "INBOX;UID=3;SECTION=TEXT",
        &["--login-options", "AUTH=LOGIN"],
    ),
    ("INBOX?SUBJECT%20large", &[]),
    ("INBOX?UNSEEN%20OR%20BODY%20%22gr%C3%BCn%22%20NEW", &[]),
    ("INBOX", &["-X", "FETCH 1:* (FLAGS RFC822.SIZE ENVELOPE)"]),
    ("", &["-X", "STATUS Archive (MESSAGES UIDVALIDITY)"]),
];

fn with_tls() {
    obtains_the_same(Security::Tls);
}

fn in_cleartext() {
    obtains_the_same(Security::Cleartext);
}

/// The app's leg is secured like this; Dovecot's has TLS in any case.
fn obtains_the_same(security: Security) {
    let dovecot = Dovecot::start();
    for user in [DIRECT, THROUGH] {
        dovecot.user(user, &[("INBOX", &inbox()), ("Archive", &[])]);
    }
    let expected = answers(&direct(&dovecot, Security::Tls));
    let mut mailscope = recording(&dovecot, Security::Tls).start();
    let answers = answers(&through(&mailscope, security));
    for (answer, expected) in answers.iter().zip(&expected) {
        healthy::same_text(answer, expected);
    }
    let secrets = Secrets::Masked(&[PASSWORD]);
    let transcript = healthy::check(&dovecot, &mut mailscope, QUESTIONS.len(), secrets);

    let names = transcript.kind("command");
    let names: Vec<&str> = names.iter().map(|c| c["name"].as_str().unwrap()).collect();
    for name in [
        "AUTHENTICATE",
        "LIST",
        "UID FETCH",
        "FETCH",
        "SEARCH",
        "STATUS",
    ] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
    for command in transcript.kind("command") {
        if command["name"] == "AUTHENTICATE" {
            assert_eq!(command["identity"], THROUGH, "{command}");
        }
    }
}

fn uploads() {
    let dovecot = Dovecot::start();
    for user in [DIRECT, THROUGH] {
        dovecot.user(user, &[("INBOX", &[])]);
    }
    let folder = tempfile::tempdir().unwrap();
    let mut expected = Vec::new();
    for (number, mail) in mails_to_upload().iter().enumerate() {
        let file = folder.path().join(format!("{number}.eml"));
        std::fs::write(&file, mail).unwrap();
        expected.push((file, mail.clone()));
    }
    let upload = |door: &Door| {
        for (number, (file, mail)) in expected.iter().enumerate() {
            ask(door, "INBOX", &["-T", path(file)]);
            let back = ask(door, &format!("INBOX;UID={}", number + 1), &[]);
            assert!(
                back == *mail,
                "mail {number}: {} octets came back",
                back.len()
            );
        }
    };
    upload(&direct(&dovecot, Security::Cleartext));
    let mut mailscope = recording(&dovecot, Security::Cleartext).start();
    upload(&through(&mailscope, Security::Cleartext));
    let kept = |user| maildir::read(&dovecot.mailbox(user, "INBOX"));
    assert!(kept(DIRECT) == kept(THROUGH));
    let connections = 2 * expected.len();
    healthy::check(
        &dovecot,
        &mut mailscope,
        connections,
        Secrets::Masked(&[PASSWORD]),
    );
}

/// What curl prints for each question.
pub(super) fn answers(door: &Door) -> Vec<String> {
    answers_to(door, &QUESTIONS)
}

/// What curl prints for each of these.
pub(super) fn answers_to(door: &Door, questions: &[(&str, &[&str])]) -> Vec<String> {
    let ask = |question| answer(door, question);
    questions.iter().map(ask).collect()
}

/// What it prints for one; octets that are not ASCII as escapes.
pub(super) fn answer(door: &Door, (url, arguments): &(&str, &[&str])) -> String {
    let printed = ask(door, url, arguments);
    let mut lines: Vec<String> = printed
        .split_inclusive(|&octet| octet == b'\n')
        .map(|line| line.escape_ascii().to_string())
        .collect();
    if url.is_empty() {
        // LIST's order is that of the folder on the server's disk.
        lines.sort();
    }
    lines.concat()
}

pub(super) fn ask(door: &Door, url: &str, arguments: &[&str]) -> Vec<u8> {
    let scheme = match door.security {
        Security::Tls => "imaps",
        Security::Starttls | Security::Cleartext => "imap",
    };
    let upgrade: &[&str] = match door.security {
        Security::Starttls => &["--ssl-reqd"],
        _ => &[],
    };
    run(Command::new(CURL.path().unwrap())
        .args(["--silent", "--show-error", "--max-time", "60", "--cacert"])
        .arg(&door.ca)
        .args(["--user", &format!("{}:{PASSWORD}", door.user)])
        .args(upgrade)
        .args(&door.proxy)
        .args(arguments)
        .arg(format!("{scheme}://localhost:{}/{url}", door.port)))
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

pub(super) fn inbox() -> Vec<Mail> {
    let long_line = "no client wraps this line, ".repeat(300);
    vec![
        Mail::new(
            "S",
            "Subject: {7}\nFrom: a@example.org\n\n* 1 FETCH (FLAGS ())\nA003 OK {3}\n",
        ),
        Mail::new(
            "",
            format!(
                "Subject: large\nContent-Type: text/plain; charset=utf-8\n\ngrün {long_line}\n{}",
                "0123456789abcdef\n".repeat(9_000)
            ),
        ),
        Mail::new(
            "F",
            b"Subject: 8-bit \xe9\n\n\xff\xfe\x80 \xe9t\xe9\n".as_slice(),
        ),
    ]
}

fn mails_to_upload() -> Vec<Vec<u8>> {
    let mut large = b"Subject: large\r\n\r\n".to_vec();
    for line in noise(7, 150_000).chunks(997) {
        // What no mail may hold, and what Dovecot would change.
        let line = line.iter().filter(|octet| !b"\0\r\n".contains(octet));
        large.extend(line);
        large.extend_from_slice(b"\r\n");
    }
    vec![b"Subject: small\r\n\r\ngr\xc3\xbcn {5}\r\n".to_vec(), large]
}
