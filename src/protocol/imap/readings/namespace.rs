//! NAMESPACE: where mailboxes are.

use super::mailbox_name::{PREFIX, write_name};
use super::pairs;
use super::text::{is_string, write_nstring};
use super::typed;
use crate::event::json::{Object, write_array};
use crate::event::{MailboxNames, Said, Value};

/// `S: * NAMESPACE (("" "/")("#mail/" "/")) NIL (("shared/" "/" "TRANSLATION" ("Andere/")))`
///
/// RFC 9051, section 7.3.2 (RFC 2342); RFC 5255, section 3.4 (TRANSLATION).
pub(in super::super) fn namespace(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let [personal, other_users, shared] = arguments else {
            return None;
        };
        let names = said.details.names;
        let mut data = Object::open(out);
        write_namespaces(data.name("personal"), names, personal)?;
        write_namespaces(data.name("other_users"), names, other_users)?;
        write_namespaces(data.name("shared"), names, shared)?;
        data.close();
        Some(())
    });
}

fn write_namespaces(out: &mut Vec<u8>, names: MailboxNames, value: &Value<'_>) -> Option<()> {
    let Value::List(namespaces) = value else {
        value.write_json(out);
        return (*value == Value::Nil).then_some(());
    };
    let fits = |namespace: &Value<'_>| {
        matches!(namespace.members(), [prefix, delimiter, extensions @ ..]
            if is_string(prefix) && is_string(delimiter) && extensions.len().is_multiple_of(2))
    };
    namespaces.iter().all(fits).then_some(())?;
    write_array(out, namespaces, |out, namespace| {
        write_one(out, names, namespace.members());
    });
    Some(())
}

fn write_one(out: &mut Vec<u8>, names: MailboxNames, members: &[Value<'_>]) {
    let [prefix, delimiter, extensions @ ..] = members else {
        return;
    };
    let mut namespace = Object::open(out);
    write_name(&mut namespace, &PREFIX, names, prefix);
    write_nstring(namespace.name("delimiter"), delimiter);
    if !extensions.is_empty() {
        pairs::write_items(
            namespace.name("extensions"),
            names,
            extensions,
            |_, out, value| {
                value.write_json(out);
            },
        );
    }
    namespace.close();
}
