//! What a STORE does to flags, for the case that its answer does not tell (RFC 9051, section 6.4.6).
//!
//! ```text
//! C: a STORE 2:4 +FLAGS.SILENT (\Seen)     the server does not say which flags they have now
//! S: a OK done
//! ```

use super::sequence_set::{Bound, ranges};
use crate::event::Value;
use crate::limits;

/// How flags change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// `FLAGS`
    Replaced,
    /// `+FLAGS`
    Added,
    /// `-FLAGS`
    Taken,
}

/// A STORE whose answer does not tell what the flags are.
#[derive(Debug)]
pub(super) struct Stores {
    /// The set names UIDs.
    pub(super) by_uid: bool,
    pub(super) how: How,
    pub(super) flags: Vec<String>,
    /// The messages; `None` where they are not named, or too many.
    pub(super) set: Option<Vec<(Bound, Bound)>>,
}

impl Stores {
    /// Of a command's arguments; `None` where its answer tells, or where it is no STORE of flags.
    pub(super) fn read(name: &str, arguments: &[Value<'_>]) -> Option<Self> {
        if !matches!(name, "STORE" | "UID STORE") {
            return None;
        }
        let (set, rest) = arguments.split_first()?;
        // `(UNCHANGEDSINCE 320162338)` may stand between (RFC 7162, section 3.1.3).
        let rest = match rest {
            [Value::List(_), rest @ ..] => rest,
            rest => rest,
        };
        let (item, flags) = rest.split_first()?;
        let item = item.bytes()?.to_ascii_uppercase();
        let (how, item) = match item.split_first()? {
            (b'+', item) => (How::Added, item),
            (b'-', item) => (How::Taken, item),
            _ => (How::Replaced, &*item),
        };
        if item != b"FLAGS.SILENT" {
            return None;
        }
        let flags = match flags {
            [Value::List(flags)] => flags,
            flags => flags,
        };
        let digits = set.number().map(|number| number.to_string());
        let octets = digits.as_ref().map(String::as_bytes).or(set.bytes())?;
        let set = ranges(octets).take(limits::STORED + 1).collect();
        let set: Option<Vec<_>> = set;
        Some(Self {
            by_uid: name.starts_with("UID "),
            how,
            flags: super::mailbox::texts_of(flags),
            set: set.filter(|set| set.len() <= limits::STORED),
        })
    }

    /// The flags of a message that had these.
    pub(super) fn applied(&self, had: &[String]) -> Vec<String> {
        let is_meant = |flag: &String| self.flags.iter().any(|f| f.eq_ignore_ascii_case(flag));
        let mut flags: Vec<String> = match self.how {
            How::Replaced => Vec::new(),
            How::Added | How::Taken => had.iter().filter(|f| !is_meant(f)).cloned().collect(),
        };
        if self.how != How::Taken {
            flags.extend(self.flags.iter().cloned());
        }
        flags.truncate(limits::ITEMS);
        flags
    }
}
