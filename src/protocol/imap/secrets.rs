//! Which octets of a message are secret (contract, "Masks").
//!
//! When in doubt it is secret: before authentication a client's octets are shown only where they
//! are a command that is known and well-formed. What is found secret is remembered at the gate, so
//! that it is masked when it comes again.

use std::ops::Range;

use memchr::memchr_iter;

use super::command::{Argument, Command};
use super::doubt::{self, Extent, Trust, unreadable};
use super::response::{Kind, Response};
use super::sasl::{self, Exchange};
use crate::event::{Gate, Label, Message, Note, Secret, Span};

/// Octets of the longest argument that is searched for a URLAUTH token; a URL is shorter, and what
/// is longer is a mail.
const URL: usize = 8 * 1024;

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
    /// What is odd about the initial response.
    pub odd: Option<Note>,
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
    if doubt::is_in_doubt(command, extent, trust) {
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
    // A name with a line end in it is other commands, swallowed by a literal.
    let is_name = |user: &Argument| !user.value(message).iter().any(u8::is_ascii_control);
    let arguments = command
        .strings()
        .filter(|arguments| extent != Extent::Beginning && arguments.first().is_some_and(is_name));
    let Some([_, password]) = arguments.as_deref() else {
        found.ranges = unreadable(message, command, Trust::NotAuthenticated, gate);
        return;
    };
    if extent == Extent::Whole {
        for other in password.other_values(message) {
            gate.remember(&other);
        }
        gate.remember(&password.value(message));
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
                [] => {}
                _ if extent == Extent::Refused => {}
                [initial] => {
                    let response = initial.value(message);
                    found.odd = oddity(message, initial.covered.start, &response);
                    found.identity = exchange.initial_response(&response, gate)
                }
                several => {
                    exchange.disturbed();
                    remember_responses(message, several, gate);
                }
            }
            if let (Some(first), Some(last)) = (rest.first(), rest.last()) {
                let covered = first.covered.start..last.covered.end;
                found.ranges.push((covered, Secret::Sasl));
            }
        }
        arguments => {
            // One of them may be the response to a mechanism that is not known, or not there.
            let arguments = match (arguments, extent) {
                (Some([before @ .., _header]), Extent::Refused) => before,
                (arguments, _) => arguments.unwrap_or_default(),
            };
            remember_responses(message, arguments, gate);
            found.ranges = unreadable(message, command, Trust::NotAuthenticated, gate);
        }
    }
    found.exchange = Some(exchange);
}

/// Remembers what may be responses of a SASL exchange.
fn remember_responses(message: &Message, arguments: &[Argument], gate: &Gate) {
    for argument in arguments {
        for other in argument.other_values(message) {
            gate.remember(&other);
        }
        sasl::remember(&argument.value(message), gate);
    }
}

/// What is odd about an initial response, which has to be base64 outside of quotes and literals.
fn oddity(message: &Message, start: usize, response: &[u8]) -> Option<Note> {
    match message.bytes().get(start) {
        Some(b'"' | b'{' | b'~') => Some(Note::SaslInitialResponseString),
        _ => (!sasl::is_base64(response, true)).then_some(Note::SaslMalformed),
    }
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
pub fn of_response(response: Response<'_>, exchange: Option<&Exchange>, gate: &Gate) -> Ranges {
    let (message, spans) = (response.message(), response.spans());
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
    if let Some(text) = spans.last().filter(|span| span.label == Label::Text) {
        ranges.extend(urlauth_in_text(message, text, gate));
    }
    if !is_data(response, spans) {
        ranges.extend(remembered_in_response(message, spans, gate));
    }
    merged(ranges)
}

/// Whether it is data that nobody has to fear a secret in. What nobody knows may be a sentence, `*
/// wrong password hunter2`, and so may what has not the form of data, `* LIST (hunter2`. Capabilities
/// are compared with those in a code, in which a secret is masked: what changed would tell it.
fn is_data(response: Response<'_>, spans: &[Span]) -> bool {
    response.is_known_data() && !response.lists_capabilities() && has_form(spans)
}

/// Whether every token is one of the grammar's, and every list ends.
fn has_form(spans: &[Span]) -> bool {
    let mut open = 0_usize;
    for span in spans {
        match span.label {
            Label::ListOpen => open += 1,
            Label::ListClose if open == 0 => return false,
            Label::ListClose => open -= 1,
            Label::Malformed => return false,
            _ => {}
        }
    }
    open == 0
}

/// Where a value stands that was secret before; of a tag or a name, all of it, and of a status
/// nothing, so that what is left is a response still.
fn remembered_in_response(message: &Message, spans: &[Span], gate: &Gate) -> Ranges {
    let head = &spans[..spans.len().min(3)];
    let mut ranges = Ranges::new();
    for mut found in gate.occurrences(message.bytes()) {
        let touched = |span: &&Span| span.range.start < found.end && found.start < span.range.end;
        let words: Vec<&Span> = head.iter().filter(touched).collect();
        for span in words {
            match span.label {
                Label::Tag | Label::Name => {
                    found.start = found.start.min(span.range.start);
                    found.end = found.end.max(span.range.end);
                }
                Label::Status => {
                    if found.start < span.range.start {
                        ranges.push((found.start..span.range.start, Secret::Password));
                    }
                    found.start = span.range.end;
                }
                _ => {}
            }
        }
        if found.start < found.end {
            ranges.push((found, Secret::Password));
        }
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

/// The URLAUTH tokens in a sentence, which are remembered.
fn urlauth_in_text(message: &Message, text: &Span, gate: &Gate) -> Ranges {
    let bytes = &message.bytes()[text.range.clone()];
    let mut tokens = Ranges::new();
    let mut from = 0;
    while let Some(url) = urlauth_start(&bytes[from..]) {
        let start = from + url;
        let ends_url = |octet: &u8| octet.is_ascii_control() || b" \"<>()[]".contains(octet);
        let end = bytes[start..].iter().position(ends_url);
        let end = end.map_or(bytes.len(), |end| start + end);
        if let Some(token) = urlauth_token(&bytes[start..end]) {
            gate.remember(token);
            let range = text.range.start + end - token.len()..text.range.start + end;
            tokens.push((range, Secret::Urlauth));
        }
        from = end;
    }
    tokens
}

/// The token in `;URLAUTH=access:mechanism:token`.
fn urlauth_token(text: &[u8]) -> Option<&[u8]> {
    if text.len() > URL {
        return None;
    }
    let start = urlauth_start(text)?;
    let mut parts = text[start..].splitn(3, |octet| *octet == b':');
    let token = parts.nth(2)?;
    Some(token.strip_suffix(b"\"").unwrap_or(token))
}

fn urlauth_start(text: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b";urlauth=";
    let is_it = |at: &usize| {
        let name = text.get(*at..*at + NAME.len());
        name.is_some_and(|name| name.eq_ignore_ascii_case(NAME))
    };
    memchr_iter(b';', text).find(is_it)
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
pub(super) fn line_end(bytes: &[u8]) -> usize {
    match bytes {
        [.., b'\r', b'\n'] => 2,
        [.., b'\n'] => 1,
        _ => 0,
    }
}
