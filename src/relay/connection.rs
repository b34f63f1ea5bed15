//! One connection of an app, joined with one to its server, from the first octet to the last.
//!
//! ```text
//! app --TCP--> accept   asked for its server, if it keeps its own
//!                       both legs made ready
//!     <=======> pumps   until TLS begins (STARTTLS): the legs made secure, and on with the pumps
//!                       until both directions have ended
//! ```
//!
//! Whatever fails is told by a note and the `closed` event; the app sees its connection close, and
//! no octet that its server did not send.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::divert::{self, App, Arrival};
use super::legs::{Failed, Setup};
use super::opening::{InTls, Opening, in_tls, opening};
use super::pump::{End, Legs, Pumps, Step};
use super::tap::Tap;
use super::target::ChosenBy;
use super::{Leg, Shared, untouched};
use crate::event::{Body, Note, Peer};
use crate::limits;
use crate::net::{ClientTlsError, Outlet, Security, ServerTlsError, Transport};
use crate::protocol::Break;
use crate::protocol::imap::{AppLeg, Observer, ServerLeg, Setting};

/// How long what is on its way may take when one side is gone.
const DRAIN: Duration = Duration::from_secs(2);

/// Serves the connection until it is over or `stop` is called; its last event is `closed`.
pub async fn serve(
    shared: &Shared,
    tap: Tap,
    app: TcpStream,
    address: SocketAddr,
    leg: Leg,
    stop: CancellationToken,
) {
    let arrived = tokio::select! {
        arrived = divert::arrive(shared, app, address, leg) => arrived,
        () = stop.cancelled() => Err(Failed { note: None, reason: STOPPED.to_owned() }),
    };
    tap.tell(Body::Connected {
        client: address.to_string(),
        server: match &arrived {
            Ok(arrival) => arrival.target.server().name(),
            Err(_) => leg.name().to_owned(),
        },
    });
    if !tap.masks() {
        tap.note(&Note::SecretsShown);
    }
    let mut last = Last {
        tap: &tap,
        reason: Some("a defect in mailscope".to_owned()),
    };
    let whole = async {
        match arrived {
            Ok(arrival) => converse(shared, &tap, arrival).await,
            Err(failed) => Err(failed),
        }
    };
    last.reason = tokio::select! {
        ended = whole => ended.unwrap_or_else(|failed| failed.told(&tap)),
        () = stop.cancelled() => {
            tap.cut();
            Some(STOPPED.to_owned())
        }
    };
}

/// Why connections end with the run.
const STOPPED: &str = "mailscope was stopped";

/// Joins the app with its server until both have ended; why, unless both just did.
async fn converse(shared: &Shared, tap: &Tap, arrival: Arrival) -> Result<Option<String>, Failed> {
    let Arrival { app, target } = arrival;
    let (app, server, leg, target) = match app {
        App::Here(app, leg) => (app, None, leg, target),
        App::Diverted(app) => {
            let (app, server) = app.join(shared, &target).await?;
            let (leg, security) = match opening(&app, &server, &target, shared.asked).await {
                Opening::Imap(leg, security) => (leg, security),
                Opening::Other(why) => {
                    let (app, server) = (Transport::Plain(app), Transport::Plain(server));
                    let passed = untouched::pass(tap, Legs { app, server }, why).await;
                    return Ok(Some(passed.reason));
                }
                Opening::Nothing => return Ok(Some("the app left without a word".into())),
            };
            (app, Some(server), leg, target.secured_by(security))
        }
    };
    let setup = Setup {
        shared,
        tap,
        target: &target,
    };
    let legs = Legs::join(setup, app, leg, server).await?;
    let legs = match (target.chosen_by(), &legs.app, &legs.server) {
        (ChosenBy::TheApp, Transport::TlsServer(_), Transport::TlsClient(_)) => {
            match imap_in_tls(setup, legs).await? {
                ControlFlow::Continue(legs) => legs,
                ControlFlow::Break(reason) => return Ok(Some(reason)),
            }
        }
        _ => legs,
    };
    if !shared.faults.is_empty() {
        tap.note(&Note::FaultsOn(shared.faults.to_string().into()));
    }
    tap.read_with(Box::new(observer(setup, &legs, leg)));
    relay(setup, leg, legs).await
}

/// Finds out whether legs in TLS, of an app that keeps its server, carry IMAP. If not, what they carry is
/// passed on, and the reason of the connection's end is in the place of the legs.
async fn imap_in_tls(
    setup: Setup<'_>,
    mut legs: Legs,
) -> Result<ControlFlow<String, Legs>, Failed> {
    let Setup {
        shared,
        tap,
        target,
    } = setup;
    Ok(match in_tls(&mut legs, target).await {
        InTls::Imap => ControlFlow::Continue(legs),
        InTls::Nothing => ControlFlow::Break(LEFT_WITHOUT_A_WORD.to_owned()),
        InTls::Failed(from, end) => match late_failure(shared, &end, from) {
            Some(failed) => return Err(failed),
            None => ControlFlow::Break(why(&end, from).unwrap_or_default()),
        },
        InTls::Other(why) => {
            let passed = untouched::pass(tap, legs, why).await;
            let failed = |end: &End| late_failure(shared, end, Peer::Client);
            if let Some(failed) = passed.app.as_ref().and_then(failed) {
                return Err(failed);
            }
            ControlFlow::Break(passed.reason)
        }
    })
}

const LEFT_WITHOUT_A_WORD: &str = "the app left without a word; if it complains about the \
                                   certificate, `mailscope ca` says how to trust it";

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

/// How the session's octets are to be read.
fn observer(setup: Setup<'_>, legs: &Legs, app: AppLeg) -> Observer {
    let Setup {
        shared,
        tap,
        target,
    } = setup;
    let setting = Setting {
        app,
        server: match target.server().security() {
            Security::Implicit => ServerLeg::Tls,
            Security::Starttls => ServerLeg::Starttls,
            Security::Cleartext => ServerLeg::Cleartext,
        },
        server_is_local: legs.server_is_local(),
        hidden: shared.hidden.clone(),
        faults: shared.faults.strikes(tap.conn()),
    };
    Observer::bridging(tap.gate().clone(), setting)
}

/// Passes on what both say until they have ended; why, unless both just did.
async fn relay(setup: Setup<'_>, leg: AppLeg, mut legs: Legs) -> Result<Option<String>, Failed> {
    let Setup { shared, tap, .. } = setup;
    let mut pumps = Pumps::new(shared.faults.shape(tap.conn()).map(Outlet::new));
    let (from, first) = loop {
        let before = pumps.all_moved();
        let Ok(step) = timeout(limits::HALF_CLOSED, pumps.run(&mut legs, tap)).await else {
            match pumps
                .left_behind(&legs)
                .filter(|_| pumps.all_moved() == before)
            {
                None => continue,
                Some(gone) => {
                    tap.cut();
                    return Ok(Some(left_behind(gone)));
                }
            }
        };
        match step {
            Step::Ended(from, end) => break (from, end),
            Step::Refused(note) => {
                tap.cut();
                return Err(Failed::for_note(*note));
            }
            Step::Broken(how, fault) => {
                tap.cut();
                break_off(&mut legs, how).await;
                return Ok(Some(format!("--fault {fault}")));
            }
            Step::Secure(upgrade) => {
                legs = match legs.secured(setup, upgrade).await {
                    Ok(legs) => legs,
                    Err(failed) => {
                        tap.cut();
                        return Err(failed);
                    }
                };
                pumps.secured(tap);
            }
        }
    };
    let second = other_end(&mut pumps, &mut legs, tap, from, &first).await;
    if second.is_none() {
        tap.cut();
    }
    let ends = [
        Some((&first, from)),
        second.as_ref().map(|end| (end, from.other())),
    ];
    let belated = |&(end, from): &(&End, Peer)| late_failure(shared, end, from);
    if let Some(failed) = ends.iter().flatten().find_map(belated) {
        return Err(failed);
    }
    let mut ends = ends.into_iter().flatten();
    if let Some(why) = ends.find_map(|(end, from)| why(end, from)) {
        return Ok(Some(why));
    }
    if second.is_none() {
        let silent = limits::HALF_CLOSED.as_secs();
        return Ok(Some(format!("half closed, and silent for {silent} s")));
    }
    let is_mute = from == Peer::Client && pumps.moved(Peer::Client) == 0;
    Ok((leg == AppLeg::Tls && is_mute).then(|| LEFT_WITHOUT_A_WORD.to_owned()))
}

/// Why a connection ends whose one peer is gone, while what it said waits for the other one.
fn left_behind(gone: Peer) -> String {
    let (gone, other) = (name(gone), name(gone.other()));
    let silent = limits::HALF_CLOSED.as_secs();
    format!("{gone} left, and {other} neither took what it had said nor spoke for {silent} s")
}

fn name(peer: Peer) -> &'static str {
    match peer {
        Peer::Client => "the app",
        Peer::Server => "the server",
    }
}

/// Breaks the app's leg off.
async fn break_off(legs: &mut Legs, how: Break) {
    match how {
        Break::Close => legs.app.close(limits::END_CONNECTIONS).await,
        Break::Reset => legs.app.reset(),
    }
}

/// The end of the other direction, once that of `from` has ended; none if it does not come.
async fn other_end(
    pumps: &mut Pumps,
    legs: &mut Legs,
    tap: &Tap,
    from: Peer,
    first: &End,
) -> Option<End> {
    let patience = match first {
        End::HalfClosed => limits::HALF_CLOSED,
        _ => DRAIN,
    };
    loop {
        let before = pumps.moved(from.other());
        match timeout(patience, pumps.run(legs, tap)).await {
            Ok(Step::Ended(_, end)) => return Some(end),
            Ok(Step::Broken(how, _)) => {
                break_off(legs, how).await;
                return Some(End::HalfClosed);
            }
            // Nobody is left at one end to make a handshake with.
            Ok(Step::Secure(_)) => return Some(End::HalfClosed),
            Ok(Step::Refused(note)) => {
                tap.note(&note);
                return Some(End::HalfClosed);
            }
            Err(_) if matches!(first, End::HalfClosed) && pumps.moved(from.other()) > before => {}
            Err(_) => return None,
        }
    }
}

/// The failure of a handshake that was done for us already.
fn late_failure(shared: &Shared, end: &End, from: Peer) -> Option<Failed> {
    let End::ReadFailed(error) = end else {
        return None;
    };
    match from {
        Peer::Client => ClientTlsError::belated_distrust(error)
            .map(|error| Failed::with_the_app(shared, &error)),
        Peer::Server => ServerTlsError::belated_refusal(error).map(Failed::with_the_server),
    }
}

/// What is to be said of a direction's end.
fn why(end: &End, from: Peer) -> Option<String> {
    let broken = |error: &io::Error| {
        use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
        matches!(
            error.kind(),
            BrokenPipe | ConnectionAborted | ConnectionReset
        )
    };
    // It was asked whether it is there, or told that it is not.
    let vanished = |error: &io::Error| {
        use ErrorKind::{HostUnreachable, NetworkUnreachable, TimedOut};
        matches!(
            error.kind(),
            TimedOut | HostUnreachable | NetworkUnreachable
        )
    };
    Some(match end {
        End::HalfClosed => return None,
        End::ReadFailed(error) if broken(error) => {
            format!("{} broke the connection off ({error})", name(from))
        }
        End::ReadFailed(error) | End::WriteFailed(error) if vanished(error) => {
            let gone = match end {
                End::ReadFailed(_) => from,
                _ => from.other(),
            };
            format!(
                "{} is not there any more ({error}); look at the network to it",
                name(gone)
            )
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
    use crate::event::{Gate, Secrets};
    use crate::net::Clock;
    use crate::sink::batch::Batch;
    use crate::sink::bus::{Bus, OnFailure, Purpose, Sink};
    use crate::sink::queue::Policy;

    struct Reasons(Arc<Mutex<Vec<Option<String>>>>);

    impl Sink for Reasons {
        fn take(&mut self, events: &Batch) -> Result<()> {
            for event in events.iter() {
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
    fn who_vanished_is_told() {
        let lost = || io::Error::from(ErrorKind::TimedOut);
        for (end, from, who) in [
            (End::ReadFailed(lost()), Peer::Server, "the server"),
            (End::WriteFailed(lost()), Peer::Client, "the server"),
            (End::ReadFailed(lost()), Peer::Client, "the app"),
        ] {
            let told = why(&end, from).unwrap();
            let words = format!("{who} is not there any more (timed out); look at");
            assert!(told.starts_with(&words), "{told}");
        }
    }

    #[test]
    fn a_defect_ends_a_connection_and_the_transcript_has_it() {
        let reasons = Arc::default();
        let sink: Box<dyn Sink> = Box::new(Reasons(Arc::clone(&reasons)));
        let on_failure: OnFailure = Arc::new(|_, error: &Error| panic!("{error}"));
        let bus = Arc::new(Bus::new(vec![(Policy::PushBack, sink)], &on_failure).unwrap());
        let gate = Gate::new(Secrets::Masked);
        let tap = Tap::new(1, Clock::start(), Arc::clone(&bus), gate);
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
