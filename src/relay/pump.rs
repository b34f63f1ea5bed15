//! Both directions of one connection: read, observe, write, until both have ended.
//!
//! ```text
//! reader -> incoming -> tap -> (waiting) -> outgoing -> writer
//! ```
//!
//! A direction is not read again before what it brought is written, so that a slow receiver slows its
//! own sender down and nothing else. Octets wait only where the protocol's reader asks for it, and
//! their number is bounded ([`limits::WAITING`]): beyond it, their sender is not read.

use std::future::poll_fn;
use std::io::{self, ErrorKind, Read};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut, BytesMut};
use socket2::SockRef;
use tokio::io::AsyncWrite;
use tokio_util::io::poll_read_buf;

use super::tap::Tap;
use crate::event::{Note, Peer};
use crate::limits;
use crate::net::{Delivery, Outlet, Transport};
use crate::protocol::{Act, Break, Upgrade, Verdict};

/// How a direction ended.
#[derive(Debug)]
pub enum End {
    /// The sender said that it will send no more, and that was passed on.
    HalfClosed,
    /// The sender is gone.
    ReadFailed(io::Error),
    /// The receiver is gone.
    WriteFailed(io::Error),
}

/// What the pumps stopped for.
#[derive(Debug)]
pub enum Step {
    /// This direction has ended.
    Ended(Peer, End),
    /// TLS is to begin; everything before it is written.
    Secure(Upgrade),
    /// The connection is to end.
    Refused(Box<Note>),
    /// The app's leg is to be broken off, for this fault.
    Broken(Break, Arc<str>),
}

/// The two transports of a connection.
pub struct Legs {
    /// To the app.
    pub app: Transport,
    /// To the server.
    pub server: Transport,
}

impl Legs {
    /// Whether the server is on this machine.
    pub fn server_is_local(&self) -> bool {
        let address = self.server.tcp().peer_addr();
        address.is_ok_and(|address| address.ip().is_loopback())
    }

    /// The leg to this peer.
    fn leg(&self, peer: Peer) -> &Transport {
        match peer {
            Peer::Client => &self.app,
            Peer::Server => &self.server,
        }
    }

    fn ends(&mut self, from: Peer) -> (Pin<&mut Transport>, Pin<&mut Transport>) {
        match from {
            Peer::Client => (Pin::new(&mut self.app), Pin::new(&mut self.server)),
            Peer::Server => (Pin::new(&mut self.server), Pin::new(&mut self.app)),
        }
    }
}

/// Both directions.
pub struct Pumps {
    up: Direction,
    down: Direction,
    /// Which one is looked at first; they take turns.
    first: Peer,
    /// Octets that a read may bring.
    most: usize,
    then: Option<Then>,
    /// Whose octets were read and wait until there is room for what becomes of them.
    unobserved: Option<Peer>,
}

/// What is to be done once everything is written.
enum Then {
    Secure(Upgrade),
    Refuse(Box<Note>),
    Break(Break, Arc<str>),
}

struct Direction {
    incoming: BytesMut,
    waiting: BytesMut,
    outgoing: BytesMut,
    /// Where faults shape the way to the app.
    outlet: Option<Outlet>,
    /// Octets that the next read may bring.
    size: usize,
    is_flushed: bool,
    state: State,
    moved: u64,
}

#[derive(Debug)]
enum State {
    Open,
    /// The sender will send no more; that is still to be passed on.
    Ending(End),
    Ended,
}

/// What a look at a direction brought.
enum Look {
    /// Octets.
    Read,
    /// The sender's last word.
    Ending,
    /// The direction's end.
    Ended(End),
    /// A fault that lets no more octets go.
    Cut(Arc<str>),
}

impl Direction {
    fn new(outlet: Option<Outlet>) -> Self {
        // Only a busy connection gets a large buffer.
        const SMALL: usize = 8 * 1024;
        Self {
            incoming: BytesMut::new(),
            waiting: BytesMut::new(),
            outgoing: BytesMut::new(),
            outlet,
            size: SMALL,
            is_flushed: true,
            state: State::Open,
            moved: 0,
        }
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        most: usize,
        (reader, mut writer): (Pin<&mut Transport>, Pin<&mut Transport>),
    ) -> Poll<Look> {
        if matches!(self.state, State::Ended) {
            return Poll::Pending;
        }
        if let Err(error) = ready!(self.poll_write(cx, writer.as_mut())) {
            return Poll::Ready(self.ended(End::WriteFailed(error)));
        }
        if let Some(fault) = self.outlet.as_ref().and_then(Outlet::cut) {
            self.state = State::Ended;
            return Poll::Ready(Look::Cut(fault.into()));
        }
        match self.state {
            State::Open => self.poll_read(cx, most, reader),
            _ if !self.waiting.is_empty() || !self.is_delivered() => Poll::Pending,
            _ => {
                // The receiver may be gone already; then there is nobody to tell.
                let _ = ready!(writer.poll_shutdown(cx));
                Poll::Ready(self.ended(End::HalfClosed))
            }
        }
    }

    /// Whether nothing is on its way.
    fn is_delivered(&self) -> bool {
        self.outlet.as_ref().is_none_or(Outlet::is_empty)
    }

    /// Hands what there is to write to the outlet, which delivers it in its own time. Ready when it
    /// takes more.
    fn poll_outlet(
        &mut self,
        cx: &mut Context<'_>,
        writer: Pin<&mut Transport>,
    ) -> Poll<io::Result<()>> {
        let Some(outlet) = &mut self.outlet else {
            return Poll::Ready(Ok(()));
        };
        if outlet.has_room() {
            self.moved += self.outgoing.len() as u64;
            outlet.push(self.outgoing.split().freeze());
        }
        match outlet.poll_deliver(cx, writer)? {
            Poll::Pending if !outlet.has_room() => Poll::Pending,
            Poll::Pending | Poll::Ready(Delivery::Done | Delivery::Cut) => Poll::Ready(Ok(())),
        }
    }

    /// As [`poll_write`](Self::poll_write), ready when everything is written.
    fn poll_drain(
        &mut self,
        cx: &mut Context<'_>,
        mut writer: Pin<&mut Transport>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.poll_write(cx, writer.as_mut()))?;
            let is_cut = self
                .outlet
                .as_ref()
                .is_some_and(|outlet| outlet.cut().is_some());
            if is_cut || (self.is_delivered() && self.outgoing.is_empty()) {
                return Poll::Ready(Ok(()));
            }
            if !self.is_delivered() {
                return Poll::Pending;
            }
        }
    }

    /// Whether its sender has ended it, and something in it does not go on. What faults delay does.
    fn is_left_behind(&self, sender: &Transport) -> bool {
        // What was given to TLS is in the writer's hands, and waits there to be flushed.
        let is_written = self.outgoing.is_empty() && self.is_flushed;
        let waits = !self.waiting.is_empty() || (!is_written && self.outlet.is_none());
        waits && (!matches!(self.state, State::Open) || sender.has_ended())
    }

    /// Writes what there is to write.
    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        mut writer: Pin<&mut Transport>,
    ) -> Poll<io::Result<()>> {
        if self.outlet.is_some() {
            return self.poll_outlet(cx, writer);
        }
        while !self.outgoing.is_empty() {
            let written = ready!(writer.as_mut().poll_write(cx, &self.outgoing))?;
            if written == 0 {
                return Poll::Ready(Err(ErrorKind::WriteZero.into()));
            }
            self.outgoing.advance(written);
            self.moved += written as u64;
            self.is_flushed = false;
        }
        if !self.is_flushed {
            ready!(writer.poll_flush(cx))?;
            self.is_flushed = true;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        most: usize,
        reader: Pin<&mut Transport>,
    ) -> Poll<Look> {
        if self.waiting.len() >= limits::WAITING {
            return Poll::Pending;
        }
        self.incoming.clear();
        self.incoming.reserve(self.size);
        let mut room = (&mut self.incoming).limit(most);
        let Poll::Ready(read) = poll_read_buf(reader, cx, &mut room) else {
            self.rest();
            return Poll::Pending;
        };
        let end = match read {
            Ok(0) => End::HalfClosed,
            Ok(length) => {
                if length >= self.size {
                    self.size = (2 * self.size).min(limits::READ);
                }
                return Poll::Ready(Look::Read);
            }
            // Many peers close the connection without TLS's close_notify; to an IMAP session that is
            // an end like any other.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => End::HalfClosed,
            Err(error) => End::ReadFailed(error),
        };
        self.state = State::Ending(end);
        Poll::Ready(Look::Ending)
    }

    /// Gives the buffers back: most connections idle most of the time.
    fn rest(&mut self) {
        self.incoming = BytesMut::new();
        if self.outgoing.is_empty() {
            self.outgoing = BytesMut::new();
        }
    }

    /// The direction has ended, unless for a reason that is known already, for this one.
    fn ended(&mut self, end: End) -> Look {
        match std::mem::replace(&mut self.state, State::Ended) {
            State::Ending(earlier) => Look::Ended(earlier),
            _ => Look::Ended(end),
        }
    }
}

impl Pumps {
    /// Nothing was read yet; `outlet` is the way to the app, where faults shape it.
    pub fn new(outlet: Option<Outlet>) -> Self {
        Self {
            up: Direction::new(None),
            down: Direction::new(outlet),
            first: Peer::Client,
            most: limits::READ,
            then: None,
            unobserved: None,
        }
    }

    fn direction(&mut self, from: Peer) -> &mut Direction {
        match from {
            Peer::Client => &mut self.up,
            Peer::Server => &mut self.down,
        }
    }

    /// Octets of `from` that were passed on.
    pub fn moved(&self, from: Peer) -> u64 {
        match from {
            Peer::Client => self.up.moved,
            Peer::Server => self.down.moved,
        }
    }

    /// Octets of both that were passed on.
    pub fn all_moved(&self) -> u64 {
        self.up.moved + self.down.moved
    }

    /// A peer that is gone, or has ended its direction, while something of it is not passed on: it waits
    /// for a word of the other one, or the other one does not take it.
    pub fn left_behind(&self, legs: &Legs) -> Option<Peer> {
        let is_left = |from: &Peer| match from {
            Peer::Client => self.up.is_left_behind(&legs.app),
            Peer::Server => self.down.is_left_behind(&legs.server),
        };
        [Peer::Client, Peer::Server].into_iter().find(is_left)
    }

    /// Passes on what comes until there is something else to do. May be dropped and called again.
    pub async fn run(&mut self, legs: &mut Legs, tap: &Tap) -> Step {
        loop {
            tap.room().await;
            while tap.read_on() {
                tap.room().await;
            }
            if let Some(then) = &self.then {
                if let Then::Secure(upgrade) = then {
                    self.take_plaintext(legs, tap, *upgrade);
                }
                self.drain(legs).await;
                match self.then.take() {
                    Some(Then::Secure(upgrade)) => return Step::Secure(upgrade),
                    Some(Then::Refuse(note)) => return Step::Refused(note),
                    Some(Then::Break(how, fault)) => return Step::Broken(how, fault),
                    None => {}
                }
            }
            let (from, look) = match self.unobserved.take() {
                Some(from) => (from, Look::Read),
                None => poll_fn(|cx| self.poll(cx, legs)).await,
            };
            // While this one waited for octets, others may have filled what it was waited for above.
            if matches!(look, Look::Read) && !tap.has_room() {
                self.unobserved = Some(from);
                continue;
            }
            let verdict = match look {
                Look::Read => {
                    let verdict = tap.read(from, &self.direction(from).incoming);
                    self.most = tap.read_size();
                    verdict
                }
                Look::Ending => tap.ended(from),
                Look::Cut(fault) => {
                    tap.note(&Note::Fault(Arc::clone(&fault)));
                    return Step::Broken(Break::Close, fault);
                }
                Look::Ended(end) => {
                    if matches!(end, End::WriteFailed(_)) {
                        let _ = tap.ended(from); // nobody is left to be given what waited
                    }
                    return Step::Ended(from, end);
                }
            };
            self.obey(from, verdict);
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>, legs: &mut Legs) -> Poll<(Peer, Look)> {
        for from in [self.first, self.first.other()] {
            let most = self.most;
            if let Poll::Ready(look) = self.direction(from).poll(cx, most, legs.ends(from)) {
                self.first = from.other();
                return Poll::Ready((from, look));
            }
        }
        Poll::Pending
    }

    /// Writes everything that may go on, as far as somebody takes it.
    async fn drain(&mut self, legs: &mut Legs) {
        for from in [Peer::Client, Peer::Server] {
            let writing = poll_fn(|cx| {
                let (_, writer) = legs.ends(from);
                self.direction(from).poll_drain(cx, writer)
            });
            // One that fails is found out when it is used next.
            let _ = tokio::time::timeout(limits::HANDSHAKE, writing).await;
        }
    }

    /// What came before the word that begins TLS is written is read, and observed as plaintext: what
    /// the peer says because of that word will be TLS. One that does not stop is left to the handshake,
    /// which will find no TLS.
    fn take_plaintext(&mut self, legs: &Legs, tap: &Tap, upgrade: Upgrade) {
        for from in [Peer::Client, Peer::Server] {
            if !upgrade.includes(from) {
                continue;
            }
            // The runtime's own reading asks the system only when it has been told of octets.
            let socket = SockRef::from(legs.leg(from).tcp());
            let mut octets = [0; 4096];
            for _ in 0..limits::WAITING / octets.len() {
                let Ok(length @ 1..) = (&*socket).read(&mut octets) else {
                    break;
                };
                let direction = self.direction(from);
                direction.incoming.clear();
                direction.incoming.extend_from_slice(&octets[..length]);
                let verdict = tap.read(from, &octets[..length]);
                self.obey(from, verdict);
            }
        }
    }

    /// TLS has begun: what the reader says of the octets that waited for it.
    pub fn secured(&mut self, tap: &Tap) {
        let verdict = tap.secured();
        self.direction(Peer::Client).incoming.clear();
        self.obey(Peer::Client, verdict);
    }

    /// Carries out what the reader says of the octets in `incoming`.
    fn obey(&mut self, from: Peer, verdict: Verdict) {
        let direction = self.direction(from);
        match verdict {
            Verdict::AsRead => {
                if direction.waiting.is_empty() && direction.outgoing.is_empty() {
                    std::mem::swap(&mut direction.incoming, &mut direction.outgoing);
                } else {
                    direction.outgoing.unsplit(direction.waiting.split());
                    direction.outgoing.extend_from_slice(&direction.incoming);
                }
                direction.incoming.clear();
                let other = self.direction(from.other());
                other.outgoing.unsplit(other.waiting.split());
            }
            Verdict::Acts(acts) => {
                direction.waiting.extend_from_slice(&direction.incoming);
                direction.incoming.clear();
                for act in acts {
                    self.act(act);
                }
            }
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Pass { from, octets } => {
                let direction = self.direction(from);
                let octets = octets.min(direction.waiting.len());
                let passed = direction.waiting.split_to(octets);
                direction.outgoing.unsplit(passed);
            }
            Act::Replace { from, octets, with } => {
                let direction = self.direction(from);
                direction
                    .waiting
                    .advance(octets.min(direction.waiting.len()));
                direction.outgoing.extend_from_slice(&with);
            }
            Act::Say { to, octets } => {
                self.direction(to.other())
                    .outgoing
                    .extend_from_slice(&octets);
            }
            Act::Secure(upgrade) => self.then = Some(Then::Secure(upgrade)),
            Act::End(note) => self.then = Some(Then::Refuse(note)),
            Act::Break(how, fault) => self.then = Some(Then::Break(how, fault)),
        }
    }
}
