//! ENVELOPE: a message's header in its structure (RFC 9051, section 7.5.2).
//!
//! ```text
//! S: * 12 FETCH (ENVELOPE ("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "=?UTF-8?Q?Gr=C3=BC=C3=9Fe?="
//!    (("Terry Gray" NIL "gray" "cac.washington.edu")) NIL NIL NIL NIL NIL NIL "<B27397@cac>"))
//! {"date":"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)","subject":"=?UTF-8?Q?Gr=C3=BC=C3=9Fe?=",
//!  "subject_decoded":"Grüße","from":[{"name":"Terry Gray","mailbox":"gray","host":"cac.washington.edu"}],
//!  "sender":null,...,"message_id":"<B27397@cac>"}
//! ```
//!
//! Encoded words are decoded beside the text (RFC 2047); `adl` is left out where it is NIL, as it is
//! nearly always. A group begins with an address without a host, and ends with one without both.

use super::text::{astring, is_string, write_nstring};
use super::write_values;
use crate::event::json::{Object, write_array};
use crate::event::{Value, encoded_word};

/// Adds an envelope; the value tree where it is none.
pub(super) fn write_envelope(out: &mut Vec<u8>, value: &Value<'_>) {
    let fields = value.members();
    let [date, subject, addresses @ .., in_reply_to, message_id] = fields else {
        return not_one(out, value);
    };
    let strings = [date, subject, in_reply_to, message_id];
    if addresses.len() != ADDRESSES.len() || !strings.into_iter().all(is_string) {
        return not_one(out, value);
    }
    let mut envelope = Object::open(out);
    write_nstring(envelope.name("date"), date);
    write_readable(&mut envelope, ("subject", "subject_decoded"), subject);
    for (name, addresses) in ADDRESSES.iter().zip(addresses) {
        write_addresses(envelope.name(name), addresses);
    }
    write_nstring(envelope.name("in_reply_to"), in_reply_to);
    write_nstring(envelope.name("message_id"), message_id);
    envelope.close();
}

/// The fields between the subject and the last two.
const ADDRESSES: [&str; 6] = ["from", "sender", "reply_to", "to", "cc", "bcc"];

fn not_one(out: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::List(members) => write_values(out, members),
        value => value.write_json(out),
    }
}

fn write_addresses(out: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::List(addresses) => write_array(out, addresses, write_address),
        value => value.write_json(out),
    }
}

fn write_address(out: &mut Vec<u8>, value: &Value<'_>) {
    match value.members() {
        [name, adl, mailbox, host] if value.members().iter().all(is_string) => {
            let mut address = Object::open(out);
            write_readable(&mut address, ("name", "name_decoded"), name);
            if *adl != Value::Nil {
                write_nstring(address.name("adl"), adl);
            }
            write_nstring(address.name("mailbox"), mailbox);
            write_nstring(address.name("host"), host);
            address.close();
        }
        _ => not_one(out, value),
    }
}

/// Adds a text, and what it reads as where encoded words are in it.
pub(super) fn write_readable(
    object: &mut Object<'_>,
    names: (&'static str, &'static str),
    value: &Value<'_>,
) {
    write_nstring(object.name(names.0), value);
    if let Some(text) = astring(value).and_then(|text| encoded_word::decoded(&text)) {
        object.string(names.1, &text);
    }
}
