//! Findings: what mailscope noticed about a peer, or has to say about its own reading.
//!
//! One variant a kind, in alphabetical order, each with the clause it rests on where there is one.
//! A note never holds octets of a message that did not pass the gate.

use std::borrow::Cow;
use std::sync::Arc;

use super::Peer;

/// A finding as it stands in a transcript. One that was read from a file may have an id that this
/// version does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The kind, in kebab case: `bare-lf`.
    pub id: Cow<'static, str>,
    /// One or two sentences for a person.
    pub text: String,
    /// The RFC and section it rests on.
    pub clause: Option<Cow<'static, str>>,
}

/// Everything mailscope may find, a variant a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A line ended with LF alone.
    BareLf,
    /// The app chose a SASL mechanism with channel binding, which cannot pass.
    ChannelBinding {
        /// `SCRAM-SHA-256-PLUS`.
        mechanism: String,
    },
    /// The server asked for a client certificate and there is none.
    ClientCertificateWanted,
    /// A TLS handshake with the app failed for another reason than distrust.
    ClientHandshake {
        /// The TLS library's words.
        why: String,
    },
    /// The app refused our certificate.
    ClientDistrust {
        /// The TLS alert, or that it hung up.
        why: String,
        /// Where the authority's certificate is.
        authority: String,
    },
    /// A command that may hold a password would have to go to another machine in cleartext.
    CleartextToServer,
    /// A command came while IDLE was on.
    CommandWhileIdle,
    /// What should be deflate data is none.
    CompressDamaged {
        /// Who sent it.
        from: Peer,
    },
    /// Deflate data inflates to a line without an end.
    CompressEndless {
        /// Who sent it.
        from: Peer,
    },
    /// An import does not say on which connection something was said.
    ConnectionDoubted,
    /// A tag was used again while its first command is unanswered.
    DuplicateTag {
        /// The tag.
        tag: String,
    },
    /// A fault struck.
    Fault(Arc<str>),
    /// Compression begins, so that no fault strikes messages any more.
    FaultsEnd,
    /// Faults are injected on this connection.
    FaultsOn(Arc<str>),
    /// Compression begins, so that capabilities can be hidden no more.
    HidingEnds,
    /// A text that is imported says that what follows is of no messages.
    ImportOpaque,
    /// An import ends before its end: what stands behind could not be read.
    ImportEnds {
        /// Where, and why.
        why: String,
    },
    /// `--insecure` was given, and the server's certificate would not verify or was not looked at.
    Insecure,
    /// The count of a literal in what was imported does not fit what follows it.
    LiteralCountMended {
        /// What stood there.
        announced: u64,
    },
    /// A client sent a synchronizing literal's octets before the server's `+`.
    LiteralNotAwaited,
    /// An import lacks octets of a literal, which are filled.
    LiteralNotKept {
        /// How many.
        octets: u64,
    },
    /// An import begins behind the login: greeting and login are mailscope's.
    LoginNotKept,
    /// A client's octets are no command.
    MalformedCommand,
    /// A server's octets are no response.
    MalformedResponse,
    /// A message is longer than mailscope holds.
    MessageTooLong,
    /// The app asked for a name that our authority may not sign for.
    NameNotPermitted {
        /// The SNI.
        name: String,
        /// What the authority may sign for.
        good_for: String,
        /// The flags that take an authority which may sign for this name too.
        flags: String,
    },
    /// The server's leg is to be secured by STARTTLS, and its first line is no greeting.
    NoGreeting,
    /// An app that keeps its own servers speaks another protocol than IMAP.
    NotImap {
        /// How that was told.
        why: String,
    },
    /// An app came to the transparent listener, and nobody knows where it was going.
    NotRedirected {
        /// In words.
        why: String,
    },
    /// Our own reading failed.
    ObserverStopped,
    /// An import does not say in which order the two peers spoke.
    OrderNotKept,
    /// A redirect rule catches mailscope's own connections to servers.
    RedirectLoop,
    /// `--show-secrets` was given.
    SecretsShown,
    /// A client's initial response stands in a quoted string or a literal.
    SaslInitialResponseString,
    /// A client's SASL response is not base64.
    SaslMalformed,
    /// The server could not be reached.
    ServerUnreachable {
        /// What was tried and what happened.
        why: String,
    },
    /// The TLS handshake with the server failed, for another reason than its certificate.
    ServerHandshake {
        /// The TLS library's words.
        why: String,
    },
    /// The server's certificate does not verify.
    ServerUntrusted {
        /// The TLS library's words.
        why: String,
    },
    /// An app did not ask for a server in the way of SOCKS5.
    SocksRequest {
        /// What it did instead, and what to do.
        why: String,
    },
    /// Octets came in cleartext behind STARTTLS, and TLS began.
    StartTlsInjection {
        /// Who sent them, as far as a cleartext leg can tell.
        from: Peer,
    },
    /// The server's leg is to be secured by STARTTLS, and the server does not offer it.
    StartTlsNotOffered,
    /// The connection is encrypted from here on.
    StartTlsNotRead,
    /// The server refused STARTTLS.
    StartTlsRefused,
    /// The server greeted an authenticated user, so that STARTTLS is not possible any more.
    StartTlsTooLate,
    /// A peer speaks TLS on a leg that is in cleartext.
    TlsInCleartext {
        /// Who.
        from: Peer,
    },
    /// More commands are unanswered than mailscope keeps track of.
    TooManyInFlight,
    /// A server sent `+` and nothing waits for it.
    UnexpectedContinuationRequest,
    /// A tagged response whose command was not seen.
    UnknownTag {
        /// The tag.
        tag: String,
    },
}

/// Whether everything that is said behind a finding of this kind is opaque octets, of both peers.
pub fn ends_messages(id: &str) -> bool {
    const ENDS: [&str; 5] = [
        "compress-damaged",
        "compress-endless",
        "import-opaque",
        "observer-stopped",
        "starttls-not-read",
    ];
    ENDS.contains(&id)
}

impl Note {
    /// The kind, in kebab case.
    pub fn id(&self) -> &'static str {
        match self {
            Self::BareLf => "bare-lf",
            Self::ChannelBinding { .. } => "channel-binding",
            Self::ClientCertificateWanted => "client-certificate-wanted",
            Self::ClientHandshake { .. } => "client-handshake",
            Self::ClientDistrust { .. } => "client-distrust",
            Self::CleartextToServer => "cleartext-to-server",
            Self::CommandWhileIdle => "command-while-idle",
            Self::CompressDamaged { .. } => "compress-damaged",
            Self::CompressEndless { .. } => "compress-endless",
            Self::ConnectionDoubted => "connection-doubted",
            Self::DuplicateTag { .. } => "duplicate-tag",
            Self::Fault(_) => "fault",
            Self::FaultsEnd => "faults-end",
            Self::FaultsOn(_) => "faults-on",
            Self::HidingEnds => "hiding-ends",
            Self::ImportEnds { .. } => "import-ends",
            Self::ImportOpaque => "import-opaque",
            Self::Insecure => "insecure",
            Self::LiteralCountMended { .. } => "literal-count-mended",
            Self::LiteralNotAwaited => "literal-not-awaited",
            Self::LiteralNotKept { .. } => "literal-not-kept",
            Self::LoginNotKept => "login-not-kept",
            Self::MalformedCommand => "malformed-command",
            Self::MalformedResponse => "malformed-response",
            Self::MessageTooLong => "message-too-long",
            Self::NameNotPermitted { .. } => "name-not-permitted",
            Self::NoGreeting => "no-greeting",
            Self::NotImap { .. } => "not-imap",
            Self::NotRedirected { .. } => "not-redirected",
            Self::ObserverStopped => "observer-stopped",
            Self::OrderNotKept => "order-not-kept",
            Self::RedirectLoop => "redirect-loop",
            Self::SecretsShown => "secrets-shown",
            Self::SaslInitialResponseString => "sasl-initial-response-string",
            Self::SaslMalformed => "sasl-malformed",
            Self::ServerUnreachable { .. } => "server-unreachable",
            Self::ServerHandshake { .. } => "server-handshake",
            Self::ServerUntrusted { .. } => "server-untrusted",
            Self::SocksRequest { .. } => "socks-request",
            Self::StartTlsInjection { .. } => "starttls-injection",
            Self::StartTlsNotOffered => "starttls-not-offered",
            Self::StartTlsNotRead => "starttls-not-read",
            Self::StartTlsRefused => "starttls-refused",
            Self::StartTlsTooLate => "starttls-too-late",
            Self::TlsInCleartext { .. } => "tls-in-cleartext",
            Self::TooManyInFlight => "too-many-in-flight",
            Self::UnexpectedContinuationRequest => "unexpected-continuation-request",
            Self::UnknownTag { .. } => "unknown-tag",
        }
    }

    /// The RFC and section it rests on, where there is one.
    pub fn clause(&self) -> Option<&'static str> {
        Some(match self {
            Self::BareLf => "RFC 9051, 2.2",
            Self::ChannelBinding { .. } => "RFC 5802, 6",
            Self::ClientCertificateWanted => "RFC 8446, 4.3.2",
            Self::CommandWhileIdle => "RFC 9051, 6.3.13",
            Self::CompressDamaged { .. } | Self::CompressEndless { .. } => "RFC 4978, 3",
            Self::DuplicateTag { .. } => "RFC 9051, 2.2.1",
            Self::SaslInitialResponseString | Self::SaslMalformed => "RFC 9051, 6.2.2",
            Self::LiteralNotAwaited => "RFC 9051, 4.3",
            Self::MalformedCommand => "RFC 9051, 2.2.1",
            Self::MalformedResponse => "RFC 9051, 2.2.2",
            Self::CleartextToServer => "RFC 9051, 11.1",
            Self::NoGreeting => "RFC 9051, 2.2",
            Self::SocksRequest { .. } => "RFC 1928, 3",
            Self::StartTlsInjection { .. }
            | Self::StartTlsNotOffered
            | Self::StartTlsNotRead
            | Self::StartTlsRefused
            | Self::StartTlsTooLate => "RFC 9051, 6.2.1",
            Self::UnexpectedContinuationRequest => "RFC 9051, 7.6",
            Self::UnknownTag { .. } => "RFC 9051, 2.2.2",
            _ => return None,
        })
    }

    /// One or two sentences for a person.
    pub fn text(&self) -> String {
        match self {
            Self::BareLf => "the line ends with LF alone; IMAP lines end with CRLF".into(),
            Self::ChannelBinding { mechanism } => format!(
                "{mechanism} binds the login to the TLS connection, so it cannot pass a man in the \
                 middle and the server will refuse it; let the app use {} for this recording",
                mechanism.trim_end_matches("-PLUS")
            ),
            Self::ClientCertificateWanted => {
                "the server asked for a client certificate and was shown none; if it refuses the \
                 session or the login for that, name yours with --server-cert FILE and --server-key \
                 FILE"
                    .into()
            }
            Self::ClientHandshake { why } => format!("the TLS handshake with the app failed: {why}"),
            Self::ClientDistrust { why, authority } => format!(
                "the app does not trust mailscope's certificate ({why}); let it trust {authority} \
                 (`mailscope ca` says how), or let it use mailscope's port without encryption"
            ),
            Self::CleartextToServer => {
                "the server refused STARTTLS, and the app goes on with a command that may hold a \
                 password: it is not passed on in cleartext to another machine; --server-tls none \
                 would allow that"
                    .into()
            }
            Self::CommandWhileIdle => {
                "a command came during IDLE; the app must send DONE first".into()
            }
            Self::CompressDamaged { from } => format!(
                "what the {} sends is not the deflate data that COMPRESS calls for; both directions \
                 pass untouched and are shown as opaque octets from here on",
                from.name()
            ),
            Self::CompressEndless { from } => format!(
                "what the {} sends inflates to a line without an end; both directions pass untouched \
                 and are shown as opaque, compressed octets from here on",
                from.name()
            ),
            Self::DuplicateTag { tag } => format!(
                "the tag {tag} is in use by a command that has no answer yet; the next answer with \
                 it is taken for the older command"
            ),
            Self::Fault(fault) => format!("--fault {fault} strikes here"),
            Self::FaultsEnd => {
                "the session is compressed from here on and passes as it is, so that no fault strikes \
                 its messages any more; --fault no:COMPRESS keeps it uncompressed"
                    .into()
            }
            Self::FaultsOn(faults) => format!("mailscope injects faults here: {faults}"),
            Self::HidingEnds => {
                "the session is compressed from here on and passes as it is, so that no capability \
                 is hidden any more; hide COMPRESS=DEFLATE too"
                    .into()
            }
            Self::ImportOpaque => "what is said from here on is opaque octets, as what was imported says".into(),
            Self::ImportEnds { why } => format!("the import ends here, before its end: {why}"),
            Self::Insecure => {
                "the server's certificate is not verified (--insecure): anybody between mailscope \
                 and the server can read and change this session"
                    .into()
            }
            Self::LiteralCountMended { announced } => format!(
                "the next literal was said to have {announced} octets, which does not fit what follows: what was \
                 imported was cut or reflowed, and mailscope put the count right"
            ),
            Self::LiteralNotAwaited => {
                "the literal's octets came before the server's go-ahead".into()
            }
            Self::LiteralNotKept { octets } => format!(
                "what was imported lacks {octets} octets of this literal; a ? stands for each"
            ),
            Self::LoginNotKept => {
                "what was imported lacks the greeting or the login: mailscope put one in its place, so \
                 that it can be read and replayed"
                    .into()
            }
            Self::MalformedCommand => "this is not a command: tag, space, name".into(),
            Self::MalformedResponse => "this is not a response: *, + or a tag comes first".into(),
            Self::MessageTooLong => {
                "the message is longer than mailscope holds; the rest of it is opaque".into()
            }
            Self::NameNotPermitted {
                name,
                good_for,
                flags,
            } => format!(
                "the app asked for {name}, which mailscope's authority may not sign for: it is good \
                 for {good_for} only, so the certificate will not verify; set the app's server to \
                 localhost, or start mailscope with {flags}, and let the app trust that authority \
                 (`mailscope ca {flags}`)"
            ),
            Self::NoGreeting => {
                "what the server says first is no greeting of IMAP's, so that its leg cannot be secured \
                 and nothing of the session can be sent to it; look at host and port (IMAP with STARTTLS: \
                 143, with TLS at once: 993)"
                    .into()
            }
            Self::NotImap { why } => format!(
                "this is not IMAP ({why}): it is passed on untouched and not recorded"
            ),
            Self::NotRedirected { why } => format!(
                "the app came to the transparent listener and was not going anywhere else: {why}; the \
                 redirect rule is to be typed as mailscope says it when it starts, and the app keeps its \
                 real server"
            ),
            Self::RedirectLoop => {
                "the redirect rule catches mailscope's own connections to servers: start mailscope in a \
                 group of its own (sudo -g GROUP), and exempt that group as the rule does which it \
                 prints then"
                    .into()
            }
            Self::ObserverStopped => {
                "mailscope failed to read this connection and passes it on as opaque octets; \
                 please report it with this transcript"
                    .into()
            }
            Self::ConnectionDoubted => {
                "what was imported does not say on which of its connections this was said: it may be another's".into()
            }
            Self::OrderNotKept => {
                "what was imported does not say in which order the two spoke: each command stands \
                 as late as the answers allow"
                    .into()
            }
            Self::SecretsShown => {
                "secrets are not masked (--show-secrets): do not share this recording".into()
            }
            Self::SaslInitialResponseString => {
                "the initial response stands in quotes or in a literal, and has to stand there as it is"
                    .into()
            }
            Self::SaslMalformed => {
                "the SASL response is not base64: an empty initial response is a single =".into()
            }
            Self::ServerUnreachable { why } => format!("the server cannot be reached: {why}"),
            Self::ServerHandshake { why } => {
                format!("the TLS handshake with the server failed: {why}")
            }
            Self::ServerUntrusted { why } => format!(
                "the server's certificate does not verify: {why}; if it is your own, name its \
                 authority with --server-ca FILE"
            ),
            Self::SocksRequest { why } => {
                format!("the app came to the SOCKS listener and did not say which server it wants: {why}")
            }
            Self::StartTlsInjection { from } => format!(
                "octets came in cleartext behind STARTTLS, before TLS began, as if the {} had sent \
                 them; they are not passed on, or they would be taken for a part of the secured \
                 session (CVE-2011-0411)",
                from.name()
            ),
            Self::StartTlsNotOffered => {
                "the server does not offer STARTTLS, so that nothing of the session can be sent to \
                 it; name it as imaps://HOST if it speaks TLS at once (port 993), or allow cleartext \
                 with --server-tls none"
                    .into()
            }
            Self::StartTlsNotRead => {
                "both directions are encrypted from here on by a STARTTLS that mailscope did not \
                 expect; they pass untouched and are shown as opaque octets"
                    .into()
            }
            Self::StartTlsRefused => {
                "the server refused STARTTLS, so that nothing of the session can be sent to it; name \
                 it as imaps://HOST if it speaks TLS at once (port 993), or allow cleartext with \
                 --server-tls none"
                    .into()
            }
            Self::StartTlsTooLate => {
                "the server greets the app as logged in already, in cleartext, where STARTTLS is not \
                 possible any more: an attack looks like this; allow it with --server-tls none if the \
                 server is meant to do that"
                    .into()
            }
            Self::TlsInCleartext { from: Peer::Client } => {
                "the app speaks TLS to mailscope's cleartext port, which passes it on as it is and \
                 cannot read it; let the app use the TLS port, or set it to no encryption"
                    .into()
            }
            Self::TlsInCleartext { from: Peer::Server } => {
                "the server speaks TLS, and mailscope was told that it does not; leave \
                 --server-tls none out"
                    .into()
            }
            Self::TooManyInFlight => {
                "more commands are unanswered than mailscope keeps track of; the oldest is forgotten"
                    .into()
            }
            Self::UnexpectedContinuationRequest => {
                "the server sent + and no command waits for it".into()
            }
            Self::UnknownTag { tag } => format!("no unanswered command has the tag {tag}"),
        }
    }

    /// The finding as it goes into an event.
    pub fn finding(&self) -> Finding {
        Finding {
            id: self.id().into(),
            text: self.text(),
            clause: self.clause().map(Cow::Borrowed),
        }
    }
}
