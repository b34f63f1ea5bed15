//! The generic value tree: what stands in a message's arguments, known extension or not.
//!
//! Built from the labelled spans alone, so that a response nobody has heard of is structured data
//! still (RFC 9051, section 4: atom, number, string, parenthesized list, NIL).

use std::borrow::Cow;

use serde_json::json;

use super::message::{Message, Piece, Secret};
use super::span::{Label, Span};
use crate::limits;

/// One value of RFC 9051, section 4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// `INBOX`, `\Seen`, `BODY[HEADER]`, and digits beyond 64 bits.
    Atom(&'a [u8]),
    /// `42`
    Number(u64),
    /// `"a \"quoted\" string"`, without quotes and escapes.
    Quoted(Cow<'a, [u8]>),
    /// A literal's octets.
    Literal(&'a [u8]),
    /// A literal that was too large to hold, and its length in octets.
    Streamed(u64),
    /// `NIL`
    Nil,
    /// A masked secret.
    Secret(Secret),
    /// `(a b c)`
    List(Vec<Value<'a>>),
    /// Human-readable text, what could not be read, or a list nested too deep.
    Text(&'a [u8]),
}

impl<'a> Value<'a> {
    /// The octets of a string, an atom, or text; `None` for the others.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Atom(bytes) | Self::Literal(bytes) | Self::Text(bytes) => Some(bytes),
            Self::Quoted(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The members of a list; none for the others.
    pub fn members(&self) -> &[Value<'a>] {
        match self {
            Self::List(members) => members,
            _ => &[],
        }
    }

    /// The number, if it is one.
    pub fn number(&self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Whether it is this word, in any letter case.
    pub fn is_word(&self, word: &str) -> bool {
        self.bytes()
            .is_some_and(|bytes| bytes.eq_ignore_ascii_case(word.as_bytes()))
    }

    /// As JSON: text as strings (invalid UTF-8 replaced; the wire has the octets), lists as arrays,
    /// NIL as null, a literal as its length, since its octets stand in the wire.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Atom(bytes) | Self::Text(bytes) => String::from_utf8_lossy(bytes).into(),
            Self::Quoted(bytes) => String::from_utf8_lossy(bytes).into(),
            Self::Number(number) => (*number).into(),
            Self::Literal(bytes) => json!({ "octets": bytes.len() }),
            Self::Streamed(octets) => json!({ "octets": octets }),
            Self::Nil => serde_json::Value::Null,
            Self::Secret(secret) => json!({ "secret": secret.name() }),
            Self::List(members) => members.iter().map(Value::to_json).collect(),
        }
    }
}

/// The values in `spans`, which are spans of `message`.
///
/// Lists nested deeper than [`limits::NESTING`] are one text each; a list that is never closed ends
/// with the spans, and a `)` too many is passed over.
pub fn values<'a>(message: &'a Message, spans: &[Span]) -> Vec<Value<'a>> {
    let bytes = message.bytes();
    let mut open: Vec<Vec<Value<'a>>> = vec![Vec::new()];
    let mut too_deep: Option<(usize, usize)> = None; // where it begins, how deep within
    for span in spans {
        let text = &bytes[span.range.clone()];
        if let Some((start, depth)) = too_deep {
            let depth = match span.label {
                Label::ListOpen => depth + 1,
                Label::ListClose => depth - 1,
                _ => depth,
            };
            too_deep = Some((start, depth));
            if depth == 0 {
                push(&mut open, Value::Text(&bytes[start..span.range.end]));
                too_deep = None;
            }
            continue;
        }
        let value = match span.label {
            Label::ListOpen if open.len() > limits::NESTING => {
                too_deep = Some((span.range.start, 1));
                continue;
            }
            Label::ListOpen => {
                open.push(Vec::new());
                continue;
            }
            Label::ListClose => {
                if open.len() > 1
                    && let Some(members) = open.pop()
                {
                    push(&mut open, Value::List(members));
                }
                continue;
            }
            Label::Number => number(text).map_or(Value::Atom(text), Value::Number),
            Label::Nil => Value::Nil,
            Label::Quoted => Value::Quoted(unquoted(text)),
            Label::Literal => Value::Literal(text),
            Label::LiteralHeader => match streamed(message, span) {
                Some(octets) => Value::Streamed(octets),
                None => continue, // the literal's own span follows
            },
            Label::Secret(secret) => Value::Secret(secret),
            Label::Text | Label::Malformed | Label::Line => Value::Text(text),
            Label::CodeOpen | Label::CodeClose => continue,
            Label::Atom | Label::Tag | Label::Name | Label::Status | Label::CodeName => {
                Value::Atom(text)
            }
        };
        push(&mut open, value);
    }
    if let Some((start, _)) = too_deep {
        let end = spans.last().map_or(start, |span| span.range.end);
        push(&mut open, Value::Text(&bytes[start..end]));
    }
    while open.len() > 1 {
        if let Some(members) = open.pop() {
            push(&mut open, Value::List(members));
        }
    }
    open.pop().unwrap_or_default()
}

fn push<'a>(open: &mut [Vec<Value<'a>>], value: Value<'a>) {
    if let Some(innermost) = open.last_mut() {
        innermost.push(value);
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn streamed(message: &Message, span: &Span) -> Option<u64> {
    match message.piece_at(span.range.start)? {
        Piece::Streamed { octets, .. } => Some(*octets),
        _ => None,
    }
}

/// A quoted string's content (RFC 9051, section 4.3): without its quotes, `\"` and `\\` resolved.
pub fn unquoted(quoted: &[u8]) -> Cow<'_, [u8]> {
    let inner = quoted.strip_prefix(b"\"").unwrap_or(quoted);
    let inner = inner.strip_suffix(b"\"").unwrap_or(inner);
    if !inner.contains(&b'\\') {
        return Cow::Borrowed(inner);
    }
    let mut content = Vec::with_capacity(inner.len());
    let mut octets = inner.iter().copied();
    while let Some(octet) = octets.next() {
        match octet {
            b'\\' => content.extend(octets.next()),
            _ => content.push(octet),
        }
    }
    Cow::Owned(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(label: Label, range: std::ops::Range<usize>) -> Span {
        Span { range, label }
    }

    #[test]
    fn quoted_strings_lose_quotes_and_escapes() {
        assert_eq!(*unquoted(br#""a \"b\" \\""#), *br#"a "b" \"#);
        assert_eq!(*unquoted(br#""""#), *b"");
    }

    #[test]
    fn lists_nest_and_unclosed_ones_end_with_the_spans() {
        let message = Message::text(b"(a (1 NIL");
        let spans = [
            span(Label::ListOpen, 0..1),
            span(Label::Atom, 1..2),
            span(Label::ListOpen, 3..4),
            span(Label::Number, 4..5),
            span(Label::Nil, 6..9),
        ];
        let tree = values(&message, &spans);
        assert_eq!(
            tree,
            [Value::List(vec![
                Value::Atom(b"a"),
                Value::List(vec![Value::Number(1), Value::Nil])
            ])]
        );
    }

    #[test]
    fn a_list_nested_too_deep_is_text_and_no_stack_is_used_up() {
        let depth = 100_000;
        let text = ["(".repeat(depth), ")".repeat(depth)].concat();
        let message = Message::text(text.as_bytes());
        let spans: Vec<Span> = (0..2 * depth)
            .map(|i| {
                let label = if i < depth {
                    Label::ListOpen
                } else {
                    Label::ListClose
                };
                span(label, i..i + 1)
            })
            .collect();
        let tree = values(&message, &spans);
        assert_eq!(tree.len(), 1);
    }

    #[test]
    fn digits_beyond_64_bits_stay_an_atom() {
        let message = Message::text(b"99999999999999999999");
        let tree = values(&message, &[span(Label::Number, 0..20)]);
        assert_eq!(tree, [Value::Atom(b"99999999999999999999")]);
    }
}
