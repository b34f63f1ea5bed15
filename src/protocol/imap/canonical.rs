//! Arguments of commands in one form, whichever of their forms they came in.
//!
//! ```text
//! 3,1:2                      1:3
//! (uid FLAGS)                (FLAGS UID)
//! {5+} inbox                 INBOX
//! ```

use crate::event::{MailboxNames, Value};

/// One mailbox, or the patterns of LIST, in any order (RFC 5258, section 3).
pub fn mailboxes(value: &Value<'_>) -> Vec<Option<Vec<u8>>> {
    let mut names: Vec<_> = match value {
        Value::List(names) => names.iter().map(mailbox).collect(),
        name => vec![mailbox(name)],
    };
    names.sort_unstable();
    names
}

/// A string's octets, whatever form it has; `None` for what is none.
pub fn text(value: &Value<'_>) -> Option<Vec<u8>> {
    match value {
        Value::Number(number) => Some(number.to_string().into_bytes()),
        Value::Nil => Some(b"NIL".to_vec()),
        Value::Streamed(octets) => Some(format!("{octets} octets").into_bytes()),
        _ => value.bytes().map(<[u8]>::to_vec),
    }
}

/// A mailbox's name, in UTF-8 where it is known to be UTF-7; INBOX is the same in any letter case (RFC
/// 9051, section 5.1).
pub fn mailbox(value: &Value<'_>) -> Option<Vec<u8>> {
    if value.is_word("INBOX") {
        return Some(b"INBOX".to_vec());
    }
    match value {
        Value::Number(number) => Some(number.to_string().into_bytes()),
        Value::Nil => Some(b"NIL".to_vec()),
        _ => value
            .bytes()
            .map(|name| match MailboxNames::ModifiedUtf7.decoded(name) {
                Some(name) => name.into_bytes(),
                None => name.to_vec(),
            }),
    }
}

/// First and last of each.
pub type Ranges = Vec<(u64, u64)>;

/// A sequence set with its ranges ordered, joined and without direction (RFC 9051, section 9).
pub fn set(value: &Value<'_>) -> Option<Ranges> {
    /// `*`
    const LARGEST: u64 = u64::MAX;
    let text = text(value)?;
    let text = std::str::from_utf8(&text).ok()?;
    let mut ranges = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once(':').unwrap_or((part, part));
        let bound = |text: &str| match text {
            "*" => Some(LARGEST),
            digits => digits.parse::<u64>().ok(),
        };
        let (first, last) = (bound(first)?, bound(last)?);
        ranges.push((first.min(last), first.max(last)));
    }
    ranges.sort_unstable();
    let mut joined: Vec<(u64, u64)> = Vec::new();
    for (first, last) in ranges {
        match joined.last_mut() {
            Some(before) if first <= before.1.saturating_add(1) => before.1 = before.1.max(last),
            _ => joined.push((first, last)),
        }
    }
    Some(joined)
}

/// The items of a list, or a single one, upper case and in order; FETCH's macros as what they stand
/// for (RFC 9051, section 6.4.5).
pub fn items(value: &Value<'_>) -> Vec<String> {
    const FAST: &[&str] = &["FLAGS", "INTERNALDATE", "RFC822.SIZE"];
    let with = |more: &[&str]| {
        [FAST, more]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect()
    };
    let mut items: Vec<String> = match value {
        Value::List(members) => members.iter().map(item).collect(),
        single => match &*item(single) {
            "FAST" => with(&[]),
            "ALL" => with(&["ENVELOPE"]),
            "FULL" => with(&["ENVELOPE", "BODY"]),
            other => vec![other.to_owned()],
        },
    };
    items.sort_unstable();
    items.dedup();
    items
}

/// An item, upper case; a list in it, such as `BODY[HEADER.FIELDS (DATE FROM)]` has, in order.
fn item(value: &Value<'_>) -> String {
    let item = match value {
        Value::List(_) => return format!("({})", items(value).join(" ")),
        value => shown(value).to_ascii_uppercase(),
    };
    let Some((before, rest)) = item.split_once(" (") else {
        return item;
    };
    let Some((fields, behind)) = rest.split_once(')') else {
        return item;
    };
    let mut fields: Vec<&str> = fields.split(' ').map(|f| f.trim_matches('"')).collect();
    fields.sort_unstable();
    format!("{before} ({}){behind}", fields.join(" "))
}

/// A value for people.
pub fn shown(value: &Value<'_>) -> String {
    match value {
        Value::List(members) => {
            let members: Vec<String> = members.iter().map(shown).collect();
            format!("({})", members.join(" "))
        }
        Value::Secret(secret) => format!("<secret:{}>", secret.name()),
        _ => {
            let text = String::from_utf8(text(value).unwrap_or_default());
            // What is no text is told octet by octet, so that no two are told alike.
            text.unwrap_or_else(|octets| octets.as_bytes().escape_ascii().to_string())
        }
    }
}
