//! Node's `imapflow`: a scripted session, `imapflow/session.cjs`, that compresses where it
//! can, and has a mail come during IDLE. `.ci/imapflow` installs what its lock file says.

use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::Trial;

use super::super::support::dovecot::{Dovecot, PASSWORD, WITH_COMPRESS};
use super::super::support::maildir::Mail;
use super::super::support::mailscope::Mailscope;
use super::super::support::programs::{DOVECOT, NODE, ignored, needing};
use super::super::support::transcript::Transcript;
use super::super::support::trials;
use super::healthy::{self, Secrets};
use super::{DIRECT, Door, Security, THROUGH, at_once, direct, recording, run, through};

pub fn trials() -> Vec<Trial> {
    let trials = trials!("real::imapflow"; compressed, in_cleartext, with_starttls, with_tls);
    needing_imapflow(needing(&[DOVECOT], trials))
}

/// These trials, ignored with what installs it where it or Node is missing.
pub fn needing_imapflow(trials: Vec<Trial>) -> Vec<Trial> {
    match modules().join("imapflow").is_dir() {
        true => needing(&[NODE], trials),
        false => ignored(".ci/imapflow", trials),
    }
}

const SESSION: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/it/real/imapflow/session.cjs"
);
pub(super) const CONNECTIONS: usize = 2;
const SECRETS: Secrets = Secrets::Masked(&[PASSWORD]);

/// Where `.ci/imapflow` puts it: beside what Cargo builds.
pub fn modules() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    target.join("imapflow/node_modules")
}

fn with_tls() {
    is_the_same(Security::Tls);
}

fn with_starttls() {
    is_the_same(Security::Starttls);
}

fn in_cleartext() {
    is_the_same(Security::Cleartext);
}

fn is_the_same(security: Security) {
    let dovecot = Dovecot::start();
    let (printed, mut mailscope) = session(&dovecot, security);
    let transcript = healthy::check(&dovecot, &mut mailscope, CONNECTIONS, SECRETS);
    assert!(printed.contains("compressed: false"), "{printed}");
    has_all_of_it(&transcript);
}

fn compressed() {
    let dovecot = Dovecot::start_with(WITH_COMPRESS);
    let (printed, mut mailscope) = session(&dovecot, Security::Tls);
    let transcript = healthy::check_without_rawlogs(&mut mailscope, CONNECTIONS, SECRETS);
    assert!(printed.contains("compressed: true"), "{printed}");
    assert_eq!(transcript.kind("compressed").len(), CONNECTIONS);
    has_all_of_it(&transcript);
}

/// The session through mailscope, which is to obtain what the one without does; what that is.
fn session(dovecot: &Dovecot, security: Security) -> (String, Mailscope) {
    for user in [DIRECT, THROUGH] {
        dovecot.user(user, &[("INBOX", &inbox()), ("Archive", &[])]);
    }
    let mailscope = recording(dovecot, security).start();
    let (direct, through) = (direct(dovecot, security), through(&mailscope, security));
    let (obtained, expected) = at_once(|| obtained(&through), || obtained(&direct));
    healthy::same_text(&obtained, &expected);
    (obtained, mailscope)
}

pub(super) fn obtained(door: &Door) -> String {
    let security = match door.security {
        Security::Tls => "tls",
        Security::Starttls => "starttls",
        Security::Cleartext => "plain",
    };
    let printed = run(Command::new(NODE.path().unwrap())
        .env("NODE_PATH", modules())
        .args([SESSION, security, &door.port.to_string()])
        .arg(&door.ca)
        .args([door.user, PASSWORD]));
    String::from_utf8(printed).unwrap()
}

pub(super) fn inbox() -> Vec<Mail> {
    vec![
        Mail::new(
            "S",
            "From: Alice <alice@example.org>\nMessage-ID: <1@example.org>\nSubject: =?utf-8?q?gr=C3=BCn?= {5}\n\nOne line.\n",
        ),
        Mail::new(
            "",
            "From: \"B, ob\" <bob@example.org>\nSubject: to be moved\n\na OK not a response {3}\n",
        ),
        Mail::new(
            "F",
            b"From: c@example.org\nSubject: 8-bit \xe9\n\n\xff\xfe\x80 \xe9t\xe9\n".as_slice(),
        ),
        Mail::new(
            "RS",
            "Subject: parts\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\npart one\n--x\nContent-Type: application/octet-stream; name=\"a \\\"b\\\".bin\"\n\nAAAA\n--x--\n",
        ),
        Mail::new(
            "D",
            format!(
                "From: f@example.org\nSubject: large\n\n{}",
                "0123456789abcdef\n".repeat(9_000)
            ),
        ),
    ]
}

/// What the session does is there by name, and the mail that came during IDLE is nobody's answer.
fn has_all_of_it(transcript: &Transcript) {
    let names: Vec<_> = transcript.kind("command");
    let names: Vec<_> = names.iter().map(|c| c["name"].as_str().unwrap()).collect();
    for name in [
        "ID", "ENABLE", "LIST", "SELECT", "FETCH", "IDLE", "APPEND", "LOGOUT",
    ] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
    let came = transcript.kind("untagged").into_iter();
    let mut came = came.filter(|event| event["name"] == "EXISTS" && event["unsolicited"] == true);
    assert!(came.next().is_some(), "{}", transcript.text());
}
