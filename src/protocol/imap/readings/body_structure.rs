//! BODY and BODYSTRUCTURE: the tree of a message's MIME parts (RFC 9051, section 7.5.2).
//!
//! ```text
//! S: * 12 FETCH (BODYSTRUCTURE (("TEXT" "PLAIN" ("CHARSET" "UTF-8") NIL NIL "7BIT" 1152 23)
//!    ("IMAGE" "PNG" NIL NIL NIL "BASE64" 4554 NIL ("ATTACHMENT" ("FILENAME" "a.png")) ("EN" "DE") NIL)
//!    "MIXED"))
//! {"type":"multipart","subtype":"MIXED","parts":[
//!  {"type":"TEXT","subtype":"PLAIN","parameters":{"CHARSET":"UTF-8"},"id":null,"description":null,
//!   "encoding":"7BIT","octets":1152,"lines":23},
//!  {"type":"IMAGE",...,"octets":4554,"md5":null,"disposition":{"type":"ATTACHMENT",
//!   "parameters":{"FILENAME":"a.png"}},"language":["EN","DE"],"location":null}]}
//! ```
//!
//! Extension data that a server leaves out is left out; what follows `location`, which no RFC has a
//! name for, is the value tree under `extension`. A part that does not fit is `{"values":[...]}`, and
//! the parts around it are read.

use super::envelope::{write_envelope, write_readable};
use super::pairs::write_strings;
use super::text::{is_string, write_astrings, write_nstring};
use super::write_values;
use crate::event::Value;
use crate::event::json::{Object, write_array};

/// Adds a body and all its parts. Lists are nested no deeper than a value tree is
/// ([`limits::NESTING`](crate::limits::NESTING)).
pub(super) fn write_body(out: &mut Vec<u8>, value: &Value<'_>) {
    let Value::List(fields) = value else {
        return value.write_json(out);
    };
    let start = out.len();
    let written = match fields.first() {
        Some(Value::List(_)) => write_multipart(out, fields),
        _ => write_single(out, fields),
    };
    if written.is_none() {
        out.truncate(start);
        write_values(out, fields);
    }
}

/// `1*body SP media-subtype [SP body-ext-mpart]`; whether it is one is known before a part is
/// written, so that none is written twice.
fn write_multipart(out: &mut Vec<u8>, fields: &[Value<'_>]) -> Option<()> {
    let end = fields
        .iter()
        .position(|field| !matches!(field, Value::List(_)))?;
    let (parts, [subtype, extension @ ..]) = fields.split_at(end) else {
        return None;
    };
    let fits = is_string(subtype)
        && match extension {
            [] => true,
            [parameters, rest @ ..] => is_parameters(parameters) && is_extension(rest),
        };
    fits.then_some(())?;
    let mut body = Object::open(out);
    body.string("type", "multipart");
    write_nstring(body.name("subtype"), subtype);
    write_array(body.name("parts"), parts, write_body);
    if let [parameters, rest @ ..] = extension {
        write_parameters(body.name("parameters"), parameters);
        write_extension(&mut body, rest);
    }
    body.close();
    Some(())
}

/// `body-type-basic`, `body-type-msg` and `body-type-text`, each with `[SP body-ext-1part]`.
fn write_single(out: &mut Vec<u8>, fields: &[Value<'_>]) -> Option<()> {
    let [
        kind,
        subtype,
        parameters,
        id,
        description,
        encoding,
        octets,
        rest @ ..,
    ] = fields
    else {
        return None;
    };
    let strings = [kind, subtype, id, description, encoding, octets];
    let is_message = kind.is_word("MESSAGE")
        && (subtype.is_word("RFC822") || subtype.is_word("GLOBAL"))
        && matches!(rest, [Value::List(_), Value::List(_), ..]);
    let (message, rest) = rest.split_at_checked(if is_message { 2 } else { 0 })?;
    let has_lines =
        (is_message || kind.is_word("TEXT")) && matches!(rest, [lines, ..] if is_count(lines));
    let (lines, rest) = rest.split_at_checked(usize::from(has_lines))?;
    let fits = strings.into_iter().all(is_string)
        && is_parameters(parameters)
        && match rest {
            [] => true,
            [md5, rest @ ..] => is_string(md5) && is_extension(rest),
        };
    fits.then_some(())?;
    let mut body = Object::open(out);
    write_nstring(body.name("type"), kind);
    write_nstring(body.name("subtype"), subtype);
    write_parameters(body.name("parameters"), parameters);
    write_nstring(body.name("id"), id);
    write_readable(
        &mut body,
        ("description", "description_decoded"),
        description,
    );
    write_nstring(body.name("encoding"), encoding);
    octets.write_json(body.name("octets"));
    if let [envelope, inner] = message {
        write_envelope(body.name("envelope"), envelope);
        write_body(body.name("body"), inner);
    }
    if let [lines] = lines {
        lines.write_json(body.name("lines"));
    }
    if let [md5, rest @ ..] = rest {
        write_nstring(body.name("md5"), md5);
        write_extension(&mut body, rest);
    }
    body.close();
    Some(())
}

fn is_count(value: &Value<'_>) -> bool {
    matches!(value, Value::Number(_))
}

fn is_parameters(value: &Value<'_>) -> bool {
    matches!(value, Value::Nil | Value::List(_))
}

/// `disposition [language [location *extension]]`
fn is_extension(rest: &[Value<'_>]) -> bool {
    let is_disposition = |value: &Value<'_>| match value {
        Value::List(members) => {
            matches!(members.as_slice(), [kind, parameters] if is_string(kind) && is_parameters(parameters))
        }
        value => *value == Value::Nil,
    };
    let is_language = |value: &Value<'_>| match value {
        Value::List(members) => members.iter().all(is_string),
        value => is_string(value),
    };
    match rest {
        [] => true,
        [disposition] => is_disposition(disposition),
        [disposition, language] => is_disposition(disposition) && is_language(language),
        [disposition, language, location, ..] => {
            is_disposition(disposition) && is_language(language) && is_string(location)
        }
    }
}

fn write_extension(body: &mut Object<'_>, rest: &[Value<'_>]) {
    let mut rest = rest.iter();
    if let Some(disposition) = rest.next() {
        write_disposition(body.name("disposition"), disposition);
    }
    if let Some(language) = rest.next() {
        let out = body.name("language");
        match language {
            Value::List(languages) => write_astrings(out, languages),
            Value::Nil => write_nstring(out, language),
            language => write_array(out, [language], write_nstring),
        }
    }
    if let Some(location) = rest.next() {
        write_nstring(body.name("location"), location);
    }
    let rest = rest.as_slice();
    if !rest.is_empty() {
        write_array(body.name("extension"), rest, |out, value| {
            value.write_json(out)
        });
    }
}

fn write_disposition(out: &mut Vec<u8>, value: &Value<'_>) {
    match value.members() {
        [kind, parameters] => {
            let mut disposition = Object::open(out);
            write_nstring(disposition.name("type"), kind);
            write_parameters(disposition.name("parameters"), parameters);
            disposition.close();
        }
        _ => value.write_json(out),
    }
}

/// `("CHARSET" "UTF-8")`; the list as it is where a name comes again, or it is not pairs of strings.
fn write_parameters(out: &mut Vec<u8>, value: &Value<'_>) {
    let start = out.len();
    let is_written = match value {
        Value::List(pairs) => write_strings(out, pairs).is_some(),
        _ => false,
    };
    if !is_written {
        out.truncate(start);
        value.write_json(out);
    }
}
