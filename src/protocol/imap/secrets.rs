//! Which octets of a message are secret (contract, "Masks").
//!
//! When in doubt it is secret: before authentication a client's octets are shown only where they
//! are a command that is known and well-formed. What is found secret is remembered at the gate, so
//! that it is masked when it comes again.

use std::ops::Range;

use memchr::memmem;

use super::command::{Argument, Command};
use super::response::{Kind, Response};
use super::sasl::{self, Exchange};
use crate::event::{Gate, Label, Message, Secret, Span, Status};

/// Octets of the longest argument that is searched for a URLAUTH token; a URL is shorter, and what
/// is longer is a mail.
const URL: usize = 8 * 1024;

/// Words of an unreadable line that are remembered; what has more is no attempt to log in, and
/// must not drive out what is remembered already.
const WORDS: usize = 6;

/// Secret octets, ordered by their start, not overlapping.
pub type Ranges = Vec<(Range<usize>, Secret)>;

/// What a client's command keeps to itself, and what of it may be told.
#[derive(Default)]
pub struct CommandSecrets {
    /// The octets to mask.
    pub ranges: Ranges,
    /// Who logs in.
    pub identity: Option<String>,
    /// The SASL exchange that AUTHENTICATE begins.
    pub exchange: Option<Exchange>,
}

/// How much of the command there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// Its beginning: it was cut off, or is too long to hold.
    Beginning,
}

/// Finds the secrets of a client's command.
pub fn of_command(
    message: &Message,
    spans: &[Span],
    extent: Extent,
    authenticated: bool,
    gate: &Gate,
) -> CommandSecrets {
    let command = Command::new(message, spans);
    let mut found = CommandSecrets::default();
    if !authenticated && (extent == Extent::Beginning || !command.is_well_formed()) {
        found.ranges = unreadable(message, command, gate);
        found.exchange = is_authenticate(command).then(Exchange::default);
        return found;
    }
    match command.name().as_deref() {
        Some("LOGIN") => login(message, command, extent, gate, &mut found),
        Some("AUTHENTICATE") => authenticate(message, command, gate, &mut found),
        _ => {}
    }
    found.ranges.extend(arguments_with(message, spans, |text| {
        (text.len() <= URL && has_urlauth_token(text)).then_some(Secret::Urlauth)
    }));
    let known = command.is_known();
    let searched = spans
        .iter()
        .filter(|span| !(known && span.label == Label::Name));
    found.ranges.extend(covered(searched, |span| {
        let text = &message.bytes()[span.range.clone()];
        (!gate.occurrences(text).is_empty()).then_some(Secret::Password)
    }));
    found.ranges = merged(std::mem::take(&mut found.ranges));
    found
}

/// LOGIN's password (RFC 9051, section 6.2.3), in every form of string.
fn login(
    message: &Message,
    command: Command<'_>,
    extent: Extent,
    gate: &Gate,
    found: &mut CommandSecrets,
) {
    let arguments = command.strings().filter(|_| extent == Extent::Whole);
    let Some([_, password]) = arguments.as_deref() else {
        found.ranges = unreadable(message, command, gate);
        return;
    };
    remember(gate, message, password);
    found
        .ranges
        .push((password.covered.clone(), Secret::Password));
    found.identity = login_identity(message, command, gate);
}

/// LOGIN's user, as far as it is no secret itself.
pub fn login_identity(message: &Message, command: Command<'_>, gate: &Gate) -> Option<String> {
    if command.name().as_deref() != Some("LOGIN") {
        return None;
    }
    let arguments = command.strings()?;
    let [user, _] = arguments.as_slice() else {
        return None;
    };
    if user.secret {
        return None;
    }
    sasl::shown(String::from_utf8(user.value(message)).ok()?, gate)
}

fn remember(gate: &Gate, message: &Message, argument: &Argument) {
    gate.remember(&argument.value(message));
    if argument.quoted {
        let quoted = &message.bytes()[argument.content.clone()];
        gate.remember(&quoted[1..quoted.len() - 1]);
    }
}

/// Everything behind AUTHENTICATE's mechanism (RFC 9051, section 6.2.2); the mechanism too, if it
/// may be something else.
fn authenticate(message: &Message, command: Command<'_>, gate: &Gate, found: &mut CommandSecrets) {
    let mut exchange = exchange(message, command, gate).unwrap_or_default();
    match command.strings().as_deref() {
        Some([_, rest @ ..]) if exchange.mechanism().is_some() => {
            if let [initial] = rest {
                found.identity = exchange.turn(&initial.value(message), gate);
            } else {
                rest.iter().for_each(|more| remember(gate, message, more));
            }
            if let (Some(first), Some(last)) = (rest.first(), rest.last()) {
                let covered = first.covered.start..last.covered.end;
                found.ranges.push((covered, Secret::Sasl));
            }
        }
        _ => found.ranges = unreadable(message, command, gate),
    }
    found.exchange = Some(exchange);
}

/// The SASL exchange that AUTHENTICATE begins, whether or not its mechanism can be read.
pub fn exchange(message: &Message, command: Command<'_>, gate: &Gate) -> Option<Exchange> {
    if !is_authenticate(command) {
        return None;
    }
    let arguments = command.strings().unwrap_or_default();
    Some(match arguments.first() {
        Some(mechanism) if !mechanism.secret => Exchange::new(&mechanism.value(message), gate),
        _ => Exchange::default(),
    })
}

fn is_authenticate(command: Command<'_>) -> bool {
    command.name().as_deref() == Some("AUTHENTICATE")
}

/// Masks all but the tag and, if known, the name. Where it may be an attempt to log in, the words
/// are remembered, but for the first one of several: in `LOGIN alice hunter2`, typed without a tag,
/// that is the user.
fn unreadable(message: &Message, command: Command<'_>, gate: &Gate) -> Ranges {
    let bytes = message.bytes();
    let line_end = bytes.len() - line_end(bytes);
    let start = match (command.tag(), command.is_known()) {
        (Some(_), true) => command.name_end().unwrap_or(0),
        // A lone word is more likely a password than a tag.
        (Some(tag), false) if bytes.get(tag.range.end) == Some(&b' ') => tag.range.end,
        _ => 0,
    };
    let start = start + usize::from(start > 0 && bytes.get(start) == Some(&b' '));
    if start >= line_end {
        return Vec::new();
    }
    let is_login =
        !command.is_known() || matches!(command.name().as_deref(), Some("LOGIN" | "AUTHENTICATE"));
    if is_login {
        let words: Vec<&[u8]> = bytes[start..line_end]
            .split(|octet| b" \"\r\n".contains(octet))
            .filter(|word| !word.is_empty())
            .take(WORDS)
            .collect();
        for word in &words[usize::from(words.len() > 1)..] {
            gate.remember(word);
        }
    }
    let mut ranges = vec![(start..line_end, Secret::Unreadable)];
    if let Some(tag) = command.tag().filter(|tag| tag.range.end <= start)
        && !gate.occurrences(command.bytes(tag)).is_empty()
    {
        ranges.insert(0, (tag.range.clone(), Secret::Password));
    }
    ranges
}

/// A client's line of a SASL exchange: all of it, unless it cancels (RFC 9051, section 6.2.2).
pub fn of_sasl_line(message: &Message) -> Ranges {
    let bytes = message.bytes();
    let line = 0..bytes.len() - line_end(bytes);
    match &bytes[line.clone()] {
        b"*" => Vec::new(),
        _ => vec![(line, Secret::Sasl)],
    }
}

/// The secrets of a server's response; `exchange` is the SASL exchange that is going on.
pub fn of_response(
    message: &Message,
    spans: &[Span],
    exchange: Option<&Exchange>,
    gate: &Gate,
) -> Ranges {
    let response = Response::new(message, spans);
    let kind = response.kind();
    let mut ranges = Ranges::new();
    if exchange.is_some_and(Exchange::has_secret_challenges) {
        let challenge = match kind {
            Kind::ContinuationRequest => spans.get(1),
            Kind::Malformed => spans.first(), // `+` without its space
            Kind::Untagged | Kind::Tagged => None,
        };
        if let (Some(first), Some(last)) = (challenge, spans.last()) {
            ranges.push((first.range.start..last.range.end, Secret::Challenge));
        }
    }
    let may_tell_tokens = match kind {
        Kind::Untagged => {
            matches!(response.name().as_deref(), Some("GENURLAUTH" | "URLFETCH"))
                || response.code_name().is_some()
        }
        _ => response.code_name().is_some(),
    };
    if may_tell_tokens {
        ranges.extend(arguments_with(message, spans, |text| {
            (text.len() <= URL && has_urlauth_token(text)).then_some(Secret::Urlauth)
        }));
    }
    let is_data = kind == Kind::Untagged && response.status().is_none();
    let is_status_word = |text: &[u8]| Status::parse(text).is_some();
    if !is_data {
        for span in spans {
            let text = &message.bytes()[span.range.clone()];
            if span.label == Label::Status && is_status_word(text) {
                continue;
            }
            for found in gate.occurrences(text) {
                let start = span.range.start;
                ranges.push((start + found.start..start + found.end, Secret::Password));
            }
        }
    }
    merged(ranges)
}

/// The arguments that `is_secret` tells to be, with their literal headers.
fn arguments_with(
    message: &Message,
    spans: &[Span],
    is_secret: impl Fn(&[u8]) -> Option<Secret>,
) -> Ranges {
    let arguments = spans.iter().filter(|span| {
        matches!(
            span.label,
            Label::Atom | Label::Quoted | Label::Literal | Label::Malformed
        )
    });
    covered(arguments, |span| {
        is_secret(&message.bytes()[span.range.clone()])
    })
}

fn covered<'a>(
    spans: impl Iterator<Item = &'a Span>,
    is_secret: impl Fn(&Span) -> Option<Secret>,
) -> Ranges {
    // A literal's header is masked with it: `Message::masked` widens to whole literals.
    spans
        .filter_map(|span| Some((span.range.clone(), is_secret(span)?)))
        .collect()
}

/// `;URLAUTH=access:mechanism:token` (RFC 4467, section 3), with the token.
fn has_urlauth_token(text: &[u8]) -> bool {
    let lower = text.to_ascii_lowercase();
    memmem::find(&lower, b";urlauth=").is_some_and(|start| {
        let colons = lower[start..].iter().filter(|octet| **octet == b':');
        colons.count() >= 2
    })
}

/// Orders the ranges and joins those that overlap.
fn merged(mut ranges: Ranges) -> Ranges {
    ranges.sort_by_key(|(range, _)| range.start);
    let mut merged: Ranges = Vec::with_capacity(ranges.len());
    for (range, secret) in ranges {
        match merged.last_mut() {
            Some((last, _)) if range.start < last.end => last.end = last.end.max(range.end),
            _ => merged.push((range, secret)),
        }
    }
    merged
}

/// Octets of the line end that `bytes` end with.
fn line_end(bytes: &[u8]) -> usize {
    match bytes {
        [.., b'\r', b'\n'] => 2,
        [.., b'\n'] => 1,
        _ => 0,
    }
}
