//! Times as logs write them.
//!
//! ```text
//! 2023-11-11 10:11:12.123456 UTC      2023-11-11T10:11:12Z      dated
//! 10:11:12.123                        57:42.84                  not dated
//! ```

use time::{Date, Month, Time, UtcOffset};

/// Microseconds, and whether they count from 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When {
    /// Microseconds.
    pub micros: u64,
    /// From 1970; else from some hour or day.
    pub is_dated: bool,
}

/// The time at the beginning of a line, in brackets or not, and what stands behind it.
pub fn leading(line: &[u8]) -> Option<(When, &[u8])> {
    let begun = line.trim_ascii_start();
    let (is_bracketed, begun) = match begun.strip_prefix(b"[") {
        Some(rest) => (true, rest),
        None => (false, begun),
    };
    let (when, mut rest) = dated(begun).or_else(|| of_day(begun))?;
    if is_bracketed {
        rest = rest.strip_prefix(b"]")?;
    }
    if is_bracketed && rest.starts_with(b"<") {
        return Some((when, rest)); // neomutt's level
    }
    // A time is a word of its own.
    let behind = rest
        .strip_prefix(b" ")
        .or_else(|| rest.strip_prefix(b"\t"))?;
    Some((when, behind))
}

fn dated(text: &[u8]) -> Option<(When, &[u8])> {
    let (year, rest) = number(text, 4)?;
    let (month, rest) = number(rest.strip_prefix(b"-")?, 2)?;
    let (day, rest) = number(rest.strip_prefix(b"-")?, 2)?;
    let rest = rest
        .strip_prefix(b"T")
        .or_else(|| rest.strip_prefix(b" "))?;
    let (micros, rest) = of_day(rest)?;
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date = Date::from_calendar_date(i32::try_from(year).ok()?, month, u8::try_from(day).ok()?);
    let midnight = date
        .ok()?
        .with_time(Time::MIDNIGHT)
        .assume_offset(UtcOffset::UTC);
    let (offset, rest) = offset(rest);
    let seconds = midnight.unix_timestamp() - offset;
    let micros = u64::try_from(seconds)
        .ok()?
        .checked_mul(1_000_000)?
        .checked_add(micros.micros)?;
    let when = When {
        micros,
        is_dated: true,
    };
    Some((when, rest))
}

/// Seconds east of UTC. A time without a zone is taken for UTC.
fn offset(text: &[u8]) -> (i64, &[u8]) {
    for zone in [&b"Z"[..], b" UTC"] {
        if let Some(rest) = text.strip_prefix(zone) {
            return (0, rest);
        }
    }
    let signed = match text.first() {
        Some(b'+') => Some(1),
        Some(b'-') => Some(-1),
        _ => None,
    };
    let read = |sign: i64| {
        let (hours, rest) = number(&text[1..], 2)?;
        let rest = rest.strip_prefix(b":").unwrap_or(rest);
        let (minutes, rest) = number(rest, 2)?;
        Some((
            sign * i64::try_from(hours * 3600 + minutes * 60).ok()?,
            rest,
        ))
    };
    signed.and_then(read).unwrap_or((0, text))
}

/// `10:11:12.123`, `10:11:12,123`, or `57:42.84` without hours.
fn of_day(text: &[u8]) -> Option<(When, &[u8])> {
    let (first, rest) = number(text, 2)?;
    let (second, rest) = number(rest.strip_prefix(b":")?, 2)?;
    let third = rest.strip_prefix(b":").and_then(|rest| number(rest, 2));
    let (seconds, rest) = match third {
        Some((third, rest)) => (first * 3600 + second * 60 + third, rest),
        None => (first * 60 + second, rest),
    };
    let (fraction, rest) = fraction(rest);
    let micros = seconds * 1_000_000 + fraction;
    let when = When {
        micros,
        is_dated: false,
    };
    Some((when, rest))
}

fn fraction(text: &[u8]) -> (u64, &[u8]) {
    let Some((b'.' | b',', digits)) = text.split_first() else {
        return (0, text);
    };
    let length = digits
        .iter()
        .take_while(|octet| octet.is_ascii_digit())
        .count();
    if length == 0 {
        return (0, text);
    }
    let (digits, rest) = digits.split_at(length);
    let of = |place: usize| digits.get(place).map_or(0, |digit| u64::from(digit - b'0'));
    (
        (0..6).fold(0, |micros, place| micros * 10 + of(place)),
        rest,
    )
}

/// A number of so many digits.
fn number(text: &[u8], digits: usize) -> Option<(u64, &[u8])> {
    let (number, rest) = text.split_at_checked(digits)?;
    let digit = |octet: &u8| octet.is_ascii_digit().then(|| u64::from(octet - b'0'));
    let value = number
        .iter()
        .try_fold(0, |value, octet| Some(value * 10 + digit(octet)?))?;
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_the_spellings_of_logs() {
        for (line, micros, is_dated) in [
            (
                "2023-11-11 10:11:12.123456 UTC - x",
                1_699_697_472_123_456,
                true,
            ),
            ("2023-11-11T10:11:12Z - x", 1_699_697_472_000_000, true),
            (
                "[2023-11-11T12:11:12+02:00] - x",
                1_699_697_472_000_000,
                true,
            ),
            ("10:11:12.5 - x", 36_672_500_000, false),
            ("  57:42.84 - x", 3_462_840_000, false),
        ] {
            let (when, rest) = leading(line.as_bytes()).unwrap();
            assert_eq!((when.micros, when.is_dated), (micros, is_dated), "{line}");
            assert_eq!(rest, b"- x");
        }
    }

    #[test]
    fn other_words_are_no_times() {
        for line in [
            "C: 10:11:12 x",
            "2023-11-11 x",
            "10:11",
            "1:2 x",
            "2023-13-40 10:11:12 x",
            "",
        ] {
            assert_eq!(leading(line.as_bytes()), None, "{line}");
        }
    }
}
