//! How a recording is served within a Rust test, where that is not as [`Server::start`] does it.

use std::io::{BufRead, Cursor};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, mpsc};

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::report::Report;
use super::script::Script;
use super::server::Server;
use super::service::{Config, Service};
use super::usage::{Matching, OnMiss};
use crate::error::{Doing, Error, Result};
use crate::fault::Faults;
use crate::net::{Authority, Clock};
use crate::protocol::imap::AppLeg;
use crate::sink::bus::{Bus, OnFailure};

/// The settings of a [`Server`], which are those of `mailscope replay`.
///
/// ```
/// use mailscope::replay::{Matching, OnMiss, Server};
///
/// let server = Server::builder()
///     .matching(Matching::Strict)
///     .on_miss(OnMiss::Fail)
///     .start("recordings/tour.json")?;
/// assert_eq!(server.report().matched, 0);
/// # Ok::<(), mailscope::error::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "nothing is served before one of its last steps, such as start"]
pub struct Builder {
    matching: Matching,
    on_miss: OnMiss,
    pace: f64,
    faults: Faults,
}

impl Builder {
    /// Which recorded command a live one may be answered as; [`Matching::State`] if not said.
    pub fn matching(mut self, matching: Matching) -> Self {
        self.matching = matching;
        self
    }

    /// What is answered to a command that nothing recorded fits; [`OnMiss::Bad`] if not said.
    pub fn on_miss(mut self, on_miss: OnMiss) -> Self {
        self.on_miss = on_miss;
        self
    }

    /// The recorded pauses between the server's answers are kept, times this: 1 for as they were, 0,
    /// which it is if not said, for none.
    pub fn pace(mut self, factor: f64) -> Self {
        self.pace = factor;
        self
    }

    /// What is done wrong on purpose; nothing if not said.
    pub fn faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    /// Plays the transcript in this file, as JSON or in the short text form.
    ///
    /// # Errors
    ///
    /// It cannot be read or is no transcript (file, line and reason), or no port is free.
    pub fn start(self, transcript: impl AsRef<Path>) -> Result<Server> {
        self.play(Script::open(transcript.as_ref())?)
    }

    /// Plays this transcript, JSON or the short text form.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn from_text(self, transcript: &str) -> Result<Server> {
        self.read(Cursor::new(transcript.to_owned()), "the given text")
    }

    /// Plays the transcript that is read here; `name` is what errors call it.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn read(self, transcript: impl BufRead + Send + 'static, name: &str) -> Result<Server> {
        self.play(Script::read(transcript, name)?)
    }

    /// Plays this script: of several transcripts, for instance.
    ///
    /// # Errors
    ///
    /// No port is free, or the pace is no factor.
    pub fn play(self, script: Script) -> Result<Server> {
        if !self.pace.is_finite() || self.pace < 0.0 {
            let why = format!("{} is no factor for the recorded pauses", self.pace);
            return Err(Error::new("start the replay", why));
        }
        let authority = Arc::new(Authority::ephemeral()?);
        let ca_pem = authority.pem().to_owned();
        let stop = CancellationToken::new();
        let (ready, is_ready) = mpsc::channel();
        let stopped = stop.clone();
        let thread = std::thread::Builder::new()
            .name("mailscope replay".into())
            .spawn(move || self.serve(script, authority, &ready, stopped))
            .doing(|| "start a thread for the replay".into())?;
        let gone = || Error::new("start the replay", "its thread ended early");
        let listening = is_ready.recv().map_err(|_| gone())??;
        Ok(Server::new(listening, ca_pem, stop, thread))
    }

    fn serve(
        self,
        script: Script,
        authority: Arc<Authority>,
        ready: &mpsc::Sender<Result<Listening>>,
        stop: CancellationToken,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .doing(|| "start the replay".into());
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => {
                let _ = ready.send(Err(error)); // nobody waits any more
                return;
            }
        };
        runtime.block_on(async {
            match self.listen(script, authority).await {
                Ok((service, bus, listening)) => {
                    let _ = ready.send(Ok(listening));
                    service.run(bus, Clock::start(), stop, false).await;
                }
                Err(error) => {
                    let _ = ready.send(Err(error));
                }
            }
        });
    }

    async fn listen(
        self,
        script: Script,
        authority: Arc<Authority>,
    ) -> Result<(Service, Arc<Bus>, Listening)> {
        let doing = || "listen on a free port of 127.0.0.1".to_owned();
        let mut listeners = Vec::new();
        let mut addresses = Vec::new();
        for leg in [AppLeg::Tls, AppLeg::Cleartext] {
            let listener = TcpListener::bind("127.0.0.1:0").await.doing(doing)?;
            addresses.push(listener.local_addr().doing(doing)?);
            listeners.push((listener, leg));
        }
        let service = Service::new(Config {
            script,
            matching: self.matching,
            on_miss: self.on_miss,
            pace: self.pace,
            faults: self.faults,
            authority,
            listeners,
            upstream: None,
            keylog: None,
        })?;
        let nobody: OnFailure = Arc::new(|_, _: &Error| ());
        let bus = Arc::new(Bus::new(Vec::new(), &nobody)?);
        let listening = Listening {
            tls: addresses[0],
            plain: addresses[1],
            report: Box::new(service.reporter()),
        };
        Ok((service, bus, listening))
    }
}

/// A server that apps can connect to.
pub(super) struct Listening {
    pub(super) tls: SocketAddr,
    pub(super) plain: SocketAddr,
    pub(super) report: Box<dyn Fn() -> Report + Send + Sync>,
}
