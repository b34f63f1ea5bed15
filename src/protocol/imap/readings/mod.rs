//! What stands in a message's arguments, by name: the `data` of an event.
//!
//! One noun a file. A reading is a view on the value tree, made when a sink asks for it and written
//! straight as JSON; the transcript's schema (`src/transcript/schema.json`) has the shape of each.
//! Members are named in the RFC's words; words and names of the wire keep its letter case, but for
//! those that are told apart without regard to it and stand as a member's name (`UID`, `MESSAGES`).
//!
//! ```text
//! S: * STATUS Entw&APw-rfe (MESSAGES 231 UIDNEXT 44292)
//! {"mailbox":"Entw&APw-rfe","mailbox_decoded":"Entwürfe","items":{"MESSAGES":231,"UIDNEXT":44292}}
//! ```
//!
//! It promises that nothing is lost: what does not fit the grammar is the value tree under `values`,
//! of the whole message or of the part that does not fit; that no input makes it panic; and that it
//! takes time that grows with the message alone, however deep its lists are nested.
//!
//! A string is a JSON string, whether it is quoted, a literal or an atom; NIL is `null`; a literal
//! that was too large to hold, or that is a message's text, is `{"octets":N}`; a mask is
//! `{"secret":"..."}`.

mod acl;
mod body_structure;
mod code;
mod commands;
mod convert;
mod envelope;
mod fetch;
mod id;
mod language;
mod list;
mod mailbox_filter;
mod mailbox_name;
mod metadata;
mod namespace;
mod pairs;
mod push;
mod quota;
mod search;
mod section;
mod status;
mod text;
mod thread;
mod url;
mod words;

pub(super) use acl::{acl, list_rights, my_rights};
pub(super) use code::reader as code;
pub(super) use commands::reader as command;
pub(super) use convert::{conversion, converted};
pub(super) use fetch::fetch;
pub(super) use id::id;
pub(super) use language::{comparator, language};
pub(super) use list::list;
pub(super) use metadata::{annotation, metadata};
pub(super) use namespace::namespace;
pub(super) use push::push_service;
pub(super) use quota::{quota, quota_root};
pub(super) use search::{esearch, numbers, uid_batches, vanished};
pub(super) use status::status;
pub(super) use thread::thread;
pub(super) use url::{genurlauth, jmap_access, urlfetch};
pub(super) use words::{capabilities, flags};

use crate::event::json::{Object, write_array};
use crate::event::{Said, Value, write_members};

/// The value tree, of what has no reading of its own or does not fit it.
pub(super) fn generic(said: &Said, out: &mut Vec<u8>) {
    let mut data = Object::open(out);
    let values = data.name("values");
    values.push(b'[');
    write_members(values, &mut said.argument_steps());
    values.push(b']');
    data.close();
}

/// The same of a part.
fn write_values(out: &mut Vec<u8>, values: &[Value<'_>]) {
    let mut data = Object::open(out);
    write_array(data.name("values"), values, |out, value| {
        value.write_json(out)
    });
    data.close();
}

/// Adds what `write` makes of the arguments; the value tree where it finds that they do not fit.
fn typed(
    said: &Said,
    out: &mut Vec<u8>,
    write: impl FnOnce(&[Value<'_>], &mut Vec<u8>) -> Option<()>,
) {
    let start = out.len();
    let arguments = said.arguments();
    if write(&arguments, out).is_none() {
        out.truncate(start);
        write_values(out, &arguments);
    }
}

#[cfg(test)]
mod tests;
