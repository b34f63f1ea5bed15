//! A client that was recorded against Dovecot, started again against the recording's short text form.

use libtest_mimic::Trial;
use serde_json::json;

use super::super::replay::Replay;
use super::super::support::dovecot::Dovecot;
use super::super::support::mailscope::run;
use super::super::support::programs::{DOVECOT, PYTHON, needing};
use super::super::support::trials;
use super::{Door, Security, THROUGH, healthy, imaplib, recording, through};

pub fn trials() -> Vec<Trial> {
    let trials = trials!("real::exported"; imaplib_obtains_the_same_from_a_text);
    needing(&[DOVECOT, PYTHON], trials)
}

/// Its literals, on both sides, are the point: synchronizing ones, of 8-bit octets, long ones.
fn imaplib_obtains_the_same_from_a_text() {
    let dovecot = Dovecot::start();
    dovecot.user(THROUGH, &[("INBOX", &imaplib::inbox()), ("Archive", &[])]);
    let mut mailscope = recording(&dovecot, Security::Tls).start();
    let expected = imaplib::obtained(&through(&mailscope, Security::Tls));
    mailscope.closed(2);
    mailscope.stop();
    drop(dovecot);
    let text = mailscope.folder().join("session.txt");
    let [from, to] = [mailscope.out(), &text].map(|path| path.to_str().unwrap());
    let exported = run(&["export", from, "--to", "text", "-o", to]);
    assert!(exported.status.success(), "{exported:?}");
    let mut replay = Replay::start(&text, &["--require-all", "--quiet"]);
    let door = Door {
        port: replay
            .address("tls")
            .rsplit_once(':')
            .unwrap()
            .1
            .parse()
            .unwrap(),
        security: Security::Tls,
        ca: replay.ca(),
        user: THROUGH,
        proxy: Vec::new(),
    };
    healthy::same_text(&imaplib::obtained(&door), &expected);
    let (code, report) = replay.stop();
    assert_eq!(report["mismatches"], json!([]), "{report:#}");
    assert_eq!(code, 0, "{report:#}");
}
