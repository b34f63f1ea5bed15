//! A response's head, read from its spans (RFC 9051, section 7), and what the tracker needs of its
//! data. How a sink shows the data is in [`readings`].

use std::borrow::Cow;

use super::{lexer, readings};
use crate::event::{DataReader, Label, Message, Span, Status, Value, decimal, values};

/// The tokens of a message that a server said, and which of them are its head.
pub struct Tokens {
    /// As [`lexer::response`] finds them.
    pub spans: Vec<Span>,
    head: Head,
}

impl Tokens {
    /// Reads the message.
    pub fn of(message: &Message) -> Self {
        let spans = lexer::response(message);
        let head = Head::read(message, &spans);
        Self { spans, head }
    }

    /// The response; `message` is the one that was read.
    pub fn response<'a>(&'a self, message: &'a Message) -> Response<'a> {
        Response {
            message,
            spans: &self.spans,
            head: self.head,
        }
    }
}

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
    /// The number before the name.
    number: Option<u64>,
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
                Label::Number if index == 1 => head.number = decimal(word),
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

    /// What was read.
    pub fn message(self) -> &'a Message {
        self.message
    }

    /// Its tokens.
    pub fn spans(self) -> &'a [Span] {
        self.spans
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
            (None, None) => Some(readings::generic),
        }
    }

    /// The number before the name.
    pub fn number(self) -> Option<u64> {
        self.head.number
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

    /// Whether it is a CAPABILITY response, or has the code.
    pub fn lists_capabilities(self) -> bool {
        let name = match self.status() {
            Some(_) => self.code_name(),
            None => self.head.name.map(|name| self.bytes(&self.spans[name])),
        };
        name.is_some_and(|name| name.eq_ignore_ascii_case(b"CAPABILITY"))
    }

    /// The capabilities that a CAPABILITY response or code lists.
    pub fn capabilities(self) -> Option<Vec<String>> {
        self.lists_capabilities().then(|| {
            self.argument_spans()
                .iter()
                .map(|span| String::from_utf8_lossy(self.bytes(span)).into_owned())
                .collect()
        })
    }

    /// The extensions that an ENABLED response names.
    pub fn enabled(self) -> impl Iterator<Item = Cow<'a, str>> {
        let is_it = self.status().is_none()
            && self
                .head
                .known
                .is_some_and(|known| READINGS[known].0 == "ENABLED");
        let spans = if is_it { self.argument_spans() } else { &[] };
        spans
            .iter()
            .map(move |span| String::from_utf8_lossy(self.bytes(span)))
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
                    uid = decimal(value);
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
    ("ACL", Some(readings::acl)),
    ("ANNOTATION", Some(readings::annotation)),
    ("BAD", None),
    ("BYE", None),
    ("CAPABILITY", Some(readings::capabilities)),
    ("COMPARATOR", Some(readings::comparator)),
    ("CONVERSION", Some(readings::conversion)),
    ("CONVERTED", Some(readings::converted)),
    ("ENABLED", Some(readings::capabilities)),
    ("ESEARCH", Some(readings::esearch)),
    ("EXISTS", None),
    ("EXPUNGE", None),
    ("FETCH", Some(readings::fetch)),
    ("FLAGS", Some(readings::flags)),
    ("GENURLAUTH", Some(readings::genurlauth)),
    ("ID", Some(readings::id)),
    ("JMAPACCESS", Some(readings::jmap_access)),
    ("LANGUAGE", Some(readings::language)),
    ("LIST", Some(readings::list)),
    ("LISTRIGHTS", Some(readings::list_rights)),
    ("LSUB", Some(readings::list)),
    ("METADATA", Some(readings::metadata)),
    ("MYRIGHTS", Some(readings::my_rights)),
    ("NAMESPACE", Some(readings::namespace)),
    ("NO", None),
    ("OK", None),
    ("PREAUTH", None),
    ("QUOTA", Some(readings::quota)),
    ("QUOTAROOT", Some(readings::quota_root)),
    ("RECENT", None),
    ("SEARCH", Some(readings::numbers)),
    ("SORT", Some(readings::numbers)),
    ("STATUS", Some(readings::status)),
    ("THREAD", Some(readings::thread)),
    ("UIDBATCHES", Some(readings::uid_batches)),
    ("UIDFETCH", Some(readings::fetch)),
    ("URLFETCH", Some(readings::urlfetch)),
    ("VANISHED", Some(readings::vanished)),
    ("XAPPLEPUSHSERVICE", Some(readings::push_service)),
    ("XLIST", Some(readings::list)),
];
