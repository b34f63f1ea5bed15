//! CONVERTED and CONVERSION: parts of messages in other formats (RFC 5259).

use super::body_structure::write_body;
use super::fetch::write_fetched;
use super::pairs;
use super::search::write_correlator;
use super::text::{is_string, write_astring, write_astrings, write_nstring};
use super::typed;
use crate::event::json::{Object, write_array};
use crate::event::{Said, Value};

/// `S: * 2 CONVERTED (TAG "a001") (UID 120 BINARY[3] ~{2182}`, RFC 5259, section 8.1.
pub(in super::super) fn converted(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let names = said.details.names;
        let mut data = Object::open(out);
        let [Value::List(items)] = write_correlator(&mut data, names, arguments)? else {
            return None;
        };
        pairs::write_items(data.name("items"), names, items, write_item);
        data.close();
        Some(())
    });
}

/// As in FETCH; `BODYPARTSTRUCTURE[3] ("TEXT" "PLAIN" ...)`, section 8.2, is a body structure; what
/// could not be converted is an error.
fn write_item(name: &[u8], out: &mut Vec<u8>, value: &Value<'_>) {
    const STRUCTURE: &[u8] = b"BODYPARTSTRUCTURE[";
    let start = out.len();
    if write_error(out, value.members()).is_some() {
        return;
    }
    out.truncate(start);
    let first = name.get(..STRUCTURE.len());
    match first.is_some_and(|first| first.eq_ignore_ascii_case(STRUCTURE)) {
        true => write_body(out, value),
        false => write_fetched(name, out, value),
    }
}

/// `(ERROR "Source text has non us-ascii" BADPARAMETERS "text/html" "text/plain" ("charset"
/// "us-ascii"))`, section 9.
fn write_error(out: &mut Vec<u8>, phrase: &[Value<'_>]) -> Option<()> {
    let [word, text, code, rest @ ..] = phrase else {
        return None;
    };
    (word.is_word("ERROR") && is_string(text) && is_string(code)).then_some(())?;
    let mut error = Object::open(out);
    write_astring(error.name("error"), text);
    write_astring(error.name("code"), code);
    if !rest.is_empty() {
        write_array(error.name("values"), rest, |out, value| {
            value.write_json(out)
        });
    }
    error.close();
    Some(())
}

/// `S: * CONVERSION "image/gif" "image/jpeg" ("PIX-X" "PIX-Y")`, RFC 5259, section 5.2.
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
