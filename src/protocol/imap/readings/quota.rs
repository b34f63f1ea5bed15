//! QUOTA and QUOTAROOT: how much room there is.

use super::mailbox_name::{MAILBOX, write_name};
use super::text::{is_string, write_astring, write_astrings};
use super::typed;
use crate::event::json::{Object, write_array};
use crate::event::{Said, Value};

/// `S: * QUOTA "!partition/sda4" (STORAGE 104 10923847 MESSAGE 12 1000)`, RFC 9208, section 4.2.1
/// (RFC 2087).
pub(in super::super) fn quota(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let [root, Value::List(resources)] = arguments else {
            return None;
        };
        let fits = |resource: &[Value<'_>]| matches!(resource, [name, Value::Number(_), Value::Number(_)] if is_string(name));
        (is_string(root) && resources.chunks(3).all(fits)).then_some(())?;
        let mut data = Object::open(out);
        write_astring(data.name("root"), root);
        write_array(
            data.name("resources"),
            resources.chunks(3),
            |out, resource| {
                let mut object = Object::open(out);
                write_astring(object.name("name"), &resource[0]);
                resource[1].write_json(object.name("usage"));
                resource[2].write_json(object.name("limit"));
                object.close();
            },
        );
        data.close();
        Some(())
    });
}

/// `S: * QUOTAROOT INBOX "" "!partition/sda4"`, RFC 9208, section 4.2.2.
pub(in super::super) fn quota_root(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let [mailbox, roots @ ..] = arguments else {
            return None;
        };
        arguments.iter().all(is_string).then_some(())?;
        let mut data = Object::open(out);
        write_name(&mut data, &MAILBOX, said.details.names, mailbox);
        write_astrings(data.name("roots"), roots);
        data.close();
        Some(())
    });
}
