//! `curl` that keeps Dovecot's name and port, and comes by SOCKS5.

use libtest_mimic::Trial;

use super::super::support::dovecot::{Dovecot, PASSWORD};
use super::super::support::mailscope::record_diverted;
use super::super::support::programs::{CURL, DOVECOT, needing};
use super::super::support::trials;
use super::curl::{QUESTIONS, answers, ask, inbox};
use super::healthy::{self, Secrets};
use super::{DIRECT, Door, Security, THROUGH, direct};

pub fn trials() -> Vec<Trial> {
    let trials = trials!("real::socks";
        curl_begins_tls_at_once,
        curl_begins_tls_with_starttls,
        several_servers_in_one_run,
    );
    needing(&[DOVECOT, CURL], trials)
}

/// The same door, by a proxy; who trusts whom is different there.
fn by_proxy(direct: Door, way: &str, mailscope: &super::Mailscope) -> Door {
    Door {
        ca: mailscope.ca(),
        user: THROUGH,
        proxy: vec![way.to_owned(), mailscope.socks().to_owned()],
        ..direct
    }
}

fn curl_begins_tls_at_once() {
    obtains_the_same(Security::Tls, "--socks5-hostname");
}

fn curl_begins_tls_with_starttls() {
    obtains_the_same(Security::Starttls, "--socks5");
}

/// Neither server nor security was told to mailscope.
fn obtains_the_same(security: Security, way: &str) {
    let dovecot = Dovecot::start();
    for user in [DIRECT, THROUGH] {
        dovecot.user(user, &[("INBOX", &inbox()), ("Archive", &[])]);
    }
    let expected = answers(&direct(&dovecot, Security::Tls));
    let mut mailscope = record_diverted("--listen-socks")
        .with(&["--as", "imap.example.com"])
        .with(&["--server-ca", dovecot.ca().to_str().unwrap()])
        .start();
    let door = by_proxy(direct(&dovecot, security), way, &mailscope);
    let answers = answers(&door);
    for (answer, expected) in answers.iter().zip(&expected) {
        healthy::same_text(answer, expected);
    }
    let secrets = Secrets::Masked(&[PASSWORD]);
    let transcript = healthy::check(&dovecot, &mut mailscope, QUESTIONS.len(), secrets);
    let secured = transcript.kind("secured");
    assert_eq!(secured.len(), 2 * QUESTIONS.len());
    for event in secured {
        assert_eq!(event["sni"], "localhost", "{event}");
    }
    let host = match way {
        "--socks5" => "127.0.0.1",
        _ => "localhost",
    };
    for event in transcript.kind("connected") {
        assert_eq!(event["server"], format!("{host}:{}", door.port), "{event}");
    }
    assert_eq!(transcript.header()["server"], "socks");
}

fn several_servers_in_one_run() {
    let (one, other) = (Dovecot::start(), Dovecot::start());
    let folder = tempfile::tempdir().unwrap();
    let both = folder.path().join("both.pem");
    let certificates = [one.ca(), other.ca()].map(|ca| std::fs::read_to_string(ca).unwrap());
    std::fs::write(&both, certificates.concat()).unwrap();
    let mut mailscope = record_diverted("--listen-socks")
        .with(&["--unconstrained-ca", "--server-ca", both.to_str().unwrap()])
        .start();
    for (dovecot, mailbox) in [(&one, "First"), (&other, "Second")] {
        dovecot.user(THROUGH, &[("INBOX", &[]), (mailbox, &[])]);
        for security in [Security::Tls, Security::Starttls] {
            let door = by_proxy(direct(dovecot, security), "--socks5-hostname", &mailscope);
            let list = String::from_utf8(ask(&door, "", &[])).unwrap();
            assert!(list.contains(mailbox), "{list}");
        }
    }
    mailscope.closed(4);
    let transcript = mailscope.stop();
    let servers = [one.tls(), one.plain(), other.tls(), other.plain()];
    let connected = transcript.kind("connected");
    for (event, port) in connected.iter().zip(servers) {
        assert_eq!(event["server"], format!("localhost:{port}"));
    }
    assert_eq!(transcript.kind("note"), Vec::<&serde_json::Value>::new());
}
