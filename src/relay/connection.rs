//! One connection of an app, joined with one to its server, from the first octet to the last.
//!
//! ```text
//! app --TCP--> accept   ClientHello read: name and protocols that the app asks for
//!                       dial, handshake with the server: its choice of protocol
//!     <--TLS--          handshake with the app, with a certificate minted for that name
//!     <=======> pumps   until both directions have ended
//! ```
//!
//! Whatever fails is told by a note and the `closed` event; the app sees its connection close, and
//! no octet that its server did not send.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::pump::{End, pump};
use super::tap::Tap;
use super::{Leg, Shared};
use crate::event::{Body, Note, Peer};
use crate::limits;
use crate::net::{ClientTlsError, Security, ServerTlsError, Transport, dial};

/// How long what is on its way may take when one side is gone.
const DRAIN: Duration = Duration::from_secs(2);

/// Why a connection came to nothing.
struct Failed {
    note: Option<Note>,
    reason: String,
}

/// Serves the connection until it is over or `stop` is called; its last event is `closed`.
pub async fn serve(
    shared: &Shared,
    tap: Tap,
    app: TcpStream,
    address: SocketAddr,
    leg: Leg,
    stop: CancellationToken,
) {
    tap.tell(Body::Connected {
        client: address.to_string(),
        server: shared.server.name(),
    });
    if !tap.masks() {
        tap.note(&Note::SecretsShown);
    }
    let mut last = Last {
        tap: &tap,
        reason: Some("a defect in mailscope".to_owned()),
    };
    let whole = async {
        match join(shared, &tap, app, leg).await {
            Ok((app, server)) => relay(shared, &tap, leg, app, server).await,
            Err(failed) => failed.told(&tap),
        }
    };
    last.reason = tokio::select! {
        reason = whole => reason,
        () = stop.cancelled() => {
            tap.cut();
            Some("mailscope was stopped".to_owned())
        }
    };
}

/// A connection's last event, told when this is dropped: whatever becomes of the connection, a
/// transcript has its end.
struct Last<'t> {
    tap: &'t Tap,
    reason: Option<String>,
}

impl Drop for Last<'_> {
    fn drop(&mut self) {
        let reason = self.reason.take();
        self.tap.tell(Body::Closed { reason });
    }
}

impl Failed {
    /// Tells the note; the reason is for the last event.
    fn told(self, tap: &Tap) -> Option<String> {
        if let Some(note) = &self.note {
            tap.note(note);
        }
        Some(self.reason)
    }
}

/// Makes both legs ready to be pumped.
async fn join(
    shared: &Shared,
    tap: &Tap,
    app: TcpStream,
    leg: Leg,
) -> Result<(Transport, Transport), Failed> {
    match leg {
        Leg::Cleartext => {
            tap.expect_cleartext(Peer::Client);
            let (server, _) = connect(shared, tap, Vec::new()).await?;
            Ok((Transport::Plain(app), server))
        }
        Leg::Tls => {
            let hello = shared.app_tls.hello(app).await;
            let started = hello.map_err(|error| refused(shared, &error))?;
            let scope = shared.authority.scope();
            if let Some(name) = started.sni().filter(|name| !scope.permits(name)) {
                tap.note(&Note::NameNotPermitted {
                    name: name.into(),
                    good_for: scope.to_string(),
                    flags: scope.flags_with(name),
                });
            }
            let (server, alpn) = connect(shared, tap, started.alpn().to_vec()).await?;
            let finished = started.finish(alpn).await;
            let (app, secured) = finished.map_err(|error| refused(shared, &error))?;
            tap.tell(Body::Secured(Box::new(secured)));
            Ok((app, server))
        }
    }
}

/// Dials the server and makes its leg secure; the application protocol that it chose, if any.
async fn connect(
    shared: &Shared,
    tap: &Tap,
    alpn: Vec<Vec<u8>>,
) -> Result<(Transport, Option<Vec<u8>>), Failed> {
    let server = dial(&shared.server).await.map_err(|error| Failed {
        reason: format!("server unreachable: {}", error.why()),
        note: Some(Note::ServerUnreachable {
            why: error.in_one_line(),
        }),
    })?;
    let tls = match (&shared.server_tls, shared.server.security()) {
        (Some(tls), Security::Implicit) => tls,
        _ => {
            tap.expect_cleartext(Peer::Server);
            return Ok((Transport::Plain(server), None));
        }
    };
    let (server, secured) = tls
        .connect(server, &shared.server, alpn)
        .await
        .map_err(untrusted)?;
    let chosen = secured.alpn.as_ref().map(|alpn| alpn.as_bytes().to_vec());
    tap.tell(Body::Secured(Box::new(secured)));
    if shared.insecure {
        tap.note(&Note::Insecure);
    }
    Ok((server, chosen))
}

fn untrusted(error: ServerTlsError) -> Failed {
    match error {
        ServerTlsError::Untrusted { why } => Failed {
            reason: format!("server certificate not trusted: {why}"),
            note: Some(Note::ServerUntrusted { why }),
        },
        ServerTlsError::Failed { why } => Failed {
            reason: format!("TLS handshake with the server failed: {why}"),
            note: Some(Note::ServerHandshake { why }),
        },
    }
}

fn refused(shared: &Shared, error: &ClientTlsError) -> Failed {
    match error {
        ClientTlsError::Distrust { why } => Failed {
            reason: format!("the app does not trust mailscope's certificate: {why}"),
            note: Some(Note::ClientDistrust {
                why: why.clone(),
                authority: shared.authority_place(),
            }),
        },
        ClientTlsError::NotTls { why } | ClientTlsError::Failed { why } => Failed {
            reason: format!("TLS handshake with the app failed: {why}"),
            note: Some(Note::ClientHandshake { why: why.clone() }),
        },
        ClientTlsError::Gone => Failed {
            reason: "the app closed the connection without a word of TLS (a look at the port, or \
                     an app that is not set to SSL/TLS)"
                .into(),
            note: None,
        },
    }
}

/// Pumps both directions until they end; why, unless both just did.
async fn relay(
    shared: &Shared,
    tap: &Tap,
    leg: Leg,
    app: Transport,
    server: Transport,
) -> Option<String> {
    let (app_reader, app_writer) = tokio::io::split(app);
    let (server_reader, server_writer) = tokio::io::split(server);
    let (up_moved, down_moved) = (AtomicU64::new(0), AtomicU64::new(0));
    let up = pump(tap, Peer::Client, app_reader, server_writer, &up_moved);
    let down = pump(tap, Peer::Server, server_reader, app_writer, &down_moved);
    let (mut up, mut down) = (pin!(up), pin!(down));
    let (first, from) = tokio::select! {
        end = &mut up => (end, Peer::Client),
        end = &mut down => (end, Peer::Server),
    };
    let patience = match first {
        End::HalfClosed => limits::HALF_CLOSED,
        _ => DRAIN,
    };
    let second = loop {
        let moved = match from {
            Peer::Client => &down_moved,
            Peer::Server => &up_moved,
        };
        let before = moved.load(Ordering::Relaxed);
        let other = async {
            match from {
                Peer::Client => (&mut down).await,
                Peer::Server => (&mut up).await,
            }
        };
        match timeout(patience, other).await {
            Ok(end) => break Some(end),
            Err(_)
                if matches!(first, End::HalfClosed) && moved.load(Ordering::Relaxed) > before => {}
            Err(_) => break None,
        }
    };
    if second.is_none() {
        tap.cut();
    }
    let ends = [
        Some((&first, from)),
        second.as_ref().map(|end| (end, from.other())),
    ];
    let distrust = |(end, from): &(&End, Peer)| match (end, from) {
        (End::ReadFailed(error), Peer::Client) => ClientTlsError::belated_distrust(error),
        _ => None,
    };
    if let Some(error) = ends.iter().flatten().find_map(distrust) {
        return refused(shared, &error).told(tap);
    }
    if let Some(why) = ends
        .into_iter()
        .flatten()
        .find_map(|(end, from)| why(end, from))
    {
        return Some(why);
    }
    if second.is_none() {
        let silent = limits::HALF_CLOSED.as_secs();
        return Some(format!("half closed, and silent for {silent} s"));
    }
    let is_mute = from == Peer::Client && up_moved.load(Ordering::Relaxed) == 0;
    (leg == Leg::Tls && is_mute).then(|| {
        "the app left without a word; if it complains about the certificate, `mailscope ca` says \
         how to trust it"
            .to_owned()
    })
}

/// What is to be said of a direction's end.
fn why(end: &End, from: Peer) -> Option<String> {
    let name = |peer| match peer {
        Peer::Client => "the app",
        Peer::Server => "the server",
    };
    let broken = |error: &io::Error| {
        use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
        matches!(
            error.kind(),
            BrokenPipe | ConnectionAborted | ConnectionReset
        )
    };
    Some(match end {
        End::HalfClosed => return None,
        End::ReadFailed(error) if broken(error) => {
            format!("{} broke the connection off ({error})", name(from))
        }
        End::ReadFailed(error) => format!("reading from {} failed: {error}", name(from)),
        End::WriteFailed(error) if broken(error) => format!(
            "{} closed the connection before it took everything ({error})",
            name(from.other())
        ),
        End::WriteFailed(error) => format!("writing to {} failed: {error}", name(from.other())),
    })
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::{Arc, Mutex};
    use std::time::Instant;

    use super::*;
    use crate::error::{Error, Result};
    use crate::event::{Event, Gate, Secrets};
    use crate::protocol::Blind;
    use crate::sink::bus::{Bus, OnFailure, Purpose, Sink};
    use crate::sink::queue::Policy;

    struct Reasons(Arc<Mutex<Vec<Option<String>>>>);

    impl Sink for Reasons {
        fn take(&mut self, events: &[Arc<Event>]) -> Result<()> {
            for event in events {
                if let Body::Closed { reason } = &event.body {
                    self.0.lock().unwrap().push(reason.clone());
                }
            }
            Ok(())
        }

        fn purpose(&self) -> Purpose {
            Purpose::Record
        }
    }

    #[test]
    fn a_defect_ends_a_connection_and_the_transcript_has_it() {
        let reasons = Arc::default();
        let sink: Box<dyn Sink> = Box::new(Reasons(Arc::clone(&reasons)));
        let on_failure: OnFailure = Arc::new(|_, error: &Error| panic!("{error}"));
        let bus = Arc::new(Bus::new(vec![(Policy::PushBack, sink)], &on_failure).unwrap());
        let gate = Gate::new(Secrets::Masked);
        let blind = Box::new(Blind::new(gate.clone()));
        let tap = Tap::new(1, Instant::now(), Arc::clone(&bus), gate, blind);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let _last = Last {
                tap: &tap,
                reason: Some("a defect in mailscope".into()),
            };
            panic!("a defect, on purpose");
        }));
        assert!(outcome.is_err());
        assert!(
            bus.finish(Instant::now() + Duration::from_secs(60))
                .is_empty()
        );
        let reasons = reasons.lock().unwrap();
        assert_eq!(*reasons, [Some("a defect in mailscope".to_owned())]);
    }
}
