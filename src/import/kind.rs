//! What kind of file it is, told by its content, and by its name where the content is anything.

use std::path::Path;

use super::{imapflow, imaplib, lines, rawlog, thunderbird, unmarked};

/// A kind of file that can be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A capture in the form of libpcap.
    Pcap,
    /// A capture in the pcapng form.
    Pcapng,
    /// One direction of a Dovecot rawlog.
    Rawlog,
    /// Python's `imaplib` with `Debug = 4`, and those like it.
    Imaplib,
    /// ImapFlow's log, a JSON object a line.
    Imapflow,
    /// Thunderbird's `MOZ_LOG=IMAP:5`.
    Thunderbird,
    /// Lines that do not say who speaks: a terminal with `openssl s_client`, Jakarta Mail, mbsync.
    Unmarked,
    /// Lines that say who speaks: mailscope's own text, MailKit's `ProtocolLogger`, curl, others.
    Lines,
}

/// What a file is instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// In words.
    pub why: &'static str,
    /// What to try.
    pub hint: &'static str,
}

/// Octets at a file's beginning that are looked at.
const BEGINNING: usize = 64 * 1024;

const KINDS: &str = "what can be imported: a Dovecot rawlog (X.in and X.out), C: and S: lines, pcap, pcapng, \
                     and the logs of Thunderbird, MailKit, Jakarta Mail, imaplib, ImapFlow, Net::IMAP, curl, mutt, \
                     neomutt, mbsync, fetchmail, OfflineIMAP and openssl s_client";

impl Kind {
    /// The kind of a file with this name and content.
    pub fn of(path: &Path, content: &[u8]) -> Result<Self, Unknown> {
        let beginning = &content[..content.len().min(BEGINNING)];
        let unknown = |why, hint| Err(Unknown { why, hint });
        match beginning {
            [] => return unknown("it is empty", KINDS),
            [0xa1, 0xb2, 0xc3 | 0x3c, 0xd4 | 0x4d, ..] => return Ok(Self::Pcap),
            [0xd4 | 0x4d, 0xc3 | 0x3c, 0xb2, 0xa1, ..] => return Ok(Self::Pcap),
            [0x0a, 0x0d, 0x0d, 0x0a, ..] => return Ok(Self::Pcapng),
            [0x1f, 0x8b, ..] => return unknown("it is compressed", "gunzip FILE"),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => return unknown("it is compressed", "unzstd FILE"),
            _ => {}
        }
        if rawlog::is_rawlog(path, beginning) {
            return Ok(Self::Rawlog);
        }
        if beginning.trim_ascii_start().starts_with(b"{")
            && memchr::memmem::find(beginning, b"\"mailscope\"").is_some()
        {
            return unknown(
                "it is a transcript already",
                "mailscope show FILE, mailscope replay FILE",
            );
        }
        type Is = fn(&[u8]) -> bool;
        let by_lines: [(Self, Is); 5] = [
            (Self::Thunderbird, thunderbird::is_line),
            (Self::Imapflow, imapflow::is_line),
            (Self::Imaplib, imaplib::is_line),
            (Self::Unmarked, unmarked::is_line),
            (Self::Lines, lines::is_line),
        ];
        // The one whose line comes first, for s_client's session may hold any other.
        let lines = beginning.split(|octet| *octet == b'\n');
        for line in lines {
            if let Some((kind, _)) = by_lines.iter().find(|(_, is)| is(line)) {
                return Ok(*kind);
            }
        }
        unknown("it is of no kind that mailscope knows", KINDS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, content: &[u8]) -> Result<Kind, &'static str> {
        Kind::of(Path::new(name), content).map_err(|unknown| unknown.why)
    }

    #[test]
    fn each_kind_is_told_by_its_content() {
        for (content, kind) in [
            (&b"\xd4\xc3\xb2\xa1\x02\0"[..], Kind::Pcap),
            (b"\xa1\xb2\x3c\x4d\0\x02", Kind::Pcap),
            (b"\n\r\r\n\xa4\0\0\0", Kind::Pcapng),
            (b"S: * OK hi\nC: a NOOP\n", Kind::Lines),
            (b"# a note\nC: a NOOP\n", Kind::Lines),
            (b"Connected to imaps://imap.example.com:993/\nS: * OK\n", Kind::Lines),
            (b"*   Trying 127.0.0.1:143...\n< * OK hi\n> A001 CAPABILITY\n", Kind::Lines),
            (b"  57:42.84 imaplib version 2.58\n  57:42.84 < b'* OK'\n", Kind::Imaplib),
            (b"CONNECTED(00000003)\n---\n* OK hi\n", Kind::Unmarked),
            (
                b"2023-11-11 10:11:12.123456 UTC - [Parent 12: IMAP]: D/IMAP 0x7f:imap.example.com:NA:SendData: 1 capability\n",
                Kind::Thunderbird,
            ),
        ] {
            assert_eq!(of("log", content), Ok(kind), "{}", String::from_utf8_lossy(content));
        }
    }

    #[test]
    fn a_rawlog_is_told_by_its_name_and_its_times() {
        assert_eq!(
            of("x.in", b"1700000000.123456 a NOOP\r\n"),
            Ok(Kind::Rawlog)
        );
        assert_eq!(of("x.out", b"a OK Logged in\r\n"), Ok(Kind::Rawlog));
        assert_eq!(of("x.in", b"C: a NOOP\n"), Ok(Kind::Lines));
    }

    #[test]
    fn what_is_something_else_is_told_apart() {
        assert_eq!(of("a", b""), Err("it is empty"));
        assert_eq!(of("a", b"\x1f\x8b\x08"), Err("it is compressed"));
        assert_eq!(
            of("a", b"{\"mailscope\":{"),
            Err("it is a transcript already")
        );
        assert!(of("a", b"Dear all,\nhello\n").is_err());
    }
}
