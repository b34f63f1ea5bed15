//! Who writes the mail in the benchmarks.

use std::fmt::Write;

/// Writes names, words and attachments that are the same in every run, and that deflate about as
/// well as people's do: neither the same line again and again, nor noise.
pub struct Author {
    state: u64,
}

/// What half of a text consists of, the most frequent word first.
const COMMON: [&str; 40] = [
    "the", "of", "and", "to", "a", "in", "is", "you", "that", "it", "we", "for", "on", "are",
    "with", "as", "I", "his", "they", "be", "at", "this", "have", "from", "or", "had", "by", "not",
    "but", "what", "all", "were", "when", "your", "can", "there", "meeting", "please", "about",
    "regards",
];

/// What the other half's words consist of.
const SYLLABLES: [&str; 48] = [
    "an", "ber", "ca", "con", "de", "di", "en", "er", "fa", "ga", "gen", "ha", "in", "is", "ju",
    "ka", "la", "le", "li", "ma", "men", "mo", "na", "ne", "no", "on", "or", "pa", "per", "po",
    "qui", "ra", "re", "ri", "ro", "sa", "sen", "si", "so", "ta", "ter", "ti", "tion", "to", "un",
    "ve", "vi", "wa",
];

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

impl Author {
    /// One who has written nothing yet.
    pub fn new() -> Self {
        Self {
            state: 0x9e37_79b9_7f4a_7c15,
        }
    }

    /// Any number below this one.
    pub fn number(&mut self, below: usize) -> usize {
        // xorshift64* (Vigna, 2016): good enough for mail.
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let high = self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        usize::try_from(high).unwrap_or_default() % below
    }

    /// A word that nobody uses often.
    pub fn name(&mut self) -> String {
        let syllables = 2 + self.number(2);
        (0..syllables)
            .map(|_| SYLLABLES[self.number(SYLLABLES.len())])
            .collect()
    }

    /// So many words, with spaces between them.
    pub fn words(&mut self, count: usize) -> String {
        let mut text = String::new();
        for n in 0..count {
            if n > 0 {
                text.push(' ');
            }
            match self.number(2) {
                0 => text.push_str(&self.name()),
                _ => {
                    let rank = self.number(COMMON.len()).min(self.number(COMMON.len()));
                    text.push_str(COMMON[rank]);
                }
            }
        }
        text
    }

    /// A mail of so many octets: header, a text of up to 16 KiB, and an attachment that fills the
    /// rest.
    pub fn mail(&mut self, octets: usize) -> String {
        const TEXT: usize = 16 * 1024;
        let mut mail = self.header();
        while mail.len() < octets.min(TEXT) {
            let words = 8 + self.number(5);
            let _ = write!(mail, "{}\r\n", self.words(words));
        }
        while mail.len() < octets {
            mail.extend((0..76).map(|_| char::from(BASE64[self.number(64)])));
            mail.push_str("\r\n");
        }
        mail.truncate(octets);
        mail
    }

    fn header(&mut self) -> String {
        let (host, hop, from, to) = (self.name(), self.name(), self.name(), self.name());
        let (id, subject) = (self.number(1 << 30), self.words(5));
        let minute = self.number(60);
        format!(
            "Received: from {host}.example.org ({host}.example.org [192.0.2.{minute}])\r\n\
             \tby {hop}.example.net with ESMTPS id {id:x};\r\n\
             \tTue, 17 Nov 2026 02:{minute:02}:25 +0000\r\n\
             From: {from} <{from}@example.org>\r\nTo: {to}@example.net\r\n\
             Subject: {subject}\r\nMessage-ID: <{id:x}.{minute}@{host}.example.org>\r\n\
             Content-Type: multipart/mixed; boundary=\"{id:x}\"\r\n\r\n"
        )
    }
}
