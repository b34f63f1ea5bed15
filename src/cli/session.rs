//! A run with a transcript: the sinks, the relay, and the end by a signal.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::view::{View, warning};
use crate::error::{Doing, Error, Result};
use crate::event::{Body, Event, Secrets};
use crate::relay::Relay;
use crate::sink::bus::{Bus, OnFailure, Sink};
use crate::sink::queue::Policy;
use crate::sink::recording::Recording;
use crate::transcript::{Header, TranscriptFile};

/// How long connections may take to end; they are told at once.
const CONNECTIONS: Duration = Duration::from_millis(300);

/// A run that has its transcript and its sinks.
pub struct Session {
    bus: Arc<Bus>,
    started: Instant,
    path: PathBuf,
    ended: Arc<Notify>,
}

/// Tells when a connection is over.
struct Ended(Arc<Notify>);

impl Sink for Ended {
    fn take(&mut self, events: &[Arc<Event>]) -> Result<()> {
        let is_closed = |event: &Arc<Event>| matches!(event.body, Body::Closed { .. });
        if events.iter().any(is_closed) {
            self.0.notify_one();
        }
        Ok(())
    }
}

/// How a run ended.
pub struct Stopped {
    /// Connections that apps made.
    pub connections: u64,
    /// Events of all of them.
    pub events: u64,
    /// Whether the transcript is not complete.
    pub failed: bool,
}

/// The runtime that relays run on.
pub fn runtime() -> Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .doing(|| "start the network threads".into())
}

impl Session {
    /// Makes the transcript that `out` means ([`TranscriptFile::create_at`]), empty, and starts the
    /// sinks. `host` goes into a generated name, `server` into the header.
    pub fn start(
        out: &Path,
        host: &str,
        server: &str,
        secrets: Secrets,
        insecure: bool,
        view: Option<View>,
    ) -> Result<Self> {
        let (now, started) = (OffsetDateTime::now_utc(), Instant::now());
        let mut header = Header::new(now, server);
        header.secrets = secrets;
        header.insecure = insecure;
        let file = TranscriptFile::create_at(out, host, now, &header)?;
        let path = file.path().to_owned();
        let ended = Arc::new(Notify::new());
        let mut sinks: Vec<(Policy, Box<dyn Sink>)> = vec![
            (Policy::PushBack, Box::new(Recording::new(file))),
            (Policy::PushBack, Box::new(Ended(Arc::clone(&ended)))),
        ];
        sinks.extend(view.map(|view| (view.policy(), Box::new(view) as Box<dyn Sink>)));
        let on_failure: OnFailure = Arc::new(|error: &Error| {
            eprintln!("{}", warning(&error.to_string()));
            eprintln!(
                "{}",
                warning("the relay goes on, but NOT EVERYTHING IS WRITTEN any more")
            );
        });
        Ok(Self {
            bus: Arc::new(Bus::new(sinks, &on_failure)?),
            started,
            path,
            ended,
        })
    }

    /// Where the transcript is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs the relay until a signal comes; everything is written then.
    pub async fn serve(self, relay: Relay, mut signals: Signals) -> Stopped {
        let stop = CancellationToken::new();
        let running = self.run(relay, stop.clone());
        signals.next().await;
        tokio::spawn(async move {
            signals.next().await;
            std::process::exit(2); // a second one: at once, whatever is left
        });
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
        tokio::spawn(relay.run(Arc::clone(&self.bus), self.started, stop))
    }

    async fn conclude(&self, running: JoinHandle<u64>) -> Stopped {
        let connections = tokio::time::timeout(CONNECTIONS, running).await;
        let bus = Arc::clone(&self.bus);
        let errors = tokio::task::spawn_blocking(move || bus.finish()).await;
        let errors = errors.unwrap_or_default();
        Stopped {
            connections: connections.ok().and_then(|ended| ended.ok()).unwrap_or(0),
            events: self.bus.events(),
            failed: !errors.is_empty(),
        }
    }
}

/// Ctrl-C and SIGTERM.
pub struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    /// From here on they do not end the program by themselves.
    #[cfg(unix)]
    pub fn install() -> Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let install = |kind| signal(kind).doing(|| "prepare for Ctrl-C".into());
        Ok(Self {
            interrupt: install(SignalKind::interrupt())?,
            terminate: install(SignalKind::terminate())?,
        })
    }

    /// From here on Ctrl-C does not end the program by itself.
    #[cfg(not(unix))]
    pub fn install() -> Result<Self> {
        Ok(Self {})
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
