//! SEARCH, SORT, THREAD and ESEARCH: what is searched for, as a tree.
//!
//! ```text
//! C: A SEARCH RETURN (MIN COUNT) CHARSET UTF-8 UNSEEN OR FROM "Smith" (SINCE 1-Feb-1994 NOT 1:9)
//! {"return":{"MIN":true,"COUNT":true},"charset":"UTF-8","keys":[{"key":"UNSEEN"},
//!  {"key":"OR","keys":[{"key":"FROM","value":"Smith"},
//!   {"keys":[{"key":"SINCE","value":"1-Feb-1994"},{"key":"NOT","keys":[{"set":"1:9"}]}]}]}]}
//! ```
//!
//! Keys that stand beside each other have all to be fulfilled; so have those in parentheses.

use super::super::mailbox_filter::write_filter;
use super::super::mailbox_name::{VALUE, write_name};
use super::super::pairs::write_options;
use super::super::text::{astring, is_string, upper, write_astring, write_astrings};
use super::typed;
use crate::event::json::{Object, write_array};
use crate::event::{MailboxNames, Said, Value};
use crate::limits;

/// `C: A282 SEARCH RETURN (MIN COUNT) FLAGGED SINCE 1-Feb-1994`, RFC 9051, section 6.4.4.
pub(super) fn search(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let mut data = Object::open(out);
        let rest = write_return(&mut data, arguments)?;
        let rest = write_charset(&mut data, rest)?;
        write_keys(data.name("keys"), said.details.names, rest)?;
        data.close();
        Some(())
    });
}

/// `C: A283 SORT RETURN (PARTIAL 1:9) (REVERSE DATE SUBJECT) UTF-8 ALL`, RFC 5256, section 3; RFC 5267.
pub(super) fn sort(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let mut data = Object::open(out);
        let [Value::List(criteria), charset, keys @ ..] = write_return(&mut data, arguments)?
        else {
            return None;
        };
        (criteria.iter().all(is_string) && is_string(charset)).then_some(())?;
        write_criteria(data.name("criteria"), criteria)?;
        write_astring(data.name("charset"), charset);
        write_keys(data.name("keys"), said.details.names, keys)?;
        data.close();
        Some(())
    });
}

/// `C: A284 THREAD REFERENCES UTF-8 SINCE 5-MAR-2000`, RFC 5256, section 3.
pub(super) fn thread(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let mut data = Object::open(out);
        let [algorithm, charset, keys @ ..] = write_return(&mut data, arguments)? else {
            return None;
        };
        (is_string(algorithm) && is_string(charset)).then_some(())?;
        write_astring(data.name("algorithm"), algorithm);
        write_astring(data.name("charset"), charset);
        write_keys(data.name("keys"), said.details.names, keys)?;
        data.close();
        Some(())
    });
}

/// `C: tag1 ESEARCH IN (mailboxes "folder1" subtree "folder2") RETURN (ALL) SUBJECT "chad"`, RFC 7377,
/// section 2.2.
pub(super) fn esearch(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let mut data = Object::open(out);
        let rest = match arguments {
            [word, Value::List(sources), rest @ ..] if word.is_word("IN") => {
                write_sources(data.name("in"), said.details.names, sources)?;
                rest
            }
            rest => rest,
        };
        let rest = write_return(&mut data, rest)?;
        let rest = write_charset(&mut data, rest)?;
        write_keys(data.name("keys"), said.details.names, rest)?;
        data.close();
        Some(())
    });
}

/// `(mailboxes "folder1" subtree "folder2")`, each with options in parentheses where it has some.
fn write_sources(out: &mut Vec<u8>, names: MailboxNames, sources: &[Value<'_>]) -> Option<()> {
    let mut rest = sources;
    out.push(b'[');
    while !rest.is_empty() {
        if rest.len() < sources.len() {
            out.push(b',');
        }
        let mut source = Object::open(out);
        rest = write_filter(&mut source, names, rest)?;
        if let [Value::List(options), behind @ ..] = rest {
            write_options(source.name("options"), options)?;
            rest = behind;
        }
        source.close();
    }
    out.push(b']');
    Some(())
}

fn write_return<'v, 'a>(
    data: &mut Object<'_>,
    arguments: &'v [Value<'a>],
) -> Option<&'v [Value<'a>]> {
    match arguments {
        [word, Value::List(options), rest @ ..] if word.is_word("RETURN") => {
            write_options(data.name("return"), options)?;
            Some(rest)
        }
        rest => Some(rest),
    }
}

fn write_charset<'v, 'a>(
    data: &mut Object<'_>,
    arguments: &'v [Value<'a>],
) -> Option<&'v [Value<'a>]> {
    match arguments {
        [word, charset, rest @ ..] if word.is_word("CHARSET") && is_string(charset) => {
            write_astring(data.name("charset"), charset);
            Some(rest)
        }
        rest => Some(rest),
    }
}

/// `(REVERSE DATE SUBJECT)`: REVERSE belongs to what follows it; `(ANNOTATION /comment value.shared)`,
/// RFC 5257, section 4.9: an entry and an attribute belong to it.
fn write_criteria(out: &mut Vec<u8>, criteria: &[Value<'_>]) -> Option<()> {
    let words: Option<Vec<String>> = criteria.iter().map(upper).collect();
    let words = words?;
    let ends_with_a_key = words.last().is_none_or(|word| word != "REVERSE");
    let twice = |pair: &[String]| pair.iter().all(|word| word == "REVERSE");
    (ends_with_a_key && !words.windows(2).any(twice)).then_some(())?;
    let mut is_reverse = false;
    out.push(b'[');
    let mut rest = words.iter().zip(criteria);
    while let Some((word, _)) = rest.next() {
        if word == "REVERSE" {
            is_reverse = true;
            continue;
        }
        if !out.ends_with(b"[") {
            out.push(b',');
        }
        let mut criterion = Object::open(out);
        criterion.string("key", word);
        if word == "ANNOTATION" {
            let arguments = [rest.next()?.1, rest.next()?.1];
            write_array(criterion.name("arguments"), arguments, write_astring);
        }
        criterion.flag("reverse", std::mem::take(&mut is_reverse));
        criterion.close();
    }
    out.push(b']');
    Some(())
}

/// Keys without arguments; SAVEDATESUPPORTED: RFC 8514.
const ALONE: [&str; 15] = [
    "ALL",
    "ANSWERED",
    "DELETED",
    "DRAFT",
    "FLAGGED",
    "NEW",
    "OLD",
    "RECENT",
    "SAVEDATESUPPORTED",
    "SEEN",
    "UNANSWERED",
    "UNDELETED",
    "UNDRAFT",
    "UNFLAGGED",
    "UNSEEN",
];

/// Keys with one string; FILTER: RFC 5466; EMAILID, THREADID: RFC 8474; SAVEDBEFORE...: RFC 8514;
/// X-GM-RAW: Gmail; X-GUID: Dovecot.
const WITH_A_STRING: [&str; 23] = [
    "BCC",
    "BEFORE",
    "BODY",
    "CC",
    "EMAILID",
    "FILTER",
    "FROM",
    "KEYWORD",
    "ON",
    "SAVEDBEFORE",
    "SAVEDON",
    "SAVEDSINCE",
    "SENTBEFORE",
    "SENTON",
    "SENTSINCE",
    "SINCE",
    "SUBJECT",
    "TEXT",
    "THREADID",
    "TO",
    "UNKEYWORD",
    "X-GM-RAW",
    "X-GUID",
];

/// Keys with a mailbox name: Dovecot's MAILBOX and X-MAILBOX, and Gmail's labels.
const WITH_A_MAILBOX: [&str; 3] = ["MAILBOX", "X-GM-LABELS", "X-MAILBOX"];

/// Keys with one number; OLDER, YOUNGER: RFC 5032; UIDAFTER, UIDBEFORE: RFC 9738, section 3.2;
/// X-REAL-UID: Dovecot.
const WITH_A_NUMBER: [&str; 9] = [
    "LARGER",
    "OLDER",
    "SMALLER",
    "UIDAFTER",
    "UIDBEFORE",
    "X-GM-MSGID",
    "X-GM-THRID",
    "X-REAL-UID",
    "YOUNGER",
];

fn write_keys(out: &mut Vec<u8>, names: MailboxNames, keys: &[Value<'_>]) -> Option<()> {
    let depth = limits::NESTING;
    write_all(out, keys, &Place { names, depth })
}

/// Where a key stands.
struct Place {
    names: MailboxNames,
    /// How much deeper keys may be nested.
    depth: usize,
}

fn write_all(out: &mut Vec<u8>, keys: &[Value<'_>], place: &Place) -> Option<()> {
    out.push(b'[');
    let mut rest = keys;
    while !rest.is_empty() {
        if rest.len() < keys.len() {
            out.push(b',');
        }
        rest = write_key(out, rest, place)?;
    }
    out.push(b']');
    Some(())
}

/// The first key; what follows it.
fn write_key<'v, 'a>(
    out: &mut Vec<u8>,
    keys: &'v [Value<'a>],
    place: &Place,
) -> Option<&'v [Value<'a>]> {
    let place = &Place {
        names: place.names,
        depth: place.depth.checked_sub(1)?,
    };
    let (first, rest) = keys.split_first()?;
    let mut key = Object::open(out);
    let rest = match first {
        Value::List(keys) => {
            write_all(key.name("keys"), keys, place)?;
            rest
        }
        set if is_set(set) => {
            write_astring(key.name("set"), set);
            rest
        }
        Value::Atom(_) => {
            let name = upper(first)?;
            key.string("key", &name);
            write_arguments(&mut key, &name, rest, place)?
        }
        _ => return None,
    };
    key.close();
    Some(rest)
}

/// A sequence set, `$` included (RFC 9051, section 6.4.4.1).
fn is_set(value: &Value<'_>) -> bool {
    let is_set = |octet: &u8| octet.is_ascii_digit() || b"*:,$".contains(octet);
    match value {
        Value::Number(_) => true,
        Value::Atom(bytes) => bytes.iter().all(is_set),
        _ => false,
    }
}

fn write_arguments<'v, 'a>(
    key: &mut Object<'_>,
    name: &str,
    rest: &'v [Value<'a>],
    place: &Place,
) -> Option<&'v [Value<'a>]> {
    match (name, rest) {
        (name, rest) if ALONE.contains(&name) => Some(rest),
        (name, [value, rest @ ..]) if WITH_A_MAILBOX.contains(&name) => {
            is_string(value).then_some(())?;
            write_name(key, &VALUE, place.names, value);
            Some(rest)
        }
        (name, [value, rest @ ..]) if WITH_A_STRING.contains(&name) => {
            is_string(value).then_some(())?;
            write_astring(key.name("value"), value);
            Some(rest)
        }
        (name, [value @ Value::Number(_), rest @ ..]) if WITH_A_NUMBER.contains(&name) => {
            value.write_json(key.name("value"));
            Some(rest)
        }
        ("UID", [set, rest @ ..]) if is_set(set) => {
            write_astring(key.name("set"), set);
            Some(rest)
        }
        ("HEADER", [field, value, rest @ ..]) if is_string(field) && is_string(value) => {
            write_astring(key.name("field"), field);
            write_astring(key.name("value"), value);
            Some(rest)
        }
        // RFC 7162, section 3.1.5
        ("MODSEQ", [value @ Value::Number(_), rest @ ..]) => {
            value.write_json(key.name("value"));
            Some(rest)
        }
        ("MODSEQ", [entry, kind, value @ Value::Number(_), rest @ ..])
            if is_string(entry) && is_string(kind) =>
        {
            write_astring(key.name("entry"), entry);
            write_astring(key.name("type"), kind);
            value.write_json(key.name("value"));
            Some(rest)
        }
        // RFC 5257, section 4.8
        ("ANNOTATION", arguments) if arguments.len() >= 3 => {
            let (arguments, rest) = arguments.split_at(3);
            arguments
                .iter()
                .all(|value| astring(value).is_some())
                .then_some(())?;
            write_astrings(key.name("arguments"), arguments);
            Some(rest)
        }
        // FUZZY: RFC 6203
        ("NOT" | "FUZZY", rest) => write_nested(key, rest, 1, place),
        ("OR", rest) => write_nested(key, rest, 2, place),
        _ => None,
    }
}

/// So many keys that belong to one.
fn write_nested<'v, 'a>(
    key: &mut Object<'_>,
    rest: &'v [Value<'a>],
    number: usize,
    place: &Place,
) -> Option<&'v [Value<'a>]> {
    let out = key.name("keys");
    let mut rest = rest;
    out.push(b'[');
    for at in 0..number {
        if at > 0 {
            out.push(b',');
        }
        rest = write_key(out, rest, place)?;
    }
    out.push(b']');
    Some(rest)
}
