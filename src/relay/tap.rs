//! Where a connection's octets are observed on their way (law 2: observe, then forward).
//!
//! The tap gives the reader the time, numbers and publishes what it makes of the octets, and keeps
//! the connection alive whatever the reader does: a panic in it ends the reading alone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::event::{Body, Draft, Gate, Micros, Note, Numbers, Peer};
use crate::net::Clock;
use crate::protocol::{Act, Blind, Protocol, Verdict};
use crate::sink::bus::Bus;

/// One connection's tap.
pub struct Tap {
    conn: u64,
    clock: Clock,
    bus: Arc<Bus>,
    gate: Gate,
    inner: Mutex<Inner>,
}

struct Inner {
    protocol: Box<dyn Protocol>,
    numbers: Numbers,
    drafts: Vec<Draft>,
    /// Whose first octets, on a leg in cleartext, are still to come.
    unheard: Vec<Peer>,
}

impl Tap {
    /// A tap for the connection with this number; `clock` is the run's. It reads nothing
    /// until it is told [how](Self::read_with).
    pub fn new(conn: u64, clock: Clock, bus: Arc<Bus>, gate: Gate) -> Self {
        let protocol = Box::new(Blind::new(gate.clone()));
        Self {
            conn,
            clock,
            bus,
            gate,
            inner: Mutex::new(Inner {
                protocol,
                numbers: Numbers::new(conn),
                drafts: Vec::new(),
                unheard: Vec::new(),
            }),
        }
    }

    /// The octets are to be read with this.
    pub fn read_with(&self, protocol: Box<dyn Protocol>) {
        self.inner().protocol = protocol;
    }

    /// The connection's number in the run.
    pub fn conn(&self) -> u64 {
        self.conn
    }

    /// What masks secrets.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// The leg to this peer is in cleartext; if the peer takes it for TLS, that is told.
    pub fn expect_cleartext(&self, from: Peer) {
        self.inner().unheard.push(from);
    }

    /// Whether secrets are masked on their way to the sinks.
    pub fn masks(&self) -> bool {
        self.gate.masks()
    }

    fn now(&self) -> Micros {
        self.clock.now()
    }

    // Both directions are pumped by one task, so the lock is always free.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Octets were read from `from` and are about to be passed on, as far as this says.
    pub fn read(&self, from: Peer, bytes: &[u8]) -> Verdict {
        let at = self.now();
        if self.is_first_in_cleartext(from) && is_tls(bytes) {
            self.note(&Note::TlsInCleartext { from });
        }
        let read = || {
            self.observe(at, |protocol, drafts| {
                protocol.observe(from, bytes, at, drafts)
            })
        };
        read().or_else(read).unwrap_or(Verdict::AsRead)
    }

    fn is_first_in_cleartext(&self, from: Peer) -> bool {
        let unheard = &mut self.inner().unheard;
        let place = unheard.iter().position(|&peer| peer == from);
        place.map(|place| unheard.remove(place)).is_some()
    }

    /// `from` will send no more.
    pub fn ended(&self, from: Peer) -> Verdict {
        let at = self.now();
        let verdict = self.observe(at, |protocol, drafts| protocol.ended(from, at, drafts));
        self.tell(Body::HalfClosed { from });
        verdict.unwrap_or(Verdict::AsRead)
    }

    /// Reads on in the octets that were read last; `false` if nothing was left of them.
    pub fn read_on(&self) -> bool {
        let mut goes_on = false;
        let _ = self.observe(self.now(), |protocol, drafts| {
            goes_on = protocol.read_on(drafts);
            Verdict::Acts(Vec::new())
        });
        goes_on
    }

    /// Octets that are best read at once.
    pub fn read_size(&self) -> usize {
        self.inner().protocol.read_size()
    }

    /// TLS has begun where it was to.
    pub fn secured(&self) -> Verdict {
        let verdict = self.observe(self.now(), |protocol, drafts| protocol.secured(drafts));
        verdict.unwrap_or(Verdict::AsRead)
    }

    /// The connection is cut: what both peers left unfinished is told.
    pub fn cut(&self) {
        let at = self.now();
        for from in [Peer::Client, Peer::Server] {
            let _ = self.observe(at, |protocol, drafts| protocol.ended(from, at, drafts));
        }
    }

    /// Something happened to the connection itself.
    pub fn tell(&self, body: Body) {
        let mut inner = self.inner();
        let Inner {
            numbers, drafts, ..
        } = &mut *inner;
        drafts.push(Draft::new(0, self.now(), body));
        self.bus.publish(numbers, drafts);
    }

    /// Something is to be said about the connection.
    pub fn note(&self, note: &Note) {
        self.tell(Body::Note(note.finding()));
    }

    /// Waits until what was published has room.
    pub async fn room(&self) {
        self.bus.room().await;
    }

    /// Whether there is room now.
    pub fn has_room(&self) -> bool {
        self.bus.has_room()
    }

    /// `None` when the reader failed, and another one took its place that has not seen the octets;
    /// unless they may not go on unread.
    fn observe(
        &self,
        at: Micros,
        observe: impl FnOnce(&mut dyn Protocol, &mut Vec<Draft>) -> Verdict,
    ) -> Option<Verdict> {
        let mut inner = self.inner();
        let Inner {
            protocol,
            numbers,
            drafts,
            ..
        } = &mut *inner;
        let outcome = catch_unwind(AssertUnwindSafe(|| observe(protocol.as_mut(), drafts)));
        let mut verdict = outcome.ok();
        if verdict.is_none() {
            let may_go_on = catch_unwind(AssertUnwindSafe(|| protocol.may_go_unread()));
            if !may_go_on.unwrap_or_default() {
                let why = Box::new(Note::ObserverStopped);
                verdict = Some(Verdict::Acts(vec![Act::End(why)]));
            }
            *protocol = Box::new(Blind::new(self.gate.clone()));
            let note = Body::Note(Note::ObserverStopped.finding());
            drafts.push(Draft::new(0, at, note));
        }
        self.bus.publish(numbers, drafts);
        verdict
    }
}

/// Whether these octets begin a TLS record with a handshake or an alert (RFC 8446, section 5.1); no
/// line of IMAP begins so.
fn is_tls(bytes: &[u8]) -> bool {
    matches!(bytes, [0x15 | 0x16, 3, ..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Secrets;
    use crate::sink::bus::OnFailure;

    /// Reads nothing.
    struct Fails {
        may_go_unread: bool,
    }

    impl Protocol for Fails {
        fn observe(&mut self, _: Peer, _: &[u8], _: Micros, _: &mut Vec<Draft>) -> Verdict {
            panic!("a defect, on purpose");
        }

        fn ended(&mut self, _: Peer, _: Micros, _: &mut Vec<Draft>) -> Verdict {
            Verdict::AsRead
        }

        fn may_go_unread(&self) -> bool {
            self.may_go_unread
        }
    }

    fn verdict(may_go_unread: bool) -> Verdict {
        let on_failure: OnFailure = Arc::new(|_, error| panic!("{error}"));
        let bus = Arc::new(Bus::new(Vec::new(), &on_failure).unwrap());
        let tap = Tap::new(1, Clock::start(), bus, Gate::new(Secrets::Masked));
        tap.read_with(Box::new(Fails { may_go_unread }));
        tap.read(Peer::Client, b"a LOGIN alice hunter2\r\n")
    }

    #[test]
    fn a_defect_in_the_reader_leaves_the_octets_alone() {
        assert_eq!(verdict(true), Verdict::AsRead);
    }

    #[test]
    fn a_defect_in_the_reader_lets_nothing_cross_that_tls_was_promised_for() {
        let end = Act::End(Box::new(Note::ObserverStopped));
        assert_eq!(verdict(false), Verdict::Acts(vec![end]));
    }
}
