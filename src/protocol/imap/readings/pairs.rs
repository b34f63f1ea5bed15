//! Names and values in turns, and options that may have a value.
//!
//! ```text
//! (MESSAGES 231 UIDNEXT 44292)      {"MESSAGES":231,"UIDNEXT":44292}
//! (CHANGEDSINCE 5 VANISHED)         {"CHANGEDSINCE":5,"VANISHED":true}
//! ```

use std::collections::{HashMap, HashSet};

use super::mailbox_name::write_beside;
use super::text::{astring, is_string, upper, write_nstring};
use crate::event::json::{Object, write_lossy};
use crate::event::{MailboxNames, Value};

/// Adds names and values in turns as an object, the names in upper case, each value as `write` does
/// it, and beside it what it reads as where it is a mailbox name. Of a name that comes again, the last
/// value stands at the first one's place.
pub(super) fn write_items(
    out: &mut Vec<u8>,
    names: MailboxNames,
    items: &[Value<'_>],
    mut write: impl FnMut(&[u8], &mut Vec<u8>, &Value<'_>),
) {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut pairs: Vec<(String, &Value<'_>, Option<&Value<'_>>)> = Vec::new();
    for pair in items.chunks(2) {
        let (name, value) = (name(&pair[0]), pair.get(1));
        match places.get(&name) {
            Some(place) => pairs[*place].2 = value,
            None => {
                places.insert(name.clone(), pairs.len());
                pairs.push((name, &pair[0], value));
            }
        }
    }
    let mut object = Object::open(out);
    for (key, name, value) in pairs {
        // What is no word is no item's name, and what follows it is a value like any other.
        let name = match name {
            Value::Atom(name) => name,
            _ => &b""[..],
        };
        write(name, object.key(&key), value.unwrap_or(&Value::Nil));
        write_beside(&mut object, &key, names, value);
    }
    object.close();
}

/// What stands in a name's place, as text.
fn name(value: &Value<'_>) -> String {
    upper(value).unwrap_or_else(|| {
        let mut json = Vec::new();
        value.write_json(&mut json);
        // Read again, since what is hidden is escaped once, when the name is written.
        serde_json::from_slice(&json)
            .map(|json: serde_json::Value| json.to_string())
            .unwrap_or_default()
    })
}

/// Adds names and strings in turns as an object, the names as they are on the wire. `None` where it
/// is not that, or where a name comes again.
pub(super) fn write_strings(out: &mut Vec<u8>, pairs: &[Value<'_>]) -> Option<()> {
    if !pairs.len().is_multiple_of(2) {
        return None;
    }
    let mut names = HashSet::with_capacity(pairs.len() / 2);
    let mut object = Object::open(out);
    for pair in pairs.chunks(2) {
        let name = astring(&pair[0])?;
        if !is_string(&pair[1]) {
            return None;
        }
        write_nstring(object.key_with(|out| write_lossy(out, &name)), &pair[1]);
        if !names.insert(name.to_ascii_lowercase()) {
            return None;
        }
    }
    object.close();
    Some(())
}

/// Names whose value is a word, not a list or a number.
const WITH_A_WORD: [&str; 2] = ["DEPTH", "PARTIAL"];

/// Adds options as an object: a name with the list or the number behind it, or `true`. `None` where
/// it is not that, or where a name comes again.
pub(super) fn write_options(out: &mut Vec<u8>, options: &[Value<'_>]) -> Option<()> {
    let mut names = HashSet::new();
    let mut object = Object::open(out);
    let mut rest = options;
    while let Some((option, behind)) = rest.split_first() {
        let Value::Atom(_) = option else {
            return None;
        };
        let name = upper(option)?;
        let out = object.key(&name);
        rest = match behind.split_first() {
            Some((value @ (Value::List(_) | Value::Number(_)), behind)) => {
                write_option(out, &name, value);
                behind
            }
            Some((value @ Value::Atom(_), behind)) if WITH_A_WORD.contains(&&*name) => {
                value.write_json(out);
                behind
            }
            _ => {
                out.extend_from_slice(b"true");
                behind
            }
        };
        if !names.insert(name) {
            return None;
        }
    }
    object.close();
    Some(())
}

/// `QRESYNC (67890007 20050715194045000 41,43:211)`: RFC 7162, section 3.2.5.
fn write_option(out: &mut Vec<u8>, name: &str, value: &Value<'_>) {
    let start = out.len();
    if name == "QRESYNC" && write_qresync(out, value.members()).is_none() {
        out.truncate(start);
        value.write_json(out);
    } else if name != "QRESYNC" {
        value.write_json(out);
    }
}

fn write_qresync(out: &mut Vec<u8>, members: &[Value<'_>]) -> Option<()> {
    let [Value::Number(validity), Value::Number(modseq), rest @ ..] = members else {
        return None;
    };
    let mut qresync = Object::open(out);
    qresync.number("uid_validity", *validity);
    qresync.number("modseq", *modseq);
    let rest = match rest {
        [set, rest @ ..] if is_string(set) => {
            write_nstring(qresync.name("known_uids"), set);
            rest
        }
        rest => rest,
    };
    match rest {
        [] => {}
        [Value::List(match_data)] => {
            let [numbers, uids] = match_data.as_slice() else {
                return None;
            };
            if !(is_string(numbers) && is_string(uids)) {
                return None;
            }
            write_nstring(qresync.name("known_numbers"), numbers);
            write_nstring(qresync.name("known_numbers_uids"), uids);
        }
        _ => return None,
    }
    qresync.close();
    Some(())
}
