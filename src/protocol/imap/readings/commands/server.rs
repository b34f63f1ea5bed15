//! Commands about the connection or the server as a whole.

use super::super::pairs;
use super::super::text::{is_string, write_astring, write_astrings};
use super::typed;
use crate::event::json::{Object, write_array};
use crate::event::{Said, Value};

/// Words alone, under this name.
fn words(said: &Said, out: &mut Vec<u8>, name: &'static str) {
    typed(said, out, |arguments, out| {
        arguments.iter().all(is_string).then_some(())?;
        let mut data = Object::open(out);
        write_astrings(data.name(name), arguments);
        data.close();
        Some(())
    });
}

/// `C: t2 ENABLE CONDSTORE QRESYNC`, RFC 5161, section 3.1.
pub(super) fn enable(said: &Said, out: &mut Vec<u8>) {
    words(said, out, "capabilities");
}

/// `C: B08 CANCELUPDATE "B01"`, RFC 5267, section 4.3.5.
pub(super) fn cancel_update(said: &Said, out: &mut Vec<u8>) {
    words(said, out, "tags");
}

/// `C: B001 COMPARATOR "cz;*" i;basic`, RFC 5255, section 4.7.
pub(super) fn comparator(said: &Said, out: &mut Vec<u8>) {
    words(said, out, "comparators");
}

/// `C: A001 URLFETCH "imap://joe@example.com/INBOX/;uid=20"`, RFC 4467, section 7: a string; and
/// `C: A001 URLFETCH ("imap://joe@example.com/INBOX/;uid=20" BODYPARTSTRUCTURE BINARY)`, RFC 5524,
/// section 3.2: an object with what is asked for.
pub(super) fn urlfetch(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let fits = |argument: &Value<'_>| match argument {
            Value::List(members) => !members.is_empty() && members.iter().all(is_string),
            argument => is_string(argument),
        };
        (!arguments.is_empty() && arguments.iter().all(fits)).then_some(())?;
        let mut data = Object::open(out);
        write_array(data.name("urls"), arguments, |out, argument| {
            let Value::List(members) = argument else {
                return write_astring(out, argument);
            };
            let mut object = Object::open(out);
            if let [url, items @ ..] = members.as_slice() {
                write_astring(object.name("url"), url);
                write_astrings(object.name("items"), items);
            }
            object.close();
        });
        data.close();
        Some(())
    });
}

/// `C: a COMPRESS DEFLATE`, RFC 4978, section 3.
pub(super) fn compress(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let [mechanism] = arguments else {
            return None;
        };
        is_string(mechanism).then_some(())?;
        let mut data = Object::open(out);
        write_astring(data.name("mechanism"), mechanism);
        data.close();
        Some(())
    });
}

/// `C: b CONVERSIONS "text/html" "text/plain"`, RFC 5259, section 5.1.
pub(super) fn conversions(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let [from, to] = arguments else {
            return None;
        };
        (is_string(from) && is_string(to)).then_some(())?;
        let mut data = Object::open(out);
        write_astring(data.name("from"), from);
        write_astring(data.name("to"), to);
        data.close();
        Some(())
    });
}

/// `C: a775 GENURLAUTH "imap://joe@example.com/INBOX/;uid=20;urlauth=submit+fred" INTERNAL`, RFC 4467,
/// section 7.
pub(super) fn genurlauth(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let fits = arguments.len().is_multiple_of(2) && arguments.iter().all(is_string);
        fits.then_some(())?;
        let mut data = Object::open(out);
        write_array(data.name("urls"), arguments.chunks(2), |out, url| {
            let mut object = Object::open(out);
            write_astring(object.name("url"), &url[0]);
            write_astring(object.name("mechanism"), &url[1]);
            object.close();
        });
        data.close();
        Some(())
    });
}

/// `C: A003 GETQUOTA ""`, RFC 9208, section 4.1.1.
pub(super) fn get_quota(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let [root] = arguments else {
            return None;
        };
        is_string(root).then_some(())?;
        let mut data = Object::open(out);
        write_astring(data.name("root"), root);
        data.close();
        Some(())
    });
}

/// `C: A001 SETQUOTA "" (STORAGE 512)`, RFC 9208, section 4.1.3.
pub(super) fn set_quota(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let [root, Value::List(limits)] = arguments else {
            return None;
        };
        is_string(root).then_some(())?;
        let mut data = Object::open(out);
        write_astring(data.name("root"), root);
        pairs::write_items(
            data.name("limits"),
            said.details.names,
            limits,
            |_, out, value| value.write_json(out),
        );
        data.close();
        Some(())
    });
}

/// `C: A143 UIDBATCHES 2000 10:20`, RFC 10022, section 3.1.
pub(super) fn uid_batches(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let [Value::Number(size), range @ ..] = arguments else {
            return None;
        };
        (range.len() <= 1 && range.iter().all(is_string)).then_some(())?;
        let mut data = Object::open(out);
        data.number("size", *size);
        if let [range] = range {
            write_astring(data.name("range"), range);
        }
        data.close();
        Some(())
    });
}
