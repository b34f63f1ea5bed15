//! Parts of commands that everybody has, and the capability that each of them needs: keys and options of
//! searches, modifiers of FETCH, items of STORE, what CREATE, APPEND and LIST were extended by.

use std::ops::Range;

use super::arguments::nth;
use super::capabilities::{lacking, one_of};
use super::keys::Keys;
use crate::event::{Label, Span, Value};
use crate::lint::look::Look;
use crate::lint::table::Breach;

type Needs = &'static [(&'static str, &'static [&'static str])];

/// Search keys; `X-GM-` are all that begin so.
const KEYS: Needs = &[
    ("ANNOTATION", &["ANNOTATE-EXPERIMENT-1"]),
    ("EMAILID", &["OBJECTID"]),
    ("FILTER", &["FILTERS"]),
    ("FUZZY", &["SEARCH=FUZZY"]),
    ("MODSEQ", MODSEQ),
    ("OLDER", &["WITHIN"]),
    ("SAVEDATESUPPORTED", &["SAVEDATE"]),
    ("SAVEDBEFORE", &["SAVEDATE"]),
    ("SAVEDON", &["SAVEDATE"]),
    ("SAVEDSINCE", &["SAVEDATE"]),
    ("THREADID", &["OBJECTID"]),
    ("X-GM-", &["X-GM-EXT-1"]),
    ("YOUNGER", &["WITHIN"]),
];

const MODSEQ: &[&str] = &["CONDSTORE", "QRESYNC"];

/// Options behind RETURN, besides those of ESEARCH.
const RETURNED: Needs = &[
    ("CONTEXT", &["CONTEXT="]),
    ("PARTIAL", &["PARTIAL", "CONTEXT="]),
    ("RELEVANCY", &["SEARCH=FUZZY"]),
    ("SAVE", SAVED),
    ("UPDATE", &["CONTEXT="]),
];

/// `$` (RFC 5182).
const SAVED: &[&str] = &["SEARCHRES", "IMAP4REV2"];

/// What SORT sorts by, besides RFC 5256.
const SORTED_BY: Needs = &[
    ("DISPLAYFROM", &["SORT=DISPLAY"]),
    ("DISPLAYTO", &["SORT=DISPLAY"]),
    ("RELEVANCY", &["SEARCH=FUZZY"]),
];

/// Items of STORE besides FLAGS.
const STORED: Needs = &[
    ("ANNOTATION", &["ANNOTATE-EXPERIMENT-1"]),
    ("X-GM-LABELS", &["X-GM-EXT-1"]),
];

pub(super) fn check(look: &mut Look<'_>) {
    let Some(command) = &look.command else {
        return;
    };
    let name = command.name.clone();
    let name = name.strip_prefix("UID ").unwrap_or(&name);
    let arguments = look.said.arguments();
    let argument = |place: usize| arguments.get(place);
    match name {
        "SEARCH" | "SORT" | "THREAD" => search(look, name, &arguments),
        "APPEND" => append(look, &arguments),
        "CREATE" if members(argument(1)).iter().any(|it| it.is_word("USE")) => {
            needs(look, 1, "USE", &["CREATE-SPECIAL-USE"]);
        }
        "FETCH" if members(argument(2)).iter().any(|it| it.is_word("PARTIAL")) => {
            needs(look, 2, "PARTIAL", &["PARTIAL"]);
        }
        "LIST" => {
            let patterns = if is_list(argument(0)) { 2 } else { 1 };
            if is_list(argument(patterns)) {
                let id = Breach::ListOptionWithoutCapability;
                if let Some(id) = lacking(look, &["LIST-EXTENDED", "IMAP4REV2"], id) {
                    let range = argument_range(look, patterns);
                    look.add(id, range, "several patterns");
                }
            }
        }
        "STORE" => {
            // Before the item may stand a list of modifiers (RFC 4466, section 2.5).
            let item = arguments.iter().skip(1).find(|value| !is_list(Some(value)));
            let item = item.and_then(Value::bytes).unwrap_or_default();
            let item = String::from_utf8_lossy(item).to_ascii_uppercase();
            let word = item.trim_start_matches(['+', '-']);
            let word = word.strip_suffix(".SILENT").unwrap_or(word);
            if let Some(any_of) = row(STORED, word) {
                needs(look, 1, &item, any_of);
            }
        }
        _ => {}
    }
    let names_messages = matches!(name, "FETCH" | "STORE" | "COPY" | "MOVE" | "EXPUNGE");
    if names_messages && argument(0).is_some_and(|set| set.is_word("$")) {
        needs(look, 0, "$", SAVED);
    }
}

/// `C: a SORT RETURN (PARTIAL 1:10) (DISPLAYFROM) UTF-8 YOUNGER 3600 $`
fn search(look: &mut Look<'_>, name: &str, arguments: &[Value<'_>]) {
    let returns = arguments.first().is_some_and(|word| word.is_word("RETURN"));
    if returns {
        let any_of: &[&str] = match name {
            "SORT" => &["ESORT", "CONTEXT=SORT"],
            _ => &["ESEARCH", "IMAP4REV2"],
        };
        if let Some(id) = lacking(look, any_of, Breach::SearchReturnWithoutCapability) {
            let range = look.range_of_word("RETURN");
            return look.add(id, range, one_of(any_of));
        }
        each(look, 1, members(arguments.get(1)), RETURNED);
    }
    if name == "SORT" {
        let by = if returns { 2 } else { 0 };
        each(look, by, members(arguments.get(by)), SORTED_BY);
    }
    let keys = Keys::read(look);
    for range in keys.keys {
        let key = look.said.wire.bytes()[range.clone()].to_ascii_uppercase();
        let key = String::from_utf8_lossy(&key).into_owned();
        let Some(any_of) = row(KEYS, &key) else {
            continue;
        };
        let id = match any_of == MODSEQ {
            true => Breach::ModseqWithoutCapability,
            false => Breach::ExtensionWithoutCapability,
        };
        if let Some(id) = lacking(look, any_of, id) {
            look.add(id, range, one_of(any_of));
        }
    }
    if let Some(range) = keys.saved
        && let Some(id) = lacking(look, SAVED, Breach::ExtensionWithoutCapability)
    {
        look.add(id, range, one_of(SAVED));
    }
}

/// `C: a APPEND x CATENATE (URL "/x/;UID=1") (\Seen) {3}`
fn append(look: &mut Look<'_>, arguments: &[Value<'_>]) {
    let behind = arguments.get(1..).unwrap_or_default();
    let is_catenate =
        |value: &&Value<'_>| matches!(value, Value::Atom(_)) && value.is_word("CATENATE");
    let is_message = |value: &&Value<'_>| match value {
        Value::Literal(_) | Value::Streamed(_) => true,
        Value::Atom(_) => value.is_word("CATENATE") || value.is_word("UTF8"),
        _ => false,
    };
    if behind.iter().any(|value| is_catenate(&value)) {
        needs(look, 1, "CATENATE", &["CATENATE"]);
    }
    if behind.iter().filter(is_message).count() > 1
        && let Some(id) = lacking(look, &["MULTIAPPEND"], Breach::ExtensionWithoutCapability)
    {
        look.add_head(
            id,
            "several messages at once: the capability is MULTIAPPEND",
        );
    }
}

/// Looks at each word of a list that is an argument.
fn each(look: &mut Look<'_>, place: usize, words: &[Value<'_>], table: Needs) {
    for word in words.iter().filter_map(Value::bytes) {
        let word = String::from_utf8_lossy(word).to_ascii_uppercase();
        if let Some(any_of) = row(table, &word) {
            needs(look, place, &word, any_of);
        }
    }
}

/// The word, if it stands in this argument, needs one of these capabilities.
fn needs(look: &mut Look<'_>, place: usize, word: &str, any_of: &[&str]) {
    let spans = look.arguments();
    let begins = nth(spans, place).map_or(spans.len(), |first| {
        let is_first = |span: &Span| span.range.start == first.range.start;
        spans.iter().position(is_first).unwrap_or_default()
    });
    let is_it = |span: &&Span| {
        span.label == Label::Atom
            && look
                .said
                .span_bytes(span)
                .eq_ignore_ascii_case(word.as_bytes())
    };
    let range = spans[begins..].iter().find(is_it);
    if let Some(range) = range.map(|span| span.range.clone())
        && let Some(id) = lacking(look, any_of, Breach::ExtensionWithoutCapability)
    {
        look.add(id, range, one_of(any_of));
    }
}

/// All of an argument, its brackets included.
fn argument_range(look: &Look<'_>, place: usize) -> Range<usize> {
    let spans = look.arguments();
    let begin = nth(spans, place).map_or(0, |span| span.range.start);
    let behind = nth(spans, place + 1).map_or(usize::MAX, |span| span.range.start);
    let mut inside = spans
        .iter()
        .filter(|span| (begin..behind).contains(&span.range.start));
    begin..inside.next_back().map_or(begin, |span| span.range.end)
}

fn row(table: Needs, word: &str) -> Option<&'static [&'static str]> {
    let is_it = |name: &str| match name.ends_with('-') {
        true => word.starts_with(name),
        false => word == name,
    };
    table
        .iter()
        .find(|(name, _)| is_it(name))
        .map(|(_, any_of)| *any_of)
}

fn members<'a, 'b>(list: Option<&'a Value<'b>>) -> &'a [Value<'b>] {
    list.map_or(&[], Value::members)
}

fn is_list(value: Option<&Value<'_>>) -> bool {
    matches!(value, Some(Value::List(_)))
}
