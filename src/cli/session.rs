//! A run with a transcript: the sinks, the relay, and the end by a signal.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use time::OffsetDateTime;
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::say::{say, warn};
use super::signals::Signals;
use super::stats::StatsAtTheEnd;
use super::view::View;
use super::warnings::Warnings;
use crate::error::{Doing, Error, Result};
use crate::event::{Body, Event, Secrets};
use crate::limits;
use crate::net::{Clock, permit_more_files};
use crate::relay::Relay;
use crate::sink::batch::Batch;
use crate::sink::bus::{Bus, Cause, OnFailure, Purpose, Shortfall, Sink};
use crate::sink::pcapng::CaptureFile;
use crate::sink::queue::Policy;
use crate::sink::recording::{OnDisplaced, Recording};
use crate::transcript::{Displaced, Header, Restored, TranscriptFile};

/// A run that has its transcript and its sinks.
pub struct Session {
    bus: Arc<Bus>,
    clock: Clock,
    path: Arc<Mutex<PathBuf>>,
    /// Where the capture is.
    capture: Option<PathBuf>,
    ended: Arc<Notify>,
}

/// Tells when a connection is over.
struct Ended(Arc<Notify>);

impl Sink for Ended {
    fn take(&mut self, events: &Batch) -> Result<()> {
        let is_closed = |event: &Event| matches!(event.body, Body::Closed { .. });
        if events.iter().any(is_closed) {
            self.0.notify_one();
        }
        Ok(())
    }

    fn purpose(&self) -> Purpose {
        Purpose::View
    }
}

/// How a run ended.
pub struct Stopped {
    /// Connections that apps made; none if they had not ended in time.
    pub connections: Option<u64>,
    /// Events of all of them.
    pub events: u64,
    /// Where the transcript is.
    pub path: PathBuf,
    /// The sinks that did not take everything.
    short: Vec<Shortfall>,
}

impl Stopped {
    /// Whether the transcript has everything.
    pub fn is_recorded(&self) -> bool {
        let recorders = |short: &Shortfall| short.purpose == Purpose::Record;
        self.connections.is_some() && !self.short.iter().any(recorders)
    }

    /// Whether all that was to be written is written, as far as somebody reads it.
    pub fn is_content(&self) -> bool {
        let failed = |short: &Shortfall| {
            short.purpose == Purpose::Capture || !matches!(short.cause, Cause::Late)
        };
        self.is_recorded() && !self.short.iter().any(failed)
    }

    /// Whether the transcript lacks what could not be written in time.
    pub fn is_late(&self) -> bool {
        let late = |short: &Shortfall| {
            short.purpose != Purpose::View && matches!(short.cause, Cause::Late)
        };
        self.connections.is_none() || self.short.iter().any(late)
    }

    /// Whether standard output was not read to its end.
    pub fn is_unread(&self) -> bool {
        let late = |short: &Shortfall| matches!(short.cause, Cause::Late);
        let viewers = |short: &&Shortfall| short.purpose == Purpose::View;
        self.short.iter().filter(viewers).any(late)
    }
}

/// What a run has besides its transcript.
#[derive(Default)]
pub struct Besides<'a> {
    /// What is printed while it goes on.
    pub view: Option<View>,
    /// Where a capture is written.
    pub capture: Option<&'a Path>,
    /// What is said when it is over.
    pub stats: Option<StatsAtTheEnd>,
}

/// The runtime that relays and replays run on, with as many open files as the system permits.
pub fn runtime() -> Result<Runtime> {
    permit_more_files();
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .doing(|| "start the network threads".into())
}

impl Session {
    /// Makes the transcript that `out` means ([`TranscriptFile::create_at`]), empty, and starts the
    /// sinks; behind it the capture, if there is to be one. `host` goes into a generated name, `server`
    /// into the header.
    pub fn start(
        out: &Path,
        host: &str,
        server: &str,
        secrets: Secrets,
        insecure: bool,
        besides: Besides<'_>,
    ) -> Result<Self> {
        let Besides {
            view,
            capture,
            stats,
        } = besides;
        let (now, clock) = (OffsetDateTime::now_utc(), Clock::start());
        let mut header = Header::new(now, server);
        header.secrets = secrets;
        header.insecure = insecure;
        let file = TranscriptFile::create_at(out, host, now, &header)?;
        let captured = capture.map(Path::to_owned);
        let on_capture_displaced: OnDisplaced =
            Arc::new(|before, displaced| say(&warn(&told(before, displaced))));
        let capture = capture.map(|path| CaptureFile::create(path, now));
        let telling = |file: CaptureFile| file.telling(&on_capture_displaced);
        let capture = capture
            .map(|made| made.map(telling))
            .transpose()
            .inspect_err(|_| {
                let _ = std::fs::remove_file(file.path()); // it was made just now, and nothing is in it
            })?;
        let path = Arc::new(Mutex::new(file.path().to_owned()));
        let on_displaced = following(Arc::clone(&path));
        let ended = Arc::new(Notify::new());
        let mut sinks: Vec<(Policy, Box<dyn Sink>)> = vec![
            (
                Policy::PushBack,
                Box::new(Recording::new(file).telling(&on_displaced)),
            ),
            (Policy::PushBack, Box::new(Ended(Arc::clone(&ended)))),
        ];
        let capture = capture.map(|file| (Policy::PushBack, Box::new(file) as Box<dyn Sink>));
        sinks.extend(capture);
        sinks.extend(stats.map(|stats| (Policy::PushBack, Box::new(stats) as Box<dyn Sink>)));
        sinks.extend(view.map(|view| (view.policy(), Box::new(view) as Box<dyn Sink>)));
        if !io::stdout().is_terminal() {
            sinks.push((Policy::Drop, Box::new(Warnings)));
        }
        let on_failure: OnFailure = Arc::new(|purpose, error: &Error| {
            let consequence = match purpose {
                Purpose::Record => "the relay goes on, but NOTHING IS RECORDED from here on",
                Purpose::Capture => "relay and recording go on, but the capture ends here",
                Purpose::View => "relay and recording go on, but nothing more is printed",
            };
            say(&format!(
                "{}\n{}",
                warn(&error.to_string()),
                warn(consequence)
            ));
        });
        Ok(Self {
            bus: Arc::new(Bus::new(sinks, &on_failure)?),
            clock,
            path,
            capture: captured,
            ended,
        })
    }

    /// Takes away what [`start`](Self::start) made, for a run that cannot begin.
    pub fn discard(self) {
        let path = self.path();
        tokio::task::block_in_place(|| self.bus.finish(Instant::now() + limits::END));
        for made in [Some(path), self.capture].into_iter().flatten() {
            let _ = std::fs::remove_file(made); // what stays is empty, and was told of
        }
    }

    /// Where the transcript is now.
    pub fn path(&self) -> PathBuf {
        let path = self.path.lock().unwrap_or_else(PoisonError::into_inner);
        path.clone()
    }

    /// Runs the relay until a signal comes; everything is written then.
    pub async fn serve(self, relay: Relay, mut signals: Signals) -> Stopped {
        let stop = CancellationToken::new();
        let running = self.run(relay, stop.clone());
        signals.first().await;
        signals.end_at_a_second();
        stop.cancel();
        self.conclude(running).await
    }

    /// Runs the relay for the one connection that `play` makes, or until `play` fails; everything
    /// is written then.
    pub async fn serve_one<T>(
        self,
        relay: Relay,
        play: impl Future<Output = Result<T>>,
    ) -> (Stopped, Result<T>) {
        let stop = CancellationToken::new();
        let running = self.run(relay, stop.clone());
        let played = play.await;
        if played.is_ok() {
            self.ended.notified().await;
        }
        stop.cancel();
        (self.conclude(running).await, played)
    }

    fn run(&self, relay: Relay, stop: CancellationToken) -> JoinHandle<u64> {
        tokio::spawn(relay.run(Arc::clone(&self.bus), self.clock, stop))
    }

    async fn conclude(&self, running: JoinHandle<u64>) -> Stopped {
        let deadline = Instant::now() + limits::END;
        let connections = tokio::time::timeout(limits::END_CONNECTIONS, running).await;
        // Not on a thread of the blocking pool: look-ups that hang may have them all.
        let short = tokio::task::block_in_place(|| self.bus.finish(deadline));
        Stopped {
            connections: connections.ok().and_then(|ended| ended.ok()),
            events: self.bus.events(),
            path: self.path(),
            short,
        }
    }
}

/// Says where the transcript has gone, and keeps that.
fn following(path: Arc<Mutex<PathBuf>>) -> OnDisplaced {
    Arc::new(move |before, displaced| {
        say(&warn(&told(before, displaced)));
        if let Some(now) = displaced.now() {
            let mut path = path.lock().unwrap_or_else(PoisonError::into_inner);
            *path = now.into();
        }
    })
}

/// What others did to a transcript or a capture, in a sentence.
pub(super) fn told(before: &Path, displaced: &Displaced) -> String {
    let was = before.display();
    match displaced {
        Displaced::Removed { now } if now == before => {
            format!("{was} was removed during the recording; all of it is written there again")
        }
        Displaced::Removed { now } => format!(
            "{was} was removed during the recording; all of it is written again, to {}",
            now.display()
        ),
        Displaced::Changed { now, restored } => {
            let restored = match restored {
                Restored::All => "all of it is written again, to",
                Restored::FromHereOn => "WHAT IT HELD IS NOWHERE ELSE; the recording goes on in",
            };
            format!(
                "{was} was emptied, cut short or written to by others during the recording; it is \
                 left as it is now, and {restored} {}\n  try: no editor and no rotation of logs on \
                 it before the recording ends; reading and copying do it no harm",
                now.display()
            )
        }
        Displaced::Moved { now: Some(now) } => format!(
            "{was} was moved during the recording, which goes on in {}",
            now.display()
        ),
        Displaced::Moved { now: None } => {
            format!("{was} was moved during the recording, which goes on in it")
        }
    }
}
