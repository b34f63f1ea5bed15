//! URLs of messages and their parts (RFC 4467, RFC 5524), and JMAP's (RFC 9698). One with a token in it
//! is masked as a whole: it is `{"secret":"urlauth"}` in the URL's place.

use super::body_structure::write_body;
use super::text::{is_string, write_astring, write_astrings};
use super::typed;
use crate::event::json::{Object, write_array, write_lossy};
use crate::event::{Said, Value};

/// `S: * GENURLAUTH "imap://joe@example.com/INBOX/;uid=20/;section=1.2;urlauth=..."`, RFC 4467,
/// section 8.
pub(in super::super) fn genurlauth(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        arguments.iter().all(is_string).then_some(())?;
        let mut data = Object::open(out);
        write_astrings(data.name("urls"), arguments);
        data.close();
        Some(())
    });
}

/// `S: * URLFETCH "imap://joe@example.com/INBOX/;uid=20" {9}`, RFC 4467, section 7, and
/// `S: * URLFETCH "imap://..." (BINARY ~{9}...)`, RFC 5524, section 3.2.
pub(in super::super) fn urlfetch(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let is_url = |value: &Value<'_>| {
            matches!(
                value,
                Value::Atom(_) | Value::Quoted(_) | Value::Literal(_) | Value::Secret(_)
            )
        };
        let mut data = Object::open(out);
        let urls = data.name("urls");
        urls.push(b'[');
        let mut rest = arguments;
        while let Some((url, behind)) = rest.split_first() {
            is_url(url).then_some(())?;
            if !urls.ends_with(b"[") {
                urls.push(b',');
            }
            let mut object = Object::open(urls);
            write_astring(object.name("url"), url);
            rest = match behind.split_first()? {
                (Value::List(_), _) => {
                    let is_list = |value: &Value<'_>| matches!(value, Value::List(_));
                    let end = behind.iter().position(|value| !is_list(value));
                    let (items, behind) = behind.split_at(end.unwrap_or(behind.len()));
                    write_array(object.name("items"), items, write_item);
                    behind
                }
                (text, behind) => {
                    write_text(&mut object, text);
                    behind
                }
            };
            object.close();
        }
        urls.push(b']');
        data.close();
        Some(())
    });
}

/// `(BODYPARTSTRUCTURE ("TEXT" "PLAIN" ...))`, `(BODY "text")`
fn write_item(out: &mut Vec<u8>, item: &Value<'_>) {
    match item.members() {
        [name @ Value::Atom(word), value] => {
            let mut object = Object::open(out);
            write_lossy(object.name("item"), word);
            match name.is_word("BODYPARTSTRUCTURE") {
                true => write_body(object.name("body"), value),
                false => write_text(&mut object, value),
            }
            object.close();
        }
        _ => item.write_json(out),
    }
}

/// The length; the text itself where it is no literal.
fn write_text(object: &mut Object<'_>, value: &Value<'_>) {
    match value {
        Value::Nil => object.nullable("octets", None),
        Value::Literal(octets) => object.number("octets", octets.len() as u64),
        Value::Streamed(octets) => object.number("octets", *octets),
        Value::Quoted(octets) => {
            object.number("octets", octets.len() as u64);
            write_lossy(object.name("text"), octets);
        }
        value => value.write_json(object.name("value")),
    }
}

/// `S: * JMAPACCESS "https://jmap.example.com/session"`, RFC 9698, section 4.
pub(in super::super) fn jmap_access(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let [url] = arguments else {
            return None;
        };
        is_string(url).then_some(())?;
        let mut data = Object::open(out);
        write_astring(data.name("url"), url);
        data.close();
        Some(())
    });
}
