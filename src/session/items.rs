//! The items of a FETCH response, without a tree of them.

use smallvec::SmallVec;

use crate::event::{Label, Said, Span, Step, Steps, Value};

/// An item of a FETCH response, with its value.
pub struct Item<'a> {
    /// `UID`, `BODY[HEADER]`.
    pub name: Value<'a>,
    /// A value that is no list; of a list, its members that are none.
    pub values: SmallVec<[Value<'a>; 2]>,
    /// Whether the value is a list.
    pub is_list: bool,
}

impl Item<'_> {
    /// The number that is its value: `UID 17`, `MODSEQ (17)`.
    pub fn number(&self) -> Option<u64> {
        self.values.first()?.number()
    }
}

/// The items `S: * 3 FETCH (UID 17 FLAGS (\Seen))` has. Of lists in lists nothing is kept.
pub fn items(said: &Said) -> impl Iterator<Item = Item<'_>> {
    item_spans(said).map(|spans| spans.item(said))
}

/// The spans of each item of a FETCH response.
pub(super) fn item_spans(said: &Said) -> EachItem<'_> {
    EachItem {
        spans: said.argument_spans(),
        depth: 0,
    }
}

/// The spans of an item.
pub(super) struct ItemSpans<'a> {
    name: &'a Span,
    /// Its value's spans; of a list, those within it.
    value: &'a [Span],
    is_list: bool,
}

impl<'a> ItemSpans<'a> {
    /// Whether that is its name, in any letter case.
    pub(super) fn is(&self, said: &Said, name: &str) -> bool {
        said.span_bytes(self.name)
            .eq_ignore_ascii_case(name.as_bytes())
    }

    /// The number that is its value, or the first one of the list that it is.
    pub(super) fn number(&self, said: &Said) -> Option<u64> {
        self.values(said).next()?.number()
    }

    /// The octets of its value's spans.
    pub(super) fn octets(&self, said: &'a Said) -> impl Iterator<Item = &'a [u8]> {
        self.value.iter().map(|span| said.span_bytes(span))
    }

    /// The values that are no list, and stand in none within this value.
    pub(super) fn values(&self, said: &'a Said) -> impl Iterator<Item = Value<'a>> {
        let mut depth = 0_usize;
        Steps::new(&said.wire, self.value).filter_map(move |step| {
            match step {
                Step::Open => depth += 1,
                Step::Close => depth -= 1,
                Step::Value(value) if depth == 0 => return Some(value),
                Step::Value(_) => {}
            }
            None
        })
    }

    fn item(&self, said: &'a Said) -> Item<'a> {
        let name = Steps::new(&said.wire, std::slice::from_ref(self.name)).next();
        Item {
            name: match name {
                Some(Step::Value(name)) => name,
                _ => Value::Text(said.span_bytes(self.name)),
            },
            values: self.values(said).collect(),
            is_list: self.is_list,
        }
    }
}

/// Items one by one, in their order.
pub(super) struct EachItem<'a> {
    spans: &'a [Span],
    /// How many lists are open.
    depth: usize,
}

impl<'a> Iterator for EachItem<'a> {
    type Item = ItemSpans<'a>;

    fn next(&mut self) -> Option<ItemSpans<'a>> {
        loop {
            let (first, rest) = self.spans.split_first()?;
            self.spans = rest;
            match first.label {
                Label::ListOpen => self.depth += 1,
                Label::ListClose => self.depth = self.depth.saturating_sub(1),
                _ if self.depth != 1 => {}
                // Its octets follow, and stand for both.
                Label::LiteralHeader if has_octets(rest) => {}
                _ => {
                    let is_list = rest.first().is_some_and(|s| s.label == Label::ListOpen);
                    return Some(ItemSpans {
                        name: first,
                        value: self.value(is_list),
                        is_list,
                    });
                }
            }
        }
    }
}

impl<'a> EachItem<'a> {
    /// The spans of the value that is next, if there is one.
    fn value(&mut self, is_list: bool) -> &'a [Span] {
        let value = match is_list {
            true => &self.spans[1..],
            false => self.spans,
        };
        let length = match (is_list, value) {
            (true, _) => list_length(value),
            (
                false,
                []
                | [
                    Span {
                        label: Label::ListClose,
                        ..
                    },
                    ..,
                ],
            ) => 0,
            (false, [_, rest @ ..]) => 1 + usize::from(is_header(&value[0]) && has_octets(rest)),
        };
        let (value, rest) = value.split_at(length);
        self.spans = match is_list {
            true => rest.get(1..).unwrap_or_default(), // behind the `)`
            false => rest,
        };
        value
    }
}

/// How many spans stand before the `)` of the list that has just begun.
fn list_length(spans: &[Span]) -> usize {
    let mut depth = 0_usize;
    let close = spans.iter().position(|span| {
        match span.label {
            Label::ListOpen => depth += 1,
            Label::ListClose if depth == 0 => return true,
            Label::ListClose => depth -= 1,
            _ => {}
        }
        false
    });
    close.unwrap_or(spans.len())
}

fn is_header(span: &Span) -> bool {
    span.label == Label::LiteralHeader
}

/// Whether a literal's octets are next. A streamed one's are not here.
fn has_octets(spans: &[Span]) -> bool {
    spans
        .first()
        .is_some_and(|span| span.label == Label::Literal)
}
