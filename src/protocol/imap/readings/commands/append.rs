//! APPEND and REPLACE: messages put into a mailbox.

use super::super::mailbox_name::{MAILBOX, write_name};
use super::super::text::{is_string, write_astring, write_astrings};
use super::typed;
use crate::event::json::{Object, write_array};
use crate::event::{Said, Value, decimal};

/// `C: A003 APPEND saved-messages (\Seen) "1-Jan-2026 00:00:00 +0000" {326}`
///
/// RFC 9051, section 6.3.12; several messages at once: RFC 3502; from parts: RFC 4469 (CATENATE);
/// `UTF8 (~{326}`: RFC 6855, section 4.
pub(super) fn append(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let mut data = Object::open(out);
        write_appended(&mut data, said, arguments)?;
        data.close();
        Some(())
    });
}

/// `C: A004 REPLACE 4 Drafts (\Seen \Draft) {312}`, RFC 8508, section 3.
pub(super) fn replace(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let (number, arguments) = arguments.split_first()?;
        is_string(number).then_some(())?;
        let mut data = Object::open(out);
        write_astring(data.name("set"), number);
        write_appended(&mut data, said, arguments)?;
        data.close();
        Some(())
    });
}

fn write_appended(data: &mut Object<'_>, said: &Said, arguments: &[Value<'_>]) -> Option<()> {
    let (mailbox, mut rest) = arguments.split_first()?;
    (is_string(mailbox) && !rest.is_empty()).then_some(())?;
    write_name(data, &MAILBOX, said.details.names, mailbox);
    let messages = data.name("messages");
    messages.push(b'[');
    while !rest.is_empty() {
        if !messages.ends_with(b"[") {
            messages.push(b',');
        }
        let mut message = Object::open(messages);
        rest = write_message(&mut message, rest)?;
        message.close();
    }
    messages.push(b']');
    Some(())
}

/// One message's flags, date and text; the arguments behind it.
fn write_message<'v, 'a>(
    message: &mut Object<'_>,
    arguments: &'v [Value<'a>],
) -> Option<&'v [Value<'a>]> {
    let mut rest = arguments;
    if let [Value::List(flags), behind @ ..] = rest {
        flags.iter().all(is_string).then_some(())?;
        write_astrings(message.name("flags"), flags);
        rest = behind;
    }
    if let [date @ Value::Quoted(_), behind @ ..] = rest {
        write_astring(message.name("date"), date);
        rest = behind;
    }
    if let [word, annotations @ Value::List(_), behind @ ..] = rest
        && word.is_word("ANNOTATION")
    {
        annotations.write_json(message.name("annotation"));
        rest = behind;
    }
    match rest {
        [text @ (Value::Literal(_) | Value::Streamed(_)), rest @ ..] => {
            write_octets(message, text);
            Some(rest)
        }
        [Value::Atom(header)] => {
            message.number("announced", announced(header)?);
            Some(&[])
        }
        [word, Value::List(text), rest @ ..] if word.is_word("UTF8") => {
            let [text] = text.as_slice() else {
                return None;
            };
            message.flag("utf8", true);
            write_octets(message, text);
            Some(rest)
        }
        [word, Value::List(parts), rest @ ..] if word.is_word("CATENATE") => {
            write_parts(message.name("parts"), parts)?;
            Some(rest)
        }
        _ => None,
    }
}

/// The octets of a literal that was refused, and so was not sent: `{326}` as it was announced.
fn announced(header: &[u8]) -> Option<u64> {
    let header = header.strip_prefix(b"~").unwrap_or(header);
    let digits = header.strip_prefix(b"{")?.strip_suffix(b"}")?;
    decimal(digits)
}

fn write_octets(message: &mut Object<'_>, text: &Value<'_>) {
    match text {
        Value::Literal(octets) => message.number("octets", octets.len() as u64),
        Value::Streamed(octets) => message.number("octets", *octets),
        text => text.write_json(message.name("value")),
    }
}

/// `(URL "/Drafts;UIDVALIDITY=385759045/;UID=20/;section=HEADER" TEXT {42}`, RFC 4469, section 3.
fn write_parts(out: &mut Vec<u8>, parts: &[Value<'_>]) -> Option<()> {
    let fits = |part: &[Value<'_>]| match part {
        [word, url] if word.is_word("URL") => is_string(url),
        [word, Value::Literal(_) | Value::Streamed(_)] => word.is_word("TEXT"),
        _ => false,
    };
    parts.chunks(2).all(fits).then_some(())?;
    write_array(out, parts.chunks(2), |out, part| {
        let mut object = Object::open(out);
        match part[0].is_word("URL") {
            true => write_astring(object.name("url"), &part[1]),
            false => write_octets(&mut object, &part[1]),
        }
        object.close();
    });
    Some(())
}
