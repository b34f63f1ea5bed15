//! A client that does more than was recorded, with `--on-miss record` and Dovecot behind the replay;
//! then without Dovecot, and it obtains the same.

use std::path::Path;
use std::process::Command;

use libtest_mimic::Trial;
use serde_json::json;

use super::super::replay::Replay;
use super::super::support::dovecot::{Dovecot, PASSWORD};
use super::super::support::maildir::Mail;
use super::super::support::mailscope::run as mailscope;
use super::super::support::programs::{CURL, DOVECOT, PYTHON, needing};
use super::super::support::transcript::Transcript;
use super::super::support::{schema, trials, wait_for};
use super::{Door, Security, THROUGH, curl, healthy, lint, recording, run, through};

pub fn trials() -> Vec<Trial> {
    let mut trials = needing(
        &[DOVECOT, PYTHON],
        trials!("real::grown"; imaplib_does_more, imaplib_does_more_with_starttls),
    );
    trials.extend(needing(
        &[DOVECOT, CURL],
        trials!("real::grown"; curl_asks_more, curl_begins_with_nothing),
    ));
    trials
}

const SESSION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/real/grown.py");

fn door(replay: &Replay, security: Security) -> Door {
    let address = match security {
        Security::Tls => replay.address("tls"),
        Security::Starttls | Security::Cleartext => replay.address("plain"),
    };
    Door {
        port: address.rsplit_once(':').unwrap().1.parse().unwrap(),
        security,
        ca: replay.ca(),
        user: THROUGH,
        proxy: Vec::new(),
    }
}

/// A replay that asks Dovecot, on a leg that is secured like this.
fn growing(transcript: &Path, dovecot: &Dovecot, security: Security, more: &[&str]) -> Replay {
    let server = match security {
        Security::Tls => format!("imaps://localhost:{}", dovecot.tls()),
        Security::Starttls | Security::Cleartext => {
            format!("imap://localhost:{}", dovecot.plain())
        }
    };
    let mut flags = vec!["--on-miss", "record", "--server", &server];
    flags.extend(["--server-ca", dovecot.ca().to_str().unwrap()]);
    flags.extend(more);
    Replay::start(transcript, &flags)
}

fn everything_matched(replay: &mut Replay) {
    let (code, report) = replay.stop();
    assert_eq!(report["mismatches"], json!([]), "{report:#}");
    assert_eq!(report["never_asked"], json!([]), "{report:#}");
    assert_eq!(code, 0);
}

/// So many commands were recorded, and nothing was in the way.
fn has_grown(replay: &mut Replay, transcript: &Path, connections: usize) {
    // The last word to the server is said when the app is gone.
    wait_for("the end of the connections to Dovecot", || {
        let transcript = Transcript::try_read(transcript).ok()?;
        let closed = transcript.kind("closed").into_iter();
        let closed = closed.filter(|event| event.get("half").is_none());
        (closed.count() >= connections).then_some(())
    });
    let (code, report) = replay.stop();
    assert_eq!(report["mismatches"], json!([]), "{report:#}");
    assert!(report["recorded"].as_u64().unwrap() > 0);
    assert_eq!(code, 0);
    lint::is_quiet(transcript);
    let grown = Transcript::read(transcript);
    assert_eq!(schema::errors(&grown), [""; 0]);
    let shown = mailscope(&["show", transcript.to_str().unwrap()]);
    assert!(shown.status.success(), "{shown:?}");
    for text in [
        grown.text().to_owned(),
        String::from_utf8(shown.stdout).unwrap(),
        replay.read("stdout"),
        replay.read("stderr"),
        replay.read("report.json"),
    ] {
        assert!(!text.contains(PASSWORD));
        assert!(!healthy::is_in_base64(PASSWORD, &text));
    }
}

fn imaplib_does_more() {
    imaplib(Security::Tls);
}

fn imaplib_does_more_with_starttls() {
    imaplib(Security::Starttls);
}

fn imaplib(security: Security) {
    let dovecot = Dovecot::start();
    let mails = |names: &[&str]| -> Vec<Mail> {
        let mail = |name: &&str| Mail::new("S", format!("Subject: {name}\n\n{name}\n"));
        names.iter().map(mail).collect()
    };
    let mailboxes = [
        ("INBOX", mails(&["one", "two"])),
        ("Archive", mails(&["three"])),
    ];
    let mailboxes: Vec<_> = mailboxes
        .iter()
        .map(|(name, mails)| (*name, &mails[..]))
        .collect();
    dovecot.user(THROUGH, &mailboxes);
    let mut first = recording(&dovecot, security).start();
    obtained(&through(&first, security), "known");
    first.closed(1);
    first.stop();
    let transcript = first.out();
    let mut replay = growing(transcript, &dovecot, security, &[]);
    let expected = obtained(&door(&replay, security), "known+new");
    assert!(
        expected.contains("three") && expected.contains("APPENDUID"),
        "{expected}"
    );
    // Two apps, each with a connection to Dovecot of its own.
    has_grown(&mut replay, transcript, 3);
    drop(dovecot);
    let mut replay = Replay::start(transcript, &["--require-all"]);
    let again = obtained(&door(&replay, security), "known+new");
    healthy::same_text(&again, &expected);
    everything_matched(&mut replay);
}

fn obtained(door: &Door, parts: &str) -> String {
    let security = match door.security {
        Security::Starttls => "starttls",
        _ => "tls",
    };
    let printed = run(Command::new(PYTHON.path().unwrap())
        .args([SESSION, security, &door.port.to_string()])
        .arg(&door.ca)
        .args([door.user, PASSWORD, parts]));
    String::from_utf8(printed).unwrap()
}

fn curl_asks_more() {
    let dovecot = Dovecot::start();
    dovecot.user(THROUGH, &[("INBOX", &curl::inbox()), ("Archive", &[])]);
    let mut first = recording(&dovecot, Security::Tls).start();
    curl::answers_to(&through(&first, Security::Tls), &curl::QUESTIONS[..3]);
    first.closed(3);
    first.stop();
    let transcript = first.out();
    let mut replay = growing(transcript, &dovecot, Security::Tls, &[]);
    let expected = curl::answers(&door(&replay, Security::Tls));
    has_grown(&mut replay, transcript, 3 + 5);
    drop(dovecot);
    let mut replay = Replay::start(transcript, &["--require-all"]);
    assert_eq!(curl::answers(&door(&replay, Security::Tls)), expected);
    everything_matched(&mut replay);
}

fn curl_begins_with_nothing() {
    let dovecot = Dovecot::start();
    dovecot.user(THROUGH, &[("INBOX", &curl::inbox()), ("Archive", &[])]);
    let folder = tempfile::tempdir().unwrap();
    let transcript = folder.path().join("curl.json");
    // Dovecot's leg is secured by STARTTLS, the app's from the beginning.
    let once = ["--record", "once"];
    let mut replay = growing(&transcript, &dovecot, Security::Starttls, &once);
    let expected = curl::answers(&door(&replay, Security::Tls));
    has_grown(&mut replay, &transcript, expected.len());
    drop(dovecot);
    let mut replay = Replay::start(&transcript, &["--require-all"]);
    assert_eq!(curl::answers(&door(&replay, Security::Tls)), expected);
    everything_matched(&mut replay);
}
