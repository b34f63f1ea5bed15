//! A client's line that may be an attempt to log in, or a piece of one: whether it is, and what may
//! be shown and must be remembered of it.
//!
//! Before authentication all is in doubt but a command that is valid then. A command that is not
//! may have come too early, or the octets that follow the name may be another's: of a literal that
//! was announced with a wrong number, say.
//!
//! ```text
//! C: c APPEND x {3}
//! S: + go
//! C: a LOGIN alice hunter2      3 octets of a mail, and arguments of APPEND
//! ```

use std::ops::Range;

use super::command::{Command, is_name};
use super::sasl;
use super::secrets::{Ranges, line_end};
use crate::event::{Gate, Message, Secret};

/// Words of an unreadable line that are remembered; what has more is no attempt to log in, and
/// must not drive out what is remembered already.
const WORDS: usize = 6;

/// How much of the command there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// Its beginning: it was cut off, or is too long to hold.
    Beginning,
    /// All of it, but its last argument is the header of a literal that was refused.
    Refused,
}

/// How much a client's line is to be trusted to be a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// A user is logged in: it is.
    Authenticated,
    /// A LOGIN, whose password is remembered, has no answer yet: if it is known and well-formed,
    /// and no literal stands in it, which may have swallowed other commands.
    LoggingIn,
    /// If it is one of those that are valid now, and well-formed.
    NotAuthenticated,
    /// A literal was refused or asked for in vain: if it is known. Otherwise it may be the
    /// literal's octets, and even what stands in a tag's place is secret.
    Suspicious,
}

/// Whether the next line may be what a client had ready for a command that was refused before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Suspicion {
    /// No.
    #[default]
    None,
    /// A literal was refused or asked for in vain: as long as nobody is logged in, it may be a secret.
    BeforeAuthentication,
    /// So was LOGIN's, or a turn of AUTHENTICATE is owed: it may be a secret in every state.
    Always,
}

/// Whether the command may be something else, so that all but its head is secret.
pub fn is_in_doubt(command: Command<'_>, extent: Extent, trust: Trust) -> bool {
    if is_unreadable_login(command) {
        return true;
    }
    let has_form = extent != Extent::Beginning && command.is_well_formed();
    match trust {
        Trust::Authenticated => false,
        Trust::LoggingIn if !command.may_come_before_authentication() => {
            !has_form || command.first_literal().is_some()
        }
        Trust::LoggingIn | Trust::NotAuthenticated | Trust::Suspicious => {
            !has_form || !command.may_come_before_authentication()
        }
    }
}

/// `LOGIN alice hunter2`, typed without a tag; `1+ LOGIN alice hunter2`, with one that is none; or
/// with tabs for spaces: what is no command and has the name of one that logs in among its first
/// words.
pub fn is_unreadable_login(command: Command<'_>) -> bool {
    const FIRST: usize = 3;
    let ends_word = |octet: &u8| octet.is_ascii_control() || b" \"".contains(octet);
    let words = command.line().split(ends_word);
    let mut first = words.filter(|word| !word.is_empty()).take(FIRST);
    !command.is_known() && first.any(logs_in)
}

/// Whether it is LOGIN or AUTHENTICATE, or was meant to be.
pub fn is_login(command: Command<'_>) -> bool {
    command.name().is_some_and(|name| logs_in(name.as_bytes())) || is_unreadable_login(command)
}

fn logs_in(word: &[u8]) -> bool {
    let names = [&b"LOGIN"[..], b"AUTHENTICATE"];
    names.iter().any(|name| word.eq_ignore_ascii_case(name))
}

/// Masks all but the tag and, if known, the name; of a suspicious line, all. Where it may be an
/// attempt to log in, the words are remembered, but for the first one behind the tag, if there are
/// several: in `LOGIN alice hunter2`, typed without a tag, that is the user.
pub fn unreadable(message: &Message, command: Command<'_>, trust: Trust, gate: &Gate) -> Ranges {
    let bytes = message.bytes();
    let line_end = bytes.len() - line_end(bytes);
    let behind = |end: usize| {
        let spaces = bytes[end..line_end].iter().take_while(|o| **o == b' ');
        end + spaces.count()
    };
    let start = match (command.tag(), command.is_known()) {
        (Some(_), true) => behind(command.name_end().unwrap_or(0)),
        // A lone word is more likely a password than a tag.
        (Some(tag), false) if trust != Trust::Suspicious => {
            let start = behind(tag.range.end);
            match start > tag.range.end && start < line_end {
                true => start,
                false => 0,
            }
        }
        _ => 0,
    };
    let mut ranges = Vec::new();
    if let Some(tag) = command.tag().filter(|tag| tag.range.end <= start)
        && !gate.occurrences(command.bytes(tag)).is_empty()
    {
        ranges.push((tag.range.clone(), Secret::Password));
    }
    if start < line_end {
        if let Some(from) = suspicious_from(command, start) {
            suspect(&bytes[from..line_end], from > 0, gate);
        }
        ranges.push((start..line_end, Secret::Unreadable));
    }
    ranges
}

/// Where what may be an attempt to log in begins. A command that came too early, `a SELECT INBOX`,
/// is none, or INBOX would be a secret from then on; but its literal may have swallowed one.
fn suspicious_from(command: Command<'_>, start: usize) -> Option<usize> {
    match command.is_well_formed() && !command.may_come_before_authentication() {
        true => command.first_literal().map(|literal| literal.start),
        false => Some(start),
    }
}

/// Remembers the words of a line that may be an attempt to log in, each of them and all from each
/// one on, since a password may hold spaces and quotes. `user`: the first of several is the user.
fn suspect(line: &[u8], user: bool, gate: &Gate) {
    let ends_word = |octet: &u8| octet.is_ascii_control() || b" \"".contains(octet);
    let end = line.trim_ascii_end().len();
    let end = end - usize::from(line[..end].ends_with(b"\""));
    let mut at = 0;
    let words: Vec<Range<usize>> = line
        .split(ends_word)
        .map(|word| {
            let start = at;
            at += word.len() + 1;
            start..start + word.len()
        })
        .filter(|word| !word.is_empty() && !is_name(&line[word.clone()]))
        .take(WORDS)
        .collect();
    for word in &words[usize::from(user && words.len() > 1)..] {
        gate.suspect(&line[word.clone()]);
        gate.suspect(line.get(word.start..end).unwrap_or_default());
        suspect_decoded(&line[word.clone()], gate);
    }
}

/// Remembers what a word says that may be a SASL response. Most words are base64 by chance, and say
/// nothing that is a text.
fn suspect_decoded(word: &[u8], gate: &Gate) {
    let decoded = sasl::decoded(word).filter(|decoded| std::str::from_utf8(decoded).is_ok());
    sasl::fields(&decoded.unwrap_or_default()).for_each(|field| gate.suspect(field));
}
