//! A mailbox that mbsync brought here from Dovecot, scrubbed, and brought to mbsync once more by a
//! replay: the same mails with other words in them.

use std::path::Path;

use libtest_mimic::Trial;
use serde_json::json;

use super::super::replay::Replay;
use super::super::support::dovecot::Dovecot;
use super::super::support::maildir::Mail;
use super::super::support::mailscope::run;
use super::super::support::programs::{DOVECOT, MBSYNC, PYTHON, needing};
use super::super::support::transcript::Transcript;
use super::super::support::{schema, trials};
use super::{Door, Security, THROUGH, imaplib, mbsync, recording, through};

pub fn trials() -> Vec<Trial> {
    let mbsync = trials!("real::scrubbed"; mbsync_obtains_the_same_mails_with_other_words);
    let imaplib = trials!("real::scrubbed"; what_imaplib_said_reads_the_same);
    let mbsync = needing(&[DOVECOT, MBSYNC], mbsync);
    [mbsync, needing(&[DOVECOT, PYTHON], imaplib)]
        .into_iter()
        .flatten()
        .collect()
}

/// What is in no scrubbed octet, in whatever letter case.
const SECRET: [&str; 4] = ["Falkenried", "Quittung", "example.org", "Marzipan"];

fn mails() -> Vec<Mail> {
    let mut mails = mbsync::inbox();
    mails.push(Mail::new(
        "S",
        "From: Ada Falkenried <ada@falkenried.example.org>\nSubject: =?utf-8?Q?Quittung_f=C3=BCr_Marzipan?=\n\
         Message-ID: <Quittung-7@example.org>\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=\"Marzipan-1\"\n\n\
         --Marzipan-1\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n\
         TGllYmUgRnJhdSBGYWxrZW5yaWVkLCBhbmJlaSBkaWUgUXVpdHR1bmcu\n\
         --Marzipan-1\nContent-Type: text/plain; charset=iso-8859-1\n\
         Content-Transfer-Encoding: quoted-printable\n\nDas Marzi=\npan ist f=FCr Sie.\n--Marzipan-1--\n",
    ));
    mails
}

fn mbsync_obtains_the_same_mails_with_other_words() {
    let dovecot = Dovecot::start();
    dovecot.user(
        THROUGH,
        &[("INBOX", &mails()), ("Archive", &mbsync::archive())],
    );
    let mut mailscope = recording(&dovecot, Security::Tls).start();
    let before = mbsync::obtained(&through(&mailscope, Security::Tls));
    mailscope.closed(1);
    let original = mailscope.stop();
    drop(dovecot);
    let scrubbed = mailscope.folder().join("scrubbed.json");
    scrub(mailscope.out(), &scrubbed);
    let transcript = Transcript::read(&scrubbed);
    read_the_same(&original, &transcript);
    let login = transcript.kind("command").into_iter().find_map(|command| {
        let identity = command["identity"].as_str()?;
        Some(identity.to_owned())
    });
    let mut replay = Replay::start(&scrubbed, &["--require-all", "--quiet"]);
    let port = replay.address("tls").rsplit_once(':').unwrap().1;
    let door = Door {
        port: port.parse().unwrap(),
        security: Security::Tls,
        ca: replay.ca(),
        user: String::leak(login.unwrap()),
        proxy: Vec::new(),
    };
    let archive = transcript
        .kind("untagged")
        .into_iter()
        .find_map(|response| {
            let mailbox = response["data"]["mailbox"].as_str();
            mailbox.filter(|_| response["name"] == "LIST" && mailbox != Some("INBOX"))
        });
    let archive = archive.unwrap();
    assert_ne!(archive, "Archive");
    let after = mbsync::obtained_of(&door, ["INBOX", archive]);
    let (code, report) = replay.stop();
    assert_eq!(report["mismatches"], json!([]), "{report:#}");
    assert_eq!(report["never_asked"], json!([]), "{report:#}");
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(after.len(), before.len());
    for secret in SECRET {
        assert!(holds(&before, secret), "{secret}");
        assert!(!holds(&after, secret), "{secret}");
    }
}

/// Literals of all kinds, from both sides.
fn what_imaplib_said_reads_the_same() {
    let dovecot = Dovecot::start();
    dovecot.user(THROUGH, &[("INBOX", &imaplib::inbox()), ("Archive", &[])]);
    let mut mailscope = recording(&dovecot, Security::Tls).start();
    imaplib::obtained(&through(&mailscope, Security::Tls));
    mailscope.closed(2);
    let original = mailscope.stop();
    drop(dovecot);
    let scrubbed = mailscope.folder().join("scrubbed.json");
    scrub(mailscope.out(), &scrubbed);
    read_the_same(&original, &Transcript::read(&scrubbed));
}

/// All that is no word is as it was: kinds, names, states, numbers, relations, lengths.
fn read_the_same(original: &Transcript, scrubbed: &Transcript) {
    const FIELDS: [&str; 15] = [
        "n",
        "conn",
        "at",
        "from",
        "kind",
        "tag",
        "name",
        "number",
        "answers",
        "ambiguous",
        "unsolicited",
        "status",
        "for",
        "elapsed",
        "mechanism",
    ];
    assert_eq!(schema::errors(scrubbed), [""; 0]);
    assert_eq!(original.events().len(), scrubbed.events().len());
    for (before, after) in original.events().iter().zip(scrubbed.events()) {
        for field in FIELDS {
            assert_eq!(before[field], after[field], "{before} {after}");
        }
        assert_eq!(before["code"]["name"], after["code"]["name"], "{before}");
    }
    for conn in 1..=2 {
        for from in ["client", "server"] {
            let [before, after] = [original, scrubbed].map(|t| t.wire(conn, from, b"********"));
            assert_eq!(before.len(), after.len());
            let lines = |octets: &[u8]| octets.iter().filter(|octet| **octet == b'\n').count();
            assert_eq!(lines(&before), lines(&after));
        }
    }
}

fn scrub(from: &Path, to: &Path) {
    let [from, to] = [from, to].map(|path| path.to_str().unwrap());
    let output = run(&["scrub", from, "-o", to]);
    assert!(output.status.success(), "{output:?}");
}

fn holds(octets: &[u8], word: &str) -> bool {
    let mut windows = octets.windows(word.len());
    windows.any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}
