//! What stands in a command's arguments, by name (RFC 9051, section 6).
//!
//! ```text
//! C: a UID FETCH 1:* (FLAGS BODY.PEEK[HEADER]) (CHANGEDSINCE 5)
//! {"set":"1:*","items":["FLAGS",{"item":"BODY.PEEK","section":"HEADER"}],"modifiers":{"CHANGEDSINCE":5}}
//! ```
//!
//! Read from the sealed message, so that a mask is a mask here too. LOGIN and AUTHENTICATE have no
//! `data`: their `identity` and `mechanism` are all that may be shown. A command without arguments
//! has none either; one in no registry has the value tree.

mod append;
mod fetch;
mod mailbox;
mod notify;
mod search;
mod server;
mod store;

use super::id::id;
use super::language::language;
use super::push::push_service;
use super::{generic, typed};
use crate::event::DataReader;

/// How this command's arguments are read; `name` is upper case.
pub(in super::super) fn reader(name: &str) -> Option<DataReader> {
    if ["LOGIN", "AUTHENTICATE"].contains(&name) {
        return None;
    }
    let bare = name.strip_prefix("UID ").unwrap_or(name);
    let reader = READERS.iter().find(|(known, _)| *known == bare);
    Some(reader.map_or(generic as DataReader, |(_, reader)| *reader))
}

/// In alphabetical order; a command with UID before it is read like the one without.
const READERS: &[(&str, DataReader)] = &[
    ("APPEND", append::append),
    ("CANCELUPDATE", server::cancel_update),
    ("COMPARATOR", server::comparator),
    ("COMPRESS", server::compress),
    ("CONVERSIONS", server::conversions),
    ("CONVERT", fetch::convert),
    ("COPY", store::copy),
    ("CREATE", mailbox::mailbox),
    ("DELETE", mailbox::mailbox),
    ("DELETEACL", mailbox::rights),
    ("ENABLE", server::enable),
    ("ESEARCH", search::esearch),
    ("EXAMINE", mailbox::mailbox),
    ("EXPUNGE", store::expunge),
    ("FETCH", fetch::fetch),
    ("GENURLAUTH", server::genurlauth),
    ("GETACL", mailbox::mailbox),
    ("GETANNOTATION", mailbox::get_annotation),
    ("GETMETADATA", mailbox::get_metadata),
    ("GETQUOTA", server::get_quota),
    ("GETQUOTAROOT", mailbox::mailbox),
    ("ID", id),
    ("LANGUAGE", language),
    ("LIST", mailbox::list),
    ("LISTRIGHTS", mailbox::rights),
    ("LSUB", mailbox::list),
    ("MOVE", store::copy),
    ("MYRIGHTS", mailbox::mailbox),
    ("NOTIFY", notify::notify),
    ("RENAME", mailbox::rename),
    ("REPLACE", append::replace),
    ("RESETKEY", mailbox::reset_key),
    ("RLIST", mailbox::list),
    ("RLSUB", mailbox::list),
    ("SEARCH", search::search),
    ("SELECT", mailbox::mailbox),
    ("SETACL", mailbox::rights),
    ("SETANNOTATION", mailbox::set_annotation),
    ("SETMETADATA", mailbox::set_metadata),
    ("SETQUOTA", server::set_quota),
    ("SORT", search::sort),
    ("STATUS", mailbox::status),
    ("STORE", store::store),
    ("SUBSCRIBE", mailbox::mailbox),
    ("THREAD", search::thread),
    ("UIDBATCHES", server::uid_batches),
    ("UNSUBSCRIBE", mailbox::mailbox),
    ("URLFETCH", server::urlfetch),
    ("XAPPLEPUSHSERVICE", push_service),
    ("XLIST", mailbox::list),
];

/// Whether there is more to say of its arguments than a tree.
#[cfg(test)]
pub(super) fn has_reading(bare: &str) -> bool {
    READERS.iter().any(|(known, _)| *known == bare)
}

#[test]
fn the_table_is_in_alphabetical_order_and_names_commands() {
    assert!(READERS.is_sorted_by_key(|(name, _)| name));
    assert!(
        READERS
            .iter()
            .all(|(name, _)| super::super::is_command(name))
    );
}
