//! A response's head and data, read from its spans (RFC 9051, section 7).
//!
//! Typed readings exist where the tracker or a sink needs them; every other response keeps its
//! structure as a value tree under `values`.

use std::borrow::Cow;
use std::collections::HashMap;

use super::lexer;
use crate::event::json::{Object, write_array, write_lossy, write_number, write_string};
use crate::event::{
    DataReader, Label, Message, Said, Span, Status, Step, Steps, Value, values, write_members,
};

/// A view on a response's spans.
#[derive(Clone, Copy)]
pub struct Response<'a> {
    message: &'a Message,
    spans: &'a [Span],
    head: Head,
}

/// What stands at a response's beginning: `* LIST`, `* 3 EXISTS`, `* OK [ALERT`, `a OK [ALERT`.
#[derive(Clone, Copy, Default)]
struct Head {
    status: Option<Status>,
    /// Which span is the name of untagged data.
    name: Option<usize>,
    /// Where this name is in [`READINGS`].
    known: Option<usize>,
    /// Which span is the response code's name.
    code_name: Option<usize>,
}

impl Head {
    /// Looks at those spans alone of which the lexer makes a head; a FETCH response may have
    /// thousands more.
    fn read(message: &Message, spans: &[Span]) -> Self {
        let mut head = Self::default();
        for (index, span) in spans.iter().take(lexer::HEAD).enumerate() {
            let word = &message.bytes()[span.range.clone()];
            match span.label {
                Label::Status => head.status = Status::parse(word),
                Label::Name => {
                    head.name = Some(index);
                    head.known = known(word);
                    break;
                }
                Label::CodeName => head.code_name = Some(index),
                _ => {}
            }
        }
        head
    }
}

/// Which kind of response it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `*`
    Untagged,
    /// `+`
    ContinuationRequest,
    /// A tag.
    Tagged,
    /// None of them.
    Malformed,
}

impl<'a> Response<'a> {
    /// `spans` as [`lexer::response`] made them of `message`.
    pub fn new(message: &'a Message, spans: &'a [Span]) -> Self {
        Self {
            message,
            spans,
            head: Head::read(message, spans),
        }
    }

    /// Its kind; untagged data without a name and tagged responses without a status are malformed.
    pub fn kind(self) -> Kind {
        let Some(first) = self.spans.first() else {
            return Kind::Malformed;
        };
        let is_named = self.head.status.is_some() || self.head.name.is_some();
        match (first.label, self.bytes(first)) {
            (Label::Tag, b"+") => Kind::ContinuationRequest,
            (Label::Tag, b"*") if is_named => Kind::Untagged,
            (Label::Tag, b"*") => Kind::Malformed,
            (Label::Tag | Label::Secret(_), _) if self.status().is_some() => Kind::Tagged,
            _ => Kind::Malformed,
        }
    }

    /// The octets of a span.
    pub fn bytes(self, span: &Span) -> &'a [u8] {
        &self.message.bytes()[span.range.clone()]
    }

    /// What stands behind the `+` of a continuation request.
    pub fn challenge(self) -> &'a [u8] {
        match self.spans {
            [plus, ..] => &self.message.bytes()[plus.range.end..],
            [] => b"",
        }
    }

    /// The tag of a tagged response.
    pub fn tag(self) -> &'a [u8] {
        self.spans.first().map_or(b"", |span| self.bytes(span))
    }

    /// The status of a status response.
    pub fn status(self) -> Option<Status> {
        self.head.status
    }

    /// The name of untagged data, or the status, upper case.
    pub fn name(self) -> Option<Cow<'static, str>> {
        if let Some(status) = self.head.status {
            return Some(Cow::Borrowed(status.name()));
        }
        if let Some(known) = self.head.known {
            return Some(Cow::Borrowed(READINGS[known].0));
        }
        let name = self.bytes(&self.spans[self.head.name?]);
        Some(Cow::Owned(
            String::from_utf8_lossy(name).to_ascii_uppercase(),
        ))
    }

    /// Whether it is untagged data whose name is in the registries.
    pub fn is_known_data(self) -> bool {
        self.kind() == Kind::Untagged && self.head.status.is_none() && self.head.known.is_some()
    }

    /// How its data is read, of an untagged response; `None` for one that has none.
    pub fn data_reader(self) -> Option<DataReader> {
        match (self.head.status, self.head.known) {
            (Some(_), _) => None,
            (None, Some(known)) => READINGS[known].1,
            (None, None) => Some(generic),
        }
    }

    /// The number before the name.
    pub fn number(self) -> Option<u64> {
        let span = self.spans.get(1).filter(|s| s.label == Label::Number)?;
        std::str::from_utf8(self.bytes(span)).ok()?.parse().ok()
    }

    /// The response code's name as it stands on the wire.
    pub fn code_name(self) -> Option<&'a [u8]> {
        let name = self.head.code_name?;
        Some(self.bytes(&self.spans[name]))
    }

    /// The spans behind the name of untagged data, or inside of the response code behind its name.
    pub fn argument_spans(self) -> &'a [Span] {
        match (self.head.status, self.head.code_name, self.head.name) {
            (Some(_), Some(code), _) => {
                let rest = &self.spans[code + 1..];
                let end = rest.iter().position(|span| span.label == Label::CodeClose);
                &rest[..end.unwrap_or(rest.len())]
            }
            (None, _, Some(name)) => &self.spans[name + 1..],
            _ => &[],
        }
    }

    /// The capabilities that a CAPABILITY response or code lists.
    pub fn capabilities(self) -> Option<Vec<String>> {
        let name = match self.status() {
            Some(_) => self.code_name()?,
            None => self.bytes(&self.spans[self.head.name?]),
        };
        name.eq_ignore_ascii_case(b"CAPABILITY").then(|| {
            self.argument_spans()
                .iter()
                .map(|span| String::from_utf8_lossy(self.bytes(span)).into_owned())
                .collect()
        })
    }

    /// The items of a FETCH response.
    pub fn fetched(self) -> Fetched<'a> {
        Fetched {
            message: self.message,
            spans: self.argument_spans(),
        }
    }

    /// The tag in a search correlator, `(TAG "a1")` (RFC 4731, section 2.1).
    pub fn correlator(self) -> Option<Cow<'a, [u8]>> {
        let arguments = values(self.message, self.argument_spans());
        let [word, tag] = arguments.first()?.members() else {
            return None;
        };
        match (word.is_word("TAG"), tag) {
            (true, Value::Quoted(tag)) => Some(Cow::Owned(tag.to_vec())),
            (true, Value::Atom(tag)) => Some(Cow::Owned(tag.to_vec())),
            _ => None,
        }
    }

    /// The tag in `[INPROGRESS ("a1" 454 1000)]` (RFC 9585, section 4).
    pub fn in_progress(self) -> Option<Cow<'a, [u8]>> {
        let arguments = values(self.message, self.argument_spans());
        match arguments.first()?.members().first()? {
            Value::Quoted(tag) => Some(Cow::Owned(tag.to_vec())),
            _ => None,
        }
    }

    /// Whether VANISHED is about what happened before (RFC 7162, section 3.2.10.1).
    pub fn is_earlier(self) -> bool {
        self.argument_spans()
            .get(1)
            .is_some_and(|span| self.bytes(span).eq_ignore_ascii_case(b"EARLIER"))
    }
}

/// What a FETCH response holds. Found when it is asked for: most commands know by the first item
/// whether it is theirs.
#[derive(Clone, Copy)]
pub struct Fetched<'a> {
    message: &'a Message,
    spans: &'a [Span],
}

impl<'a> Fetched<'a> {
    /// The items' names: `FLAGS`, `BODY[HEADER]`.
    pub fn names(self) -> impl Iterator<Item = &'a [u8]> {
        self.words().filter_map(|word| match word {
            Word::Name(name) => Some(name),
            Word::Value(_) => None,
        })
    }

    /// The message's UID, where it is among them.
    pub fn uid(self) -> Option<u64> {
        let mut uid = None;
        let mut is_uid = false;
        for word in self.words() {
            match word {
                Word::Name(name) => is_uid = name.eq_ignore_ascii_case(b"UID"),
                Word::Value(value) if is_uid => {
                    let digits = std::str::from_utf8(value).unwrap_or_default();
                    uid = digits.parse().ok();
                }
                Word::Value(_) => {}
            }
        }
        uid
    }

    /// Names and values in turns.
    fn words(self) -> impl Iterator<Item = Word<'a>> {
        let mut depth = 0;
        let mut awaits_value = false;
        let spans = self.spans;
        spans.iter().enumerate().filter_map(move |(index, span)| {
            let text = &self.message.bytes()[span.range.clone()];
            match span.label {
                Label::ListOpen => {
                    depth += 1;
                    return None;
                }
                Label::ListClose => depth -= 1,
                Label::LiteralHeader if has_octets(spans, index) => return None,
                _ if depth == 1 && !awaits_value => {
                    awaits_value = true;
                    return Some(Word::Name(text));
                }
                _ => {}
            }
            let is_value = depth == 1 && std::mem::take(&mut awaits_value);
            is_value.then_some(Word::Value(text))
        })
    }
}

/// An item's name, or its value (of a list, the end).
enum Word<'a> {
    Name(&'a [u8]),
    Value(&'a [u8]),
}

/// Whether the octets of the literal with this header follow. A streamed literal's are not here.
fn has_octets(spans: &[Span], header: usize) -> bool {
    let next = spans.get(header + 1);
    next.is_some_and(|next| next.label == Label::Literal)
}

/// Where this name is in [`READINGS`].
fn known(name: &[u8]) -> Option<usize> {
    READINGS
        .iter()
        .position(|(known, _)| known.as_bytes().eq_ignore_ascii_case(name))
}

/// Names in the registries, and how their data is read where there is more to say than a tree.
pub(super) const READINGS: &[(&str, Option<DataReader>)] = &[
    ("ACL", Some(generic)),
    ("ANNOTATION", Some(generic)),
    ("BAD", None),
    ("BYE", None),
    ("CAPABILITY", Some(capabilities)),
    ("COMPARATOR", Some(generic)),
    ("CONVERSION", Some(generic)),
    ("CONVERTED", Some(generic)),
    ("ENABLED", Some(capabilities)),
    ("ESEARCH", Some(generic)),
    ("EXISTS", None),
    ("EXPUNGE", None),
    ("FETCH", Some(fetch)),
    ("FLAGS", Some(flags)),
    ("GENURLAUTH", Some(generic)),
    ("ID", Some(generic)),
    ("JMAPACCESS", Some(generic)),
    ("LANGUAGE", Some(generic)),
    ("LIST", Some(list)),
    ("LISTRIGHTS", Some(generic)),
    ("LSUB", Some(list)),
    ("METADATA", Some(generic)),
    ("MYRIGHTS", Some(generic)),
    ("NAMESPACE", Some(generic)),
    ("NO", None),
    ("OK", None),
    ("PREAUTH", None),
    ("QUOTA", Some(generic)),
    ("QUOTAROOT", Some(generic)),
    ("RECENT", None),
    ("SEARCH", Some(numbers)),
    ("SORT", Some(numbers)),
    ("STATUS", Some(status)),
    ("THREAD", Some(generic)),
    ("UIDBATCHES", Some(generic)),
    ("UIDFETCH", Some(fetch)),
    ("URLFETCH", Some(generic)),
    ("VANISHED", Some(generic)),
    ("XLIST", Some(list)),
];

fn generic(said: &Said, out: &mut Vec<u8>) {
    let mut data = Object::open(out);
    let values = data.name("values");
    values.push(b'[');
    write_members(values, &mut said.argument_steps());
    values.push(b']');
    data.close();
}

fn capabilities(said: &Said, out: &mut Vec<u8>) {
    let mut data = Object::open(out);
    write_texts(data.name("capabilities"), &said.arguments());
    data.close();
}

fn flags(said: &Said, out: &mut Vec<u8>) {
    let arguments = said.arguments();
    let flags = arguments.first().map_or(&[][..], Value::members);
    let mut data = Object::open(out);
    write_texts(data.name("flags"), flags);
    data.close();
}

fn numbers(said: &Said, out: &mut Vec<u8>) {
    let arguments = said.arguments();
    let numbers = arguments.iter().filter_map(Value::number);
    let modseq = arguments.iter().find_map(|value| match value.members() {
        [word, Value::Number(modseq)] if word.is_word("MODSEQ") => Some(*modseq),
        _ => None,
    });
    let mut data = Object::open(out);
    write_array(data.name("numbers"), numbers, write_number);
    if let Some(modseq) = modseq {
        data.number("modseq", modseq);
    }
    data.close();
}

fn list(said: &Said, out: &mut Vec<u8>) {
    let arguments = said.arguments();
    let [attributes, delimiter, mailbox, extended @ ..] = arguments.as_slice() else {
        return generic(said, out);
    };
    let mut data = Object::open(out);
    write_texts(data.name("attributes"), attributes.members());
    delimiter.write_json(data.name("delimiter"));
    write_text(data.name("mailbox"), mailbox);
    if !extended.is_empty() {
        write_array(data.name("extended"), extended, |out, value| {
            value.write_json(out);
        });
    }
    data.close();
}

fn status(said: &Said, out: &mut Vec<u8>) {
    let arguments = said.arguments();
    let [mailbox, Value::List(items)] = arguments.as_slice() else {
        return generic(said, out);
    };
    let mut data = Object::open(out);
    write_text(data.name("mailbox"), mailbox);
    write_pairs(data.name("items"), items);
    data.close();
}

fn fetch(said: &Said, out: &mut Vec<u8>) {
    let start = out.len();
    let is_written = write_items(out, &mut said.argument_steps()).is_some();
    if is_written {
        return;
    }
    out.truncate(start);
    match said.arguments().as_slice() {
        [Value::List(items)] => {
            let mut data = Object::open(out);
            write_pairs(data.name("items"), items);
            data.close();
        }
        _ => generic(said, out),
    }
}

/// Adds the items of a FETCH response as [`write_pairs`] does, without a tree of them: most events
/// of a recording are such responses. `None` where that needs a closer look at the names, or where
/// there is something else than one list; what was added until then is to be taken away again.
fn write_items(out: &mut Vec<u8>, steps: &mut Steps<'_, '_>) -> Option<()> {
    /// Names that are compared each with all others.
    const MOST: usize = 32;
    let mut names: Vec<&[u8]> = Vec::with_capacity(8);
    let mut data = Object::open(out);
    let mut items = Object::open(data.name("items"));
    let Step::Open = steps.next()? else {
        return None;
    };
    loop {
        let name = match steps.next()? {
            Step::Close => break,
            Step::Value(Value::Atom(name)) if is_plain(name) => name,
            Step::Value(_) | Step::Open => return None,
        };
        let came_before = |other: &&[u8]| other.eq_ignore_ascii_case(name);
        if names.len() == MOST || names.iter().any(came_before) {
            return None;
        }
        names.push(name);
        let value = items.key_with(|out| {
            let start = out.len();
            write_lossy(out, name);
            out[start..].make_ascii_uppercase();
        });
        match steps.next()? {
            Step::Close => {
                value.extend_from_slice(b"null");
                break;
            }
            step => steps.write_value(value, step),
        }
    }
    items.close();
    data.close();
    steps.next().is_none().then_some(())
}

/// Whether upper case is the same before and behind JSON's escaping.
fn is_plain(name: &[u8]) -> bool {
    name.iter().all(u8::is_ascii_graphic)
}

/// Adds names and values in turns as an object. Of a name that comes again, the last value stands
/// at the first one's place.
fn write_pairs(out: &mut Vec<u8>, items: &[Value<'_>]) {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut pairs: Vec<(String, Option<&Value<'_>>)> = Vec::new();
    for pair in items.chunks(2) {
        let (name, value) = (name(&pair[0]), pair.get(1));
        match places.get(&name) {
            Some(place) => pairs[*place].1 = value,
            None => {
                places.insert(name.clone(), pairs.len());
                pairs.push((name, value));
            }
        }
    }
    let mut object = Object::open(out);
    for (name, value) in pairs {
        value.unwrap_or(&Value::Nil).write_json(object.key(&name));
    }
    object.close();
}

/// What stands in a name's place, as text.
fn name(value: &Value<'_>) -> String {
    match value {
        Value::Atom(name) => String::from_utf8_lossy(name).to_ascii_uppercase(),
        other => {
            let mut json = Vec::new();
            other.write_json(&mut json);
            // Read again, since what is hidden is escaped once, when the name is written.
            serde_json::from_slice(&json)
                .map(|json: serde_json::Value| json.to_string())
                .unwrap_or_default()
        }
    }
}

fn write_texts(out: &mut Vec<u8>, values: &[Value<'_>]) {
    write_array(out, values, write_text);
}

/// Adds a string, an atom or a number (a mailbox may be called 123, or NIL) as text.
fn write_text(out: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::Number(number) => write_string(out, &number.to_string()),
        Value::Literal(bytes) => write_lossy(out, bytes),
        other => other.write_json(out),
    }
}
