//! SEARCH, SORT and THREAD in words (RFC 9051, section 6.4.4; RFC 5256).
//!
//! ```text
//! UID SEARCH UNSEEN FROM alice    asks for the UIDs of the messages that are unread and have "alice" in From
//! SEARCH RETURN (COUNT) ALL       asks for the count of all messages
//! SEARCH RETURN (SAVE) UNSEEN     looks for the messages that are unread, and keeps the result as $
//! ```
//!
//! A key that is not known makes the whole of it unreadable, since nobody can say how many arguments
//! it takes; then `None` says so.

use super::sentence::Sentence;
use super::sets::{By, messages};
use crate::event::Value;

/// Keys that are put into words; a search by hand has a few.
const KEYS: usize = 24;

/// How deep NOT, OR and lists nest before nobody could follow.
const DEPTH: usize = 4;

/// What a search, a sort or a thread does; its arguments without those of SORT and THREAD that
/// come first.
pub(super) fn asked_for(arguments: &[Value<'_>], by: By) -> Option<Sentence> {
    let (results, keys) = match arguments {
        [word, Value::List(options), keys @ ..] if word.is_word("RETURN") => {
            (results(options, by), keys)
        }
        keys => (vec![Sentence::new(numbers(by))], keys),
    };
    let keys = match keys {
        [word, _, keys @ ..] if word.is_word("CHARSET") => keys,
        keys => keys,
    };
    let is_saved = arguments
        .get(1)
        .is_some_and(|options| options.members().iter().any(|word| word.is_word("SAVE")));
    let sentence = match results.is_empty() {
        // With SAVE alone nothing is told (RFC 5182, section 2.1).
        true if is_saved => Sentence::new("looks for "),
        true => Sentence::new("asks for ").own(numbers(by)).own(" of "),
        false => {
            let results = Sentence::list(results, " and ");
            Sentence::new("asks for ").with(results).own(" of ")
        }
    };
    let sentence = sentence.with(found(keys)?);
    Some(match is_saved {
        true => sentence.own(", and keeps the result as $"),
        false => sentence,
    })
}

fn numbers(by: By) -> &'static str {
    match by {
        By::Number => "the numbers",
        By::Uid => "the UIDs",
    }
}

/// What stands behind RETURN.
fn results(options: &[Value<'_>], by: By) -> Vec<Sentence> {
    let mut results = Vec::new();
    for option in options {
        let words = match (upper(option).as_str(), by) {
            ("COUNT", _) => "the count",
            ("MIN", By::Number) => "the lowest number",
            ("MIN", By::Uid) => "the lowest UID",
            ("MAX", By::Number) => "the highest number",
            ("MAX", By::Uid) => "the highest UID",
            ("ALL" | "PARTIAL", _) => numbers(by),
            ("RELEVANCY", _) => "how well they fit",
            _ => continue,
        };
        results.push(Sentence::new(words));
    }
    results
}

/// `the messages that are unread`
pub(super) fn found(keys: &[Value<'_>]) -> Option<Sentence> {
    if let [all] = keys
        && all.is_word("ALL")
    {
        return Some(Sentence::new("all messages"));
    }
    let conditions = Keys { rest: keys }.all(0)?;
    match conditions.is_empty() {
        true => None,
        false => {
            let conditions = Sentence::list(conditions, " and ");
            Some(Sentence::new("the messages that ").with(conditions))
        }
    }
}

struct Keys<'a, 'v> {
    rest: &'a [Value<'v>],
}

impl<'a, 'v> Keys<'a, 'v> {
    fn all(mut self, depth: usize) -> Option<Vec<Sentence>> {
        let mut conditions = Vec::new();
        while !self.rest.is_empty() {
            conditions.push(self.one(depth)?);
            if conditions.len() > KEYS {
                return None;
            }
        }
        Some(conditions)
    }

    fn next(&mut self) -> Option<&'a Value<'v>> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    /// The condition that the next key makes.
    fn one(&mut self, depth: usize) -> Option<Sentence> {
        if depth > DEPTH {
            return None;
        }
        let key = self.next()?;
        if let Value::List(inner) = key {
            let inner = Keys { rest: inner }.all(depth + 1)?;
            return Some(Sentence::list(inner, " and "));
        }
        let name = upper(key);
        if let Some(words) = simple(&name) {
            return Some(Sentence::new(words));
        }
        match name.as_str() {
            "NOT" => self.negated(depth),
            "OR" => {
                let (one, other) = (self.one(depth + 1)?, self.one(depth + 1)?);
                let either = Sentence::new("either ").with(one);
                Some(either.own(" or ").with(other))
            }
            "FUZZY" => Some(Sentence::new("more or less ").with(self.one(depth + 1)?)),
            _ => self.with_value(&name, key),
        }
    }

    /// `NOT SEEN` is `UNSEEN`; other keys have no opposite.
    fn negated(&mut self, depth: usize) -> Option<Sentence> {
        let name = self.rest.first().map(upper)?;
        let opposite = match name.strip_prefix("UN") {
            Some(name) => simple(name),
            None => simple(&format!("UN{name}")),
        };
        if let Some(words) = opposite {
            self.next()?;
            return Some(Sentence::new(words));
        }
        let words = Sentence::new("are none of those that ");
        Some(words.with(self.one(depth + 1)?))
    }

    /// A key with a value, or a sequence set.
    fn with_value(&mut self, name: &str, key: &Value<'_>) -> Option<Sentence> {
        let around = |before: &'static str, value: &Value<'_>, behind: &'static str| {
            let sentence = Sentence::new(before).value(value);
            Some(sentence.own(behind))
        };
        let text = |value: &Value<'_>, behind: &'static str| {
            Some(Sentence::new("have ").quoted(value).own(behind))
        };
        match name {
            "BCC" => text(self.next()?, " in Bcc"),
            "BODY" => text(self.next()?, " in their text"),
            "CC" => text(self.next()?, " in Cc"),
            "FROM" => text(self.next()?, " in From"),
            "SUBJECT" => text(self.next()?, " in their subject"),
            "TEXT" => text(self.next()?, " anywhere"),
            "TO" => text(self.next()?, " in To"),
            "HEADER" => {
                let (field, value) = (self.next()?, self.next()?);
                Some(text(value, " in the header ")?.value(field))
            }
            "BEFORE" => around("arrived before ", self.next()?, ""),
            "ON" => around("arrived on ", self.next()?, ""),
            "SINCE" => around("arrived on ", self.next()?, " or later"),
            "SENTBEFORE" => around("have a Date before ", self.next()?, ""),
            "SENTON" => around("have a Date of ", self.next()?, ""),
            "SENTSINCE" => around("have a Date of ", self.next()?, " or later"),
            "SAVEDBEFORE" => around("were stored here before ", self.next()?, ""),
            "SAVEDON" => around("were stored here on ", self.next()?, ""),
            "SAVEDSINCE" => around("were stored here on ", self.next()?, " or later"),
            "OLDER" => around("arrived more than ", self.next()?, " seconds ago"),
            "YOUNGER" => around("arrived within the last ", self.next()?, " seconds"),
            "UIDAFTER" => around("have UIDs above ", self.next()?, ""),
            "UIDBEFORE" => around("have UIDs below ", self.next()?, ""),
            "LARGER" => around("have more than ", self.next()?, " octets"),
            "SMALLER" => around("have fewer than ", self.next()?, " octets"),
            "KEYWORD" => around("have the keyword ", self.next()?, ""),
            "UNKEYWORD" => around("do not have the keyword ", self.next()?, ""),
            "EMAILID" => around("have the content identifier ", self.next()?, ""),
            "THREADID" => around("belong to the conversation ", self.next()?, ""),
            "FILTER" => around("fit the stored search ", self.next()?, ""),
            "X-GM-LABELS" => Some(Sentence::new("have Gmail's label ").mailbox(self.next()?)),
            "X-GM-MSGID" => around("have Gmail's identifier ", self.next()?, ""),
            "X-GM-THRID" => around("belong to Gmail's conversation ", self.next()?, ""),
            "MODSEQ" => self.modseq(),
            "X-GM-RAW" => Some(Sentence::new("Gmail finds for ").quoted(self.next()?)),
            "UID" => Some(Sentence::new("are ").with(set(self.next()?, By::Uid)?)),
            _ => Some(Sentence::new("are ").with(set(key, By::Number)?)),
        }
    }

    /// `MODSEQ 7`, or `MODSEQ "/flags/\\draft" all 7` (RFC 7162, section 3.1.5).
    fn modseq(&mut self) -> Option<Sentence> {
        let mut value = self.next()?;
        if value.number().is_none() {
            let _type = self.next()?;
            value = self.next()?;
        }
        let words = "changed at or after the modification number ";
        Some(Sentence::new(words).value(value))
    }
}

fn set(value: &Value<'_>, by: By) -> Option<Sentence> {
    match value {
        Value::Number(number) => messages(number.to_string().as_bytes(), by),
        value => messages(value.bytes()?, by),
    }
}

/// Keys that say all by themselves.
fn simple(name: &str) -> Option<&'static str> {
    Some(match name {
        "ALL" => "are there",
        "ANSWERED" => "were answered",
        "DELETED" => "are marked to be removed",
        "DRAFT" => "are not finished",
        "FLAGGED" => "are marked as special",
        "NEW" => "are recent and unread",
        "OLD" => "are not recent",
        "RECENT" => "are recent",
        "SEEN" => "were read",
        "UNANSWERED" => "were not answered",
        "UNDELETED" => "are not marked to be removed",
        "UNDRAFT" => "are finished",
        "UNFLAGGED" => "are not marked as special",
        "UNSEEN" => "are unread",
        _ => return None,
    })
}

fn upper(value: &Value<'_>) -> String {
    let octets = value.bytes().unwrap_or_default();
    String::from_utf8_lossy(&octets[..octets.len().min(40)]).to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::super::sentence::tests::text;
    use super::*;

    fn atoms(words: &[&'static str]) -> Vec<Value<'static>> {
        let value = |word: &&'static str| match word.parse() {
            Ok(number) => Value::Number(number),
            Err(_) => Value::Atom(word.as_bytes()),
        };
        words.iter().map(value).collect()
    }

    fn words(keys: &str, by: By) -> String {
        let keys: Vec<&'static str> = keys
            .split(' ')
            .map(|word| &*Box::leak(word.to_owned().into_boxed_str()))
            .collect();
        let sentence = asked_for(&atoms(&keys), by);
        sentence.map_or("?".into(), |sentence| text(&sentence))
    }

    #[test]
    fn searches_are_read_aloud() {
        for (keys, spoken) in [
            (
                "UNSEEN",
                "asks for the numbers of the messages that are unread",
            ),
            ("ALL", "asks for the numbers of all messages"),
            (
                "unseen from alice since 1-Feb-2024",
                "asks for the numbers of the messages that are unread, have \"alice\" in From and arrived on \
                 1-Feb-2024 or later",
            ),
            (
                "OR SEEN NOT LARGER 1000",
                "asks for the numbers of the messages that either were read or are none of those that have more \
                 than 1000 octets",
            ),
            (
                "1:5 UID 7",
                "asks for the numbers of the messages that are messages 1 to 5 and are the message with UID 7",
            ),
            (
                "CHARSET UTF-8 HEADER X-Foo bar",
                "asks for the numbers of the messages that have \"bar\" in the header X-Foo",
            ),
            ("X-UNHEARD-OF 3", "?"),
            (
                "NOT DELETED NOT UNSEEN",
                "asks for the numbers of the messages that are not marked to be removed and were read",
            ),
            ("FROM", "?"),
            ("NOT", "?"),
            ("", "?"),
        ] {
            assert_eq!(words(keys, By::Number), spoken);
        }
    }

    #[test]
    fn what_is_to_be_returned_is_said() {
        let options = Value::List(atoms(&["COUNT", "MAX", "SAVE"]));
        let mut arguments = atoms(&["RETURN"]);
        arguments.push(options);
        arguments.extend(atoms(&["DELETED"]));
        let sentence = asked_for(&arguments, By::Uid).unwrap();
        assert_eq!(
            text(&sentence),
            "asks for the count and the highest UID of the messages that are marked to be removed, and \
             keeps the result as $"
        );
    }

    #[test]
    fn nesting_has_an_end() {
        let mut key = Value::Atom(b"SEEN");
        for _ in 0..100 {
            key = Value::List(vec![key]);
        }
        assert_eq!(found(&[key]), None);
    }
}
