//! FETCH and CONVERT: which items of which messages are asked for.

use super::super::pairs::{write_options, write_strings};
use super::super::section::Section;
use super::super::text::{is_string, write_astring, write_nstring};
use super::typed;
use crate::event::json::{Object, write_array, write_lossy};
use crate::event::{Said, Value};

/// `C: A654 FETCH 2:4 (FLAGS BODY.PEEK[HEADER.FIELDS (DATE FROM)]<0.9>) (CHANGEDSINCE 5 VANISHED)`
///
/// RFC 9051, section 6.4.5; RFC 7162, sections 3.1.4 and 3.2.6 (RFC 4466); RFC 9394 (PARTIAL).
pub(super) fn fetch(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let (set, rest) = arguments.split_first()?;
        is_string(set).then_some(())?;
        let mut data = Object::open(out);
        write_astring(data.name("set"), set);
        let rest = write_items(&mut data, rest)?;
        match rest {
            [] => {}
            [Value::List(modifiers)] => write_options(data.name("modifiers"), modifiers)?,
            _ => return None,
        }
        data.close();
        Some(())
    });
}

/// `C: a001 CONVERT 2 ("text/plain" ("charset" "utf-8")) BINARY[3]`, RFC 5259, section 6. Without a
/// type (NIL) the server chooses one, section 6.1.
pub(super) fn convert(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let [set, conversion, rest @ ..] = arguments else {
            return None;
        };
        is_string(set).then_some(())?;
        let mut data = Object::open(out);
        write_astring(data.name("set"), set);
        write_conversion(data.name("conversion"), conversion)?;
        write_items(&mut data, rest)?.is_empty().then_some(())?;
        data.close();
        Some(())
    });
}

/// `("text/plain" ("charset" "utf-8"))`, `(NIL)`
fn write_conversion(out: &mut Vec<u8>, value: &Value<'_>) -> Option<()> {
    let (kind, parameters) = match value.members() {
        [kind] => (kind, None),
        [kind, Value::List(parameters)] => (kind, Some(parameters)),
        _ => return None,
    };
    is_string(kind).then_some(())?;
    let mut conversion = Object::open(out);
    write_nstring(conversion.name("type"), kind);
    if let Some(parameters) = parameters {
        write_strings(conversion.name("parameters"), parameters)?;
    }
    conversion.close();
    Some(())
}

/// One item, or a list of them; the arguments behind.
fn write_items<'v, 'a>(
    data: &mut Object<'_>,
    arguments: &'v [Value<'a>],
) -> Option<&'v [Value<'a>]> {
    let (items, rest) = match arguments {
        [Value::List(items), rest @ ..] => (items.as_slice(), rest),
        // `PREVIEW (LAZY)`, RFC 8970: not the modifiers of FETCH.
        [name, Value::List(lazy), rest @ ..]
            if name.is_word("PREVIEW") && lazy.first().is_some_and(|w| w.is_word("LAZY")) =>
        {
            (&arguments[..2], rest)
        }
        [Value::Atom(_), rest @ ..] => (&arguments[..1], rest),
        _ => return None,
    };
    let is_item = |value: &Value<'_>| matches!(value, Value::Atom(_) | Value::List(_));
    items.iter().all(is_item).then_some(())?;
    let starts = items
        .iter()
        .enumerate()
        .filter(|(_, value)| matches!(value, Value::Atom(_)));
    let starts: Vec<usize> = starts.map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([items.len()]);
    write_array(
        data.name("items"),
        starts.iter().zip(ends),
        |out, (start, end)| {
            write_item(out, &items[*start..end]);
        },
    );
    (starts.first().is_none_or(|first| *first == 0) && starts.is_empty() == items.is_empty())
        .then_some(rest)
}

/// A name alone is a string: `FLAGS`. With a section or arguments (`PREVIEW (LAZY)`, `ANNOTATION
/// (/comment value.priv)`) it is an object.
fn write_item(out: &mut Vec<u8>, item: &[Value<'_>]) {
    let [Value::Atom(name), arguments @ ..] = item else {
        return;
    };
    let section = Section::read(name);
    if section.is_none() && arguments.is_empty() {
        return write_lossy(out, &name.to_ascii_uppercase());
    }
    let bare = section.as_ref().map_or(*name, |section| section.item);
    let mut object = Object::open(out);
    write_lossy(object.name("item"), &bare.to_ascii_uppercase());
    if let Some(section) = section {
        section.write(&mut object);
    }
    if !arguments.is_empty() {
        write_array(object.name("arguments"), arguments, |out, value| {
            value.write_json(out)
        });
    }
    object.close();
}
