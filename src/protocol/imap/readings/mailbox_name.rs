//! Mailbox names, and what they read as.
//!
//! The name of the wire always stands in the event; beside it, in a member that ends in `_decoded`,
//! stands what it reads as, where that is something else.

use super::text::{astring, write_astring};
use crate::event::json::Object;
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
