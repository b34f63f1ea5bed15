//! Every mix of how the two legs are secured: TLS at once, STARTTLS, cleartext.

use std::process::Command;

use libtest_mimic::Trial;
use serde_json::Value;

use super::super::support::dovecot::{Dovecot, PASSWORD};
use super::super::support::programs::{CURL, DOVECOT, OPENSSL, needing};
use super::super::support::trials;
use super::curl::{QUESTIONS, answers, inbox};
use super::healthy::{self, Secrets};
use super::{DIRECT, Security, THROUGH, direct, recording, run, through};

pub fn trials() -> Vec<Trial> {
    let mixes = trials!("real::legs";
        cleartext_to_cleartext,
        cleartext_to_starttls,
        cleartext_to_tls,
        starttls_to_cleartext,
        starttls_to_starttls,
        starttls_to_tls,
        tls_to_cleartext,
        tls_to_starttls,
        tls_to_tls,
    );
    let openssl = trials!("real::legs"; openssl_begins_tls);
    let mut trials = needing(&[DOVECOT, CURL], mixes);
    trials.extend(needing(&[DOVECOT, OPENSSL], openssl));
    trials
}

fn tls_to_tls() {
    obtains_the_same(Security::Tls, Security::Tls);
}

fn tls_to_starttls() {
    obtains_the_same(Security::Tls, Security::Starttls);
}

fn tls_to_cleartext() {
    obtains_the_same(Security::Tls, Security::Cleartext);
}

fn starttls_to_tls() {
    obtains_the_same(Security::Starttls, Security::Tls);
}

fn starttls_to_starttls() {
    obtains_the_same(Security::Starttls, Security::Starttls);
}

fn starttls_to_cleartext() {
    obtains_the_same(Security::Starttls, Security::Cleartext);
}

fn cleartext_to_tls() {
    obtains_the_same(Security::Cleartext, Security::Tls);
}

fn cleartext_to_starttls() {
    obtains_the_same(Security::Cleartext, Security::Starttls);
}

fn cleartext_to_cleartext() {
    obtains_the_same(Security::Cleartext, Security::Cleartext);
}

/// curl obtains what it obtains directly, and the transcript has all of it in clear.
fn obtains_the_same(app: Security, server: Security) {
    let dovecot = Dovecot::start();
    for user in [DIRECT, THROUGH] {
        dovecot.user(user, &[("INBOX", &inbox()), ("Archive", &[])]);
    }
    let expected = answers(&direct(&dovecot, Security::Tls));
    let mut mailscope = recording(&dovecot, server).start();
    let answers = answers(&through(&mailscope, app));
    for (answer, expected) in answers.iter().zip(&expected) {
        healthy::same_text(answer, expected);
    }
    let secrets = Secrets::Masked(&[PASSWORD]);
    let transcript = healthy::check(&dovecot, &mut mailscope, QUESTIONS.len(), secrets);
    let secured = |leg: &str| {
        let events = transcript.kind("secured");
        events.iter().filter(|event| event["leg"] == leg).count()
    };
    let expected = |leg: Security| match leg {
        Security::Tls | Security::Starttls => QUESTIONS.len(),
        Security::Cleartext => 0,
    };
    assert_eq!(secured("client"), expected(app));
    assert_eq!(secured("server"), expected(server));
}

/// `openssl s_client -starttls imap` on both legs: the app's command is the server's.
fn openssl_begins_tls() {
    let dovecot = Dovecot::start();
    let mut mailscope = recording(&dovecot, Security::Starttls).start();
    let door = through(&mailscope, Security::Starttls);
    let printed = run(Command::new(OPENSSL.path().unwrap())
        .args([
            "s_client",
            "-starttls",
            "imap",
            "-verify_return_error",
            "-verify_quiet",
        ])
        .args([
            "-servername",
            "localhost",
            "-verify_hostname",
            "localhost",
            "-CAfile",
        ])
        .arg(&door.ca)
        .args(["-connect", &format!("localhost:{}", door.port)])
        .stdin(std::process::Stdio::null()));
    let printed = String::from_utf8_lossy(&printed);
    assert!(printed.contains("Verification: OK"), "{printed}");
    mailscope.closed(1);
    let transcript = mailscope.stop();
    let events = transcript.events();
    let place = |is_it: &dyn Fn(&Value) -> bool| events.iter().position(is_it).unwrap();
    let command = place(&|event| event["name"] == "STARTTLS" && event["from"] == "client");
    let answer = place(&|event| event["answers"] == events[command]["n"]);
    let server = place(&|event| event["kind"] == "secured" && event["leg"] == "server");
    let client = place(&|event| event["kind"] == "secured" && event["leg"] == "client");
    assert!(command < answer && answer < server && server < client);
    assert!(events.iter().all(|event| event["from"] != "mailscope"));
}
