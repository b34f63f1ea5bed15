//! Sequence sets in words (RFC 9051, section 4.1.1).
//!
//! ```text
//! 1:3        messages 1 to 3
//! 5:*        message 5 and all behind it
//! 4388,4390  the messages with UIDs 4388 and 4390
//! ```

use super::sentence::Sentence;

/// Parts of a set that are named; of a longer one it is said how many more there are.
const NAMED: usize = 4;

/// What the numbers of a set are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Number,
    Uid,
}

/// A part of a set; `None` is `*`.
type Range = (Option<u64>, Option<u64>);

/// The messages of a set; `None` where it is no set.
pub(super) fn messages(set: &[u8], by: By) -> Option<Sentence> {
    if set == b"$" {
        return Some(Sentence::new("the messages that the last search has saved"));
    }
    let text = std::str::from_utf8(set).ok()?;
    let mut ranges = Vec::new();
    let mut more = 0_usize;
    for part in text.split(',') {
        let range = range(part)?;
        match ranges.len() < NAMED {
            true => ranges.push(range),
            false => more += 1,
        }
    }
    let words = match (ranges.as_slice(), by) {
        ([(Some(1), None)], _) => "all messages".to_owned(),
        ([(None, None)], _) => "the last message".to_owned(),
        ([(Some(first), None)], By::Number) => format!("message {first} and all behind it"),
        ([(Some(one), Some(other))], By::Number) if one == other => format!("message {one}"),
        ([(Some(one), Some(other))], By::Uid) if one == other => {
            format!("the message with UID {one}")
        }
        (_, By::Number) => format!("messages {}", spelled(&ranges, more)),
        (_, By::Uid) => format!("the messages with UIDs {}", spelled(&ranges, more)),
    };
    Some(Sentence::new(words))
}

/// `it` or `them`.
pub(super) fn pronoun(set: &[u8]) -> &'static str {
    match set.iter().all(u8::is_ascii_digit) || set == b"*" {
        true => "it",
        false => "them",
    }
}

fn range(part: &str) -> Option<Range> {
    let bound = |text: &str| match text {
        "*" => Some(None),
        digits => digits.parse().ok().map(Some),
    };
    let (one, other) = part.split_once(':').unwrap_or((part, part));
    Some(match (bound(one)?, bound(other)?) {
        (None, number @ Some(_)) => (number, None),
        (Some(one), Some(other)) => (Some(one.min(other)), Some(one.max(other))),
        as_written => as_written,
    })
}

fn spelled(ranges: &[Range], more: usize) -> String {
    let word = |range: &Range| match range {
        (Some(one), Some(other)) if one == other => one.to_string(),
        (Some(one), Some(other)) => format!("{one} to {other}"),
        (Some(first), None) => format!("{first} and higher"),
        (None, _) => "the last".to_owned(),
    };
    let words: Vec<String> = ranges.iter().map(word).collect();
    match (words.split_last(), more) {
        (Some((last, [])), 0) => last.clone(),
        (Some((last, before)), 0) => format!("{} and {last}", before.join(", ")),
        _ => format!("{} and {more} more", words.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sentence::tests::text;
    use super::*;

    #[test]
    fn sets_are_read_aloud() {
        for (set, by, words) in [
            ("1:*", By::Number, "all messages"),
            ("1:*", By::Uid, "all messages"),
            ("*", By::Uid, "the last message"),
            ("5", By::Number, "message 5"),
            ("5", By::Uid, "the message with UID 5"),
            ("1:3", By::Number, "messages 1 to 3"),
            ("3:1", By::Number, "messages 1 to 3"),
            ("5:*", By::Number, "message 5 and all behind it"),
            ("*:5", By::Uid, "the messages with UIDs 5 and higher"),
            ("4388,4390", By::Uid, "the messages with UIDs 4388 and 4390"),
            (
                "1,3,5:9,*",
                By::Number,
                "messages 1, 3, 5 to 9 and the last",
            ),
            ("1,3,5,7,9,11", By::Number, "messages 1, 3, 5, 7 and 2 more"),
            (
                "$",
                By::Number,
                "the messages that the last search has saved",
            ),
        ] {
            let sentence = messages(set.as_bytes(), by).unwrap();
            assert_eq!(text(&sentence), words);
        }
        for odd in ["", ",", "1:", "a", "1:2:3", "-1", "99999999999999999999"] {
            assert_eq!(messages(odd.as_bytes(), By::Uid), None, "{odd}");
        }
    }
}
