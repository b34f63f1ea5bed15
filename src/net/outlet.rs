//! What goes to the app in the time, and in the pieces, that faults give it.
//!
//! ```text
//! octets -> (queue: due when?) -> (how many now?) -> transport
//! ```
//!
//! What is late does not hold up what is read meanwhile: octets are taken as long as there is room
//! ([`limits::SHAPED`]), and delivered whenever the outlet is polled.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::AsyncWrite;
use tokio::time::{Duration, Instant, Sleep, sleep_until};

use super::Transport;
use crate::event::Micros;
use crate::fault::{Allowance, Shape};
use crate::limits;

/// The way to one app.
pub struct Outlet {
    shape: Shape,
    started: Instant,
    queue: VecDeque<(Micros, Bytes)>,
    /// Octets in the queue.
    queued: usize,
    timer: Option<Pin<Box<Sleep>>>,
    is_flushed: bool,
}

/// What came of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Everything is written.
    Done,
    /// The connection is to close: no more octets go to the app.
    Cut,
}

impl Outlet {
    /// For a connection that begins now.
    pub fn new(shape: Shape) -> Self {
        Self {
            shape,
            started: Instant::now(),
            queue: VecDeque::new(),
            queued: 0,
            timer: None,
            is_flushed: true,
        }
    }

    fn now(&self) -> Micros {
        Micros(u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// Takes octets.
    pub fn push(&mut self, octets: Bytes) {
        if octets.is_empty() {
            return;
        }
        let due = self.shape.due(self.now());
        self.queued += octets.len();
        self.queue.push_back((due, octets));
    }

    /// Whether more octets are to be taken before some are delivered.
    pub fn has_room(&self) -> bool {
        self.queued < limits::SHAPED
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.is_flushed
    }

    /// The fault that cut the connection, once it has.
    pub fn cut(&self) -> Option<&str> {
        self.shape.cut()
    }

    /// Writes what is due; ready when nothing is left, or nothing more may follow.
    pub fn poll_deliver(
        &mut self,
        cx: &mut Context<'_>,
        mut writer: Pin<&mut Transport>,
    ) -> Poll<io::Result<Delivery>> {
        loop {
            if !self.is_flushed && (self.queue.is_empty() || self.shape.is_split()) {
                ready!(writer.as_mut().poll_flush(cx))?;
                self.is_flushed = true;
            }
            if self.shape.cut().is_some() {
                ready!(writer.as_mut().poll_flush(cx))?;
                return Poll::Ready(Ok(Delivery::Cut));
            }
            let now = self.now();
            let Some((due, octets)) = self.queue.front_mut() else {
                return Poll::Ready(Ok(Delivery::Done));
            };
            let allowance = match now < *due {
                true => Allowance::At(*due),
                false => self.shape.allowance(now, octets.len()),
            };
            match allowance {
                Allowance::Never => {}
                Allowance::At(later) => {
                    if !self.is_flushed {
                        ready!(writer.as_mut().poll_flush(cx))?;
                        self.is_flushed = true;
                    }
                    ready!(self.poll_until(cx, later));
                }
                Allowance::Now(most) => {
                    let written = ready!(writer.as_mut().poll_write(cx, &octets[..most]))?;
                    if written == 0 {
                        return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                    }
                    octets.advance(written);
                    if octets.is_empty() {
                        self.queue.pop_front();
                    }
                    self.queued -= written;
                    self.shape.written(now, written);
                    self.is_flushed = false;
                }
            }
        }
    }

    fn poll_until(&mut self, cx: &mut Context<'_>, time: Micros) -> Poll<()> {
        let time = self.started + Duration::from_micros(time.0);
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(time)));
        if timer.deadline() != time {
            timer.as_mut().reset(time);
        }
        timer.as_mut().poll(cx)
    }
}
