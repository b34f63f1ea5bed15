//! A mailbox that mbsync brought here from Dovecot, scrubbed, and brought to mbsync once more by a
//! replay: the same mails with other words in them.

use std::path::Path;

use libtest_mimic::Trial;
use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders, PartType};
use serde_json::json;

use super::super::replay::Replay;
use super::super::support::dovecot::Dovecot;
use super::super::support::maildir::Mail;
use super::super::support::mailscope::run;
use super::super::support::programs::{DOVECOT, MBSYNC, needing};
use super::super::support::transcript::Transcript;
use super::super::support::{schema, trials};
use super::replayed::{CLIENTS, Client};
use super::{Door, Security, THROUGH, mbsync, nasty, recording, through};
use crate::support::patience::trial;

pub fn trials() -> Vec<Trial> {
    let mbsync = trials!("real::scrubbed"; mbsync_obtains_the_same_mails_with_other_words);
    let others = CLIENTS.into_iter().flat_map(|client| {
        let name = format!("real::scrubbed::what_{}_said_reads_the_same", client.name);
        let trial = trial(name, move || {
            what_it_said_reads_the_same(&client);
            Ok(())
        });
        client.needing(vec![trial])
    });
    let mbsync = needing(&[DOVECOT, MBSYNC], mbsync);
    mbsync.into_iter().chain(others).collect()
}

fn mbsync_obtains_the_same_mails_with_other_words() {
    let dovecot = Dovecot::start();
    let (inbox, folder) = (mbsync::inbox(), nasty::mails());
    dovecot.user(THROUGH, &[("INBOX", &inbox), (nasty::FOLDER, &folder)]);
    let mut mailscope = recording(&dovecot, Security::Tls).start();
    let door = through(&mailscope, Security::Tls);
    let before = mbsync::mails_of(&door, ["INBOX", nasty::FOLDER]);
    mailscope.closed(1);
    let original = mailscope.stop();
    drop(dovecot);
    assert_eq!(before[1].len(), folder.len());
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
    let mut listed = transcript.kind("untagged").into_iter();
    let other = listed.find_map(|response| {
        let mailbox = response["data"]["mailbox"].as_str();
        mailbox.filter(|_| response["name"] == "LIST" && mailbox != Some("INBOX"))
    });
    let other = other.unwrap();
    assert_ne!(other, nasty::FOLDER);
    assert_eq!(other.len(), nasty::FOLDER.len());
    let after = mbsync::mails_of(&door, ["INBOX", other]);
    let (code, report) = replay.stop();
    assert_eq!(report["mismatches"], json!([]), "{report:#}");
    assert_eq!(report["never_asked"], json!([]), "{report:#}");
    assert_eq!(code, 0, "{report:#}");
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(sizes(before), sizes(after));
    }
    are_built_alike(&before[1], &after[1]);
    let [before, after] = [&before[1], &after[1]].map(|mails| views(mails));
    for secret in nasty::SECRETS {
        let holds = |views: &[String]| {
            let secret = secret.to_lowercase();
            views.iter().find(|view| view.contains(&secret)).cloned()
        };
        assert!(holds(&before).is_some(), "{secret} was not there");
        assert_eq!(holds(&after), None, "{secret}");
    }
}

fn sizes(mails: &[Mail]) -> Vec<(usize, &str)> {
    let size = |mail: &&Mail| mail.content.len();
    let mut sizes: Vec<_> = mails
        .iter()
        .map(|mail| (size(&mail), &*mail.flags))
        .collect();
    sizes.sort_unstable();
    sizes
}

/// As many parts, of the same types and encodings, as long.
fn are_built_alike(before: &[Mail], after: &[Mail]) {
    for mail in before {
        let other = after
            .iter()
            .find(|other| other.content.len() == mail.content.len());
        let [mail, other] = [mail, other.unwrap()].map(|mail| built(&mail.content));
        assert_eq!(mail, other);
    }
}

fn built(mail: &[u8]) -> Vec<String> {
    let mail = MessageParser::default().parse(mail).unwrap();
    let part = |part: &MessagePart<'_>| {
        let kind = part.content_type().map(|kind| {
            let known = ["us-ascii", "utf-8", "utf-16le", "koi8-r", "iso-2022-jp"];
            let charset = kind.attribute("charset");
            let charset = charset.filter(|charset| known.contains(charset));
            format!("{}/{:?} {charset:?}", kind.c_type, kind.c_subtype)
        });
        let nested = match &part.body {
            PartType::Message(mail) => mail.parts.len(),
            _ => 0,
        };
        format!("{kind:?} {:?} {} {nested}", part.encoding, part.raw_len())
    };
    mail.parts.iter().map(part).collect()
}

/// Everything that a reader of the mails may come to see.
fn views(mails: &[Mail]) -> Vec<String> {
    let mut views = Vec::new();
    for mail in mails {
        views.push(String::from_utf8_lossy(&mail.content).to_lowercase());
        views.push(
            mail.content
                .iter()
                .map(|octet| char::from(*octet))
                .collect(),
        );
        seen(
            &MessageParser::default().parse(&mail.content).unwrap(),
            &mut views,
        );
    }
    views
}

fn seen(mail: &Message<'_>, views: &mut Vec<String>) {
    for part in &mail.parts {
        for header in &part.headers {
            views.push(format!("{:?}", header.value).to_lowercase());
        }
        match &part.body {
            PartType::Message(mail) => seen(mail, views),
            _ => views.push(String::from_utf8_lossy(part.contents()).to_lowercase()),
        }
    }
}

/// What a client said, whichever it is. It cannot be played that to again, since what it appends and
/// searches for is its own.
fn what_it_said_reads_the_same(client: &Client) {
    let dovecot = Dovecot::start();
    client.prepare(&dovecot);
    let mut mailscope = recording(&dovecot, Security::Tls).start();
    (client.obtained)(&through(&mailscope, Security::Tls));
    mailscope.closed(client.connections);
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
    for conn in 1..=4 {
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
