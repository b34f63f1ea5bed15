//! Which octets of a message are secret (contract, "Masks").
//!
//! When in doubt it is secret: before authentication a client's octets are shown only where they
//! are a command that is known and well-formed. What is found secret is remembered at the gate, so
//! that it is masked when it comes again.

use std::ops::Range;

use memchr::memmem;

use super::command::{Command, is_name};
use super::response::{Kind, Response};
use super::sasl::{self, Exchange};
use crate::event::{Gate, Label, Message, Secret, Span};

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
    /// All of it, but its last argument is the header of a literal that was refused.
    Refused,
}

/// How much a client's line is to be trusted to be a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// A user is logged in: it is.
    Authenticated,
    /// If it is known and well-formed.
    NotAuthenticated,
    /// A literal was refused or asked for in vain: if it is known. Otherwise it may be the
    /// literal's octets, and even what stands in a tag's place is secret.
    Suspicious,
}

/// Finds the secrets of a client's command.
pub fn of_command(
    message: &Message,
    spans: &[Span],
    extent: Extent,
    trust: Trust,
    gate: &Gate,
) -> CommandSecrets {
    let command = Command::new(message, spans);
    let mut found = CommandSecrets::default();
    let is_in_doubt =
        trust != Trust::Authenticated && (extent == Extent::Beginning || !command.is_well_formed());
    if is_in_doubt || is_login_without_tag(command) {
        found.ranges = unreadable(message, command, trust, gate);
        found.exchange = is_authenticate(command).then(Exchange::default);
        return found;
    }
    match command.name().as_deref() {
        Some("LOGIN") => login(message, command, extent, gate, &mut found),
        Some("AUTHENTICATE") => authenticate(message, command, extent, gate, &mut found),
        _ => {}
    }
    found.ranges.extend(urlauth(message, spans, gate));
    found
        .ranges
        .extend(remembered_in_command(message, spans, gate));
    found.ranges = merged(std::mem::take(&mut found.ranges));
    found
}

/// `LOGIN alice hunter2`, typed without a tag.
fn is_login_without_tag(command: Command<'_>) -> bool {
    let tag = command.tag().map_or(&b""[..], |tag| command.bytes(tag));
    let names = [&b"LOGIN"[..], b"AUTHENTICATE"];
    !command.is_known() && names.iter().any(|name| tag.eq_ignore_ascii_case(name))
}

/// The spans in which a value stands that was secret before. A known command's name is none.
fn remembered_in_command(message: &Message, spans: &[Span], gate: &Gate) -> Ranges {
    let command = Command::new(message, spans);
    let known = command.is_known();
    let may_be_secret = |span: &&Span| match span.label {
        Label::Name => !known,
        Label::LiteralHeader => false,
        _ => true,
    };
    let mut ranges = Ranges::new();
    for found in gate.occurrences(message.bytes()) {
        let first = spans.partition_point(|span| span.range.end <= found.start);
        let mut touched = spans[first..]
            .iter()
            .take_while(|span| span.range.start < found.end)
            .filter(may_be_secret);
        if let Some(first) = touched.next() {
            let last = touched.last().unwrap_or(first);
            ranges.push((first.range.start..last.range.end, Secret::Password));
        }
    }
    ranges
}

/// LOGIN's password (RFC 9051, section 6.2.3), in every form of string.
fn login(
    message: &Message,
    command: Command<'_>,
    extent: Extent,
    gate: &Gate,
    found: &mut CommandSecrets,
) {
    let arguments = command.strings().filter(|_| extent != Extent::Beginning);
    let Some([_, password]) = arguments.as_deref() else {
        found.ranges = unreadable(message, command, Trust::NotAuthenticated, gate);
        return;
    };
    if extent == Extent::Whole {
        sasl::remember(&password.value(message), gate);
    }
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

/// Everything behind AUTHENTICATE's mechanism (RFC 9051, section 6.2.2); the mechanism too, if it
/// may be something else.
fn authenticate(
    message: &Message,
    command: Command<'_>,
    extent: Extent,
    gate: &Gate,
    found: &mut CommandSecrets,
) {
    let mut exchange = exchange(message, command, gate).unwrap_or_default();
    match command.strings().as_deref() {
        Some([_, rest @ ..]) if exchange.mechanism().is_some() => {
            match rest {
                _ if extent == Extent::Refused => {}
                [initial] => found.identity = exchange.turn(&initial.value(message), gate),
                several => several
                    .iter()
                    .for_each(|more| sasl::remember(&more.value(message), gate)),
            }
            if let (Some(first), Some(last)) = (rest.first(), rest.last()) {
                let covered = first.covered.start..last.covered.end;
                found.ranges.push((covered, Secret::Sasl));
            }
        }
        _ => found.ranges = unreadable(message, command, Trust::NotAuthenticated, gate),
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

/// Masks all but the tag and, if known, the name; of a suspicious line, all. Where it may be an
/// attempt to log in, the words are remembered, but for the first one behind the tag, if there are
/// several: in `LOGIN alice hunter2`, typed without a tag, that is the user.
fn unreadable(message: &Message, command: Command<'_>, trust: Trust, gate: &Gate) -> Ranges {
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
    if start >= line_end {
        return Vec::new();
    }
    let is_login =
        !command.is_known() || matches!(command.name().as_deref(), Some("LOGIN" | "AUTHENTICATE"));
    if is_login {
        suspect(&bytes[start..line_end], start > 0, gate);
    }
    let mut ranges = vec![(start..line_end, Secret::Unreadable)];
    if let Some(tag) = command.tag().filter(|tag| tag.range.end <= start)
        && !gate.occurrences(command.bytes(tag)).is_empty()
    {
        ranges.insert(0, (tag.range.clone(), Secret::Password));
    }
    ranges
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
    }
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
        ranges.extend(urlauth(message, spans, gate));
    }
    // What nobody knows may be a sentence: `* wrong password hunter2`.
    if !response.is_known_data() {
        ranges.extend(remembered_in_response(message, spans, gate));
    }
    merged(ranges)
}

/// Where a value stands that was secret before; of a tag or a name, all of it, so that what is left
/// is a response still.
fn remembered_in_response(message: &Message, spans: &[Span], gate: &Gate) -> Ranges {
    let head = &spans[..spans.len().min(3)];
    let mut ranges = Ranges::new();
    for mut found in gate.occurrences(message.bytes()) {
        let touched = |span: &&Span| span.range.start < found.end && found.start < span.range.end;
        let words: Vec<&Span> = head.iter().filter(touched).collect();
        if words.iter().any(|span| span.label == Label::Status) {
            continue;
        }
        for span in words {
            if matches!(span.label, Label::Tag | Label::Name) {
                found.start = found.start.min(span.range.start);
                found.end = found.end.max(span.range.end);
            }
        }
        ranges.push((found, Secret::Password));
    }
    ranges
}

/// The arguments with a URLAUTH token (RFC 4467, section 3), which is remembered.
fn urlauth(message: &Message, spans: &[Span], gate: &Gate) -> Ranges {
    // A literal's header is masked with it: `Message::masked` widens to whole literals.
    spans
        .iter()
        .filter(|span| {
            matches!(
                span.label,
                Label::Atom | Label::Quoted | Label::Literal | Label::Malformed
            )
        })
        .filter_map(|span| {
            let token = urlauth_token(&message.bytes()[span.range.clone()])?;
            gate.remember(token);
            Some((span.range.clone(), Secret::Urlauth))
        })
        .collect()
}

/// The token in `;URLAUTH=access:mechanism:token`.
fn urlauth_token(text: &[u8]) -> Option<&[u8]> {
    if text.len() > URL {
        return None;
    }
    let start = memmem::find(&text.to_ascii_lowercase(), b";urlauth=")?;
    let mut parts = text[start..].splitn(3, |octet| *octet == b':');
    let token = parts.nth(2)?;
    Some(token.strip_suffix(b"\"").unwrap_or(token))
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
