//! `mbsync`: two Maildirs that are kept the same as the server's mailboxes, one through mailscope.

use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::Trial;
use tempfile::TempDir;

use super::super::support::dovecot::{Dovecot, PASSWORD};
use super::super::support::maildir::{self, Mail};
use super::super::support::noise;
use super::super::support::programs::{DOVECOT, MBSYNC, needing};
use super::super::support::trials;
use super::healthy::{self, Secrets};
use super::{DIRECT, Door, Security, THROUGH, at_once, direct, recording, run, through};

pub fn trials() -> Vec<Trial> {
    let trials = trials!("real::mbsync"; in_cleartext, with_starttls, with_tls);
    needing(&[DOVECOT, MBSYNC], trials)
}

const MAILBOXES: [&str; 2] = ["INBOX", "Archive"];

fn with_tls() {
    syncs_the_same(Security::Tls);
}

fn with_starttls() {
    syncs_the_same(Security::Starttls);
}

fn in_cleartext() {
    syncs_the_same(Security::Cleartext);
}

fn syncs_the_same(security: Security) {
    let dovecot = Dovecot::start();
    let (inbox, archive) = (inbox(), archive());
    for user in [DIRECT, THROUGH] {
        dovecot.user(user, &[("INBOX", &inbox), ("Archive", &archive)]);
    }
    let mut mailscope = recording(&dovecot, security).start();
    let sides = [
        Side::new(&dovecot, &direct(&dovecot, security)),
        Side::new(&dovecot, &through(&mailscope, security)),
    ];

    let [one, other] = &sides;
    at_once(|| one.sync(), || other.sync());
    for side in &sides {
        assert_eq!(summary(&side.near("INBOX")), listed(&inbox));
        assert_eq!(summary(&side.near("Archive")), listed(&archive));
    }
    are_the_same(&sides);

    for side in &sides {
        side.change_the_near_one();
        side.change_the_far_one();
    }
    at_once(|| one.sync(), || other.sync());
    are_the_same(&sides);
    for side in &sides {
        for mails in [read(&side.near("INBOX")), read(&side.far("INBOX"))] {
            let one = |line: &str| mails.iter().find(|mail| mail.has_field(line));
            assert_eq!(one("Subject: mail 3"), None, "deleted near");
            assert_eq!(one("Subject: mail 4"), None, "deleted far");
            assert_eq!(one("Subject: mail 5").unwrap().flags, "FS");
            assert_eq!(one("Subject: mail 6").unwrap().flags, "RS");
            assert_eq!(one("Subject: written near").unwrap().flags, "S");
            assert_eq!(one("Subject: come far").unwrap().flags, "");
            assert_eq!(mails.len(), inbox.len());
        }
    }
    at_once(|| one.sync(), || other.sync());
    are_the_same(&sides);

    let secrets = Secrets::Masked(&[PASSWORD]);
    let transcript = healthy::check(&dovecot, &mut mailscope, 3, secrets);
    assert!(transcript.kind("literal_part").len() > 1);
}

/// A Maildir here, a user's mailboxes there, and the way between them.
struct Side<'a> {
    dovecot: &'a Dovecot,
    user: &'static str,
    near: Near,
}

/// What mbsync keeps here, and how it gets there.
pub(super) struct Near {
    folder: TempDir,
}

impl Near {
    pub(super) fn new(door: &Door) -> Self {
        Self::of(door, MAILBOXES)
    }

    fn of(door: &Door, [inbox, archive]: [&str; 2]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let near = folder.path().join("near");
        std::fs::create_dir(&near).unwrap();
        // Without TLS mbsync chooses no SASL mechanism itself.
        let (kind, mechanism) = match door.security {
            Security::Tls => ("IMAPS", "PLAIN"),
            Security::Starttls => ("STARTTLS", "PLAIN"),
            Security::Cleartext => ("None", "LOGIN"),
        };
        let config = format!(
            "\
IMAPAccount account
Host localhost
Port {port}
User {user}
Pass {PASSWORD}
SSLType {kind}
AuthMechs {mechanism}
SystemCertificates no
CertificateFile {ca}

IMAPStore far
Account account

MaildirStore near
Path {near}/
Inbox {near}/INBOX

Channel all
Far :far:
Near :near:
Patterns {inbox} {archive}
Create Near
Expunge Both
Sync All
SyncState *
",
            port = door.port,
            user = door.user,
            ca = door.ca.display(),
            near = near.display(),
        );
        std::fs::write(folder.path().join("mbsyncrc"), config).unwrap();
        Self { folder }
    }

    pub(super) fn sync(&self) {
        run(Command::new(MBSYNC.path().unwrap())
            .env("HOME", self.folder.path())
            .arg("--config")
            .arg(self.folder.path().join("mbsyncrc"))
            .arg("all"));
    }

    fn mailbox(&self, mailbox: &str) -> PathBuf {
        self.folder.path().join("near").join(mailbox)
    }
}

/// What a first synchronisation brings here.
pub(super) fn obtained(door: &Door) -> Vec<u8> {
    let mut obtained = Vec::new();
    for (mailbox, mails) in MAILBOXES.iter().zip(mails_of(door, MAILBOXES)) {
        for Mail { content, flags } in mails {
            obtained.extend(format!("{mailbox} {flags}\n").into_bytes());
            obtained.extend(content);
        }
    }
    obtained
}

/// The mails of both mailboxes, where they have these names.
pub(super) fn mails_of(door: &Door, mailboxes: [&str; 2]) -> [Vec<Mail>; 2] {
    let near = Near::of(door, mailboxes);
    near.sync();
    mailboxes.map(|mailbox| read(&near.mailbox(mailbox)))
}

impl<'a> Side<'a> {
    fn new(dovecot: &'a Dovecot, door: &Door) -> Self {
        Self {
            dovecot,
            user: door.user,
            near: Near::new(door),
        }
    }

    fn sync(&self) {
        self.near.sync();
    }

    fn near(&self, mailbox: &str) -> PathBuf {
        self.near.mailbox(mailbox)
    }

    fn far(&self, mailbox: &str) -> PathBuf {
        self.dovecot.mailbox(self.user, mailbox)
    }

    fn change_the_near_one(&self) {
        let inbox = self.near("INBOX");
        maildir::deliver(&inbox, 100, &written_near());
        maildir::set_flags(&maildir::find(&inbox, "Subject: mail 3"), "ST");
        maildir::set_flags(&maildir::find(&inbox, "Subject: mail 5"), "FS");
    }

    fn change_the_far_one(&self) {
        let come = Mail::new("", "Subject: come far\n\nwhile nobody looked\n");
        self.dovecot.deliver(self.user, "INBOX", 101, &come);
        let inbox = self.far("INBOX");
        maildir::set_flags(&maildir::find(&inbox, "Subject: mail 4"), "T");
        maildir::set_flags(&maildir::find(&inbox, "Subject: mail 6"), "RS");
    }
}

fn are_the_same(sides: &[Side; 2]) {
    for mailbox in MAILBOXES {
        for folder in [Side::near, Side::far] {
            let [one, other] = sides;
            let (one, other) = (folder(one, mailbox), folder(other, mailbox));
            assert_eq!(summary(&one), summary(&other), "{mailbox}");
            assert!(read(&one) == read(&other), "{mailbox}");
        }
    }
}

/// The mails without the field that mbsync puts into a mail on its way up, to find it there again;
/// it is random.
fn read(folder: &Path) -> Vec<Mail> {
    const FIELD: &[u8] = b"X-TUID: ";
    let mut mails = maildir::read(folder);
    for mail in &mut mails {
        let header = &mail.content[..mail.content.len().min(500)];
        let found = header.windows(FIELD.len()).position(|part| part == FIELD);
        if let Some(start) = found {
            let length = header[start..].iter().position(|&octet| octet == b'\n');
            mail.content.drain(start..=start + length.unwrap());
        }
    }
    mails.sort();
    mails
}

/// What says more than whole mails do where they differ.
fn summary(folder: &Path) -> Vec<(usize, String)> {
    listed(&read(folder))
}

fn listed(mails: &[Mail]) -> Vec<(usize, String)> {
    let mut listed: Vec<_> = mails
        .iter()
        .map(|mail| (mail.content.len(), mail.flags.clone()))
        .collect();
    listed.sort();
    listed
}

/// Dozens of mails, some of them longer than what mailscope holds of a literal.
pub(super) fn inbox() -> Vec<Mail> {
    const LONG: [usize; 3] = [70_000, 200_000, 300_000];
    (0..40)
        .map(|number| {
            let length = match number {
                10 | 20 | 30 => LONG[number / 10 - 1],
                _ => number * number * 7,
            };
            let flags = ["S", "", "FS"][number % 3];
            Mail::new(flags, mail(number, length))
        })
        .collect()
}

pub(super) fn archive() -> Vec<Mail> {
    (100..108)
        .map(|number| Mail::new("S", mail(number, 500)))
        .collect()
}

/// Octets of all kinds but those that no mail may hold, in lines of all lengths.
fn mail(number: usize, length: usize) -> Vec<u8> {
    let mut mail = format!(
        "Message-ID: <{number}@example.org>\nSubject: mail {number}\n\nis that a literal? {{12}}\n"
    )
    .into_bytes();
    let octets = noise(number as u64 + 1, length);
    mail.extend(octets.iter().filter(|octet| !b"\0\r".contains(octet)));
    mail.push(b'\n');
    mail
}

fn written_near() -> Mail {
    let content = format!("Subject: written near\n\n{}", "grün, {3}\n".repeat(8_000));
    Mail::new("S", content)
}
