//! The data items of FETCH in words (RFC 9051, sections 6.4.5 and 7.5.2).
//!
//! ```text
//! BODY.PEEK[HEADER.FIELDS (DATE FROM)]   the header lines DATE and FROM
//! BODY[1.2]<0.100>                       the first 100 octets of part 1.2
//! ```

use super::sentence::Sentence;
use super::table::{Entry, Kind, entry};
use crate::event::Value;

/// Header lines that are named.
const LINES: usize = 32;

/// One item as it was written.
pub(super) struct Item<'a> {
    written: &'a [u8],
    /// Upper case, without section and range.
    name: String,
    /// What stands in brackets.
    section: Option<&'a [u8]>,
    /// What stands in `<>`.
    range: Option<&'a [u8]>,
}

impl<'a> Item<'a> {
    pub(super) fn read(written: &'a [u8]) -> Self {
        let is_end = |octet: &u8| matches!(octet, b'[' | b'<');
        let end = written.iter().position(is_end).unwrap_or(written.len());
        let (name, rest) = written.split_at(end);
        let close = rest.iter().rposition(|octet| *octet == b']');
        let section = match (rest.first(), close) {
            (Some(b'['), Some(close)) => Some(&rest[1..close]),
            _ => None,
        };
        let behind = &rest[close.map_or(0, |close| close + 1)..];
        let range = behind.strip_prefix(b"<").map(|range| {
            let close = range.iter().position(|octet| *octet == b'>');
            &range[..close.unwrap_or(range.len())]
        });
        Self {
            written,
            name: String::from_utf8_lossy(&name[..name.len().min(40)]).to_ascii_uppercase(),
            section,
            range,
        }
    }

    /// What the table says about it.
    pub(super) fn entry(&self) -> Option<&'static Entry> {
        entry(Kind::FetchItem, &self.name)
    }

    /// Whether asking for it marks the message as read.
    pub(super) fn marks_as_read(&self) -> bool {
        match self.name.as_str() {
            "BODY" => self.section.is_some(),
            "BINARY" | "RFC822" | "RFC822.TEXT" => true,
            _ => false,
        }
    }

    /// Whether it stands for several others.
    pub(super) fn is_macro(&self) -> bool {
        matches!(self.name.as_str(), "ALL" | "FAST" | "FULL")
    }

    /// Whether it is what the server answers to `BODY.PEEK[]` and `BODY[]` alike.
    pub(super) fn answers_either_way(&self) -> bool {
        self.section.is_some() && matches!(self.name.as_str(), "BODY" | "BINARY")
    }

    /// Whether it is written in the way that does not mark the message as read.
    pub(super) fn peeks(&self) -> bool {
        self.name.ends_with(".PEEK")
    }

    /// `the header lines DATE and FROM`
    pub(super) fn words(&self) -> Sentence {
        let simple = match self.name.as_str() {
            "ALL" => "flags, date of arrival, size and envelope",
            "BODYSTRUCTURE" => "the structure",
            "EMAILID" => "the identifier of the content",
            "ENVELOPE" => "the envelope",
            "FAST" => "flags, date of arrival and size",
            "FLAGS" => "flags",
            "FULL" => "flags, date of arrival, size, envelope and structure",
            "INTERNALDATE" => "date of arrival",
            "MODSEQ" => "modification number",
            "PREVIEW" => "a preview",
            "RFC822" => "the whole source",
            "RFC822.HEADER" => "the headers",
            "RFC822.SIZE" => "size",
            "RFC822.TEXT" => "the text",
            "SAVEDATE" => "date of saving",
            "THREADID" => "the identifier of the conversation",
            "UID" => "UID",
            "X-GM-LABELS" => "Gmail's labels",
            "X-GM-MSGID" => "Gmail's identifier",
            "X-GM-THRID" => "Gmail's identifier of the conversation",
            _ => return self.section_words(),
        };
        Sentence::new(simple)
    }

    fn section_words(&self) -> Sentence {
        let (Some(section), what) = (self.section, self.name.as_str()) else {
            return match self.name.as_str() {
                "BODY" => Sentence::new("the structure"),
                _ => Sentence::default().sent(self.written),
            };
        };
        let part = section_in_words(section);
        match what {
            "BODY" | "BODY.PEEK" => self.ranged(part),
            "BINARY" | "BINARY.PEEK" => self.ranged(part).own(", decoded"),
            "BINARY.SIZE" => Sentence::new("the decoded size of ").with(part),
            _ => Sentence::default().sent(self.written),
        }
    }

    fn ranged(&self, part: Sentence) -> Sentence {
        let Some(range) = self.range.and_then(|range| std::str::from_utf8(range).ok()) else {
            return part;
        };
        let number = |text: &str| text.parse::<u64>().ok();
        let (start, count) = match range.split_once('.') {
            Some((start, count)) => (number(start), number(count)),
            None => (number(range), None),
        };
        match (start, count) {
            (Some(0), Some(count)) => {
                Sentence::new(format!("the first {count} octets of ")).with(part)
            }
            (Some(start), Some(count)) => {
                let words = format!("{count} octets, from octet {start} on, of ");
                Sentence::new(words).with(part)
            }
            (Some(start), None) => part.own(format!(", from octet {start} on")),
            _ => part,
        }
    }
}

/// `HEADER.FIELDS (DATE FROM)`, `1.2.MIME`, nothing at all.
fn section_in_words(section: &[u8]) -> Sentence {
    let upper = section.to_ascii_uppercase();
    let digits = section
        .iter()
        .take_while(|o| o.is_ascii_digit() || **o == b'.');
    let (part, _) = section.split_at(digits.count());
    let name = &upper[part.len()..];
    let part = part.strip_suffix(b".").unwrap_or(part);
    let of_part = |words: &'static str| match part {
        [] => Sentence::new(words),
        part => Sentence::new(words).own(" of part ").sent(part),
    };
    match name {
        b"" if part.is_empty() => Sentence::new("the whole source"),
        b"" => Sentence::new("part ").sent(part),
        b"HEADER" => of_part("the headers"),
        b"TEXT" => of_part("the text"),
        b"MIME" => of_part("the MIME headers"),
        fields if fields.starts_with(b"HEADER.FIELDS") => {
            let lines = header_lines(section);
            let many = lines.len() != 1;
            let all_but = fields.starts_with(b"HEADER.FIELDS.NOT");
            let words = match (all_but, many) {
                (true, _) => "all header lines but ",
                (false, true) => "the header lines ",
                (false, false) => "the header line ",
            };
            let listed = Sentence::new(words).with(Sentence::list(lines, " and "));
            match part {
                [] => listed,
                part => listed.own(" of part ").sent(part),
            }
        }
        _ => Sentence::new("section ").sent(section),
    }
}

/// The names in `(DATE FROM)`.
fn header_lines(section: &[u8]) -> Vec<Sentence> {
    let open = section.iter().position(|octet| *octet == b'(');
    let names = &section[open.map_or(section.len(), |open| open + 1)..];
    let names = names.strip_suffix(b")").unwrap_or(names);
    let names = names.split(|octet| *octet == b' ');
    names
        .map(|name| name.trim_ascii())
        .filter(|name| !name.is_empty())
        .take(LINES)
        .map(|name| Sentence::default().sent(&crate::event::unquoted(name)))
        .collect()
}

/// The items in FETCH's second argument: one, or a list of them.
pub(super) fn asked<'a>(value: &'a Value<'_>) -> Vec<Item<'a>> {
    let one = std::slice::from_ref(value);
    let values = match value {
        Value::List(items) => items.as_slice(),
        _ => one,
    };
    values
        .iter()
        .filter_map(Value::bytes)
        .map(Item::read)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::sentence::tests::text;
    use super::*;

    #[test]
    fn items_are_read_aloud() {
        for (item, words) in [
            ("uid", "UID"),
            ("BODY", "the structure"),
            ("BODY[]", "the whole source"),
            (
                "BODY.PEEK[]<0.100>",
                "the first 100 octets of the whole source",
            ),
            (
                "BODY[1.2]<100.50>",
                "50 octets, from octet 100 on, of part 1.2",
            ),
            ("BODY[]<100>", "the whole source, from octet 100 on"),
            ("BODY[HEADER]", "the headers"),
            ("BODY.PEEK[1.MIME]", "the MIME headers of part 1"),
            ("BODY[2.TEXT]", "the text of part 2"),
            ("body.peek[header.fields (Date)]", "the header line Date"),
            (
                "BODY[HEADER.FIELDS (DATE \"FROM\")]",
                "the header lines DATE and FROM",
            ),
            (
                "BODY[1.HEADER.FIELDS.NOT (BCC)]",
                "all header lines but BCC of part 1",
            ),
            ("BINARY[1]", "part 1, decoded"),
            ("BINARY.SIZE[1]", "the decoded size of part 1"),
            ("X-FOO", "X-FOO"),
            ("X-FOO[1]", "X-FOO[1]"),
        ] {
            assert_eq!(text(&Item::read(item.as_bytes()).words()), words, "{item}");
        }
    }

    #[test]
    fn what_marks_as_read_is_told() {
        let marks = |item: &str| Item::read(item.as_bytes()).marks_as_read();
        assert!(marks("BODY[]") && marks("RFC822") && marks("BINARY[1]"));
        assert!(!marks("BODY.PEEK[]") && !marks("BODY") && !marks("RFC822.HEADER"));
    }

    #[test]
    fn no_item_is_too_odd() {
        for odd in [
            "",
            "[",
            "]",
            "BODY[",
            "BODY]",
            "<",
            "BODY[]<",
            "BODY[]<.>",
            "BODY[(]",
        ] {
            let _ = text(&Item::read(odd.as_bytes()).words());
        }
    }
}
