//! The mailboxes that a command names.
//!
//! ```text
//! C: a GETMETADATA (MAXSIZE 1024) INBOX /shared/comment      INBOX
//! C: a ESEARCH IN (mailboxes a subtree (b c)) UNSEEN          a b c
//! C: a NOTIFY SET (selected NONE) (subtree Lists (MessageNew))    Lists
//! ```

use std::sync::Arc;

use smallvec::SmallVec;

use super::name::mailbox_of;
use crate::event::Value;
use crate::limits;

/// Mailboxes; nearly all commands name one at most.
pub(super) type Named = SmallVec<[Arc<str>; 1]>;

/// The mailboxes that the command with this name is about, by its arguments; no more than
/// [`limits::ITEMS`].
pub(super) fn named(name: &str, arguments: &[Value<'_>]) -> Named {
    let mailboxes = |places: &[usize]| {
        let values = places.iter().filter_map(|place| arguments.get(*place));
        values.filter_map(mailbox_of).collect()
    };
    match name {
        "APPEND" | "CREATE" | "DELETE" | "DELETEACL" | "EXAMINE" | "GETACL" | "GETANNOTATION"
        | "GETQUOTAROOT" | "LISTRIGHTS" | "MYRIGHTS" | "RESETKEY" | "SELECT" | "SETACL"
        | "SETANNOTATION" | "SETMETADATA" | "STATUS" | "SUBSCRIBE" | "UNSUBSCRIBE" => {
            mailboxes(&[0])
        }
        "RENAME" => mailboxes(&[0, 1]),
        "COPY" | "MOVE" | "REPLACE" | "UID COPY" | "UID MOVE" | "UID REPLACE" => mailboxes(&[1]),
        // Options stand on either side of the mailbox (RFC 5464, section 4.2).
        "GETMETADATA" => {
            let is_list = |value: &Value<'_>| matches!(value, Value::List(_));
            let mailbox = arguments.iter().position(|value| !is_list(value));
            mailbox.map_or_else(Named::new, |mailbox| mailboxes(&[mailbox]))
        }
        "ESEARCH" if arguments.first().is_some_and(|word| word.is_word("IN")) => {
            let sources = arguments.get(1).map_or(&[][..], Value::members);
            filtered(sources).collect()
        }
        "NOTIFY" => {
            let groups = arguments.iter().flat_map(|group| filtered(group.members()));
            groups.take(limits::ITEMS).collect()
        }
        _ => Named::new(),
    }
}

/// The names behind `mailboxes`, `subtree` and `subtree-one` (RFC 5465, section 6; RFC 6237, section 2.2).
fn filtered<'a>(values: &'a [Value<'a>]) -> impl Iterator<Item = Arc<str>> + 'a {
    const NAMING: [&str; 3] = ["MAILBOXES", "SUBTREE", "SUBTREE-ONE"];
    let mut values = values.iter();
    let lists = std::iter::from_fn(move || {
        values.find(|value| NAMING.iter().any(|word| value.is_word(word)))?;
        values.next()
    });
    let names = lists.flat_map(|names| match names {
        Value::List(names) => names.as_slice(),
        name => std::slice::from_ref(name),
    });
    names.filter_map(mailbox_of).take(limits::ITEMS)
}

#[cfg(test)]
mod tests {
    use crate::session::options::tests::read;

    #[test]
    fn mailboxes_are_found_wherever_they_stand() {
        for (said, names) in [
            ("SELECT inbox", "INBOX"),
            ("RENAME a Entw&APw-rfe", "a Entwürfe"),
            ("UID COPY 1:3 a", "a"),
            ("GETMETADATA a /shared/comment", "a"),
            ("GETMETADATA (MAXSIZE 1024) a (/shared/comment)", "a"),
            ("GETMETADATA a (MAXSIZE 1024) (/shared/comment)", "a"),
            ("GETANNOTATION a \"/comment\" \"value\"", "a"),
            ("SETANNOTATION a \"/comment\" (\"value\" \"x\")", "a"),
            ("RESETKEY", ""),
            ("RESETKEY a XSAMPLE", "a"),
            (
                "ESEARCH IN (mailboxes a subtree (b \"c d\") personal) RETURN (MIN) UNSEEN",
                "a b c d",
            ),
            ("ESEARCH UNSEEN SUBJECT mailboxes", ""),
            (
                "NOTIFY SET STATUS (selected (MessageNew (UID) MessageExpunge)) \
                 (subtree Lists (MessageNew)) (mailboxes (a b) (MessageNew MessageExpunge))",
                "Lists a b",
            ),
            ("NOTIFY NONE", ""),
            ("SEARCH SUBJECT mailboxes", ""),
        ] {
            let command = read(said);
            assert_eq!(command.named.join(" "), names, "{said}");
        }
    }
}
