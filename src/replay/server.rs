//! A recording as a server within a Rust test.

use std::io::BufRead;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::report::Report;
use super::script::Script;
use super::service::{Config, Service};
use super::usage::{Matching, OnMiss};
use crate::error::{Doing, Error, Result};
use crate::fault::Faults;
use crate::net::Authority;
use crate::protocol::imap::AppLeg;
use crate::sink::bus::{Bus, OnFailure};

/// A server that plays a recording, on free ports of 127.0.0.1, until it is dropped.
///
/// An app connects with TLS at once ([`tls`](Self::tls)) or in cleartext, with STARTTLS if it likes
/// ([`plain`](Self::plain)); it has to trust [`ca_pem`](Self::ca_pem), and any password does.
///
/// ```
/// use std::io::{BufRead, BufReader, Write};
/// use std::net::TcpStream;
///
/// use mailscope::replay::Server;
///
/// let server = Server::start("recordings/tour.json")?;
/// let mut app = BufReader::new(TcpStream::connect(server.plain())?);
/// let mut line = String::new();
/// app.read_line(&mut line)?;
/// assert!(line.starts_with("* OK"));
/// app.get_mut().write_all(b"x1 CAPABILITY\r\n")?;
/// while !line.starts_with("x1 OK") {
///     line.clear();
///     app.read_line(&mut line)?;
/// }
/// assert_eq!(server.report().matched, 1);
/// server.assert_matched();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Server {
    tls: SocketAddr,
    plain: SocketAddr,
    ca_pem: String,
    report: Box<dyn Fn() -> Report + Send + Sync>,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Plays the transcript in this file.
    ///
    /// # Errors
    ///
    /// It cannot be read or is no transcript (file, line and reason), or no port is free.
    pub fn start(transcript: impl AsRef<Path>) -> Result<Self> {
        Self::play(Script::open(transcript.as_ref())?)
    }

    /// Plays this transcript; `name` is what errors call it.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn read(transcript: impl BufRead + Send + 'static, name: &str) -> Result<Self> {
        Self::play(Script::read(transcript, name)?)
    }

    fn play(script: Script) -> Result<Self> {
        let authority = Arc::new(Authority::ephemeral()?);
        let ca_pem = authority.pem().to_owned();
        let stop = CancellationToken::new();
        let (ready, is_ready) = mpsc::channel();
        let stopped = stop.clone();
        let thread = std::thread::Builder::new()
            .name("mailscope replay".into())
            .spawn(move || serve(script, authority, &ready, stopped))
            .doing(|| "start a thread for the replay".into())?;
        let gone = || Error::new("start the replay", "its thread ended early");
        let (tls, plain, report) = is_ready.recv().map_err(|_| gone())??;
        Ok(Self {
            tls,
            plain,
            ca_pem,
            report,
            stop,
            thread: Some(thread),
        })
    }

    /// Where an app connects with TLS at once, as `localhost`.
    pub fn tls(&self) -> SocketAddr {
        self.tls
    }

    /// Where it connects in cleartext, or with STARTTLS.
    pub fn plain(&self) -> SocketAddr {
        self.plain
    }

    /// The certificate of the authority that it has to trust, as PEM. Made for this server alone.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// What matched so far, what did not, and what was not asked for yet.
    pub fn report(&self) -> Report {
        (self.report)()
    }

    /// Whether every command fitted.
    ///
    /// # Panics
    ///
    /// One did not; the message shows it beside the nearest recorded one.
    #[track_caller]
    pub fn assert_matched(&self) {
        let report = self.report();
        assert!(report.is_content(false), "{report}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

type Ready = Result<(
    SocketAddr,
    SocketAddr,
    Box<dyn Fn() -> Report + Send + Sync>,
)>;

fn serve(
    script: Script,
    authority: Arc<Authority>,
    ready: &mpsc::Sender<Ready>,
    stop: CancellationToken,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .doing(|| "start the replay".into());
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    runtime.block_on(async {
        match listening(script, authority).await {
            Ok((service, bus, addresses)) => {
                let report = Box::new(service.reporter());
                let _ = ready.send(Ok((addresses.0, addresses.1, report)));
                service.run(bus, Instant::now(), stop, false).await;
            }
            Err(error) => {
                let _ = ready.send(Err(error));
            }
        }
    });
}

async fn listening(
    script: Script,
    authority: Arc<Authority>,
) -> Result<(Service, Arc<Bus>, (SocketAddr, SocketAddr))> {
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
        matching: Matching::State,
        on_miss: OnMiss::Bad,
        pace: 0.0,
        faults: Faults::default(),
        authority,
        listeners,
        upstream: None,
    })?;
    let nobody: OnFailure = Arc::new(|_, _: &Error| ());
    let bus = Arc::new(Bus::new(Vec::new(), &nobody)?);
    Ok((service, bus, (addresses[0], addresses[1])))
}
