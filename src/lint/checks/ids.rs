//! ID: who client and server say that they are (RFC 2971, section 3.3).

use std::collections::HashSet;

use crate::event::{Reading, Value};
use crate::lint::look::Look;
use crate::lint::table::Breach;

const FIELDS: usize = 30;
const NAME: usize = 30;
const VALUE: usize = 1024;

/// `C: a ID ("name" "mailscope" "version" "1")`
pub(super) fn check(look: &mut Look<'_>) {
    let is_id = match &look.said.reading {
        Reading::Command { name, .. } => name.as_deref() == Some("ID"),
        Reading::Untagged { name, .. } => name == "ID",
        _ => false,
    };
    if !is_id {
        return;
    }
    let arguments = look.said.arguments();
    let fields = arguments.first().map_or(&[][..], Value::members);
    let name = |pair: &[Value<'_>]| pair[0].bytes().map(<[u8]>::to_ascii_lowercase);
    let mut seen = HashSet::new();
    let mut names = fields.chunks(2).take(2 * FIELDS).filter_map(name);
    if let Some(twice) = names.find(|name| !seen.insert(name.clone())) {
        let about = String::from_utf8_lossy(&twice).into_owned();
        look.add_head(Breach::IdFieldTwice, about);
    }
    let count = fields.len() / 2;
    let long = |value: &Value<'_>, most: usize| value.bytes().is_some_and(|b| b.len() > most);
    let about = match fields {
        _ if count > FIELDS => format!("there are {count} fields"),
        fields if fields.iter().step_by(2).any(|name| long(name, NAME)) => {
            "a field's name is too long".to_owned()
        }
        fields if fields.iter().skip(1).step_by(2).any(|v| long(v, VALUE)) => {
            "a field's value is too long".to_owned()
        }
        _ => return,
    };
    look.add_head(Breach::IdTooLong, about);
}
