//! SEARCH's keys in one order: all of them have to hold, so that their order has no meaning (RFC
//! 9051, section 6.4.4). SORT and THREAD have the same keys (RFC 5256).
//!
//! ```text
//! C: a SEARCH UNSEEN FROM "bob" 3,1:2
//! C: b SEARCH 1:3 (from bob) unseen      the same
//! ```

use super::canonical::{Ranges, set};
use crate::event::Value;

/// One key, or what stands before the keys, in the only form it is given here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// `UNSEEN`, and a word before its operands.
    Word(String),
    /// Octets that count.
    Text(Vec<u8>),
    /// Message numbers, or UIDs behind their word.
    Set(Ranges),
    /// A word with what belongs to it, in this order.
    With(Vec<Key>),
    /// Keys that all have to hold, or alternatives; sorted.
    Several(Vec<Key>),
}

/// What a search asks for; `None` for another command, or where a key is not known.
pub fn question(name: &str, arguments: &[&Value<'_>]) -> Option<Vec<Key>> {
    let mut rest = arguments;
    let mut before = Vec::new();
    let begins_with = |rest: &[&Value<'_>], word| rest.first().is_some_and(|v| v.is_word(word));
    if begins_with(rest, "RETURN") {
        let _ = next(&mut rest);
        let mut wanted: Vec<Key> = next(&mut rest)?.members().iter().map(option).collect();
        wanted.sort_unstable();
        before.push(Key::Several(wanted));
    }
    match name.strip_prefix("UID ").unwrap_or(name) {
        "SEARCH" if begins_with(rest, "CHARSET") => {
            let _ = next(&mut rest);
            before.push(option(next(&mut rest)?));
        }
        "SEARCH" => {}
        "SORT" | "THREAD" => before.extend([option(next(&mut rest)?), option(next(&mut rest)?)]),
        _ => return None,
    }
    before.push(Key::Several(all(rest)?));
    Some(before)
}

/// A word in any letter case, or a list of such words.
fn option(value: &Value<'_>) -> Key {
    match value {
        Value::List(members) => Key::With(members.iter().map(option).collect()),
        Value::Number(number) => Key::Word(number.to_string()),
        _ => Key::Word(word(value).unwrap_or_default()),
    }
}

/// Keys that all have to hold.
fn all(mut values: &[&Value<'_>]) -> Option<Vec<Key>> {
    let mut keys = Vec::new();
    while !values.is_empty() {
        match key(&mut values)? {
            Key::Several(inner) => keys.extend(inner),
            key => keys.push(key),
        }
    }
    keys.sort_unstable();
    keys.dedup();
    Some(keys)
}

/// The next key.
fn key(values: &mut &[&Value<'_>]) -> Option<Key> {
    let first = next(values)?;
    if let Value::List(members) = first {
        let mut keys = all(&members.iter().collect::<Vec<_>>())?;
        return match keys.len() {
            1 => keys.pop(),
            _ => Some(Key::Several(keys)),
        };
    }
    if let Some(ranges) = set(first) {
        return Some(Key::Set(ranges));
    }
    let word = word(first)?;
    let operands = match &*word {
        "ALL" | "ANSWERED" | "DELETED" | "DRAFT" | "FLAGGED" | "NEW" | "OLD" | "RECENT"
        | "SEEN" | "UNANSWERED" | "UNDELETED" | "UNDRAFT" | "UNFLAGGED" | "UNSEEN"
        | "SAVEDATESUPPORTED" => return Some(Key::Word(word)),
        "NOT" | "FUZZY" => vec![key(values)?],
        "OR" => {
            let mut either = vec![key(values)?, key(values)?];
            either.sort_unstable();
            either
        }
        "UID" => vec![Key::Set(set(next(values)?)?)],
        "HEADER" => vec![folded(next(values)?)?, text(next(values)?)?],
        "KEYWORD" | "UNKEYWORD" | "LARGER" | "SMALLER" | "OLDER" | "YOUNGER" | "MODSEQ"
        | "UIDAFTER" | "UIDBEFORE" | "X-REAL-UID" => {
            vec![folded(next(values)?)?]
        }
        "BEFORE" | "ON" | "SINCE" | "SENTBEFORE" | "SENTON" | "SENTSINCE" | "SAVEDBEFORE"
        | "SAVEDON" | "SAVEDSINCE" => vec![date(next(values)?)?],
        "BCC" | "BODY" | "CC" | "FROM" | "SUBJECT" | "TEXT" | "TO" | "EMAILID" | "THREADID"
        | "FILTER" | "MAILBOX" | "X-GUID" | "X-MAILBOX" | "X-GM-LABELS" | "X-GM-MSGID"
        | "X-GM-RAW" | "X-GM-THRID" => vec![text(next(values)?)?],
        _ => return None,
    };
    let word = std::iter::once(Key::Word(word));
    Some(Key::With(word.chain(operands).collect()))
}

fn next<'v, 'a>(values: &mut &[&'v Value<'a>]) -> Option<&'v Value<'a>> {
    let (first, rest) = values.split_first()?;
    *values = rest;
    Some(first)
}

fn word(value: &Value<'_>) -> Option<String> {
    let word = String::from_utf8(value.bytes()?.to_vec()).ok()?;
    Some(word.to_ascii_uppercase())
}

/// A string whose letter case has no meaning.
fn folded(value: &Value<'_>) -> Option<Key> {
    match text(value)? {
        Key::Text(octets) => Some(Key::Text(octets.to_ascii_uppercase())),
        key => Some(key),
    }
}

fn text(value: &Value<'_>) -> Option<Key> {
    match value {
        Value::Number(number) => Some(Key::Text(number.to_string().into_bytes())),
        Value::Nil => Some(Key::Text(b"NIL".to_vec())),
        _ => value.bytes().map(|octets| Key::Text(octets.to_vec())),
    }
}

/// `1-Feb-1994`, `"01-FEB-1994"`
fn date(value: &Value<'_>) -> Option<Key> {
    let date = word(value)?;
    let date = date.trim_start_matches(['0', ' ']);
    Some(Key::Word(date.to_owned()))
}
