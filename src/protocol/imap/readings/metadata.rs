//! METADATA: annotations of mailboxes and of the server; ANNOTATION, which came before it.

use super::fetch::write_annotations;
use super::mailbox_name::{MAILBOX, write_name};
use super::pairs::write_strings;
use super::text::{is_string, write_astring, write_astrings};
use super::typed;
use crate::event::json::Object;
use crate::event::{Said, Value};

/// `S: * METADATA "INBOX" (/shared/comment "Shared comment")`, RFC 5464, section 4.4.1, and
/// `S: * METADATA "INBOX" /shared/comment /private/comment`, which entries changed, section 4.4.2.
pub(in super::super) fn metadata(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let (mailbox, rest) = arguments.split_first()?;
        is_string(mailbox).then_some(())?;
        let mut data = Object::open(out);
        write_name(&mut data, &MAILBOX, said.details.names, mailbox);
        match rest {
            [Value::List(entries)] => write_strings(data.name("entries"), entries)?,
            changed if changed.iter().all(is_string) => {
                write_astrings(data.name("changed"), changed);
            }
            _ => return None,
        }
        data.close();
        Some(())
    });
}

/// `S: * ANNOTATION "INBOX" "/vendor/cmu/cyrus-imapd/size" ("value.shared" "261")`,
/// draft-daboo-imap-annotatemore-05, section 4.3, as Cyrus sends it; several entries, each with its
/// attributes, are `entries`, and entries alone, which changed, are `changed`.
pub(in super::super) fn annotation(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let (mailbox, rest) = arguments.split_first()?;
        is_string(mailbox).then_some(())?;
        let mut data = Object::open(out);
        write_name(&mut data, &MAILBOX, said.details.names, mailbox);
        match rest {
            [entry, Value::List(attributes)] if is_string(entry) => {
                write_astring(data.name("entry"), entry);
                write_strings(data.name("attributes"), attributes)?;
            }
            [_, Value::List(_), ..] => write_annotations(data.name("entries"), rest)?,
            [Value::List(changed)] if changed.iter().all(is_string) => {
                write_astrings(data.name("changed"), changed);
            }
            changed if !changed.is_empty() && changed.iter().all(is_string) => {
                write_astrings(data.name("changed"), changed);
            }
            _ => return None,
        }
        data.close();
        Some(())
    });
}
