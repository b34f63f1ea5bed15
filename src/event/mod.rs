//! The vocabulary that all else shares: events, the messages in them, labelled spans, notes, and
//! the gate that masks secrets.
//!
//! An event is past tense: it was read, it was passed on. What is not here: how octets are framed
//! and read (`protocol`), how events are written (`transcript`, `sink`).
//!
//! A protocol makes [`Draft`]s, whose references to other events are the connection's own count;
//! the bus gives each its number in the run and makes it an [`Event`].

mod draft;
pub mod encoded_word;
mod forms;
pub mod json;
mod mailbox_names;
mod message;
mod note;
mod recorded;
mod seal;
mod span;
mod value;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

pub use draft::{Draft, Numbers};
pub use forms::leading_base64;
pub use mailbox_names::MailboxNames;
pub use message::{LiteralForm, MASK, Message, Piece, Secret};
pub use note::{Finding, Note, ends_messages};
pub use recorded::{Recorded, RecordedBody, RecordedMessage};
pub use seal::{Gate, Sealed, Secrets};
pub use span::{Label, Span};
pub use value::{Step, Steps, Value, decimal, unquoted, values, write_members};

/// Who said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Peer {
    /// The mail app.
    Client,
    /// The IMAP server.
    Server,
}

impl Peer {
    /// The word in a transcript.
    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }

    /// The one at the other end.
    pub fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// Microseconds, since the run started or between two events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Micros(pub u64);

impl Micros {
    /// The time from `earlier` to this; zero if it is not earlier.
    pub fn since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }

    /// Seconds, exact to the microsecond up to the year 2250 of a run.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// From seconds, rounded to the microsecond; a negative or non-finite number is zero.
    pub fn from_seconds(seconds: f64) -> Self {
        Self((seconds * 1e6).round() as u64)
    }

    /// Of `12.345678`, which is seconds: exact, however long a run is. `None` for a number in another
    /// form, or of more than six digits behind the point.
    pub fn exactly(seconds: &str) -> Option<Self> {
        let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
        let are_digits = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit());
        if !are_digits(whole) || !are_digits(fraction) || fraction.len() > 6 {
            return None;
        }
        let whole: u64 = whole.parse().ok()?;
        let micros: u64 = format!("{fraction:0<6}").parse().ok()?;
        let exact = whole.checked_mul(1_000_000)?.checked_add(micros)?;
        Some(Self(exact))
    }
}

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// Whether it is known when something was said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Times {
    /// It is.
    #[default]
    Told,
    /// It is not, as in a text of C: and S: lines: all is at zero, and no answer took any time.
    Untold,
}

/// One thing that happened on one connection.
#[derive(Clone)]
pub struct Event {
    /// Its number in the run, rising by one.
    pub n: u64,
    /// The connection's number in the run.
    pub conn: u64,
    /// When its first octet was read.
    pub at: Micros,
    /// What happened.
    pub body: Body,
}

/// What happened.
#[derive(Clone)]
pub enum Body {
    /// An app connected.
    Connected {
        /// Its address and port.
        client: String,
        /// Host and port of the server that it will be joined with.
        server: String,
    },
    /// A leg is encrypted now.
    Secured(Box<Secured>),
    /// Both directions are compressed from here on (RFC 4978).
    Compressed,
    /// A peer said something; everything that has a wire.
    Said(Box<Said>),
    /// mailscope noticed something.
    Note(Finding),
    /// A viewer or an import was not given so many octets here.
    Gap {
        /// How many.
        octets: u64,
        /// Who was not given them.
        missed_by: MissedBy,
    },
    /// A peer will say no more.
    HalfClosed {
        /// Which.
        from: Peer,
    },
    /// The connection is over; its last event.
    Closed {
        /// Why, unless both peers just ended it.
        reason: Option<String>,
    },
}

impl Body {
    /// Octets that an event with it keeps in memory, about.
    pub fn weight(&self) -> usize {
        const EVENT: usize = 512;
        match self {
            Self::Said(said) => EVENT + said.wire.bytes().len() + 32 * said.spans.len(),
            _ => EVENT,
        }
    }
}

/// Who was not given octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissedBy {
    /// A viewer that was too slow; a transcript has them.
    Viewer,
    /// The transcript.
    Transcript,
}

/// One leg's TLS connection.
#[derive(Clone, Debug, PartialEq)]
pub struct Secured {
    /// The leg to the app (`Client`) or to the server.
    pub leg: Peer,
    /// `TLSv1.3`.
    pub version: String,
    /// `TLS13_AES_256_GCM_SHA384`.
    pub cipher: String,
    /// The application protocol agreed on, if any (RFC 7301).
    pub alpn: Option<String>,
    /// The name asked for (RFC 6066, section 3), if any.
    pub sni: Option<String>,
    /// The certificate that the server of this leg presented: subject, issuer, names, validity,
    /// SHA-256 fingerprint, and whether it was verified.
    pub certificate: serde_json::Value,
    /// The group that the keys were agreed on in, if any: `X25519` (RFC 8446, section 4.2.7).
    pub group: Option<String>,
    /// The server asked for a client certificate and was shown this one; an empty object for none.
    pub client_certificate: Option<serde_json::Value>,
    /// The keys are in the file of `--keylog`, so that a capture of this leg can be decrypted.
    pub keylog: bool,
}

impl Secured {
    /// Whether the server asked for a client certificate and was shown none.
    pub fn lacks_client_certificate(&self) -> bool {
        let shown = self.client_certificate.as_ref();
        shown.is_some_and(|shown| shown.as_object().is_some_and(serde_json::Map::is_empty))
    }
}

/// Something a peer said.
#[derive(Clone)]
pub struct Said {
    /// Who.
    pub from: Peer,
    /// The octets, without secrets.
    pub wire: Sealed,
    /// What the octets are.
    pub spans: Vec<Span>,
    /// What they mean.
    pub reading: Reading,
    /// Which command it answers; for a client, nothing.
    pub relation: Relation,
    /// The tag of the command that this answers, where several were in flight.
    pub among: Option<String>,
    /// The capabilities that came and went with this response, where they changed.
    pub capabilities: Option<Box<CapabilityChange>>,
    /// The UID of the message that a response names by its number alone, where it was told before.
    pub uid: Option<u32>,
    /// Cut off by the end of the connection.
    pub incomplete: bool,
    /// What became of it.
    pub passed: Passed,
    /// How its details are read.
    pub details: Details,
}

/// How the details of a message are read, besides what [`Reading`] says.
#[derive(Clone, Copy, Default)]
pub struct Details {
    /// A command's arguments, where it has any.
    pub arguments: Option<DataReader>,
    /// What stands in the response code, where that has parts with names.
    pub code: Option<DataReader>,
    /// What mailbox names are written in.
    pub names: MailboxNames,
}

/// What the other peer was given of what one said.
#[derive(Clone, Default)]
pub enum Passed {
    /// The octets that were read.
    #[default]
    AsRead,
    /// These instead; none for nothing.
    Instead(Sealed),
    /// Nothing was read: these are mailscope's own words, in this peer's place.
    Own,
}

/// The status of a status response (RFC 9051, section 7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Success, or information.
    Ok,
    /// Failure, or a warning.
    No,
    /// A protocol error.
    Bad,
    /// A greeting to one who is authenticated already.
    Preauth,
    /// The server ends the connection.
    Bye,
}

impl Status {
    /// As it stands on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::No => "NO",
            Self::Bad => "BAD",
            Self::Preauth => "PREAUTH",
            Self::Bye => "BYE",
        }
    }

    /// Reads it in any letter case.
    pub fn parse(word: &[u8]) -> Option<Self> {
        [Self::Ok, Self::No, Self::Bad, Self::Preauth, Self::Bye]
            .into_iter()
            .find(|status| word.eq_ignore_ascii_case(status.name().as_bytes()))
    }
}

/// What a server waits for after `+`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Awaited {
    /// The octets of a synchronizing literal.
    Literal,
    /// A SASL response.
    Sasl,
    /// `DONE`, at some time.
    Idle,
}

impl Awaited {
    /// The word in a transcript's `for`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Literal => "literal",
            Self::Sasl => "sasl",
            Self::Idle => "idle",
        }
    }

    /// The word read again.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Literal, Self::Sasl, Self::Idle]
            .into_iter()
            .find(|awaited| awaited.name() == name)
    }
}

/// What a message means; a reading of its wire, made anew whenever a transcript is read.
#[derive(Clone)]
pub enum Reading {
    /// `S: * OK Gimap ready`
    Greeting {
        /// `OK`, `PREAUTH` or `BYE`; `None` where it is none of the statuses.
        status: Option<Status>,
    },
    /// `C: a1 LOGIN alice secret`
    Command {
        /// `None` where there is none to be read.
        tag: Option<String>,
        /// Upper case, `UID FETCH` one name; `None` where it may not be shown or there is none.
        name: Option<Cow<'static, str>>,
        /// AUTHENTICATE's mechanism, upper case.
        mechanism: Option<String>,
        /// Who logs in, as far as the command says.
        identity: Option<String>,
        /// A literal was announced in it, and refused.
        refused: bool,
    },
    /// `S: + go ahead`
    ContinuationRequest {
        /// What for, where a command is known to wait.
        awaited: Option<Awaited>,
        /// That command's tag.
        tag: Option<String>,
    },
    /// `C: DONE`, or a SASL response.
    Continuation {
        /// The command that it belongs to.
        tag: Option<String>,
        /// The mechanism of the SASL exchange.
        mechanism: Option<String>,
        /// Who logs in, as far as this turn says.
        identity: Option<String>,
        /// `DONE`: how long IDLE lasted.
        idled: Option<Micros>,
    },
    /// `S: * 3 EXISTS`
    Untagged {
        /// Upper case.
        name: Cow<'static, str>,
        /// The number before the name.
        number: Option<u64>,
        /// The status, where it is a status response.
        status: Option<Status>,
        /// How the response's data is read, where it has any.
        data: Option<DataReader>,
    },
    /// `S: a1 OK done`
    Tagged {
        /// The tag.
        tag: String,
        /// `None` where it is none of the statuses.
        status: Option<Status>,
        /// The time from the command's first octet to this one's.
        elapsed: Option<Micros>,
    },
    /// A part of a literal too large to hold.
    LiteralPart {
        /// Octets of the literal before this part.
        offset: u64,
        /// Octets of the literal.
        total: u64,
    },
    /// Octets that could not be framed, or make no message.
    Opaque,
}

/// How an untagged response's data is read; asked only by sinks that show it. It adds the data to
/// the octets as a JSON value.
pub type DataReader = fn(&Said, &mut Vec<u8>);

/// Which command a server's message answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Relation {
    /// It is not that kind of event.
    None,
    /// The command with this number.
    Answers(u64),
    /// One of these; which one cannot be known.
    Ambiguous(Vec<u64>),
    /// No command asked for it.
    Unsolicited,
}

/// How the server's capabilities changed, each list in the server's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CapabilityChange {
    /// New ones.
    pub added: Vec<String>,
    /// Those no longer offered.
    pub removed: Vec<String>,
}

/// A status response's code (RFC 9051, section 7.1), seen in the spans.
pub struct Code<'a> {
    /// Upper case.
    pub name: String,
    /// What follows the name, as values.
    pub values: Vec<Value<'a>>,
}

impl Said {
    /// What this peer said, of which nothing is known but what it is.
    pub fn new(from: Peer, wire: Sealed, reading: Reading) -> Self {
        Self {
            from,
            wire,
            spans: Vec::new(),
            reading,
            relation: Relation::None,
            among: None,
            capabilities: None,
            uid: None,
            incomplete: false,
            passed: Passed::AsRead,
            details: Details::default(),
        }
    }

    /// The octets of a span.
    pub fn span_bytes(&self, span: &Span) -> &[u8] {
        &self.wire.bytes()[span.range.clone()]
    }

    /// The response code, if there is one.
    pub fn code(&self) -> Option<Code<'_>> {
        let name = self
            .spans
            .iter()
            .position(|span| span.label == Label::CodeName)?;
        let end = self.spans[name..]
            .iter()
            .position(|span| matches!(span.label, Label::CodeClose | Label::Text))
            .map_or(self.spans.len(), |length| name + length);
        Some(Code {
            name: String::from_utf8_lossy(self.span_bytes(&self.spans[name])).to_ascii_uppercase(),
            values: values(&self.wire, &self.spans[name + 1..end]),
        })
    }

    /// The human-readable text, without the response code.
    pub fn human_text(&self) -> Option<Cow<'_, str>> {
        let behind = self
            .spans
            .iter()
            .rposition(|span| matches!(span.label, Label::Status | Label::CodeClose))
            .or_else(|| self.spans.iter().position(|span| span.label == Label::Tag))?;
        let (first, last) = (self.spans.get(behind + 1)?, self.spans.last()?);
        let range: Range<usize> = first.range.start..last.range.end;
        Some(String::from_utf8_lossy(&self.wire.bytes()[range]))
    }

    /// The values behind the name, code and text excepted.
    pub fn arguments(&self) -> Vec<Value<'_>> {
        values(&self.wire, self.argument_spans())
    }

    /// As [`arguments`](Self::arguments), one step after the other.
    pub fn argument_steps(&self) -> Steps<'_, '_> {
        Steps::new(&self.wire, self.argument_spans())
    }

    /// The spans of the [`arguments`](Self::arguments).
    pub fn argument_spans(&self) -> &[Span] {
        /// A tag, a number and a name, or a tag and a name of two words.
        const HEAD: usize = 3;
        let head = &self.spans[..self.spans.len().min(HEAD)];
        let start = head
            .iter()
            .rposition(|span| span.label == Label::Name)
            .map_or(0, |name| name + 1);
        &self.spans[start..]
    }
}
