//! A recording as a server within a Rust test.

use std::io::BufRead;
use std::net::SocketAddr;
use std::path::Path;
use std::thread::JoinHandle;

use tokio_util::sync::CancellationToken;

use super::builder::{Builder, Listening};
use super::report::Report;
use crate::error::Result;

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
///
/// What does not fit fails the test, beside the nearest recorded command:
///
/// ```should_panic
/// # use std::io::{BufRead, BufReader, Write};
/// # use std::net::TcpStream;
/// # use mailscope::replay::Server;
/// let server = Server::from_text(
///     "S: * PREAUTH ready\n\
///      C: a SELECT INBOX\n\
///      S: * 1 EXISTS\n\
///      S: a OK selected\n",
/// )?;
/// # let mut app = BufReader::new(TcpStream::connect(server.plain())?);
/// # let mut line = String::new();
/// # app.read_line(&mut line)?;
/// // the app says: SELECT Drafts
/// # app.get_mut().write_all(b"x1 SELECT Drafts\r\n")?;
/// # app.read_line(&mut line)?;
/// server.assert_matched(); // recorded: INBOX
///                          // live:     Drafts
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Server {
    listening: Listening,
    ca_pem: String,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Plays the transcript in this file, as JSON or in the short text form.
    ///
    /// # Errors
    ///
    /// It cannot be read or is no transcript (file, line and reason), or no port is free.
    pub fn start(transcript: impl AsRef<Path>) -> Result<Self> {
        Self::builder().start(transcript)
    }

    /// Plays this transcript, JSON or the short text form.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn from_text(transcript: &str) -> Result<Self> {
        Self::builder().from_text(transcript)
    }

    /// Plays the transcript that is read here; `name` is what errors call it.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn read(transcript: impl BufRead + Send + 'static, name: &str) -> Result<Self> {
        Self::builder().read(transcript, name)
    }

    /// Says first how it is to be played: how commands are matched, what a miss is answered, with
    /// which pauses.
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(super) fn new(
        listening: Listening,
        ca_pem: String,
        stop: CancellationToken,
        thread: JoinHandle<()>,
    ) -> Self {
        Self {
            listening,
            ca_pem,
            stop,
            thread: Some(thread),
        }
    }

    /// Where an app connects with TLS at once, as `localhost`.
    pub fn tls(&self) -> SocketAddr {
        self.listening.tls
    }

    /// Where it connects in cleartext, or with STARTTLS.
    pub fn plain(&self) -> SocketAddr {
        self.listening.plain
    }

    /// The certificate of the authority that it has to trust, as PEM. Made for this server alone.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// What matched so far, what did not, and what was not asked for yet.
    pub fn report(&self) -> Report {
        (self.listening.report)()
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

    /// Whether every command fitted, and every recorded one was asked for.
    ///
    /// # Panics
    ///
    /// One did not or was not; the message shows the former beside the nearest recorded one.
    #[track_caller]
    pub fn assert_all_asked(&self) {
        let report = self.report();
        assert!(report.is_content(true), "{report}");
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
