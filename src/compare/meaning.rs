//! What a value of a response means, so that two forms of the same are equal.
//!
//! A string is its octets, whether atom, number, quoted string or literal; what has no order is a set;
//! a mask may be anything; a large literal is its digest.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};

use super::digest::{Digest, digest_octets};
use crate::event::Value;
use crate::limits;

/// What a value means.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Meaning {
    /// `NIL`
    Nil,
    /// A string, an atom, a number.
    Octets(Vec<u8>),
    /// So many octets, more than are held.
    Long(u64, Digest),
    /// A word in any letter case.
    Word(Word),
    /// What was masked.
    Secret,
    /// Members in order.
    List(Vec<Meaning>),
    /// Members in no order: sorted, each once.
    Set(BTreeSet<Meaning>),
}

/// A word whose letter case says nothing; it is shown as it was said.
#[derive(Clone, Debug)]
pub struct Word(Vec<u8>);

impl Word {
    fn upper(&self) -> impl Iterator<Item = u8> {
        self.0.iter().map(u8::to_ascii_uppercase)
    }
}

impl PartialEq for Word {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Word {}

impl PartialOrd for Word {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Word {
    fn cmp(&self, other: &Self) -> Ordering {
        self.upper().cmp(other.upper())
    }
}

impl Hash for Word {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.upper().for_each(|octet| state.write_u8(octet));
        state.write_u8(b' ');
    }
}

impl Meaning {
    /// Of these octets.
    pub fn octets(octets: &[u8]) -> Self {
        let length = octets.len() as u64;
        if length > limits::LITERAL_HELD {
            return Self::Long(length, digest_octets(octets));
        }
        // A mask in the short text form.
        match octets.starts_with(b"<secret:") && octets.ends_with(b">") {
            true => Self::Secret,
            false => Self::Octets(octets.to_vec()),
        }
    }

    /// Of a value; `long` has the digests of the streamed literals in their order.
    pub fn of(value: &Value<'_>, long: &mut impl Iterator<Item = Digest>) -> Self {
        match value {
            Value::Nil => Self::Nil,
            Value::Number(number) => Self::Octets(number.to_string().into_bytes()),
            Value::Streamed(octets) => Self::Long(*octets, long.next().unwrap_or_default()),
            Value::Secret(_) => Self::Secret,
            Value::List(members) => Self::List(
                members
                    .iter()
                    .map(|member| Self::of(member, long))
                    .collect(),
            ),
            Value::Atom(octets) | Value::Literal(octets) | Value::Text(octets) => {
                Self::octets(octets)
            }
            Value::Quoted(octets) => Self::octets(octets),
        }
    }

    /// The same, the strings in it in any letter case.
    pub fn in_any_case(self) -> Self {
        let all = |members: Vec<Self>| members.into_iter().map(Self::in_any_case).collect();
        match self {
            Self::Octets(octets) => Self::Word(Word(octets)),
            Self::List(members) => Self::List(all(members)),
            other => other,
        }
    }

    /// As a set, if it is a list.
    pub fn unordered(self) -> Self {
        match self {
            Self::List(members) => Self::Set(members.into_iter().collect()),
            other => other,
        }
    }

    /// The members of a list; it alone, if it is none.
    pub fn into_members(self) -> Vec<Self> {
        match self {
            Self::List(members) => members,
            Self::Set(members) => members.into_iter().collect(),
            other => vec![other],
        }
    }

    /// The octets of a string.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Octets(octets) | Self::Word(Word(octets)) => Some(octets),
            _ => None,
        }
    }

    /// Whether both mean the same; a mask is the same as anything.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Secret, _) | (_, Self::Secret) => true,
            (Self::List(one), Self::List(other)) => all_same(one.iter(), other.iter()),
            (Self::Set(one), Self::Set(other)) => all_same(one.iter(), other.iter()),
            _ => self == other,
        }
    }

    /// For people: `(\Seen)`, `70000 octets`.
    pub fn shown(&self) -> String {
        match self {
            Self::Nil => "NIL".into(),
            Self::Octets(octets) if octets.is_empty() => "\"\"".into(),
            Self::Octets(octets) | Self::Word(Word(octets)) => legible(octets),
            Self::Long(octets, digest) => format!("{octets} octets ({:08x}…)", digest >> 96),
            Self::Secret => "<secret>".into(),
            Self::List(members) => in_brackets(members.iter()),
            Self::Set(members) => in_brackets(members.iter()),
        }
    }
}

/// Octets as text; those that are no UTF-8 as `\xff`.
fn legible(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    for chunk in octets.utf8_chunks() {
        text.push_str(chunk.valid());
        for octet in chunk.invalid() {
            text.push_str(&format!("\\x{octet:02x}"));
        }
    }
    text
}

fn all_same<'m>(
    one: impl ExactSizeIterator<Item = &'m Meaning>,
    other: impl ExactSizeIterator<Item = &'m Meaning>,
) -> bool {
    one.len() == other.len() && one.zip(other).all(|(one, other)| one.is_same(other))
}

fn in_brackets<'m>(members: impl Iterator<Item = &'m Meaning>) -> String {
    let members: Vec<String> = members.map(Meaning::shown).collect();
    format!("({})", members.join(" "))
}

/// Both for people; of two large sets what only one of them has, and how many members both have.
pub fn shown_apart(one: &Meaning, other: &Meaning) -> (String, String) {
    const SHORT: usize = 8;
    match (one, other) {
        (Meaning::Set(a), Meaning::Set(b)) if a.len().max(b.len()) > SHORT => {
            let both = a.intersection(b).count();
            let apart = |one: &BTreeSet<Meaning>, other| {
                let only: Vec<&Meaning> = one.difference(other).collect();
                match only.is_empty() {
                    true => format!("({both} in both)"),
                    false => format!("{} ({both} in both)", in_brackets(only.into_iter())),
                }
            };
            (apart(a, b), apart(b, a))
        }
        _ => (one.shown(), other.shown()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &Value<'_>) -> Meaning {
        Meaning::of(value, &mut std::iter::empty())
    }

    #[test]
    fn a_string_is_its_octets() {
        let quoted = of(&Value::Quoted(b"12".as_slice().into()));
        for value in [Value::Number(12), Value::Atom(b"12"), Value::Literal(b"12")] {
            assert_eq!(of(&value), quoted);
        }
        assert_ne!(of(&Value::Nil), of(&Value::Atom(b"NILL")));
        let streamed = vec![b'x'; 70_000];
        let digest = digest_octets(&streamed);
        let streamed_value = Meaning::of(&Value::Streamed(70_000), &mut std::iter::once(digest));
        assert_eq!(of(&Value::Literal(&streamed)), streamed_value);
    }

    #[test]
    fn a_mask_is_the_same_as_anything() {
        let text = Meaning::octets(b"<secret:password>");
        assert!(text.is_same(&Meaning::octets(b"hunter2")));
        let list = |meaning| Meaning::List(vec![Meaning::Nil, meaning]);
        assert!(list(text.clone()).is_same(&list(Meaning::octets(b"x"))));
        assert!(!list(Meaning::octets(b"y")).is_same(&list(Meaning::octets(b"x"))));
    }

    #[test]
    fn large_sets_are_shown_by_what_differs() {
        let set = |numbers: std::ops::Range<u32>| {
            Meaning::Set(
                numbers
                    .map(|n| Meaning::octets(n.to_string().as_bytes()))
                    .collect(),
            )
        };
        let (one, other) = shown_apart(&set(1..100), &set(1..101));
        assert_eq!((&*one, &*other), ("(99 in both)", "(100) (99 in both)"));
        let (one, other) = shown_apart(&set(1..2), &set(1..3));
        assert_eq!((&*one, &*other), ("(1)", "(1 2)"));
    }
}
