//! Lists of words: capabilities and flags.

use super::text::{is_string, write_astrings};
use super::{generic, typed};
use crate::event::json::Object;
use crate::event::{Said, Value};

/// `S: * CAPABILITY IMAP4rev1 IDLE`, RFC 9051, section 7.2.2, and `S: * ENABLED CONDSTORE`, RFC 5161,
/// section 3.2.
pub(in super::super) fn capabilities(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        arguments.iter().all(is_string).then_some(())?;
        let mut data = Object::open(out);
        write_astrings(data.name("capabilities"), arguments);
        data.close();
        Some(())
    });
}

/// `S: * FLAGS (\Answered \Flagged $Forwarded)`, RFC 9051, section 7.3.5.
pub(in super::super) fn flags(said: &Said, out: &mut Vec<u8>) {
    match said.arguments().as_slice() {
        [Value::List(flags)] if flags.iter().all(is_string) => {
            let mut data = Object::open(out);
            write_astrings(data.name("flags"), flags);
            data.close();
        }
        _ => generic(said, out),
    }
}
