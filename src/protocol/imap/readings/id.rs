//! ID: which software a peer is.

use super::pairs::write_strings;
use super::typed;
use crate::event::json::Object;
use crate::event::{Said, Value};

/// `S: * ID ("name" "Cyrus" "version" "1.5")`, `C: a023 ID NIL`: RFC 2971, sections 3.1 and 3.2.
pub(in super::super) fn id(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let mut data = Object::open(out);
        match arguments {
            [Value::Nil] => data.nullable("parameters", None),
            [Value::List(parameters)] => write_strings(data.name("parameters"), parameters)?,
            _ => return None,
        }
        data.close();
        Some(())
    });
}
