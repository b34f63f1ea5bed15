//! What part of a message's text is meant (RFC 9051, section 6.4.5, `section`; RFC 3516).
//!
//! ```text
//! BODY[1.2.HEADER.FIELDS (DATE FROM)]<0.2048>    {"part":"1.2","section":"HEADER.FIELDS",
//!                                                 "fields":["DATE","FROM"],"origin":0,"length":2048}
//! ```
//!
//! `part` and `section` are left out where there are none: `BODY[]` is the whole message.

use std::borrow::Cow;
use std::cell::RefCell;

use smallvec::SmallVec;

use crate::event::json::{Object, write_array, write_lossy};
use crate::event::{decimal, unquoted};

/// Names of header fields; apps ask for few.
type FieldNames<'a> = SmallVec<[Cow<'a, [u8]>; 8]>;

/// An item's name with a section, in its parts.
pub(super) struct Section<'a> {
    /// `BODY.PEEK`
    pub(super) item: &'a [u8],
    part: &'a [u8],
    text: &'a [u8],
    fields: Option<FieldNames<'a>>,
    origin: Option<u64>,
    length: Option<u64>,
}

impl<'a> Section<'a> {
    /// Reads the name; `None` where it has no section, or one that does not fit the grammar.
    pub(super) fn read(name: &'a [u8]) -> Option<Self> {
        let open = memchr::memchr(b'[', name)?;
        let close = memchr::memrchr(b']', name)?;
        let inner = name.get(open + 1..close)?;
        let (origin, length) = partial(&name[close + 1..])?;
        let (part, rest) = split_part(inner);
        let (text, fields) = match memchr::memchr(b'(', rest) {
            Some(list) => {
                let fields = rest[list + 1..].strip_suffix(b")")?;
                (rest[..list].trim_ascii_end(), Some(field_names(fields)?))
            }
            None => (rest, None),
        };
        let wants_fields = ["HEADER.FIELDS", "HEADER.FIELDS.NOT"];
        let is = |name: &&str| text.eq_ignore_ascii_case(name.as_bytes());
        let fits = match fields {
            Some(_) => wants_fields.iter().any(is),
            None => text.is_empty() || ["HEADER", "TEXT", "MIME"].iter().any(is),
        };
        fits.then_some(Self {
            item: &name[..open],
            part,
            text,
            fields,
            origin,
            length,
        })
    }

    /// Adds what there is as members.
    pub(super) fn write(&self, object: &mut Object<'_>) {
        if !self.part.is_empty() {
            write_lossy(object.name("part"), self.part);
        }
        if !self.text.is_empty() {
            let out = object.name("section");
            let start = out.len();
            write_lossy(out, self.text); // letters and full stops
            out[start..].make_ascii_uppercase();
        }
        if let Some(fields) = &self.fields {
            write_array(object.name("fields"), fields, |out, field| {
                write_lossy(out, field)
            });
        }
        if let Some(origin) = self.origin {
            object.number("origin", origin);
        }
        if let Some(length) = self.length {
            object.number("length", length);
        }
    }
}

/// What stands before the octets of a fetched text: `"BODY[TEXT]":` and `{"section":"TEXT"`.
#[derive(Default)]
struct Begun {
    /// The item's name on the wire.
    name: Vec<u8>,
    key: Vec<u8>,
    members: Vec<u8>,
}

impl Begun {
    fn new(name: &[u8]) -> Self {
        let (mut key, mut members) = (Vec::new(), Vec::new());
        write_lossy(&mut key, name);
        key.make_ascii_uppercase();
        let mut text = Object::open(&mut members);
        if let Some(section) = Section::read(name) {
            section.write(&mut text);
        }
        Self {
            name: name.to_owned(),
            key,
            members,
        }
    }
}

/// Adds a fetched text to the items of a response: its name, of printable ASCII, and which part of the
/// message it is. What is to be said of its octets is to be added to what is returned, and closed.
///
/// All responses to one FETCH have the same names, so the one that a thread wrote last is kept; it is no
/// longer than a line of a message.
pub(super) fn begin_text<'a>(items: &'a mut Object<'_>, name: &[u8]) -> Object<'a> {
    thread_local! {
        static LAST: RefCell<Begun> = RefCell::default();
    }
    LAST.with_borrow_mut(|last| {
        if last.name != name {
            *last = Begun::new(name);
        }
        let value = items.key_with(|out| out.extend_from_slice(&last.key));
        Object::resume(value, &last.members)
    })
}

/// `1.2` and `HEADER` of `1.2.HEADER`.
fn split_part(inner: &[u8]) -> (&[u8], &[u8]) {
    let rest = inner
        .iter()
        .position(|octet| !octet.is_ascii_digit() && *octet != b'.');
    match rest {
        None => (inner, b""),
        Some(0) => (b"", inner),
        Some(rest) => {
            let (part, text) = inner.split_at(rest);
            (part.strip_suffix(b".").unwrap_or(part), text)
        }
    }
}

/// `<0>` of a response, `<0.2048>` of a command.
fn partial(behind: &[u8]) -> Option<(Option<u64>, Option<u64>)> {
    if behind.is_empty() {
        return Some((None, None));
    }
    let inner = behind.strip_prefix(b"<")?.strip_suffix(b">")?;
    match memchr::memchr(b'.', inner) {
        Some(dot) => Some((
            Some(decimal(&inner[..dot])?),
            Some(decimal(&inner[dot + 1..])?),
        )),
        None => Some((Some(decimal(inner)?), None)),
    }
}

/// Header field names: atoms or quoted strings with a space between them.
fn field_names(list: &[u8]) -> Option<FieldNames<'_>> {
    let mut names = FieldNames::new();
    let mut rest = list.trim_ascii();
    while let Some(first) = rest.first() {
        let end = match first {
            b'"' => quoted_end(rest)?,
            _ => memchr::memchr(b' ', rest).unwrap_or(rest.len()),
        };
        let (name, behind) = rest.split_at(end);
        names.push(match first {
            b'"' => unquoted(name),
            _ => Cow::Borrowed(name),
        });
        rest = behind.trim_ascii_start();
    }
    Some(names)
}

/// Where the quoted string ends with which `text` begins.
fn quoted_end(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        match text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str) -> Option<String> {
        let section = Section::read(name.as_bytes())?;
        let mut out = Vec::new();
        let mut object = Object::open(&mut out);
        section.write(&mut object);
        object.close();
        Some(String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_section_is_read_in_its_parts() {
        for (name, json) in [
            ("BODY[]", "{}"),
            ("BODY[TEXT]", r#"{"section":"TEXT"}"#),
            ("body.peek[1.2.mime]", r#"{"part":"1.2","section":"MIME"}"#),
            ("BINARY[4.1]<512>", r#"{"part":"4.1","origin":512}"#),
            (
                "BODY[3.HEADER.FIELDS.NOT (A \"B \\\" c\" D)]<0.9>",
                r#"{"part":"3","section":"HEADER.FIELDS.NOT","fields":["A","B \" c","D"],"origin":0,"length":9}"#,
            ),
        ] {
            assert_eq!(read(name).as_deref(), Some(json), "{name}");
        }
    }

    #[test]
    fn what_is_no_section_is_not_read() {
        for name in [
            "BODY",
            "BODY[",
            "BODY]1[",
            "BODY[HEADER.FIELDS]",
            "BODY[HEADER.FIELDS (A]",
            "BODY[TEXT (A)]",
            "BODY[SOUP]",
            "BODY[1.SOUP]",
            "BODY[HEADER.FIELDS (\"A)]",
            "BODY[]<0",
            "BODY[]<x>",
            "BODY[]<99999999999999999999>",
        ] {
            assert_eq!(read(name), None, "{name}");
        }
    }
}
