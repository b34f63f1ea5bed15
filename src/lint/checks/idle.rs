//! IDLE (RFC 9051, section 6.3.13; RFC 2177).

use crate::event::{Body, Event, Micros, Reading, Status};
use crate::lint::finding::Finding;
use crate::lint::look::Look;
use crate::lint::table::Breach;
use crate::session::Session;

/// An app whose timer is at 29 minutes is a moment later on the wire; a server waits for 30 at least (RFC 9051,
/// section 5.4).
const TOO_LONG: Micros = Micros(30 * 60 * 1_000_000);

pub(super) fn check(look: &mut Look<'_>) {
    match &look.said.reading {
        Reading::Command { .. } if look.session.idling().is_some() => {
            look.add_head(Breach::CommandWhileIdle, "");
        }
        Reading::Continuation {
            idled: Some(idled), ..
        } if *idled >= TOO_LONG => {
            look.add_head(Breach::IdleTooLong, lasted(*idled));
        }
        Reading::Tagged { .. } => {
            let ended = look.ended();
            if let Some((command, Status::Ok)) = ended
                && command.name == "IDLE"
                && !command.done
            {
                look.add_head(Breach::IdleEndedWithoutDone, "");
            }
        }
        _ => {}
    }
}

fn lasted(time: Micros) -> String {
    format!("it went on for {} minutes", time.0 / 60_000_000)
}

/// A connection that ends while IDLE goes on.
pub(super) fn at_the_end(event: &Event, session: &Session) -> Option<Finding> {
    let since = session.idling()?.idles?;
    let time = event.at.since(since);
    let is_over = matches!(event.body, Body::Closed { .. });
    let rule = Breach::IdleTooLong.rule();
    (is_over && time >= TOO_LONG).then(|| Finding {
        rule,
        n: event.n,
        conn: event.conn,
        at: event.at,
        blame: crate::event::Peer::Client,
        about: Some(lasted(time)),
        quote: None,
    })
}
