//! Strings in all their forms (RFC 9051, section 4), written as JSON strings.
//!
//! ```text
//! INBOX    "INBOX"    {5}\r\nINBOX    2026    NIL
//! ```
//!
//! What is invalid UTF-8 is replaced: the wire has the octets.

use std::borrow::Cow;

use crate::event::Value;
use crate::event::json::{write_array, write_lossy};

/// Whether it is an atom, a number, a string or NIL; what is masked, or too large to hold, is one too.
pub(super) fn is_string(value: &Value<'_>) -> bool {
    !matches!(value, Value::List(_) | Value::Text(_))
}

/// The octets of an `astring`, for which a number and NIL are words like any other.
pub(super) fn astring<'v>(value: &'v Value<'_>) -> Option<Cow<'v, [u8]>> {
    match value {
        Value::Number(number) => Some(Cow::Owned(number.to_string().into_bytes())),
        Value::Nil => Some(Cow::Borrowed(b"NIL")),
        Value::Atom(bytes) | Value::Literal(bytes) => Some(Cow::Borrowed(bytes)),
        Value::Quoted(bytes) => Some(Cow::Borrowed(bytes)),
        Value::Streamed(_) | Value::Secret(_) | Value::List(_) | Value::Text(_) => None,
    }
}

/// Adds an `astring`; what is none, as any value.
pub(super) fn write_astring(out: &mut Vec<u8>, value: &Value<'_>) {
    match astring(value) {
        Some(bytes) => write_lossy(out, &bytes),
        None => value.write_json(out),
    }
}

/// Adds an `nstring`, `null` for NIL; what is none, as any value.
pub(super) fn write_nstring(out: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::Nil => value.write_json(out),
        value => write_astring(out, value),
    }
}

/// Adds `astring`s as an array.
pub(super) fn write_astrings(out: &mut Vec<u8>, values: &[Value<'_>]) {
    write_array(out, values, write_astring);
}

/// A word in upper case, for names that are told apart without regard to case.
pub(super) fn upper(value: &Value<'_>) -> Option<String> {
    let bytes = astring(value)?;
    Some(String::from_utf8_lossy(&bytes).to_ascii_uppercase())
}
