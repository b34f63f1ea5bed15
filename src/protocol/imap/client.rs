//! A client's message: what of it is secret, and what it means.

use std::ops::Range;

use super::command::Command;
use super::doubt::{Extent, Suspicion, Trust};
use super::lexer;
use super::meaning::{Meaning, Missing};
use super::observer::Observer;
use super::readings;
use super::sasl::{self, Exchange};
use super::secrets::{self, CommandSecrets, Ranges};
use super::solicit::Request;
use super::tracker::Expected;
use crate::event::{Details, Message, Micros, Note, Reading, RecordedMessage, Sealed, Secret};

/// How a message came.
#[derive(Clone, Copy, Default)]
pub(super) struct Circumstances<'a> {
    /// When its first octet was read.
    pub(super) at: Micros,
    /// What is missing of it.
    pub(super) missing: Missing,
    /// The literal that it announced was refused.
    pub(super) refused: bool,
    /// The recording that it comes from.
    pub(super) recorded: Option<&'a RecordedMessage>,
    /// The app did not say it: mailscope did.
    pub(super) own: bool,
}

/// What was found in a message before it was sealed.
#[derive(Default)]
pub(super) struct Found {
    /// The octets to mask.
    pub(super) ranges: Ranges,
    identity: Option<String>,
    exchange: Option<Exchange>,
    /// What is odd about a SASL response.
    odd: Option<Note>,
}

impl Found {
    /// Everything is secret: nobody could read it.
    pub(super) fn all(octets: Range<usize>) -> Self {
        Self {
            ranges: vec![(octets, Secret::Unreadable)],
            ..Self::default()
        }
    }
}

/// What a client's line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Command,
    Sasl,
    Done,
}

/// A line that continues a command, unless it is plainly a command of its own: an app that does
/// not wait for the end of its AUTHENTICATE, or that forgets DONE.
fn kind(observer: &Observer, message: &Message, circumstances: &Circumstances<'_>) -> Kind {
    let continued = match observer.tracker.expected() {
        Expected::Command => return Kind::Command,
        Expected::Sasl => Kind::Sasl,
        Expected::Done => Kind::Done,
    };
    let is_continuation = match circumstances.recorded.and_then(|r| r.kind.as_deref()) {
        Some(kind) => kind == "continuation",
        None => {
            let spans = lexer::command(message);
            !Command::new(message, &spans).is_known()
        }
    };
    match is_continuation {
        true => continued,
        false => Kind::Command,
    }
}

/// Finds what is secret; what a recording holds is masked already.
pub(super) fn secrets(
    observer: &mut Observer,
    message: &Message,
    circumstances: &Circumstances<'_>,
) -> Found {
    if circumstances.recorded.is_some() && observer.is_masked(message) {
        observer.reads_masked = true;
        return Found::default();
    }
    match kind(observer, message, circumstances) {
        Kind::Command => command_secrets(observer, message, circumstances),
        Kind::Sasl => {
            let ranges = secrets::of_sasl_line(message);
            let gate = &observer.gate;
            let identity = observer.exchange.as_mut().and_then(|exchange| {
                let Some((line, _)) = ranges.first() else {
                    exchange.disturbed(); // what follows belongs to no exchange
                    return None;
                };
                exchange.turn(&message.bytes()[line.clone()], gate)
            });
            let line = ranges
                .first()
                .map(|(line, _)| &message.bytes()[line.clone()]);
            let is_whole = circumstances.missing == Missing::Nothing;
            let is_odd = line.is_some_and(|line| is_whole && !sasl::is_base64(line, false));
            Found {
                ranges,
                identity,
                exchange: None,
                odd: is_odd.then_some(Note::SaslMalformed),
            }
        }
        Kind::Done if is_done(message) => Found::default(),
        Kind::Done => command_secrets(observer, message, circumstances),
    }
}

fn command_secrets(
    observer: &mut Observer,
    message: &Message,
    circumstances: &Circumstances<'_>,
) -> Found {
    let spans = lexer::command(message);
    let extent = match circumstances.missing {
        _ if observer.guessed.is_some() => Extent::Beginning,
        Missing::Rest | Missing::Hidden => Extent::Beginning,
        Missing::Nothing if circumstances.refused => Extent::Refused,
        Missing::Nothing => Extent::Whole,
    };
    if Command::new(message, &spans).is_known() {
        observer.suspicion = Suspicion::None;
    }
    let tracker = &observer.tracker;
    let trust = match (tracker.is_authenticated(), observer.suspicion) {
        (_, Suspicion::Always) => Trust::Suspicious,
        (true, _) => Trust::Authenticated,
        (false, Suspicion::BeforeAuthentication) => Trust::Suspicious,
        (false, Suspicion::None) if tracker.is_logging_in() => Trust::LoggingIn,
        (false, Suspicion::None) => Trust::NotAuthenticated,
    };
    let CommandSecrets {
        ranges,
        identity,
        exchange,
        odd,
    } = secrets::of_command(message, &spans, extent, trust, &observer.gate);
    Found {
        ranges,
        identity,
        exchange,
        odd,
    }
}

fn is_done(message: &Message) -> bool {
    message
        .bytes()
        .trim_ascii_end()
        .eq_ignore_ascii_case(b"DONE")
}

/// Says what the sealed message means and tells the tracker.
pub(super) fn interpret(
    observer: &mut Observer,
    wire: &Sealed,
    found: Found,
    circumstances: &Circumstances<'_>,
) -> Meaning {
    #[cfg(test)]
    assert!(!observer.fails, "asked to fail");
    let mut meaning = match kind(observer, wire, circumstances) {
        Kind::Command => command(observer, wire, found, circumstances),
        Kind::Sasl => sasl(observer, wire, found, circumstances),
        Kind::Done => done(observer, wire, circumstances),
    };
    meaning.incomplete = circumstances.missing == Missing::Rest;
    meaning
}

fn command(
    observer: &mut Observer,
    wire: &Sealed,
    found: Found,
    circumstances: &Circumstances<'_>,
) -> Meaning {
    let spans = lexer::command(wire);
    let command = Command::new(wire, &spans);
    let ordinal = observer.next_ordinal();
    let tag = command
        .tag()
        .map(|tag| String::from_utf8_lossy(command.bytes(tag)).into_owned());
    let Some(tag) = tag else {
        let mut meaning = Meaning::new(ordinal, Reading::Opaque);
        meaning.notes.push(Note::MalformedCommand);
        return meaning;
    };
    let name = command.name();
    let mut notes: Vec<Note> = found.odd.into_iter().collect();
    if observer.tracker.is_in_flight(&tag) {
        notes.push(Note::DuplicateTag { tag: tag.clone() });
    }
    if observer.tracker.is_idling() {
        notes.push(Note::CommandWhileIdle);
    }
    let recorded = circumstances.recorded;
    // What is told is what a reader of the recording can read.
    let exchange = secrets::exchange(wire, command, &observer.gate).map(|shown| {
        let same = |found: &Exchange| found.mechanism() == shown.mechanism();
        found.exchange.filter(same).unwrap_or(shown)
    });
    let mechanism = exchange.as_ref().and_then(mechanism);
    if let Some(exchange) = exchange {
        if let Some(mechanism) = mechanism.clone().filter(|_| exchange.binds_the_channel()) {
            notes.push(Note::ChannelBinding { mechanism });
        }
        // With two at once, nobody can say which one a line belongs to.
        observer.exchange = Some(match observer.tracker.expected() {
            Expected::Sasl => Exchange::default(),
            Expected::Command | Expected::Done => exchange,
        });
    } else if let Some(exchange) = &mut observer.exchange {
        exchange.disturbed();
    }
    let identity = found
        .identity
        .or_else(|| recorded?.identity.clone())
        .or_else(|| secrets::login_identity(wire, command, &observer.gate));
    let has_arguments = !command.argument_spans().is_empty();
    let details = Details {
        arguments: name
            .as_deref()
            .filter(|_| has_arguments)
            .and_then(readings::command),
        names: observer.tracker.mailbox_names(),
        ..Details::default()
    };
    let request = Request::new(command);
    if observer
        .tracker
        .command(ordinal, &tag, circumstances.at, request)
    {
        notes.push(Note::TooManyInFlight);
    }
    let mut meaning = Meaning::new(
        ordinal,
        Reading::Command {
            tag: Some(tag),
            name,
            mechanism,
            identity,
            refused: circumstances.refused,
        },
    );
    meaning.spans = spans;
    meaning.notes = notes;
    meaning.details = details;
    meaning
}

fn mechanism(exchange: &Exchange) -> Option<String> {
    exchange.mechanism().map(str::to_owned)
}

fn sasl(
    observer: &mut Observer,
    wire: &Sealed,
    found: Found,
    circumstances: &Circumstances<'_>,
) -> Meaning {
    let mechanism = observer.exchange.as_ref().and_then(mechanism);
    let recorded = circumstances.recorded;
    let mut meaning = Meaning::new(
        observer.next_ordinal(),
        Reading::Continuation {
            tag: observer.tracker.continued_tag(),
            mechanism: mechanism.or_else(|| recorded?.mechanism.clone()),
            identity: found.identity.or_else(|| recorded?.identity.clone()),
            idled: None,
        },
    );
    meaning.spans = lexer::line(wire);
    meaning.notes.extend(found.odd);
    meaning
}

fn done(observer: &mut Observer, wire: &Sealed, circumstances: &Circumstances<'_>) -> Meaning {
    let is_done = is_done(wire);
    let tag = observer.tracker.continued_tag();
    let idled = match is_done {
        true => observer.tracker.done(circumstances.at),
        false => None,
    };
    let mut meaning = Meaning::new(
        observer.next_ordinal(),
        Reading::Continuation {
            tag,
            mechanism: None,
            identity: None,
            idled,
        },
    );
    if !is_done {
        meaning.notes.push(Note::MalformedCommand);
    }
    meaning.spans = lexer::line(wire);
    meaning
}
