//! Mailbox names, and what they read as.
//!
//! The name of the wire always stands in the event; beside it, in a member that ends in `_decoded`,
//! stands what it reads as, where that is something else.

use super::text::{astring, write_astring, write_astrings};
use crate::event::json::{Object, write_array, write_string};
use crate::event::{MailboxNames, Value};

/// The names of the two members that hold a mailbox name.
pub(super) struct Members(&'static str, &'static str);

/// `mailbox`
pub(super) const MAILBOX: Members = Members("mailbox", "mailbox_decoded");
/// Where RENAME, COPY and MOVE lead.
pub(super) const TO: Members = Members("to", "to_decoded");
/// What a name begins with.
pub(super) const PREFIX: Members = Members("prefix", "prefix_decoded");
/// LIST's first argument.
pub(super) const REFERENCE: Members = Members("reference", "reference_decoded");
/// LIST's second argument.
pub(super) const PATTERN: Members = Members("pattern", "pattern_decoded");
/// LIST's second argument where it is several.
pub(super) const PATTERNS: Members = Members("patterns", "patterns_decoded");
/// `mailboxes`
pub(super) const MAILBOXES: Members = Members("mailboxes", "mailboxes_decoded");
/// What STORE changes: Gmail's labels are mailbox names.
pub(super) const FLAGS: Members = Members("flags", "flags_decoded");
/// What is searched for: in Gmail's labels, and in Dovecot's virtual mailboxes.
pub(super) const VALUE: Members = Members("value", "value_decoded");

/// Adds a mailbox name, and what it reads as where that is something else.
pub(super) fn write_name(
    object: &mut Object<'_>,
    members: &Members,
    names: MailboxNames,
    value: &Value<'_>,
) {
    write_astring(object.name(members.0), value);
    if let Some(decoded) = astring(value).and_then(|name| names.decoded(&name)) {
        object.string(members.1, &decoded);
    }
}

/// Adds mailbox names as an array; and all as they read, where one of them reads as something else.
pub(super) fn write_names(
    object: &mut Object<'_>,
    members: &Members,
    names: MailboxNames,
    values: &[Value<'_>],
) {
    write_astrings(object.name(members.0), values);
    if let Some(write) = decoded_names(names, values) {
        write(object.name(members.1));
    }
}

/// Adds all these names as they read; `None` where each reads as it is written.
pub(super) fn decoded_names<'v>(
    names: MailboxNames,
    values: &'v [Value<'_>],
) -> Option<impl FnOnce(&mut Vec<u8>) + 'v> {
    let decoded = move |value: &Value<'_>| astring(value).and_then(|name| names.decoded(&name));
    values
        .iter()
        .any(|value| decoded(value).is_some())
        .then_some(move |out: &mut Vec<u8>| {
            write_array(out, values, |out, value| match decoded(value) {
                Some(decoded) => write_string(out, &decoded),
                None => write_astring(out, value),
            });
        })
}

/// Where a value of this item or extension is a mailbox name, or a list of them, adds what it reads as
/// as the member `key` + `_decoded`.
///
/// Gmail's labels are mailbox names (X-GM-LABELS), so is what Dovecot tells of a virtual mailbox
/// (X-MAILBOX); OLDNAME (RFC 5465, section 5.4) and TRANSLATION (RFC 5255, section 3.4.2) name some.
pub(super) fn write_beside(
    object: &mut Object<'_>,
    key: &str,
    names: MailboxNames,
    value: Option<&Value<'_>>,
) {
    const NAMES: [&str; 4] = ["OLDNAME", "TRANSLATION", "X-GM-LABELS", "X-MAILBOX"];
    let Some(value) = value.filter(|_| NAMES.contains(&key)) else {
        return;
    };
    let key = format!("{key}_decoded");
    match value {
        Value::List(values) => {
            if let Some(write) = decoded_names(names, values) {
                write(object.key(&key));
            }
        }
        value => {
            if let Some(decoded) = astring(value).and_then(|name| names.decoded(&name)) {
                write_string(object.key(&key), &decoded);
            }
        }
    }
}
