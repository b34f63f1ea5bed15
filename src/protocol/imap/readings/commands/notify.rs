//! NOTIFY: what a server is to report unasked.

use super::super::mailbox_filter::write_filter;
use super::typed;
use crate::event::json::{Object, write_array};
use crate::event::{MailboxNames, Said, Value};

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
                write_groups(data.name("groups"), said.details.names, groups)?;
            }
            _ => return None,
        }
        data.close();
        Some(())
    });
}

fn write_groups(out: &mut Vec<u8>, names: MailboxNames, groups: &[Value<'_>]) -> Option<()> {
    out.push(b'[');
    for (at, group) in groups.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        let mut object = Object::open(out);
        let events = match write_filter(&mut object, names, group.members())? {
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
