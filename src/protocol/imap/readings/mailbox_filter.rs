//! Which mailboxes NOTIFY and ESEARCH mean (RFC 5465, section 6; RFC 7377, section 2.2).
//!
//! ```text
//! C: a NOTIFY SET (mailboxes (INBOX Lists) (MessageNew))
//! C: b ESEARCH IN (selected subtree Lists) SUBJECT "x"
//! ```

use super::mailbox_name::{MAILBOXES, write_names};
use super::text::{is_string, upper};
use crate::event::json::Object;
use crate::event::{MailboxNames, Value};

/// Filters that mailboxes follow.
const WITH_MAILBOXES: [&str; 3] = ["MAILBOXES", "SUBTREE", "SUBTREE-ONE"];

/// Adds the filter that these begin with, and its mailboxes; what follows it. `None` where it is none.
pub(super) fn write_filter<'v, 'a>(
    object: &mut Object<'_>,
    names: MailboxNames,
    values: &'v [Value<'a>],
) -> Option<&'v [Value<'a>]> {
    let (filter, rest) = values.split_first()?;
    let Value::Atom(_) = filter else {
        return None;
    };
    let filter = upper(filter)?;
    object.string("filter", &filter);
    if !WITH_MAILBOXES.contains(&&*filter) {
        return Some(rest);
    }
    let (mailboxes, rest) = rest.split_first()?;
    let mailboxes = match mailboxes {
        Value::List(mailboxes) => mailboxes.as_slice(),
        mailbox => std::slice::from_ref(mailbox),
    };
    mailboxes.iter().all(is_string).then_some(())?;
    write_names(object, &MAILBOXES, names, mailboxes);
    Some(rest)
}
