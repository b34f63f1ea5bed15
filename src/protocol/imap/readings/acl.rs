//! Who may do what with a mailbox (RFC 4314).

use super::mailbox_name::{MAILBOX, write_name};
use super::text::{is_string, write_astring, write_astrings};
use super::typed;
use crate::event::json::{Object, write_array};
use crate::event::{Said, Value};

/// `S: * ACL INBOX Fred rwipslxetad -Joe w`, RFC 4314, section 3.6.
pub(in super::super) fn acl(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let [mailbox, entries @ ..] = arguments else {
            return None;
        };
        let fits = entries.len().is_multiple_of(2) && arguments.iter().all(is_string);
        fits.then_some(())?;
        let mut data = Object::open(out);
        write_name(&mut data, &MAILBOX, said.details.names, mailbox);
        write_array(data.name("entries"), entries.chunks(2), |out, entry| {
            let mut object = Object::open(out);
            write_astring(object.name("identifier"), &entry[0]);
            write_astring(object.name("rights"), &entry[1]);
            object.close();
        });
        data.close();
        Some(())
    });
}

/// `S: * LISTRIGHTS ~/Mail/saved smith la r swicdkxte`, RFC 4314, section 3.7: the rights that the
/// identifier always has, then those that can be granted, together where they stand together.
pub(in super::super) fn list_rights(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let [mailbox, identifier, required, optional @ ..] = arguments else {
            return None;
        };
        arguments.iter().all(is_string).then_some(())?;
        let mut data = Object::open(out);
        write_name(&mut data, &MAILBOX, said.details.names, mailbox);
        write_astring(data.name("identifier"), identifier);
        write_astring(data.name("required"), required);
        write_astrings(data.name("optional"), optional);
        data.close();
        Some(())
    });
}

/// `S: * MYRIGHTS INBOX rwiptsldaex`, RFC 4314, section 3.8.
pub(in super::super) fn my_rights(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments: &[Value<'_>], out| {
        let [mailbox, rights] = arguments else {
            return None;
        };
        arguments.iter().all(is_string).then_some(())?;
        let mut data = Object::open(out);
        write_name(&mut data, &MAILBOX, said.details.names, mailbox);
        write_astring(data.name("rights"), rights);
        data.close();
        Some(())
    });
}
