//! A sentence of mailscope's own with words of the peers in it.
//!
//! The two are kept apart to the end, so that a sink can make the peers' words fit to be shown.

use std::borrow::Cow;

use crate::event::{MailboxNames, Value};

/// Octets of one of a peer's words that are kept; a mailbox name has a few dozen.
const WORD: usize = 120;

/// Members of a list that are named, one more being named rather than counted.
const MEMBERS: usize = 6;

/// A stretch of a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// mailscope's own words.
    Own(Cow<'static, str>),
    /// Octets that a peer sent.
    Sent(Vec<u8>),
}

/// A sentence without its full stop, or a part of one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sentence {
    parts: Vec<Part>,
}

impl Sentence {
    /// Its parts, in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    pub(super) fn new(words: impl Into<Cow<'static, str>>) -> Self {
        Self::default().own(words)
    }

    pub(super) fn own(mut self, words: impl Into<Cow<'static, str>>) -> Self {
        self.parts.push(Part::Own(words.into()));
        self
    }

    pub(super) fn sent(mut self, octets: &[u8]) -> Self {
        let end = octets.len().min(WORD);
        self.parts.push(Part::Sent(octets[..end].to_vec()));
        match end < octets.len() {
            true => self.own("…"),
            false => self,
        }
    }

    pub(super) fn with(mut self, other: Self) -> Self {
        self.parts.extend(other.parts);
        self
    }

    /// A value as it was sent, without quotes.
    pub(super) fn value(self, value: &Value<'_>) -> Self {
        match value {
            Value::Number(number) => self.own(number.to_string()),
            Value::Nil => self.own("NIL"),
            Value::Secret(secret) => self.own(format!("‹{}›", secret.name())),
            Value::List(_) | Value::Streamed(_) => self.own("…"),
            _ => self.sent(value.bytes().unwrap_or_default()),
        }
    }

    /// A text to search for, a name of a user: in quotes.
    pub(super) fn quoted(self, value: &Value<'_>) -> Self {
        self.own("\"").value(value).own("\"")
    }

    /// A mailbox's name, in quotes where it would not be seen where it ends.
    pub(super) fn mailbox(self, value: &Value<'_>) -> Self {
        let Some(name) = value.bytes() else {
            return self.value(value);
        };
        let name = utf7_decoded(name).unwrap_or_else(|| name.to_vec());
        match name.is_empty() || name.contains(&b' ') {
            true => self.own("\"").sent(&name).own("\""),
            false => self.sent(&name),
        }
    }

    /// `a, b and c`; no more of them are held than are named.
    pub(super) fn list(members: impl IntoIterator<Item = Self>, conjunction: &'static str) -> Self {
        let mut members = members.into_iter();
        let mut named: Vec<Self> = members.by_ref().take(MEMBERS + 1).collect();
        let mut more = members.count();
        if more > 0 {
            named.truncate(MEMBERS);
            more += 1;
        }
        let count = named.len() + more;
        let mut sentence = Self::default();
        for (at, member) in named.into_iter().enumerate() {
            sentence = match at {
                0 => sentence,
                at if at + 1 == count => sentence.own(conjunction),
                _ => sentence.own(", "),
            };
            sentence = sentence.with(member);
        }
        match more {
            0 => sentence,
            more => sentence.own(format!(" and {more} more")),
        }
    }
}

/// A mailbox name in modified UTF-7 (RFC 3501, section 5.1.3) as UTF-8; `None` where it is none, or
/// nothing in it is encoded.
pub(super) fn utf7_decoded(name: &[u8]) -> Option<Vec<u8>> {
    if name.len() > WORD {
        return None;
    }
    MailboxNames::ModifiedUtf7
        .decoded(name)
        .map(String::into_bytes)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// All of it as text.
    pub(in super::super) fn text(sentence: &Sentence) -> String {
        let text = |part: &Part| match part {
            Part::Own(words) => words.to_string(),
            Part::Sent(octets) => String::from_utf8_lossy(octets).into_owned(),
        };
        sentence.parts().iter().map(text).collect()
    }

    #[test]
    fn mailbox_names_are_decoded() {
        let decoded = |name: &str| utf7_decoded(name.as_bytes()).map(String::from_utf8);
        assert_eq!(decoded("Reisen/K&APY-ln"), Some(Ok("Reisen/Köln".into())));
        assert_eq!(decoded("a &- b"), Some(Ok("a & b".into())));
        assert_eq!(decoded("&U,BTFw-"), Some(Ok("台北".into())));
        for odd in ["INBOX", "&", "&A-", "&2AA-", "&APY", "K\u{f6}ln&-"] {
            assert_eq!(decoded(odd), None, "{odd}");
        }
    }

    #[test]
    fn lists_are_read_aloud() {
        let list = |count: usize| {
            let members = (1..=count).map(|n| Sentence::new(n.to_string()));
            text(&Sentence::list(members, " and "))
        };
        assert_eq!(list(1), "1");
        assert_eq!(list(2), "1 and 2");
        assert_eq!(list(7), "1, 2, 3, 4, 5, 6 and 7");
        assert_eq!(list(9), "1, 2, 3, 4, 5, 6 and 3 more");
    }

    #[test]
    fn a_peer_s_word_does_not_grow_without_end() {
        let long = Sentence::default().sent(&[b'x'; 100_000]);
        assert!(text(&long).len() < 200);
        assert!(text(&long).ends_with('…'));
    }
}
