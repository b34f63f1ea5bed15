//! What is said in the benchmarks: a client's command and all that the server answers.
//!
//! Shaped like what mail apps ask for all day. It does not change from run to run, so that figures
//! can be compared.

use std::fmt::Write;

/// One command and its answer.
pub struct Exchange {
    /// What it is called in a report.
    pub name: &'static str,
    /// The client's octets.
    pub command: Vec<u8>,
    /// The server's, the tagged response included.
    pub response: Vec<u8>,
}

impl Exchange {
    /// The command, and the untagged responses that it leads to.
    fn new(name: &'static str, command: &str, untagged: &str) -> Self {
        Self {
            name,
            command: format!("a {command}\r\n").into_bytes(),
            response: format!("{untagged}a OK done\r\n").into_bytes(),
        }
    }

    /// What comes first on every connection. From here on there is a secret to look out for.
    pub fn login() -> Self {
        Self::new("login", "LOGIN alice a-benchmark-password", "")
    }

    /// The shortest round trip.
    pub fn noop() -> Self {
        Self::new("round trips", "NOOP", "")
    }

    /// An app looks for changes, and shows a list of messages: responses of 50 and of 450 octets in
    /// turns.
    pub fn small_responses() -> Self {
        const MESSAGES: usize = 2_000;
        let mut untagged = String::new();
        for n in 1..=MESSAGES {
            let _ = match n % 2 {
                0 => write_flags(&mut untagged, n),
                _ => write_envelope(&mut untagged, n),
            };
        }
        let command = format!("FETCH 1:{MESSAGES} (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)");
        Self::new("small responses", &command, &untagged)
    }

    /// An app downloads mails with attachments, of 1 MiB each: more than is held of one.
    pub fn large_literals() -> Self {
        Self::mails("large literals", 8, 1024 * 1024)
    }

    /// As many `mails` of so many octets.
    pub fn mails(name: &'static str, mails: usize, octets: usize) -> Self {
        let mail = mail(octets);
        let mut untagged = String::new();
        for n in 1..=mails {
            let _ = write!(
                untagged,
                "* {n} FETCH (UID {} BODY[] {{{octets}}}\r\n",
                100 + n
            );
            untagged.push_str(&mail);
            untagged.push_str(")\r\n");
        }
        Self::new(
            name,
            &format!("UID FETCH 101:{} BODY.PEEK[]", 100 + mails),
            &untagged,
        )
    }

    /// Octets in both directions.
    pub fn octets(&self) -> u64 {
        (self.command.len() + self.response.len()) as u64
    }
}

fn write_flags(out: &mut String, n: usize) -> std::fmt::Result {
    let uid = 100_000 + n;
    write!(out, "* {n} FETCH (UID {uid} FLAGS (\\Answered \\Seen))\r\n")
}

fn write_envelope(out: &mut String, n: usize) -> std::fmt::Result {
    let uid = 100_000 + n;
    write!(
        out,
        "* {n} FETCH (UID {uid} FLAGS (\\Seen) INTERNALDATE \"17-Nov-2026 02:44:25 +0000\" \
         RFC822.SIZE 4286 ENVELOPE (\"Tue, 17 Nov 2026 02:23:25 +0000\" \"Minutes of the meeting\" \
         ((\"Terry Gray\" NIL \"gray\" \"example.org\")) ((\"Terry Gray\" NIL \"gray\" \
         \"example.org\")) ((\"Terry Gray\" NIL \"gray\" \"example.org\")) ((NIL NIL \"imap\" \
         \"example.org\")) ((NIL NIL \"minutes\" \"example.net\") (\"John Klensin\" NIL \
         \"klensin\" \"example.com\")) NIL NIL \"<B27397-{uid}@example.org>\"))\r\n"
    )
}

/// A header, and an attachment in base64 lines.
fn mail(octets: usize) -> String {
    let mut mail = String::from(
        "From: Alice <alice@example.org>\r\nTo: bob@example.net\r\nSubject: a picture\r\n\
         Content-Type: image/jpeg\r\nContent-Transfer-Encoding: base64\r\n\r\n",
    );
    while mail.len() < octets {
        mail.push_str(
            "/9j/4AAQSkZJRgABAQEASABIAAD/4gxYSUNDX1BST0ZJTEUAAQEAAAxITGlubwIQAABtbnRyUkdC\r\n",
        );
    }
    mail.truncate(octets);
    mail
}
