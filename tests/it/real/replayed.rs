//! A client that was recorded against Dovecot, started again against the recording alone: it obtains
//! what it obtained.

use libtest_mimic::Trial;
use serde_json::json;

use super::super::replay::Replay;
use super::super::support::dovecot::Dovecot;
use super::super::support::mailscope::Mailscope;
use super::super::support::programs::{CURL, DOVECOT, MBSYNC, PYTHON, needing};
use super::super::support::trials;
use super::{Door, Security, THROUGH, curl, healthy, imaplib, mbsync, recording, through};

pub fn trials() -> Vec<Trial> {
    let mut trials = needing(
        &[DOVECOT, CURL],
        trials!("real::replayed"; curl_obtains_the_same, curl_obtains_the_same_with_starttls),
    );
    trials.extend(needing(
        &[DOVECOT, PYTHON],
        trials!("real::replayed"; imaplib_obtains_the_same, imaplib_obtains_the_same_with_starttls),
    ));
    trials.extend(needing(
        &[DOVECOT, MBSYNC],
        trials!("real::replayed"; mbsync_obtains_the_same),
    ));
    trials
}

/// The transcript is whole; Dovecot is gone.
fn replay(mailscope: &mut Mailscope, dovecot: Dovecot, connections: usize) -> Replay {
    mailscope.closed(connections);
    mailscope.stop();
    drop(dovecot);
    Replay::start(mailscope.out(), &["--require-all", "--quiet"])
}

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

fn everything_matched(replay: &mut Replay) {
    let (code, report) = replay.stop();
    assert_eq!(report["mismatches"], json!([]), "{report:#}");
    assert_eq!(report["never_asked"], json!([]), "{report:#}");
    assert_eq!(code, 0);
}

fn curl_obtains_the_same() {
    curl_again(Security::Tls);
}

fn curl_obtains_the_same_with_starttls() {
    curl_again(Security::Starttls);
}

fn curl_again(security: Security) {
    let dovecot = Dovecot::start();
    dovecot.user(THROUGH, &[("INBOX", &curl::inbox()), ("Archive", &[])]);
    let mut mailscope = recording(&dovecot, security).start();
    let expected = curl::answers(&through(&mailscope, security));
    let mut replay = replay(&mut mailscope, dovecot, expected.len());
    let answers = curl::answers(&door(&replay, security));
    for (answer, expected) in answers.iter().zip(&expected) {
        healthy::same_text(answer, expected);
    }
    everything_matched(&mut replay);
}

fn imaplib_obtains_the_same() {
    imaplib_again(Security::Tls);
}

fn imaplib_obtains_the_same_with_starttls() {
    imaplib_again(Security::Starttls);
}

fn imaplib_again(security: Security) {
    let dovecot = Dovecot::start();
    dovecot.user(THROUGH, &[("INBOX", &imaplib::inbox()), ("Archive", &[])]);
    let mut mailscope = recording(&dovecot, security).start();
    let expected = imaplib::obtained(&through(&mailscope, security));
    let mut replay = replay(&mut mailscope, dovecot, 2);
    healthy::same_text(&imaplib::obtained(&door(&replay, security)), &expected);
    everything_matched(&mut replay);
}

fn mbsync_obtains_the_same() {
    let dovecot = Dovecot::start();
    let mailboxes = [("INBOX", mbsync::inbox()), ("Archive", mbsync::archive())];
    let mailboxes: Vec<_> = mailboxes
        .iter()
        .map(|(name, mails)| (*name, &mails[..]))
        .collect();
    dovecot.user(THROUGH, &mailboxes);
    let mut mailscope = recording(&dovecot, Security::Tls).start();
    let first = mbsync::Near::new(&through(&mailscope, Security::Tls));
    first.sync();
    let expected = ["INBOX", "Archive"].map(|mailbox| first.mails(mailbox));
    let mut replay = replay(&mut mailscope, dovecot, 1);
    let second = mbsync::Near::new(&door(&replay, Security::Tls));
    second.sync();
    assert!(["INBOX", "Archive"].map(|mailbox| second.mails(mailbox)) == expected);
    everything_matched(&mut replay);
}
