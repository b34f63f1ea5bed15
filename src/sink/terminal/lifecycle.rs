//! What mailscope itself says about a connection: that it began, is encrypted, ended; and notes.
//!
//! All names and reasons come from outside, and so are made fit for the terminal like a message.

use super::sheet::{HANG, Left, Sheet};
use crate::event::{Body, Finding, MissedBy, Peer, Secured};
use crate::figure;
use crate::sink::palette::Meaning;

/// Notes that the reader must not overlook: the session is not what it seems, or cannot go on.
const WARNINGS: [&str; 19] = [
    "cleartext-to-server",
    "client-distrust",
    "client-handshake",
    "insecure",
    "name-not-permitted",
    "no-greeting",
    "not-redirected",
    "observer-stopped",
    "redirect-loop",
    "secrets-shown",
    "server-handshake",
    "server-unreachable",
    "server-untrusted",
    "socks-request",
    "starttls-injection",
    "starttls-not-offered",
    "starttls-refused",
    "starttls-too-late",
    "tls-in-cleartext",
];

/// Whether a note with this id is one of them.
pub fn is_warning(id: &str) -> bool {
    WARNINGS.contains(&id)
}

/// Writes an event without a wire behind its head.
pub(super) fn write(sheet: &mut Sheet<'_>, body: &Body) {
    let line = &mut *sheet.line;
    match body {
        Body::Connected { client, server } => {
            line.own(Meaning::Name, "connected");
            line.own(Meaning::Plain, ": ");
            line.foreign(Meaning::Plain, client.as_bytes());
            line.own(Meaning::Dim, " → ");
            line.foreign(Meaning::Plain, server.as_bytes());
        }
        Body::Secured(secured) => self::secured(sheet, secured),
        Body::Compressed => {
            line.own(Meaning::Name, "compressed");
            line.own(Meaning::Plain, ": DEFLATE, both directions; shown inflated");
        }
        Body::Note(finding) => note(sheet, finding),
        Body::Gap { octets, missed_by } => {
            line.own(Meaning::Warning, "gap");
            let missed = figure::counted(*octets, "octet");
            let text = match missed_by {
                MissedBy::Viewer => format!(": this view missed {missed}; the transcript has them"),
                MissedBy::Transcript => format!(": {missed} missing here"),
            };
            line.own(Meaning::Plain, &text);
        }
        Body::HalfClosed { from } => {
            line.own(Meaning::Name, "half-closed");
            line.own(
                Meaning::Plain,
                match from {
                    Peer::Client => ": the app will say no more",
                    Peer::Server => ": the server will say no more",
                },
            );
        }
        Body::Closed { reason } => {
            line.own(Meaning::Name, "closed");
            if let Some(reason) = reason {
                line.own(Meaning::Plain, ": ");
                line.foreign(Meaning::Plain, reason.as_bytes());
            }
        }
        Body::Said(_) => {} // has a speaker of its own
    }
    sheet.write_line(Left::Blank(HANG), None);
}

/// `secured: server imap.gmail.com, certificate verified, TLSv1.3, TLS13_AES_256_GCM_SHA384`
fn secured(sheet: &mut Sheet<'_>, secured: &Secured) {
    let line = &mut *sheet.line;
    line.own(Meaning::Name, "secured");
    line.own(
        Meaning::Plain,
        match secured.leg {
            Peer::Client => ": app",
            Peer::Server => ": server",
        },
    );
    match (&secured.sni, secured.leg) {
        (Some(name), leg) => {
            line.own(
                Meaning::Plain,
                match leg {
                    Peer::Client => " asked for ",
                    Peer::Server => " ",
                },
            );
            line.foreign(Meaning::Plain, name.as_bytes());
        }
        (None, Peer::Client) => line.own(Meaning::Plain, " asked for no name"),
        (None, Peer::Server) => {}
    }
    let verified = secured.certificate.get("verified");
    match (secured.leg, verified.and_then(serde_json::Value::as_bool)) {
        (Peer::Server, Some(true)) => {
            line.own(Meaning::Plain, ", certificate ");
            line.own(Meaning::Ok, "verified");
        }
        (Peer::Server, Some(false)) => {
            line.own(Meaning::Plain, ", certificate ");
            line.own(Meaning::Warning, "NOT VERIFIED");
        }
        _ => {}
    }
    for detail in [&secured.version, &secured.cipher] {
        line.own(Meaning::Plain, ", ");
        line.foreign(Meaning::Plain, detail.as_bytes());
    }
    if let Some(alpn) = &secured.alpn {
        line.own(Meaning::Plain, ", ALPN ");
        line.foreign(Meaning::Plain, alpn.as_bytes());
    }
    let shown = secured.client_certificate.as_ref();
    if let Some(subject) = shown.and_then(|shown| shown.get("subject")?.as_str()) {
        line.own(Meaning::Plain, ", client certificate ");
        line.foreign(Meaning::Plain, subject.as_bytes());
    }
    if secured.keylog {
        line.own(Meaning::Plain, ", ");
        line.own(Meaning::Warning, "keys logged");
    }
}

fn note(sheet: &mut Sheet<'_>, finding: &Finding) {
    let line = &mut *sheet.line;
    let (meaning, word) = match is_warning(&finding.id) {
        true => (Meaning::Warning, "WARNING "),
        false => (Meaning::Note, "note "),
    };
    line.own(meaning, word);
    line.foreign(meaning, finding.id.as_bytes());
    line.own(Meaning::Plain, ": ");
    line.foreign(Meaning::Plain, finding.text.as_bytes());
    if let Some(clause) = &finding.clause {
        line.own(Meaning::Dim, " (");
        line.foreign(Meaning::Dim, clause.as_bytes());
        line.own(Meaning::Dim, ")");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Note;

    #[test]
    fn the_warnings_are_notes() {
        let why = String::new;
        let ids = [
            Note::CleartextToServer,
            Note::ClientDistrust {
                why: why(),
                authority: why(),
            },
            Note::ClientHandshake { why: why() },
            Note::Insecure,
            Note::NameNotPermitted {
                name: why(),
                good_for: why(),
                flags: why(),
            },
            Note::NoGreeting,
            Note::NotRedirected { why: why() },
            Note::ObserverStopped,
            Note::RedirectLoop,
            Note::SecretsShown,
            Note::ServerHandshake { why: why() },
            Note::ServerUnreachable { why: why() },
            Note::ServerUntrusted { why: why() },
            Note::SocksRequest { why: why() },
            Note::StartTlsInjection { from: Peer::Client },
            Note::StartTlsNotOffered,
            Note::StartTlsRefused,
            Note::StartTlsTooLate,
            Note::TlsInCleartext { from: Peer::Client },
        ]
        .map(|note| note.id());
        assert_eq!(ids, WARNINGS);
    }
}
