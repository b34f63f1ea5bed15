//! A mailbox's name as people write it: INBOX in upper case (RFC 9051, section 5.1), modified UTF-7
//! read (RFC 3501, section 5.1.3). What is neither stays as it is.
//!
//! ```text
//! Entw&APw-rfe    Entwürfe
//! A &- B          A & B
//! R&D             R&D, since that is no UTF-7
//! ```

use std::sync::Arc;

use crate::event::{MailboxNames, Value};
use crate::limits;

/// The name that these octets are; no longer than [`limits::MAILBOX_NAME`].
pub fn mailbox_name(octets: &[u8]) -> Arc<str> {
    if octets.eq_ignore_ascii_case(b"INBOX") {
        return "INBOX".into();
    }
    let octets = &octets[..octets.len().min(limits::MAILBOX_NAME)];
    match MailboxNames::ModifiedUtf7.decoded(octets) {
        Some(decoded) => decoded.into(),
        None => String::from_utf8_lossy(octets).into(),
    }
}

/// The mailbox that an argument names.
pub fn mailbox_of(value: &Value<'_>) -> Option<Arc<str>> {
    match value {
        Value::Number(number) => Some(number.to_string().into()),
        Value::Nil => Some("NIL".into()),
        value => value.bytes().map(mailbox_name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read() {
        for (octets, name) in [
            ("inBox", "INBOX"),
            ("Entw&APw-rfe", "Entwürfe"),
            ("~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"),
            ("A &- B", "A & B"),
            ("R&D", "R&D"),
            ("a&b-c", "a&b-c"),
            ("Grün", "Grün"),
        ] {
            assert_eq!(&*mailbox_name(octets.as_bytes()), name);
        }
    }
}
