//! What is not IMAP: passed on untouched and not recorded, since nobody here knows its secrets.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional};

use super::pump::{End, Legs};
use super::tap::Tap;
use crate::event::Note;
use crate::net::Transport;

/// How that ended.
pub struct Passed {
    /// In words.
    pub reason: String,
    /// How the app's leg failed, if it did.
    pub app: Option<End>,
}

/// Tells that this is not IMAP, and `why`; passes on what comes on these legs until both have ended.
pub async fn pass(tap: &Tap, legs: Legs, why: String) -> Passed {
    tap.note(&Note::NotImap { why });
    let (mut app, mut server) = (Leg::new(legs.app), Leg::new(legs.server));
    match copy_bidirectional(&mut app, &mut server).await {
        Ok((up, down)) => Passed {
            reason: format!(
                "passed on and not recorded: {up} octets of the app, {down} octets of the server"
            ),
            app: None,
        },
        Err(error) => Passed {
            reason: format!("passed on and not recorded, until it broke off ({error})"),
            app: app.has_failed.then_some(End::ReadFailed(error)),
        },
    }
}

/// A leg whose end is an end, with TLS's `close_notify` or without: as an error it would take along
/// what is on its way in both directions.
struct Leg {
    transport: Transport,
    has_failed: bool,
}

impl Leg {
    fn new(transport: Transport) -> Self {
        Self {
            transport,
            has_failed: false,
        }
    }
}

impl AsyncRead for Leg {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = ready!(Pin::new(&mut self.transport).poll_read(cx, buffer));
        Poll::Ready(match read {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(()),
            read => {
                self.has_failed = read.is_err();
                read
            }
        })
    }
}

impl AsyncWrite for Leg {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.transport).poll_write(cx, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_shutdown(cx)
    }
}
