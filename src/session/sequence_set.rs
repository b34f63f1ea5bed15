//! Sequence sets (RFC 9051, section 9, `sequence-set`), a range at a time.

/// One end of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// A message number or a UID.
    Number(u64),
    /// `*`
    Largest,
}

impl Bound {
    fn parse(text: &[u8]) -> Option<Self> {
        if text == b"*" {
            return Some(Self::Largest);
        }
        let is_number = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
        let digits = std::str::from_utf8(text).ok().filter(|_| is_number)?;
        digits.parse().ok().map(Self::Number)
    }

    /// The number, if it is one.
    pub fn number(self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(number),
            Self::Largest => None,
        }
    }
}

/// The ranges of a set; `None` in place of one that is none.
pub fn ranges(set: &[u8]) -> impl Iterator<Item = Option<(Bound, Bound)>> {
    set.split(|octet| *octet == b',').map(|part| {
        let mut ends = part.splitn(2, |octet| *octet == b':');
        let first = Bound::parse(ends.next().unwrap_or_default())?;
        match ends.next() {
            Some(last) => Some((first, Bound::parse(last)?)),
            None => Some((first, first)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_ranges_and_the_largest_are_read() {
        let read: Vec<_> = ranges(b"2,4:7,*:3").collect();
        let n = Bound::Number;
        let expected = [(n(2), n(2)), (n(4), n(7)), (Bound::Largest, n(3))];
        assert_eq!(read, expected.map(Some));
    }

    #[test]
    fn what_is_no_set_is_told() {
        for set in ["", "1,", "a", "1:2:3", "-1", "1:", "99999999999999999999"] {
            assert!(ranges(set.as_bytes()).any(|range| range.is_none()), "{set}");
        }
    }
}
