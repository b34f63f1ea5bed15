//! A server's message: what of it is secret, and what it means.

use super::doubt::Suspicion;
use super::lexer;
use super::meaning::{Meaning, Missing, Then};
use super::observer::Observer;
use super::readings;
use super::response::{Kind, Response, Tokens};
use super::sasl::Exchange;
use super::secrets::{self, Ranges};
use super::solicit::Facts;
use super::tracker::Expected;
use crate::event::{
    Awaited, Draft, Message, Micros, Note, Reading, RecordedMessage, Relation, Sealed, Span, Status,
};

/// How a message came.
#[derive(Clone, Copy, Default)]
pub(super) struct Circumstances<'a> {
    /// When its first octet was read.
    pub(super) at: Micros,
    /// What is missing of it.
    pub(super) missing: Missing,
    /// The recording that it comes from.
    pub(super) recorded: Option<&'a RecordedMessage>,
    /// The server did not say it: mailscope did.
    pub(super) own: bool,
}

/// What was found in a message before it was sealed.
#[derive(Default)]
pub(super) struct Found {
    /// The octets to mask.
    pub(super) ranges: Ranges,
    /// The tokens, as long as nothing is masked.
    pub(super) tokens: Option<Tokens>,
}

/// Finds what is secret.
pub(super) fn secrets(observer: &Observer, message: &Message) -> Found {
    let tokens = Tokens::of(message);
    let exchange = observer
        .exchange
        .as_ref()
        .filter(|_| observer.tracker.expected() == Expected::Sasl);
    let ranges = secrets::of_response(tokens.response(message), exchange, &observer.gate);
    let tokens = ranges.is_empty().then_some(tokens);
    Found { ranges, tokens }
}

/// Says what the sealed message means and tells the tracker; its tokens, if they are known, need not
/// be found again. What has to be said before it, a command that this response decides about, goes to `out`.
pub(super) fn interpret(
    observer: &mut Observer,
    wire: &Sealed,
    tokens: Option<Tokens>,
    circumstances: &Circumstances<'_>,
    out: &mut Vec<Draft>,
) -> Meaning {
    let tokens = tokens.unwrap_or_else(|| Tokens::of(wire));
    let response = tokens.response(wire);
    let mut meaning = match response.kind() {
        Kind::Untagged if is_greeting(observer, response) => greeting(observer, response),
        Kind::Untagged => untagged(observer, response, out),
        Kind::Tagged => tagged(observer, response, circumstances.at, out),
        Kind::ContinuationRequest => continuation_request(observer, response, circumstances),
        Kind::Malformed => malformed(observer),
    };
    observer.greeted = true;
    if let Some(capabilities) = response.capabilities() {
        let change = observer.tracker.capabilities(capabilities);
        meaning.capabilities = change.map(Box::new);
    }
    meaning.incomplete = circumstances.missing == Missing::Rest;
    meaning.details.code = response.code_name().and_then(readings::code);
    meaning.details.names = observer.tracker.mailbox_names();
    if !matches!(meaning.reading, Reading::Opaque) {
        meaning.spans = tokens.spans;
    }
    meaning
}

fn is_greeting(observer: &Observer, response: Response<'_>) -> bool {
    let greets = matches!(
        response.status(),
        Some(Status::Ok | Status::Preauth | Status::Bye)
    );
    !observer.greeted && greets
}

fn greeting(observer: &mut Observer, response: Response<'_>) -> Meaning {
    let status = response.status();
    observer.tracker.greeting(status);
    Meaning::new(observer.next_ordinal(), Reading::Greeting { status })
}

fn untagged(observer: &mut Observer, response: Response<'_>, out: &mut Vec<Draft>) -> Meaning {
    let name = response.name().unwrap_or_default();
    let is_bad = response.status() == Some(Status::Bad);
    // A command without a tag gets no other answer (RFC 9051, section 7.1.3).
    let refuses = is_bad && observer.undecided_tag().is_some_and(|tag| tag.is_empty());
    if refuses {
        observer.refuse_literal(out);
    }
    let number = response.number();
    let facts = Facts::new(response, &name, observer.tracker.exists());
    let correlator = match &*name {
        "ESEARCH" | "CONVERTED" | "UIDBATCHES" => response.correlator(),
        "OK" if facts.code.as_deref() == Some("INPROGRESS") => response.in_progress(),
        _ => None,
    };
    let (relation, among) = observer.tracker.relate(&facts, correlator.as_deref());
    observer.tracker.untagged(&name, number);
    if facts.code.as_deref() == Some("CLOSED") {
        observer.tracker.closed();
    }
    response
        .enabled()
        .for_each(|extension| observer.tracker.enabled(&extension));
    let data = response.data_reader();
    let mut meaning = Meaning::new(
        observer.next_ordinal(),
        Reading::Untagged {
            number,
            status: response.status(),
            data,
            name,
        },
    );
    (meaning.relation, meaning.among) = (relation, among);
    if refuses {
        meaning.then = Then::PumpUndecided;
    }
    meaning
}

fn tagged(
    observer: &mut Observer,
    response: Response<'_>,
    at: Micros,
    out: &mut Vec<Draft>,
) -> Meaning {
    let tag = String::from_utf8_lossy(response.tag()).into_owned();
    let status = response.status();
    let mut then = Then::GoOn;
    // What answers a line behind a literal's header tells that the server took it for no literal.
    let mut is_in_flight = observer.tracker.is_in_flight(&tag);
    while !is_in_flight && observer.is_behind_a_literal(&tag) {
        observer.refuse_literal(out);
        observer.pump_undecided(out);
        is_in_flight = observer.tracker.is_in_flight(&tag);
    }
    // Of several commands with the tag, the oldest is answered.
    if !is_in_flight && observer.undecided_tag().as_deref() == Some(&*tag) {
        match status {
            Some(Status::Ok) => observer.accept_literal(out),
            _ => {
                observer.refuse_literal(out);
                then = Then::PumpUndecided;
            }
        }
    }
    let undecided = observer.told_before_its_literal();
    let completed = observer.tracker.tagged(&tag, status, at);
    let mut meaning = Meaning::new(
        observer.next_ordinal(),
        Reading::Tagged {
            tag: tag.clone(),
            status,
            elapsed: completed.as_ref().map(|completed| completed.elapsed),
        },
    );
    let Some(completed) = completed else {
        meaning.relation = Relation::Unsolicited;
        meaning.notes.push(Note::UnknownTag { tag });
        meaning.then = then;
        return meaning;
    };
    meaning.relation = Relation::Answers(completed.command);
    meaning.among = completed.among;
    if status == Some(Status::Ok) {
        observer
            .guessed
            .take_if(|guessed| *guessed < completed.command);
    }
    if undecided == Some(completed.command) {
        match status {
            Some(Status::Ok) => observer.accept_literal(out),
            _ => {
                observer.refuse_literal(out);
                then = Then::PumpUndecided;
            }
        }
    }
    if completed.name == "AUTHENTICATE" && may_owe_a_turn(observer, status) {
        observer.suspect(Suspicion::Always);
    }
    match (completed.name.as_str(), status) {
        ("AUTHENTICATE", _) if observer.tracker.expected() != Expected::Sasl => {
            observer.exchange = None;
        }
        ("STARTTLS", Some(Status::Ok)) => then = Then::BeginTls(completed.command),
        ("STARTTLS", _) => then = Then::GoOnWithoutTls(completed.command),
        ("COMPRESS", Some(Status::Ok)) => then = Then::Inflate,
        _ => {}
    }
    meaning.then = then;
    meaning
}

/// Whether the client may still send a turn of the AUTHENTICATE that was answered like this.
fn may_owe_a_turn(observer: &Observer, status: Option<Status>) -> bool {
    if observer.reads_masked {
        return false;
    }
    let owes = observer.exchange.as_ref().is_none_or(Exchange::owes_a_turn);
    owes || status != Some(Status::Ok)
}

fn continuation_request(
    observer: &mut Observer,
    response: Response<'_>,
    circumstances: &Circumstances<'_>,
) -> Meaning {
    let recorded = circumstances.recorded;
    let is_literal = match recorded {
        Some(recorded) => recorded.awaited == Some(Awaited::Literal),
        None => false,
    };
    let continued = match is_literal {
        true => None,
        false => observer.tracker.continuation_request(circumstances.at),
    };
    let ordinal = observer.next_ordinal();
    let request = |awaited, tag| Reading::ContinuationRequest { awaited, tag };
    if let Some(continued) = continued {
        if let Some(exchange) = &mut observer.exchange {
            exchange.challenged(response.challenge());
        }
        let mut meaning = Meaning::new(
            ordinal,
            request(Some(continued.awaited), Some(continued.tag)),
        );
        meaning.relation = Relation::Answers(continued.command);
        return meaning;
    }
    let tag = match recorded {
        Some(recorded) if is_literal => Some(recorded.tag.clone()),
        Some(_) => None,
        None => observer.undecided_tag().map(Some),
    };
    let Some(tag) = tag else {
        let mut meaning = Meaning::new(ordinal, request(None, None));
        meaning.relation = Relation::Unsolicited;
        meaning.notes.push(Note::UnexpectedContinuationRequest);
        observer.suspect(Suspicion::BeforeAuthentication);
        return meaning;
    };
    let mut meaning = Meaning::new(ordinal, request(Some(Awaited::Literal), tag));
    meaning.then = Then::AcceptLiteral;
    meaning
}

fn malformed(observer: &mut Observer) -> Meaning {
    let mut meaning = Meaning::new(observer.next_ordinal(), Reading::Opaque);
    meaning.relation = Relation::Unsolicited;
    meaning.notes.push(Note::MalformedResponse);
    meaning
}

/// Which command asked for the literal that is being streamed, as far as its response tells yet.
pub(super) fn relate_part(observer: &Observer) -> (Relation, Option<String>) {
    let held = observer.server_held();
    let spans: Vec<Span> = lexer::response(held);
    let response = Response::new(held, &spans);
    let Some(name) = response
        .name()
        .filter(|_| response.kind() == Kind::Untagged)
    else {
        return (Relation::Unsolicited, None);
    };
    let mut facts = Facts::new(response, &name, observer.tracker.exists());
    facts.partial = true;
    observer.tracker.relate(&facts, None)
}
