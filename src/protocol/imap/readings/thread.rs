//! THREAD: messages by conversation.

use super::generic;
use crate::event::json::Object;
use crate::event::{Said, Value, write_members};

/// `S: * THREAD (2)(3 6 (4 23)(44 7 96))`, RFC 5256, section 4.
///
/// A thread is an array of numbers, each the answer to the one before it; where there are several
/// answers, an array for each follows: `[[2],[3,6,[4,23],[44,7,96]]]`.
pub(in super::super) fn thread(said: &Said, out: &mut Vec<u8>) {
    let arguments = said.arguments();
    if !arguments.iter().all(is_thread) {
        return generic(said, out);
    }
    let mut data = Object::open(out);
    let threads = data.name("threads");
    threads.push(b'[');
    write_members(threads, &mut said.argument_steps());
    threads.push(b']');
    data.close();
}

/// Lists are nested no deeper than a value tree is.
fn is_thread(value: &Value<'_>) -> bool {
    let is_member = |value: &Value<'_>| value.number().is_some() || is_thread(value);
    matches!(value, Value::List(members) if members.iter().all(is_member))
}
