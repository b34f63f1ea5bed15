//! The table of terms, read from `terms.txt`.
//!
//! ```text
//! # command
//! APPEND | RFC 9051, 6.3.12 | Stores a message at the end of a mailbox.
//! ```
//!
//! A heading names a kind; in each kind the terms are in alphabetical order, as they are written on
//! the wire. `AUTH=` stands for every `AUTH=PLAIN`, `/shared/vendor/` for all that begins with it. Where no RFC defines a term, who did stands in the
//! clause's place: `no RFC, Gmail`.

use std::collections::HashMap;
use std::sync::LazyLock;

const TEXT: &str = include_str!("terms.txt");

/// What a term is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `SELECT`
    Command,
    /// `EXISTS` in `* 3 EXISTS`
    Response,
    /// `UIDVALIDITY` in `* OK [UIDVALIDITY 7]`
    ResponseCode,
    /// `IDLE` in `* CAPABILITY IMAP4rev1 IDLE`
    Capability,
    /// `\Seen`, `$Junk`
    Flag,
    /// `\Sent` in `* LIST (\Sent) "/" Sent`
    MailboxAttribute,
    /// `ENVELOPE` in `a FETCH 1 ENVELOPE`
    FetchItem,
    /// `UNSEEN` in `a STATUS INBOX (UNSEEN)`
    StatusItem,
    /// `UNSEEN` in `a SEARCH UNSEEN`
    SearchKey,
    /// `CONDSTORE` in `a SELECT INBOX (CONDSTORE)`
    Option,
    /// `l` in `* MYRIGHTS INBOX lrs`
    AclRight,
    /// `/shared/comment` in `a GETMETADATA INBOX /shared/comment`
    MetadataEntry,
    /// `MessageNew` in `a NOTIFY SET (selected (MessageNew))`
    NotifyEvent,
    /// `selected` in `a NOTIFY SET (selected (MessageNew))`
    MailboxFilter,
    /// `PLAIN` in `a AUTHENTICATE PLAIN`
    Mechanism,
    /// `STORAGE` in `* QUOTA "" (STORAGE 10 512)`
    QuotaResource,
    /// `+`, `{310}`
    Syntax,
    /// `bare-lf`: what mailscope notices.
    Note,
}

impl Kind {
    /// All of them, in the table's order.
    pub const ALL: [Self; 18] = [
        Self::Command,
        Self::Response,
        Self::ResponseCode,
        Self::Capability,
        Self::Flag,
        Self::MailboxAttribute,
        Self::FetchItem,
        Self::StatusItem,
        Self::SearchKey,
        Self::Option,
        Self::AclRight,
        Self::MetadataEntry,
        Self::NotifyEvent,
        Self::MailboxFilter,
        Self::Mechanism,
        Self::QuotaResource,
        Self::Syntax,
        Self::Note,
    ];

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Response => "response",
            Self::ResponseCode => "response code",
            Self::Capability => "capability",
            Self::Flag => "flag",
            Self::MailboxAttribute => "mailbox attribute",
            Self::FetchItem => "FETCH item",
            Self::StatusItem => "STATUS item",
            Self::SearchKey => "SEARCH key",
            Self::Option => "option",
            Self::AclRight => "ACL right",
            Self::MetadataEntry => "METADATA entry",
            Self::NotifyEvent => "NOTIFY event",
            Self::MailboxFilter => "mailbox filter",
            Self::Mechanism => "SASL mechanism",
            Self::QuotaResource => "quota resource",
            Self::Syntax => "syntax",
            Self::Note => "note",
        }
    }

    /// In words, of several.
    pub fn plural(self) -> String {
        match self {
            Self::Capability => "capabilities".into(),
            Self::MetadataEntry => "METADATA entries".into(),
            Self::Syntax => "syntax".into(),
            other => format!("{}s", other.name()),
        }
    }
}

/// A term and what it means.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the table.
    pub(super) index: usize,
    /// What it is.
    pub kind: Kind,
    /// As it is written on the wire.
    pub term: &'static str,
    /// `RFC 9051, 6.3.12`, or `no RFC, Gmail`.
    pub source: &'static str,
    /// One sentence, from its capital letter to its full stop.
    pub sentence: &'static str,
}

impl Entry {
    /// The RFC and section it rests on, if an RFC defines it.
    pub fn clause(&self) -> Option<&'static str> {
        (self.source.starts_with("RFC ")).then_some(self.source)
    }

    /// Who defined it where no RFC did.
    pub fn origin(&self) -> Option<&'static str> {
        self.source.strip_prefix("no RFC, ")
    }

    /// The sentence as it goes on behind a colon: without capital letter and full stop.
    pub fn phrase(&self) -> String {
        let sentence = self.sentence.trim_end_matches('.');
        let mut letters = sentence.chars();
        let first = letters.next().unwrap_or_default();
        match letters.clone().next() {
            // `FETCH ...`, `UIDs ...` begin with a word that is written so.
            Some(second) if second.is_ascii_uppercase() => sentence.to_owned(),
            _ => first.to_lowercase().chain(letters).collect(),
        }
    }
}

struct Table {
    entries: Vec<Entry>,
    /// By kind and upper-case term.
    places: HashMap<(Kind, String), usize>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let entries = read(TEXT);
    let key = |entry: &Entry| (entry.kind, entry.term.to_ascii_uppercase());
    let places = entries.iter().map(|entry| (key(entry), entry.index));
    Table {
        places: places.collect(),
        entries,
    }
});

/// Every term, by kind.
pub fn entries() -> &'static [Entry] {
    &TABLE.entries
}

/// The term of this kind that is written so, in any letter case.
pub(super) fn entry(kind: Kind, term: &str) -> Option<&'static Entry> {
    let place = TABLE.places.get(&(kind, term.to_ascii_uppercase()))?;
    TABLE.entries.get(*place)
}

/// A line that does not have the form is left out; the test below finds it.
fn read(text: &'static str) -> Vec<Entry> {
    let mut kind = None;
    let mut entries = Vec::new();
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("# ") {
            kind = Kind::ALL.into_iter().find(|kind| kind.name() == heading);
            continue;
        }
        let mut fields = line.split(" | ");
        let row = (kind, fields.next(), fields.next(), fields.next());
        if let (Some(kind), Some(term), Some(source), Some(sentence)) = row {
            entries.push(Entry {
                index: entries.len(),
                kind,
                term,
                source,
                sentence,
            });
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_the_form_and_every_heading_is_a_kind() {
        let mut headings = Vec::new();
        let mut terms = 0;
        for line in TEXT.lines().filter(|line| !line.is_empty()) {
            if let Some(heading) = line.strip_prefix("# ") {
                headings.push(heading);
                continue;
            }
            assert_eq!(line.split(" | ").count(), 3, "{line}");
            terms += 1;
        }
        assert_eq!(headings, Kind::ALL.map(Kind::name));
        assert_eq!(terms, entries().len());
        assert!(terms > 500, "{terms}");
    }

    #[test]
    fn terms_are_sorted_in_each_kind_and_none_stands_twice() {
        for pair in entries().windows(2) {
            let key = |entry: &Entry| (entry.kind, entry.term.to_ascii_uppercase());
            assert!(key(&pair[0]) < key(&pair[1]), "{pair:?}");
        }
    }

    #[test]
    fn every_sentence_is_one_short_sentence() {
        for entry in entries() {
            let sentence = entry.sentence;
            assert!(sentence.ends_with('.'), "{entry:?}");
            assert!(!sentence.trim_end_matches('.').contains(". "), "{entry:?}");
            assert!(sentence.len() <= 110, "{} {entry:?}", sentence.len());
            assert!(sentence.is_ascii() && !sentence.contains("  "), "{entry:?}");
            let first = sentence.chars().next().unwrap();
            let ours = sentence.starts_with("mailscope ");
            assert!(first.is_ascii_uppercase() || ours, "{entry:?}");
        }
    }

    /// `RFC 9051, 6.3.12`, `RFC 4422, A`, `RFC 9979`; `no RFC, Gmail`.
    #[test]
    fn every_source_has_one_form() {
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let is_section =
            |text: &str| text.split('.').all(is_number) || matches!(text, "A" | "B" | "C");
        for entry in entries() {
            let fits = match entry.source.split_once(", ") {
                Some(("no RFC", who)) => !who.is_empty() && !who.contains(". "),
                Some((rfc, section)) => {
                    rfc.strip_prefix("RFC ").is_some_and(is_number) && is_section(section)
                }
                None => entry.source.strip_prefix("RFC ").is_some_and(is_number),
            };
            assert!(fits, "{entry:?}");
            assert!(entry.clause().is_some() != entry.origin().is_some());
        }
    }

    #[test]
    fn a_phrase_goes_on_behind_a_colon() {
        let phrase = |kind, term| entry(kind, term).unwrap().phrase();
        let append = phrase(Kind::Command, "append");
        assert_eq!(append, "stores a message at the end of a mailbox");
        assert!(phrase(Kind::ResponseCode, "UIDVALIDITY").starts_with("says which "));
        assert!(phrase(Kind::Capability, "LIST-STATUS").starts_with("LIST can "));
        const NAMES: [&str; 7] = [
            "Gmail",
            "Apple",
            "Thunderbird",
            "Yahoo",
            "Kerberos",
            "Dovecot",
            "Cyrus",
        ];
        for entry in entries() {
            let phrase = entry.phrase();
            assert!(!phrase.ends_with('.') && !phrase.is_empty());
            // A name would lose its capital letter.
            assert!(
                !NAMES.iter().any(|name| entry.sentence.starts_with(name)),
                "{entry:?}"
            );
        }
    }
}
