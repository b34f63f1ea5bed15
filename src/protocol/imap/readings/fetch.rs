//! FETCH: data of one message (RFC 9051, section 7.5.2), and UIDFETCH (RFC 9586).
//!
//! ```text
//! S: * 23 FETCH (UID 4827 FLAGS (\Seen) MODSEQ (624140003) BODY[TEXT]<0> {9}
//! {"items":{"UID":4827,"FLAGS":["\\Seen"],"MODSEQ":624140003,
//!           "BODY[TEXT]<0>":{"section":"TEXT","origin":0,"octets":9}}}
//! ```
//!
//! Most events of a recording are such responses, and of those most have nothing but numbers and
//! flags: these are written without a tree in between.

use smallvec::SmallVec;

use super::body_structure::write_body;
use super::envelope::write_envelope;
use super::generic;
use super::mailbox_name::write_beside;
use super::pairs;
use super::section::{Section, begin_text};
use super::text::{astring, is_string, write_astring, write_astrings, write_nstring};
use crate::event::json::{Object, write_lossy, write_number};
use crate::event::{MailboxNames, Said, Step, Steps, Value};

/// `S: * 23 FETCH (UID 4827)`; the data items of RFC 9051, RFC 3516 (BINARY), RFC 5257 (ANNOTATION),
/// RFC 7162 (MODSEQ), RFC 8474 (EMAILID, THREADID), RFC 8514 (SAVEDATE), RFC 8970 (PREVIEW), of Gmail
/// (X-GM-MSGID, X-GM-THRID, X-GM-LABELS) and of Dovecot (X-GUID, X-MAILBOX, X-REAL-UID).
pub(in super::super) fn fetch(said: &Said, out: &mut Vec<u8>) {
    let start = out.len();
    let names = said.details.names;
    let is_written = write_items(out, names, &mut said.argument_steps()).is_some();
    if is_written {
        return;
    }
    out.truncate(start);
    match said.arguments().as_slice() {
        [Value::List(items)] => {
            let mut data = Object::open(out);
            pairs::write_items(data.name("items"), names, items, write_fetched);
            data.close();
        }
        _ => generic(said, out),
    }
}

/// Adds the items of a FETCH response as [`pairs::write_items`] does, without a tree of them. `None`
/// where that needs a closer look at the names, or where there is something else than one list; what
/// was added until then is to be taken away again.
fn write_items(
    out: &mut Vec<u8>,
    mailbox_names: MailboxNames,
    steps: &mut Steps<'_, '_>,
) -> Option<()> {
    /// Names that are compared each with all others.
    const MOST: usize = 32;
    let mut names = SmallVec::<[&[u8]; 8]>::new();
    let mut data = Object::open(out);
    let mut items = Object::open(data.name("items"));
    let Step::Open = steps.next()? else {
        return None;
    };
    loop {
        let name = match steps.atom() {
            Some(name) => name,
            None => match steps.next()? {
                Step::Close => break,
                Step::Value(_) | Step::Open => return None,
            },
        };
        let came_before = |other: &&[u8]| other.eq_ignore_ascii_case(name);
        if !is_plain(name) || names.len() == MOST || names.iter().any(came_before) {
            return None;
        }
        names.push(name);
        if is_section(name) {
            let value = match steps.literal() {
                Some(octets) => Value::Literal(octets),
                None => match steps.next()? {
                    Step::Close => return None,
                    first => steps.tree(first),
                },
            };
            write_text(begin_text(&mut items, name), &value);
            continue;
        }
        let value = items.key_with(|out| {
            let start = out.len();
            write_lossy(out, name);
            out[start..].make_ascii_uppercase();
        });
        if is_flags_or_uid(name) && steps.write_short(value).is_some() {
            continue;
        }
        let first = steps.next()?;
        match first {
            Step::Close => {
                value.extend_from_slice(b"null");
                break;
            }
            step if is_flags_or_uid(name) => steps.write_value(value, step),
            Step::Open if is_modseq(name) => match steps.only_number() {
                Some(modseq) => write_number(value, modseq),
                None => steps.write_value(value, Step::Open),
            },
            step => match writer(name) {
                None => steps.write_value(value, step),
                Some(write) => {
                    let tree = steps.tree(step);
                    write(name, value, &tree);
                    if is_of_mailboxes(name) {
                        let key = String::from_utf8_lossy(name).to_ascii_uppercase();
                        write_beside(&mut items, &key, mailbox_names, Some(&tree));
                    }
                }
            },
        }
    }
    items.close();
    data.close();
    steps.next().is_none().then_some(())
}

/// Whether upper case is the same before and behind JSON's escaping.
fn is_plain(name: &[u8]) -> bool {
    name.iter()
        .fold(true, |all, octet| all & matches!(octet, b' '..=b'~'))
}

/// Adds an item's value.
pub(super) fn write_fetched(name: &[u8], out: &mut Vec<u8>, value: &Value<'_>) {
    match writer(name) {
        Some(write) => write(name, out, value),
        None => value.write_json(out),
    }
}

type Writer = fn(&[u8], &mut Vec<u8>, &Value<'_>);

/// Whether it is one of the items that nearly all responses have, or one with the same initial: none of
/// these has a writer.
fn is_flags_or_uid(name: &[u8]) -> bool {
    matches!(name, [b'F' | b'f' | b'U' | b'u', ..])
}

/// X-GM-LABELS and X-MAILBOX, among those that have a writer.
fn is_of_mailboxes(name: &[u8]) -> bool {
    matches!(name, [b'X' | b'x', ..])
}

fn is_modseq(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"MODSEQ")
}

/// How an item's value is written, where there is more to say than a tree.
fn writer(name: &[u8]) -> Option<Writer> {
    const NAMED: [(&str, Writer); 15] = [
        ("ANNOTATION", |_, out, value| annotations(out, value)),
        ("BODY", |_, out, value| write_body(out, value)),
        ("BODYSTRUCTURE", |_, out, value| write_body(out, value)),
        ("EMAILID", |_, out, value| write_object_id(out, value)),
        ("ENVELOPE", |_, out, value| write_envelope(out, value)),
        ("MODSEQ", |_, out, value| modseq(out, value)),
        ("PREVIEW", |_, out, value| write_nstring(out, value)),
        ("RFC822", message_text),
        ("RFC822.HEADER", message_text),
        ("RFC822.TEXT", message_text),
        ("THREADID", |_, out, value| write_object_id(out, value)),
        ("X-GM-LABELS", |_, out, value| labels(out, value)),
        ("X-GUID", |_, out, value| write_nstring(out, value)),
        ("X-MAILBOX", |_, out, value| write_nstring(out, value)),
        ("INTERNALDATE", |_, out, value| write_nstring(out, value)),
    ];
    match name {
        _ if is_flags_or_uid(name) => None,
        _ if is_section(name) => Some(message_text),
        _ => NAMED
            .iter()
            .find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()))
            .map(|(_, writer)| *writer),
    }
}

/// `BODY[1.MIME]<0>`, `BINARY[1]`; not `BINARY.SIZE[1]`.
fn is_section(name: &[u8]) -> bool {
    let begins = |word: &[u8]| {
        let first = name.get(..word.len());
        first.is_some_and(|first| first.eq_ignore_ascii_case(word))
    };
    begins(b"BODY[") || begins(b"BINARY[")
}

/// `BODY[1.MIME]<0> {9}`, `BINARY[1] ~{9}`, `RFC822.TEXT "quoted"`: which part it is, and its length;
/// the text itself where it is no literal.
fn message_text(name: &[u8], out: &mut Vec<u8>, value: &Value<'_>) {
    let mut text = Object::open(out);
    if let Some(section) = Section::read(name) {
        section.write(&mut text);
    }
    write_text(text, value);
}

/// Adds what is to be said of a text's octets.
fn write_text(mut text: Object<'_>, value: &Value<'_>) {
    match value {
        Value::Literal(octets) => text.number("octets", octets.len() as u64),
        Value::Streamed(octets) => text.number("octets", *octets),
        Value::Nil => text.nullable("octets", None),
        Value::Quoted(octets) => {
            text.number("octets", octets.len() as u64);
            write_lossy(text.name("text"), octets);
        }
        value => value.write_json(text.name("value")),
    }
    text.close();
}

/// `MODSEQ (624140003)`: the number.
fn modseq(out: &mut Vec<u8>, value: &Value<'_>) {
    match value.members() {
        [number @ Value::Number(_)] => number.write_json(out),
        _ => value.write_json(out),
    }
}

/// `EMAILID (M6d99ac3275bb4e)`, `THREADID NIL`: the word.
pub(super) fn write_object_id(out: &mut Vec<u8>, value: &Value<'_>) {
    match value.members() {
        [id] if is_string(id) => write_astring(out, id),
        _ => value.write_json(out),
    }
}

/// `X-GM-LABELS (\Inbox "Muy Importante" 2026)`
fn labels(out: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::List(labels) => write_astrings(out, labels),
        value => value.write_json(out),
    }
}

/// `ANNOTATION (/comment (value.priv "My comment" size.priv "10"))`, RFC 5257, section 4.4.
fn annotations(out: &mut Vec<u8>, value: &Value<'_>) {
    let start = out.len();
    if write_annotations(out, value.members()).is_none() {
        out.truncate(start);
        value.write_json(out);
    }
}

/// `/comment (value.priv "My comment")`, an entry or several: an object each, in one.
pub(super) fn write_annotations(out: &mut Vec<u8>, entries: &[Value<'_>]) -> Option<()> {
    if entries.is_empty() || !entries.len().is_multiple_of(2) {
        return None;
    }
    let mut names = std::collections::HashSet::new();
    let mut object = Object::open(out);
    for pair in entries.chunks(2) {
        let name = astring(&pair[0])?;
        let Value::List(attributes) = &pair[1] else {
            return None;
        };
        pairs::write_strings(object.key_with(|out| write_lossy(out, &name)), attributes)?;
        names.insert(name).then_some(())?;
    }
    object.close();
    Some(())
}
