//! XAPPLEPUSHSERVICE: how Apple's devices ask to be woken when mail comes. Apple has not published it;
//! what its devices and several servers say is well known.
//!
//! ```text
//! C: a XAPPLEPUSHSERVICE aps-version 2 aps-account-id 0715A26B-CA09 aps-device-token 2918
//!    aps-subtopic com.apple.mobilemail mailboxes (INBOX Notes)
//! S: * XAPPLEPUSHSERVICE aps-version "2" aps-topic "com.apple.mail.XServer.0715a26b"
//! {"parameters":{"aps-version":"2","aps-topic":"com.apple.mail.XServer.0715a26b"}}
//! ```

use super::mailbox_name::{MAILBOXES, write_names};
use super::pairs::write_strings;
use super::typed;
use crate::event::json::Object;
use crate::event::{Said, Value};

/// The command and the response: names and strings in turns, and `mailboxes` with a list.
pub(in super::super) fn push_service(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let is_mailboxes = |pair: &&[Value<'_>]| matches!(pair, [name, Value::List(_)] if name.is_word("mailboxes"));
        let (lists, parameters): (Vec<_>, Vec<_>) = arguments.chunks(2).partition(is_mailboxes);
        let parameters: Vec<Value<'_>> = parameters.concat();
        let mut data = Object::open(out);
        write_strings(data.name("parameters"), &parameters)?;
        match lists.as_slice() {
            [] => {}
            [[_, Value::List(mailboxes)]] => {
                write_names(&mut data, &MAILBOXES, said.details.names, mailboxes);
            }
            _ => return None,
        }
        data.close();
        Some(())
    });
}
