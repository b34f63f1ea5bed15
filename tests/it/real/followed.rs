//! What mailscope knows of a mailbox from outside is what Dovecot has inside: the UIDs that it tells of
//! messages that are named by their numbers alone.

use std::process::Command;

use serde_json::Value;

use libtest_mimic::Trial;

use super::super::support::dovecot::{Dovecot, PASSWORD};
use super::super::support::maildir::Mail;
use super::super::support::programs::{DOVECOT, PYTHON, needing};
use super::super::support::trials;
use super::{Security, THROUGH, recording, run, through};

pub fn trials() -> Vec<Trial> {
    let trials = trials!("real::followed"; messages_that_go_are_told_with_the_uids_that_they_had);
    needing(&[DOVECOT, PYTHON], trials)
}

/// Prints the UIDs that are there, at first and after each thing that takes some away.
const SESSION: &str = r#"
import imaplib, sys
first = imaplib.IMAP4("localhost", int(sys.argv[1]))
first.login(sys.argv[2], sys.argv[3])
first.select("INBOX")
def uids():
    print(first.uid("SEARCH", None, "ALL")[1][0].decode(), flush=True)
uids()
first.uid("FETCH", "1:*", "(FLAGS)")
first.store("2,5:6", "+FLAGS", r"(\Deleted)")
first.expunge()
uids()
other = imaplib.IMAP4("localhost", int(sys.argv[1]))
other.login(sys.argv[2], sys.argv[3])
other.select("INBOX")
other.store("3", "+FLAGS", r"(\Deleted \Seen)")
other.store("1", "+FLAGS", r"(\Flagged)")
other.expunge()
other.logout()
first.noop()
uids()
first.uid("MOVE", first.uid("SEARCH", None, "ALL")[1][0].split()[0].decode(), "Archive")
uids()
first.logout()
"#;

fn messages_that_go_are_told_with_the_uids_that_they_had() {
    let dovecot = Dovecot::start();
    let mails = (0..9).map(|n| Mail::new("", format!("Subject: {n}\n\n{n}\n")));
    let mails: Vec<Mail> = mails.collect();
    dovecot.user(THROUGH, &[("INBOX", &mails), ("Archive", &[])]);
    let mut mailscope = recording(&dovecot, Security::Cleartext).start();
    let door = through(&mailscope, Security::Cleartext);
    let port = door.port.to_string();
    let python = PYTHON.path().unwrap();
    let printed = run(Command::new(python).args(["-c", SESSION, &port, THROUGH, PASSWORD]));
    let printed = String::from_utf8(printed).unwrap();
    mailscope.closed(2);
    let transcript = mailscope.stop();

    let there: Vec<Vec<u64>> = printed
        .lines()
        .map(|line| line.split(' ').map(|uid| uid.parse().unwrap()).collect())
        .collect();
    let gone = there.windows(2).flat_map(|pair| {
        let gone = pair[0].iter().filter(|uid| !pair[1].contains(uid));
        gone.copied().collect::<Vec<_>>()
    });
    let mut gone: Vec<u64> = gone.collect();
    assert_eq!(gone.len(), 5, "{printed}");
    let told = |name: &str, conn: u64| {
        let events = transcript.kind("untagged").into_iter();
        let events = events.filter(move |event| event["name"] == name && event["conn"] == conn);
        events
            .filter_map(|event| event["uid"].as_u64())
            .collect::<Vec<_>>()
    };
    let mut expunged = told("EXPUNGE", 1);
    expunged.sort_unstable();
    gone.sort_unstable();
    assert_eq!(expunged, gone, "{}", transcript.text());
    // The other connection was told no UID, so that none is known there.
    assert!(told("EXPUNGE", 2).is_empty());
    // And the flag that the other one set is told of the message that has it.
    let flagged: Vec<Value> = transcript
        .kind("untagged")
        .into_iter()
        .filter(|event| {
            event["name"] == "FETCH" && event["unsolicited"] == true && event["conn"] == 1
        })
        .filter(|event| {
            event["data"]["items"]["FLAGS"]
                .to_string()
                .contains("Flagged")
        })
        .cloned()
        .collect();
    let [flagged] = flagged.as_slice() else {
        panic!("{flagged:?}");
    };
    assert_eq!(
        (&flagged["number"], &flagged["uid"]),
        (&1.into(), &there[1][0].into())
    );
}
