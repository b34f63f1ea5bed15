//! A response's head and data, read from its spans (RFC 9051, section 7).
//!
//! Typed readings exist where the tracker or a sink needs them; every other response keeps its
//! structure as a value tree under `values`.

use std::borrow::Cow;

use serde_json::{Map, json};

use crate::event::{DataReader, Label, Message, Said, Span, Status, Value, values};

/// A view on a response's spans.
#[derive(Clone, Copy)]
pub struct Response<'a> {
    message: &'a Message,
    spans: &'a [Span],
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
    /// `spans` as [`lexer::response`](super::lexer::response) made them of `message`.
    pub fn new(message: &'a Message, spans: &'a [Span]) -> Self {
        Self { message, spans }
    }

    /// Its kind; untagged data without a name and tagged responses without a status are malformed.
    pub fn kind(self) -> Kind {
        let Some(first) = self.spans.first() else {
            return Kind::Malformed;
        };
        match (first.label, self.bytes(first)) {
            (Label::Tag, b"+") => Kind::ContinuationRequest,
            (Label::Tag, b"*") if self.name().is_some() => Kind::Untagged,
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
        let status = self.in_head(Label::Status)?;
        Status::parse(self.bytes(&self.spans[status]))
    }

    /// Which span has this label, among those where the lexer puts a status, a name or a code's
    /// name: `* LIST`, `* 3 EXISTS`, `* OK [ALERT`. A FETCH response may have thousands more.
    fn in_head(self, label: Label) -> Option<usize> {
        const HEAD: usize = 4;
        let mut head = self.spans.iter().take(HEAD);
        head.position(|span| span.label == label)
    }

    /// The name of untagged data, or the status, upper case.
    pub fn name(self) -> Option<Cow<'static, str>> {
        if let Some(status) = self.status() {
            return Some(Cow::Borrowed(status.name()));
        }
        let name = self.bytes(&self.spans[self.in_head(Label::Name)?]);
        let known = READINGS
            .iter()
            .map(|(known, _)| *known)
            .find(|known| known.as_bytes().eq_ignore_ascii_case(name));
        Some(match known {
            Some(known) => Cow::Borrowed(known),
            None => Cow::Owned(String::from_utf8_lossy(name).to_ascii_uppercase()),
        })
    }

    /// The number before the name.
    pub fn number(self) -> Option<u64> {
        let span = self.spans.get(1).filter(|s| s.label == Label::Number)?;
        std::str::from_utf8(self.bytes(span)).ok()?.parse().ok()
    }

    /// The response code's name as it stands on the wire.
    pub fn code_name(self) -> Option<&'a [u8]> {
        let name = self.in_head(Label::CodeName)?;
        Some(self.bytes(&self.spans[name]))
    }

    /// The spans behind the name of untagged data, or inside of the response code behind its name.
    pub fn argument_spans(self) -> &'a [Span] {
        let name = match self.status() {
            Some(_) => self.in_head(Label::CodeName),
            None => self.in_head(Label::Name),
        };
        let Some(name) = name else {
            return &[];
        };
        let rest = &self.spans[name + 1..];
        let end = rest.iter().position(|span| span.label == Label::CodeClose);
        &rest[..end.unwrap_or(rest.len())]
    }

    /// The capabilities that a CAPABILITY response or code lists.
    pub fn capabilities(self) -> Option<Vec<String>> {
        let name = match self.status() {
            Some(_) => self.code_name()?,
            None => self.bytes(&self.spans[self.in_head(Label::Name)?]),
        };
        name.eq_ignore_ascii_case(b"CAPABILITY").then(|| {
            self.argument_spans()
                .iter()
                .map(|span| String::from_utf8_lossy(self.bytes(span)).into_owned())
                .collect()
        })
    }

    /// The items of a FETCH response: their names as they stand on the wire, and the UID.
    pub fn fetched(self) -> Fetched<'a> {
        let mut fetched = Fetched::default();
        let mut depth = 0;
        let mut awaits_value = false;
        let spans = self.argument_spans();
        for (index, span) in spans.iter().enumerate() {
            // A streamed literal's octets are not here.
            let is_streamed = spans
                .get(index + 1)
                .is_none_or(|next| next.label != Label::Literal);
            match span.label {
                Label::ListOpen => {
                    depth += 1;
                    continue;
                }
                Label::ListClose => depth -= 1,
                Label::LiteralHeader if !is_streamed => continue,
                _ if depth == 1 && !awaits_value => {
                    fetched.names.push(self.bytes(span));
                    awaits_value = true;
                    continue;
                }
                _ => {}
            }
            if depth != 1 {
                continue;
            }
            let is_uid = |name: &&[u8]| name.eq_ignore_ascii_case(b"UID");
            if awaits_value && fetched.names.last().is_some_and(is_uid) {
                let digits = std::str::from_utf8(self.bytes(span)).unwrap_or_default();
                fetched.uid = digits.parse().ok();
            }
            awaits_value = false;
        }
        fetched
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

/// What a FETCH response holds.
#[derive(Default)]
pub struct Fetched<'a> {
    /// The items' names: `FLAGS`, `BODY[HEADER]`.
    pub names: Vec<&'a [u8]>,
    /// The message's UID, where it is among them.
    pub uid: Option<u64>,
}

/// How the data of an untagged response with this name is read; `None` for one that has none.
pub fn data_reader(name: &str) -> Option<DataReader> {
    READINGS
        .iter()
        .find(|(known, _)| *known == name)
        .map_or(Some(generic as DataReader), |(_, reader)| *reader)
}

/// Whether an untagged response with this name is in the registries.
pub fn is_known(name: &str) -> bool {
    READINGS.iter().any(|(known, _)| *known == name)
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

/// An object with this one member; `json!` would copy it.
fn object(name: &str, value: serde_json::Value) -> serde_json::Value {
    let mut object = Map::new();
    object.insert(name.to_owned(), value);
    serde_json::Value::Object(object)
}

fn generic(said: &Said) -> serde_json::Value {
    object(
        "values",
        said.arguments().iter().map(Value::to_json).collect(),
    )
}

fn capabilities(said: &Said) -> serde_json::Value {
    object("capabilities", said.arguments().iter().map(text).collect())
}

fn flags(said: &Said) -> serde_json::Value {
    let arguments = said.arguments();
    let flags = arguments.first().map_or(&[][..], Value::members);
    object("flags", flags.iter().map(text).collect())
}

fn numbers(said: &Said) -> serde_json::Value {
    let arguments = said.arguments();
    let numbers: Vec<_> = arguments.iter().filter_map(Value::number).collect();
    let modseq = arguments.iter().find_map(|value| match value.members() {
        [word, Value::Number(modseq)] if word.is_word("MODSEQ") => Some(*modseq),
        _ => None,
    });
    match modseq {
        Some(modseq) => json!({ "numbers": numbers, "modseq": modseq }),
        None => json!({ "numbers": numbers }),
    }
}

fn list(said: &Said) -> serde_json::Value {
    match said.arguments().as_slice() {
        [attributes, delimiter, mailbox, extended @ ..] => {
            let mut data = json!({
                "attributes": attributes.members().iter().map(text).collect::<Vec<_>>(),
                "delimiter": delimiter.to_json(),
                "mailbox": text(mailbox),
            });
            if !extended.is_empty() {
                data["extended"] = extended.iter().map(Value::to_json).collect();
            }
            data
        }
        _ => generic(said),
    }
}

fn status(said: &Said) -> serde_json::Value {
    match said.arguments().as_slice() {
        [mailbox, Value::List(items)] => {
            json!({ "mailbox": text(mailbox), "items": pairs(items) })
        }
        _ => generic(said),
    }
}

fn fetch(said: &Said) -> serde_json::Value {
    match said.arguments().as_slice() {
        [Value::List(items)] => object("items", pairs(items)),
        _ => generic(said),
    }
}

fn pairs(items: &[Value<'_>]) -> serde_json::Value {
    let mut map = Map::new();
    for pair in items.chunks(2) {
        let name = match &pair[0] {
            Value::Atom(name) => String::from_utf8_lossy(name).to_ascii_uppercase(),
            other => other.to_json().to_string(),
        };
        let value = pair.get(1).map_or(json!(null), Value::to_json);
        map.insert(name, value);
    }
    serde_json::Value::Object(map)
}

/// A string, an atom or a number (a mailbox may be called 123, or NIL) as text.
fn text(value: &Value<'_>) -> serde_json::Value {
    match value {
        Value::Number(number) => json!(number.to_string()),
        Value::Literal(bytes) => json!(String::from_utf8_lossy(bytes)),
        other => other.to_json(),
    }
}
