//! LIST, LSUB and XLIST: a mailbox, and what it is.

use super::mailbox_name::{MAILBOX, write_name};
use super::pairs;
use super::text::{is_string, write_astrings, write_nstring};
use super::typed;
use crate::event::json::{Object, write_array};
use crate::event::{Said, Value};

/// `S: * LIST (\HasNoChildren \Sent) "/" "Sent" ("OLDNAME" ("Gesendet"))`
///
/// RFC 9051, section 7.3.1; RFC 3501, section 7.2.3 (LSUB); RFC 5258, section 3.5, and RFC 5465,
/// section 5.4 (CHILDINFO, OLDNAME); RFC 6154 (special uses); Gmail's XLIST.
pub(in super::super) fn list(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let [Value::List(attributes), delimiter, mailbox, extended @ ..] = arguments else {
            return None;
        };
        let strings = attributes.iter().chain([delimiter, mailbox]);
        strings.into_iter().all(is_string).then_some(())?;
        let mut data = Object::open(out);
        write_astrings(data.name("attributes"), attributes);
        write_nstring(data.name("delimiter"), delimiter);
        write_name(&mut data, &MAILBOX, said.details.names, mailbox);
        match extended {
            [] => {}
            [Value::List(items)] if items.len().is_multiple_of(2) => {
                pairs::write_items(
                    data.name("extended"),
                    said.details.names,
                    items,
                    |_, out, value| {
                        value.write_json(out);
                    },
                );
            }
            more => write_array(data.name("extended"), more, |out, value| {
                value.write_json(out)
            }),
        }
        data.close();
        Some(())
    });
}
