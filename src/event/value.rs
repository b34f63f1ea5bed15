//! The generic value tree: what stands in a message's arguments, known extension or not.
//!
//! Built from the labelled spans alone, so that a response nobody has heard of is structured data
//! still (RFC 9051, section 4: atom, number, string, parenthesized list, NIL).

use std::borrow::Cow;

use super::json::{Object, write_array, write_lossy, write_number};
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

    /// Adds it as JSON: text as a string (invalid UTF-8 replaced; the wire has the octets), a list
    /// as an array, NIL as null, a literal as its length, since its octets stand in the wire.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        match self {
            Self::Atom(bytes) | Self::Text(bytes) => write_lossy(out, bytes),
            Self::Quoted(bytes) => write_lossy(out, bytes),
            Self::Number(number) => write_number(out, *number),
            Self::Literal(bytes) => write_length(out, bytes.len() as u64),
            Self::Streamed(octets) => write_length(out, *octets),
            Self::Nil => out.extend_from_slice(b"null"),
            Self::Secret(secret) => {
                let mut object = Object::open(out);
                object.string("secret", secret.name());
                object.close();
            }
            Self::List(members) => write_array(out, members, |out, value| value.write_json(out)),
        }
    }
}

/// The values in `spans`, which are spans of `message`, as [`Steps`] finds them.
pub fn values<'a>(message: &'a Message, spans: &[Span]) -> Vec<Value<'a>> {
    let mut open: Vec<Vec<Value<'a>>> = Vec::new();
    let mut innermost = Vec::new();
    for step in Steps::new(message, spans) {
        match step {
            Step::Open => open.push(std::mem::take(&mut innermost)),
            Step::Close => {
                let outer = open.pop().unwrap_or_default(); // each Close has its Open
                let members = std::mem::replace(&mut innermost, outer);
                innermost.push(Value::List(members));
            }
            Step::Value(value) => innermost.push(value),
        }
    }
    innermost
}

/// Adds the values that are left as the members of a JSON array, without its brackets.
pub fn write_members(out: &mut Vec<u8>, steps: &mut Steps<'_, '_>) {
    let mut is_first = true;
    while let Some(step) = steps.next() {
        if !std::mem::take(&mut is_first) {
            out.push(b',');
        }
        steps.write_value(out, step);
    }
}

/// A step from value to value, lists included.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// A list begins.
    Open,
    /// The list that was begun last ends.
    Close,
    /// A value that is no list.
    Value(Value<'a>),
}

/// The values of a message in their order, without a tree of them.
///
/// Lists nested deeper than [`limits::NESTING`] are one text each; a list that is never closed ends
/// with the spans, and a `)` too many is passed over, so that every list that begins also ends.
pub struct Steps<'a, 's> {
    message: &'a Message,
    spans: &'s [Span],
    /// How many lists are open.
    depth: usize,
}

impl<'a, 's> Steps<'a, 's> {
    /// The values in `spans`, which are spans of `message`.
    pub fn new(message: &'a Message, spans: &'s [Span]) -> Self {
        Self {
            message,
            spans,
            depth: 0,
        }
    }

    /// Adds the value that `first` is, or the whole list that it begins, as JSON.
    pub fn write_value(&mut self, out: &mut Vec<u8>, first: Step<'a>) {
        let mut depth = 0_usize;
        let mut is_behind_another = false;
        let mut step = Some(first);
        while let Some(current) = step {
            if is_behind_another && !matches!(current, Step::Close) {
                out.push(b',');
            }
            is_behind_another = true;
            match current {
                Step::Open => {
                    out.push(b'[');
                    depth += 1;
                    is_behind_another = false;
                }
                Step::Close => {
                    out.push(b']');
                    depth = depth.saturating_sub(1);
                }
                Step::Value(value) => value.write_json(out),
            }
            step = match depth {
                0 => None,
                _ => self.next(),
            };
        }
    }

    /// The atom that is next, if one is; it is then behind.
    #[inline]
    pub fn atom(&mut self) -> Option<&'a [u8]> {
        let span = self.spans.first()?;
        (span.label == Label::Atom).then(|| self.pass(1))
    }

    /// The octets of the literal that is next, if one is that is not streamed; it is then behind.
    #[inline]
    pub fn literal(&mut self) -> Option<&'a [u8]> {
        let [header, literal, ..] = self.spans else {
            return None;
        };
        let is_it = (header.label, literal.label) == (Label::LiteralHeader, Label::Literal);
        is_it.then(|| self.pass(2))
    }

    /// Adds what is next as JSON, as [`write_value`](Self::write_value) does, if that is a number or a list of
    /// atoms alone; it is then behind.
    pub fn write_short(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let (first, rest) = self.spans.split_first()?;
        let text = |span: &Span| &self.message.bytes()[span.range.clone()];
        match first.label {
            Label::Number => out.extend_from_slice(digits_of_json(text(first))?),
            Label::ListOpen if self.depth < limits::NESTING => {
                let atoms = rest.iter().take_while(|span| span.label == Label::Atom);
                let atoms = &rest[..atoms.count()];
                let close = rest.get(atoms.len())?;
                if close.label != Label::ListClose {
                    return None;
                }
                write_array(out, atoms, |out, atom| write_lossy(out, text(atom)));
                self.pass(1 + atoms.len());
            }
            _ => return None,
        }
        self.pass(1);
        Some(())
    }

    /// Passes so many spans, of which there are as many; the octets of the last one.
    #[inline]
    fn pass(&mut self, spans: usize) -> &'a [u8] {
        let (passed, rest) = self.spans.split_at(spans);
        self.spans = rest;
        &self.message.bytes()[passed[spans - 1].range.clone()]
    }

    /// The number that is alone in the list that has just begun; the list is then behind. `None` where
    /// it is another list, which is then still to be read.
    pub fn only_number(&mut self) -> Option<u64> {
        let [first, close, rest @ ..] = self.spans else {
            return None;
        };
        if (first.label, close.label) != (Label::Number, Label::ListClose) {
            return None;
        }
        let number = number(&self.message.bytes()[first.range.clone()])?;
        self.depth = self.depth.saturating_sub(1);
        self.spans = rest;
        Some(number)
    }

    /// The value that `first` is, or the whole list that it begins, as a tree.
    pub fn tree(&mut self, first: Step<'a>) -> Value<'a> {
        let mut open: Vec<Vec<Value<'a>>> = Vec::new();
        let mut step = Some(first);
        loop {
            let value = match step {
                Some(Step::Open) => {
                    open.push(Vec::new());
                    step = self.next();
                    continue;
                }
                Some(Step::Value(value)) => value,
                Some(Step::Close) | None => Value::List(open.pop().unwrap_or_default()),
            };
            match open.last_mut() {
                Some(outer) => outer.push(value),
                None => return value,
            }
            step = self.next();
        }
    }

    /// The list that began with the span before these, as text.
    fn too_deep(&mut self, start: usize) -> Value<'a> {
        let mut depth = 1_usize;
        let mut end = start + 1;
        while let Some((span, rest)) = self.spans.split_first() {
            self.spans = rest;
            end = span.range.end;
            match span.label {
                Label::ListOpen => depth += 1,
                Label::ListClose => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        Value::Text(&self.message.bytes()[start..end])
    }
}

impl<'a> Iterator for Steps<'a, '_> {
    type Item = Step<'a>;

    fn next(&mut self) -> Option<Step<'a>> {
        let bytes = self.message.bytes();
        while let Some((span, rest)) = self.spans.split_first() {
            self.spans = rest;
            let text = &bytes[span.range.clone()];
            return Some(Step::Value(match span.label {
                Label::ListOpen if self.depth == limits::NESTING => self.too_deep(span.range.start),
                Label::ListOpen => {
                    self.depth += 1;
                    return Some(Step::Open);
                }
                Label::ListClose if self.depth == 0 => continue,
                Label::ListClose => {
                    self.depth -= 1;
                    return Some(Step::Close);
                }
                Label::Number => number(text).map_or(Value::Atom(text), Value::Number),
                Label::Nil => Value::Nil,
                Label::Quoted => Value::Quoted(unquoted(text)),
                Label::Literal => Value::Literal(text),
                Label::LiteralHeader => match streamed(self.message, span) {
                    Some(octets) => Value::Streamed(octets),
                    None => continue, // the literal's own span follows
                },
                Label::Secret(secret) => Value::Secret(secret),
                Label::Text | Label::Malformed | Label::Line => Value::Text(text),
                Label::CodeOpen | Label::CodeClose => continue,
                Label::Atom | Label::Tag | Label::Name | Label::Status | Label::CodeName => {
                    Value::Atom(text)
                }
            }));
        }
        self.depth = self.depth.checked_sub(1)?;
        Some(Step::Close) // of a list that the message leaves open
    }
}

fn write_length(out: &mut Vec<u8>, octets: u64) {
    let mut object = Object::open(out);
    object.number("octets", octets);
    object.close();
}

/// The same digits, where they are a number in JSON as well: none that is larger than any of 64 bits, and
/// none as `007` is.
fn digits_of_json(digits: &[u8]) -> Option<&[u8]> {
    const SURE: usize = 19;
    let is_same = digits.len() <= SURE && (digits.len() == 1 || digits.first() != Some(&b'0'));
    is_same.then_some(digits)
}

/// Digits that a number is not written with, `007`, are a word: a mailbox may be called so.
fn number(digits: &[u8]) -> Option<u64> {
    if digits.len() > 1 && digits[0] == b'0' {
        return None;
    }
    decimal(digits)
}

/// The number that is written with these digits (RFC 9051, section 9, `number64`), zeros before it included.
/// `None` where there is none, or something else, or where it is larger than any of 64 bits.
pub fn decimal(digits: &[u8]) -> Option<u64> {
    let (first, rest) = digits.split_first()?;
    rest.iter().try_fold(digit(*first)?, |number, octet| {
        number.checked_mul(10)?.checked_add(digit(*octet)?)
    })
}

fn digit(octet: u8) -> Option<u64> {
    octet.is_ascii_digit().then(|| u64::from(octet - b'0'))
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
    fn what_is_written_step_by_step_is_the_tree() {
        let message = Message::text(b")(a (1) () NIL) \"q\\\"\" ((");
        let spans: Vec<Span> = [
            (Label::ListClose, 0..1),
            (Label::ListOpen, 1..2),
            (Label::Atom, 2..3),
            (Label::ListOpen, 4..5),
            (Label::Number, 5..6),
            (Label::ListClose, 6..7),
            (Label::ListOpen, 8..9),
            (Label::ListClose, 9..10),
            (Label::Nil, 11..14),
            (Label::ListClose, 14..15),
            (Label::Quoted, 16..21),
            (Label::ListOpen, 22..23),
            (Label::ListOpen, 23..24),
        ]
        .map(|(label, range)| span(label, range))
        .into();
        let (mut steps, mut tree) = (Vec::new(), Vec::new());
        write_members(&mut steps, &mut Steps::new(&message, &spans));
        write_array(&mut tree, values(&message, &spans), |out, value| {
            value.write_json(out);
        });
        assert_eq!(steps, br#"["a",[1],[],null],"q\"",[[]]"#);
        assert_eq!(tree, [b"[", &steps[..], b"]"].concat());
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
    fn a_tree_is_taken_out_of_the_steps_and_they_go_on_behind_it() {
        let message = Message::text(b"(a (1) ()) 2");
        let spans: Vec<Span> = [
            (Label::ListOpen, 0..1),
            (Label::Atom, 1..2),
            (Label::ListOpen, 3..4),
            (Label::Number, 4..5),
            (Label::ListClose, 5..6),
            (Label::ListOpen, 7..8),
            (Label::ListClose, 8..9),
            (Label::ListClose, 9..10),
            (Label::Number, 11..12),
        ]
        .map(|(label, range)| span(label, range))
        .into();
        let mut steps = Steps::new(&message, &spans);
        let first = steps.next().unwrap();
        assert_eq!(steps.tree(first), values(&message, &spans)[0]);
        let second = steps.next().unwrap();
        assert_eq!(steps.tree(second), Value::Number(2));
        assert_eq!(steps.next(), None);
    }

    #[test]
    fn a_number_alone_in_its_list_is_taken_and_nothing_else_is() {
        let message = Message::text(b"(7) (7 8)");
        let spans: Vec<Span> = [
            (Label::ListOpen, 0..1),
            (Label::Number, 1..2),
            (Label::ListClose, 2..3),
            (Label::ListOpen, 4..5),
            (Label::Number, 5..6),
            (Label::Number, 7..8),
            (Label::ListClose, 8..9),
        ]
        .map(|(label, range)| span(label, range))
        .into();
        let mut steps = Steps::new(&message, &spans);
        assert_eq!(steps.next(), Some(Step::Open));
        assert_eq!(steps.only_number(), Some(7));
        assert_eq!(steps.next(), Some(Step::Open));
        assert_eq!(steps.only_number(), None);
        assert_eq!(steps.next(), Some(Step::Value(Value::Number(7))));
        assert_eq!(steps.by_ref().count(), 2);
    }

    #[test]
    fn digits_with_zeros_before_them_stay_an_atom() {
        let message = Message::text(b"007 0");
        let spans = [span(Label::Number, 0..3), span(Label::Number, 4..5)];
        let tree = values(&message, &spans);
        assert_eq!(tree, [Value::Atom(b"007"), Value::Number(0)]);
    }

    #[test]
    fn digits_beyond_64_bits_stay_an_atom() {
        let message = Message::text(b"99999999999999999999");
        let tree = values(&message, &[span(Label::Number, 0..20)]);
        assert_eq!(tree, [Value::Atom(b"99999999999999999999")]);
    }
}
