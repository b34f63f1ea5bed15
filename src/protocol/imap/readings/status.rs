//! STATUS: how many messages a mailbox has, and the like.

use super::fetch::write_object_id;
use super::mailbox_name::{MAILBOX, write_name};
use super::pairs;
use super::text::is_string;
use super::typed;
use crate::event::json::Object;
use crate::event::{Said, Value};

/// `S: * STATUS blurdybloop (MESSAGES 231 UIDNEXT 44292 MAILBOXID (F2212ea87))`
///
/// RFC 9051, section 7.3.3; RFC 7162, section 3.1.7 (HIGHESTMODSEQ); RFC 7889 (APPENDLIMIT); RFC 8438
/// (SIZE); RFC 8474, section 4.3 (MAILBOXID); RFC 9208, section 4.1.4 (DELETED, DELETED-STORAGE).
pub(in super::super) fn status(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let [mailbox, Value::List(items)] = arguments else {
            return None;
        };
        is_string(mailbox).then_some(())?;
        let mut data = Object::open(out);
        write_name(&mut data, &MAILBOX, said.details.names, mailbox);
        pairs::write_items(
            data.name("items"),
            said.details.names,
            items,
            |name, out, value| match name.eq_ignore_ascii_case(b"MAILBOXID") {
                true => write_object_id(out, value),
                false => value.write_json(out),
            },
        );
        data.close();
        Some(())
    });
}
