//! LANGUAGE and COMPARATOR: what human-readable text is written in, and how strings are compared
//! (RFC 5255).

use super::text::{is_string, write_astrings, write_nstring};
use super::typed;
use crate::event::json::Object;
use crate::event::{Said, Value};

/// `S: * LANGUAGE (DE)`, RFC 5255, section 3.3.
pub(in super::super) fn language(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let languages = match arguments {
            [Value::List(languages)] => languages.as_slice(),
            languages => languages,
        };
        languages.iter().all(is_string).then_some(())?;
        let mut data = Object::open(out);
        write_astrings(data.name("languages"), languages);
        data.close();
        Some(())
    });
}

/// `S: * COMPARATOR "i;basic" ("i;basic" "i;unicode-casemap")`, RFC 5255, section 4.8: the active
/// one, and those that fit what was asked for.
pub(in super::super) fn comparator(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let mut data = Object::open(out);
        match arguments {
            [] => {}
            [active] if is_string(active) => write_nstring(data.name("active"), active),
            [active, Value::List(matching)]
                if is_string(active) && matching.iter().all(is_string) =>
            {
                write_nstring(data.name("active"), active);
                write_astrings(data.name("matching"), matching);
            }
            _ => return None,
        }
        data.close();
        Some(())
    });
}
