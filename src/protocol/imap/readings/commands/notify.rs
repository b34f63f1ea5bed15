//! NOTIFY: what a server is to report unasked.

use super::super::text::{is_string, upper, write_astrings};
use super::typed;
use crate::event::json::{Object, write_array};
use crate::event::{Said, Value};

/// `C: a NOTIFY SET STATUS (selected (MessageNew (UID FLAGS) MessageExpunge)) (subtree Lists (MessageNew))`
///
/// RFC 5465, sections 3 and 8. `NOTIFY NONE` has no `groups`.
pub(super) fn notify(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let mut data = Object::open(out);
        match arguments {
            [none] if none.is_word("NONE") => data.string("set", "NONE"),
            [set, rest @ ..] if set.is_word("SET") => {
                data.string("set", "SET");
                let groups = match rest {
                    [status, groups @ ..] if status.is_word("STATUS") => {
                        data.flag("status", true);
                        groups
                    }
                    groups => groups,
                };
                write_groups(data.name("groups"), groups)?;
            }
            _ => return None,
        }
        data.close();
        Some(())
    });
}

/// Filters that mailboxes follow.
const WITH_MAILBOXES: [&str; 3] = ["MAILBOXES", "SUBTREE", "SUBTREE-ONE"];

fn write_groups(out: &mut Vec<u8>, groups: &[Value<'_>]) -> Option<()> {
    out.push(b'[');
    for (at, group) in groups.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        let (filter, rest) = group.members().split_first()?;
        let filter = upper(filter)?;
        let mut object = Object::open(out);
        object.string("filter", &filter);
        let events = match rest {
            [mailboxes, events @ ..] if WITH_MAILBOXES.contains(&&*filter) => {
                let mailboxes = match mailboxes {
                    Value::List(mailboxes) => mailboxes.as_slice(),
                    mailbox => std::slice::from_ref(mailbox),
                };
                mailboxes.iter().all(is_string).then_some(())?;
                write_astrings(object.name("mailboxes"), mailboxes);
                events
            }
            events => events,
        };
        let events = match events {
            [Value::List(events)] => events.as_slice(),
            events => events,
        };
        write_array(object.name("events"), events, |out, event| {
            event.write_json(out)
        });
        object.close();
    }
    out.push(b']');
    Some(())
}
