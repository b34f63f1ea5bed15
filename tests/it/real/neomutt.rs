//! `neomutt`: a scripted session on a terminal of its own, whose keys its configuration presses. It
//! reads, searches, flags, copies, deletes and uploads, with a connection for each mailbox.

use std::path::{Path, PathBuf};

use libtest_mimic::Trial;
use tempfile::TempDir;

use super::super::support::dovecot::{Dovecot, PASSWORD};
use super::super::support::maildir::{self, Mail};
use super::super::support::programs::{DOVECOT, NEOMUTT, SCRIPT, needing};
use super::super::support::terminal::in_a_terminal;
use super::super::support::transcript::Transcript;
use super::super::support::trials;
use super::healthy::{self, Secrets};
use super::{DIRECT, Door, Security, THROUGH, at_once, direct, recording, run, through};

pub fn trials() -> Vec<Trial> {
    let trials =
        trials!("real::neomutt"; in_cleartext, with_a_header_cache, with_starttls, with_tls);
    needing(&[DOVECOT, NEOMUTT, SCRIPT], trials)
}

/// A mailbox whose name is not ASCII, as the server knows it.
const DRAFTS: &str = "Entw&APw-rfe";

/// How many connections a session makes.
pub(super) const CONNECTIONS: usize = 4;

/// What is pressed. Copies of what is seen go to folders here: `{all}`, `{found}` by the server's
/// search, `{archive}` at the end.
const KEYS: &str = "\
<tag-pattern>~A<enter><tag-prefix><copy-message>{all}<enter>\
<limit>=b grün<enter><jump>1<enter><copy-message>{found}<enter><limit>all<enter>\
<jump>1<enter><display-message><exit>\
<jump>1<enter><set-flag>!\
<jump>2<enter><copy-message>=Archive<enter>\
<jump>3<enter><copy-message>=Entwürfe<enter>\
<jump>3<enter><delete-message>\
<jump>5<enter><set-flag>r<sync-mailbox>\
<change-folder>{all}<enter><limit>~s ticket<enter><copy-message>=Archive<enter>\
<change-folder>=Archive<enter>\
<tag-pattern>~A<enter><tag-prefix><copy-message>{archive}<enter><quit>";

/// The second session of a neomutt that kept what it saw in the first one.
const KEYS_AGAIN: &str = "\
<tag-pattern>~A<enter><tag-prefix><copy-message>{again}<enter>\
<jump>2<enter><set-flag>!<sync-mailbox><quit>";

fn with_tls() {
    let transcript = is_the_same(Security::Tls, CONNECTIONS, obtained);
    has_all_of_it(&transcript);
}

fn with_starttls() {
    is_the_same(Security::Starttls, CONNECTIONS, obtained);
}

fn in_cleartext() {
    is_the_same(Security::Cleartext, CONNECTIONS, obtained);
}

fn with_a_header_cache() {
    let transcript = is_the_same(Security::Tls, CONNECTIONS + 1, obtained_with_a_cache);
    assert!(
        transcript.text().contains("(CHANGEDSINCE "),
        "the second session goes on where the first one ended"
    );
}

fn is_the_same(
    security: Security,
    connections: usize,
    obtained: fn(&Door) -> Vec<u8>,
) -> Transcript {
    let dovecot = Dovecot::start();
    for user in [DIRECT, THROUGH] {
        dovecot.user(
            user,
            &[("INBOX", &inbox()), ("Archive", &[]), (DRAFTS, &[])],
        );
    }
    let mut mailscope = recording(&dovecot, security).start();
    let (direct, through) = (direct(&dovecot, security), through(&mailscope, security));
    let (through, direct) = at_once(|| obtained(&through), || obtained(&direct));
    healthy::same_octets(&through, &direct);
    for mailbox in ["INBOX", "Archive", DRAFTS] {
        let kept = |user| maildir::read(&dovecot.mailbox(user, mailbox));
        assert!(kept(DIRECT) == kept(THROUGH), "{mailbox}");
    }
    healthy::check(
        &dovecot,
        &mut mailscope,
        connections,
        Secrets::Masked(&[PASSWORD]),
    )
}

/// What a session from empty state saves here.
pub(super) fn obtained(door: &Door) -> Vec<u8> {
    let home = Home::new(door, "no");
    home.press(KEYS);
    home.saved(&["all", "found", "archive"])
}

/// The same with a second session, of a neomutt that has a cache of the first one.
pub(super) fn obtained_with_a_cache(door: &Door) -> Vec<u8> {
    let home = Home::new(door, "yes");
    home.press(KEYS);
    home.press(KEYS_AGAIN);
    home.saved(&["all", "found", "archive", "again"])
}

/// What neomutt has of its own.
struct Home {
    folder: TempDir,
    settings: String,
}

impl Home {
    fn new(door: &Door, cache: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().display();
        for name in ["tmp", "headers"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let (scheme, upgrade) = match door.security {
            Security::Tls => ("imaps", "no"),
            Security::Starttls => ("imap", "yes"),
            Security::Cleartext => ("imap", "no"),
        };
        let headers = match cache {
            "yes" => format!("{here}/headers/"),
            _ => String::new(),
        };
        let settings = format!(
            "\
set folder = \"{scheme}://{user}@localhost:{port}/\"
set spool_file = +INBOX
set imap_pass = {PASSWORD}
set imap_qresync = {cache}
set header_cache = \"{headers}\"
set ssl_starttls = {upgrade}
set ssl_force_tls = {upgrade}
set ssl_ca_certificates_file = {ca}
set certificate_file = {here}/certificates
set history_file = {here}/history
set tmpdir = {here}/tmp
set mbox_type = Maildir
set sort = mailbox-order
set mark_old = no
set move = no
set delete = yes
set quit = yes
set confirm_append = no
set confirm_create = no
set copy = no
set postponed = \"\"
set sleep_time = 0
set mail_check = 3600
set imap_keepalive = 3600
set imap_poll_timeout = 60
set wait_key = no
set beep = no
",
            user = door.user,
            port = door.port,
            ca = door.ca.display(),
        );
        Self { folder, settings }
    }

    fn place(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a session to its end.
    fn press(&self, keys: &str) {
        let mut keys = keys.to_owned();
        for name in ["all", "found", "archive", "again"] {
            let folder = self.place(name).display().to_string();
            keys = keys.replace(&format!("{{{name}}}"), &folder);
        }
        let config = self.place("neomuttrc");
        std::fs::write(&config, format!("{}push \"{keys}\"\n", self.settings)).unwrap();
        let command = format!(
            "'{}' -n -F '{}'",
            NEOMUTT.path().unwrap().display(),
            config.display()
        );
        run(in_a_terminal(&command)
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path())
            .env("LINES", "40")
            .env("COLUMNS", "120"));
    }

    /// The mails in these folders here, with their flags.
    fn saved(&self, names: &[&str]) -> Vec<u8> {
        let mut saved = Vec::new();
        for name in names {
            let mails = mails(&self.place(name));
            assert!(!mails.is_empty(), "nothing in {name}");
            for Mail { content, flags } in mails {
                saved.extend(format!("{name} {flags}\n").into_bytes());
                saved.extend(content);
            }
        }
        saved
    }
}

fn mails(folder: &Path) -> Vec<Mail> {
    match folder.is_dir() {
        true => maildir::read(folder),
        false => Vec::new(),
    }
}

pub(super) fn mailboxes() -> Vec<(&'static str, Vec<Mail>)> {
    vec![
        ("INBOX", inbox()),
        ("Archive", Vec::new()),
        (DRAFTS, Vec::new()),
    ]
}

fn inbox() -> Vec<Mail> {
    vec![
        Mail::new(
            "",
            "From: Alice <alice@example.org>\nMessage-ID: <1@example.org>\nSubject: see ticket {5}\n\nOne line.\n",
        ),
        Mail::new(
            "S",
            "From: \"B, ob\" <bob@example.org>\nIn-Reply-To: <1@example.org>\nSubject: =?utf-8?q?gr=C3=BCn?=\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\ngrün\na OK not a response {3}\n",
        ),
        Mail::new(
            "F",
            b"From: c@example.org\nSubject: 8-bit \xe9\n\n\xff\xfe\x80 \xe9t\xe9\n".as_slice(),
        ),
        Mail::new(
            "RS",
            "From: d@example.org\nSubject: parts\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\npart one\n--x\nContent-Type: application/octet-stream; name=\"a \\\"b\\\".bin\"\n\nAAAA\n--x--\n",
        ),
        Mail::new(
            "",
            format!(
                "From: f@example.org\nSubject: large\n\n{}",
                "0123456789abcdef\n".repeat(9_000)
            ),
        ),
    ]
}

/// What the session does is there by name.
fn has_all_of_it(transcript: &Transcript) {
    let names = transcript.kind("command");
    let names: Vec<&str> = names.iter().map(|c| c["name"].as_str().unwrap()).collect();
    for name in [
        "AUTHENTICATE",
        "SELECT",
        "FETCH",
        "UID FETCH",
        "UID SEARCH",
        "STATUS",
        "UID COPY",
        "UID STORE",
        "EXPUNGE",
        "APPEND",
        "CLOSE",
    ] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
}
