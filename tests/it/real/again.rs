//! A client that was recorded against Dovecot, recorded once more in front of a replay of that: both
//! transcripts say the same, whatever secured the legs.

use libtest_mimic::Trial;

use super::super::diff::diff;
use super::super::replay::Replay;
use super::super::support::dovecot::Dovecot;
use super::super::support::mailscope::{Mailscope, record};
use super::super::support::programs::{CURL, DOVECOT, MBSYNC, PYTHON, needing};
use super::super::support::trials;
use super::{Door, Security, THROUGH, curl, imaplib, mbsync, recording, through};

pub fn trials() -> Vec<Trial> {
    let mut trials = needing(
        &[DOVECOT, CURL],
        trials!("real::again"; curl_with_starttls_and_then_with_tls, curl_with_tls),
    );
    trials.extend(needing(
        &[DOVECOT, PYTHON],
        trials!("real::again"; imaplib_with_starttls, imaplib_with_tls, imaplib_with_tls_and_then_with_starttls),
    ));
    trials.extend(needing(
        &[DOVECOT, MBSYNC],
        trials!("real::again"; mbsync_with_tls),
    ));
    trials
}

/// What a client does, and on how many connections.
type Client<'c> = &'c dyn Fn(&Door) -> usize;

fn recorded(mut mailscope: Mailscope, security: Security, client: Client<'_>) -> Mailscope {
    let connections = client(&through(&mailscope, security));
    mailscope.closed(connections);
    mailscope.stop();
    mailscope
}

/// Records the client against Dovecot, and again without it; the legs are secured in these ways.
fn is_the_same_again(dovecot: Dovecot, legs: [Security; 2], client: Client<'_>) {
    let [first, second] = legs;
    let original = recorded(recording(&dovecot, first).start(), first, client);
    drop(dovecot);
    let mut replay = Replay::start(original.out(), &["--quiet"]);
    let ca = replay.ca();
    let server = match second {
        Security::Tls => format!("imaps://{}", replay.address("tls")),
        Security::Starttls | Security::Cleartext => format!("imap://{}", replay.address("plain")),
    };
    let server = server.replace("127.0.0.1", "localhost");
    let trust = ["--server-ca", ca.to_str().unwrap()];
    let again = recorded(record(&server).with(&trust).start(), second, client);
    let (_, report) = replay.stop();
    assert_eq!(report["mismatches"], serde_json::json!([]), "{report:#}");
    let (code, said) = diff(original.out(), again.out());
    assert_eq!(code, 0, "{said}");
    assert!(said.starts_with("equal: "), "{said}");
}

fn curl_with_tls() {
    curl_again([Security::Tls, Security::Tls]);
}

fn curl_with_starttls_and_then_with_tls() {
    curl_again([Security::Starttls, Security::Tls]);
}

fn curl_again(legs: [Security; 2]) {
    let dovecot = Dovecot::start();
    dovecot.user(THROUGH, &[("INBOX", &curl::inbox()), ("Archive", &[])]);
    is_the_same_again(dovecot, legs, &|door| curl::answers(door).len());
}

fn imaplib_with_tls() {
    imaplib_again([Security::Tls, Security::Tls]);
}

fn imaplib_with_starttls() {
    imaplib_again([Security::Starttls, Security::Starttls]);
}

fn imaplib_with_tls_and_then_with_starttls() {
    imaplib_again([Security::Tls, Security::Starttls]);
}

fn imaplib_again(legs: [Security; 2]) {
    let dovecot = Dovecot::start();
    dovecot.user(THROUGH, &[("INBOX", &imaplib::inbox()), ("Archive", &[])]);
    is_the_same_again(dovecot, legs, &|door| {
        imaplib::obtained(door);
        2
    });
}

fn mbsync_with_tls() {
    let dovecot = Dovecot::start();
    let mailboxes = [("INBOX", mbsync::inbox()), ("Archive", mbsync::archive())];
    let mailboxes: Vec<_> = mailboxes
        .iter()
        .map(|(name, mails)| (*name, &mails[..]))
        .collect();
    dovecot.user(THROUGH, &mailboxes);
    is_the_same_again(dovecot, [Security::Tls, Security::Tls], &|door| {
        mbsync::Near::new(door).sync();
        1
    });
}
