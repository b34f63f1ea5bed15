//! STORE, COPY, MOVE and UID EXPUNGE: what is done with messages.

use super::super::fetch::write_annotations;
use super::super::mailbox_name::{FLAGS, TO, write_name, write_names};
use super::super::pairs::write_options;
use super::super::text::{is_string, write_astring, write_astrings};
use super::typed;
use crate::event::json::Object;
use crate::event::{Said, Value};

/// `C: A003 STORE 2:4 (UNCHANGEDSINCE 12121230045) +FLAGS.SILENT (\Deleted)`
///
/// RFC 9051, section 6.4.6; RFC 7162, section 3.1.3; `ANNOTATION (/comment (value.priv "x"))`, RFC 5257,
/// section 4.5; Gmail's `+X-GM-LABELS`, which are mailbox names.
pub(super) fn store(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let (set, rest) = arguments.split_first()?;
        is_string(set).then_some(())?;
        let mut data = Object::open(out);
        write_astring(data.name("set"), set);
        let rest = match rest {
            [Value::List(modifiers), rest @ ..] => {
                write_options(data.name("modifiers"), modifiers)?;
                rest
            }
            rest => rest,
        };
        let (Value::Atom(item), values) = rest.split_first()? else {
            return None;
        };
        let (action, item) = match item {
            [b'+', item @ ..] => ("add", item),
            [b'-', item @ ..] => ("remove", item),
            item => ("replace", *item),
        };
        let item = String::from_utf8_lossy(item).to_ascii_uppercase();
        let bare = item.strip_suffix(".SILENT");
        data.string("item", bare.unwrap_or(&item));
        data.string("action", action);
        data.flag("silent", bare.is_some());
        let values = match values {
            [Value::List(values)] => values.as_slice(),
            values => values,
        };
        match (bare.unwrap_or(&item), values.iter().all(is_string)) {
            ("ANNOTATION", _) => write_annotations(data.name("annotations"), values)?,
            ("X-GM-LABELS", true) => write_names(&mut data, &FLAGS, said.details.names, values),
            (_, true) => write_astrings(data.name("flags"), values),
            (_, false) => return None,
        }
        data.close();
        Some(())
    });
}

/// `C: A003 COPY 2:4 MEETING`, RFC 9051, sections 6.4.7 and 6.4.8 (MOVE, RFC 6851).
pub(super) fn copy(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let [set, to] = arguments else {
            return None;
        };
        (is_string(set) && is_string(to)).then_some(())?;
        let mut data = Object::open(out);
        write_astring(data.name("set"), set);
        write_name(&mut data, &TO, said.details.names, to);
        data.close();
        Some(())
    });
}

/// `C: A101 UID EXPUNGE 3000:3002`, RFC 9051, section 6.4.9.
pub(super) fn expunge(said: &Said, out: &mut Vec<u8>) {
    typed(said, out, |arguments, out| {
        let [set] = arguments else {
            return None;
        };
        is_string(set).then_some(())?;
        let mut data = Object::open(out);
        write_astring(data.name("set"), set);
        data.close();
        Some(())
    });
}
