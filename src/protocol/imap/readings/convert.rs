//! CONVERTED and CONVERSION: parts of messages in other formats (RFC 5259).

use super::pairs;
use super::search::write_correlator;
use super::text::{is_string, write_astring, write_astrings, write_nstring};
use super::typed;
use crate::event::json::Object;
use crate::event::{Said, Value};

/// `S: * CONVERTED (TAG "a001") 2 (UID 120 BINARY[3] ~{2182}`, RFC 5259, section 7.2.
pub(in super::super) fn converted(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let mut data = Object::open(out);
        let rest = write_correlator(&mut data, said.details.names, arguments)?;
        let items = match rest {
            [Value::Number(number), Value::List(items)] => {
                data.number("number", *number);
                items
            }
            [Value::List(items)] => items,
            _ => return None,
        };
        pairs::write_items(data.name("items"), items, |_, out, value| {
            value.write_json(out)
        });
        data.close();
        Some(())
    });
}

/// `S: * CONVERSION "image/gif" "image/jpeg" ("PIX-X" "PIX-Y")`, RFC 5259, section 5.
pub(in super::super) fn conversion(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let [from, to, rest @ ..] = arguments else {
            return None;
        };
        (is_string(from) && is_string(to)).then_some(())?;
        let mut data = Object::open(out);
        write_astring(data.name("from"), from);
        write_nstring(data.name("to"), to);
        match rest {
            [] => {}
            [Value::List(parameters)] if parameters.iter().all(is_string) => {
                write_astrings(data.name("parameters"), parameters);
            }
            _ => return None,
        }
        data.close();
        Some(())
    });
}
