//! One leg's octets, in the clear or through TLS.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};

use socket2::SockRef;
use tokio::io::{
    AsyncBufRead, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, Interest, ReadBuf,
};
use tokio::net::TcpStream;
use tokio::time::{Duration, timeout};

/// A connection whose handshake, if it has one, is done.
///
/// Reading ends with `Ok(0)` when the peer ended its direction. A TLS peer that just ended the TCP
/// connection, without a `close_notify` (RFC 8446, section 6.1), reads as
/// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof): many mail apps and servers do that, so it is
/// an end like any other, though not a proven one.
///
/// Shutting down ends our direction: `close_notify` where there is TLS, then TCP's FIN. What the
/// peer still says can be read.
#[derive(Debug)]
pub enum Transport {
    /// Cleartext.
    Plain(TcpStream),
    /// TLS, mailscope being the client: the leg to the server.
    TlsClient(Box<tokio_rustls::client::TlsStream<TcpStream>>),
    /// TLS, mailscope being the server: the leg to the app.
    TlsServer(Box<tokio_rustls::server::TlsStream<TcpStream>>),
}

impl Transport {
    /// The TCP connection below, for its addresses and options.
    pub fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::TlsClient(tls) => tls.get_ref().0,
            Self::TlsServer(tls) => tls.get_ref().0,
        }
    }

    /// Ends the connection so that the peer can read what was written: octets of its own that nobody
    /// read would make a reset of the close. Waits for the peer's end, at most so long.
    pub async fn close(&mut self, patience: Duration) {
        let ending = async {
            let _ = self.shutdown().await;
            // Not in the future itself, which every connection keeps.
            let mut rest = vec![0; 4096];
            while matches!(self.read(&mut rest).await, Ok(1..)) {}
        };
        let _ = timeout(patience, ending).await;
    }

    /// The first octet of what the peer says next, left where it is; none if it has ended its
    /// direction, with a `close_notify` or without.
    ///
    /// # Errors
    ///
    /// The connection failed, or the peer sent an alert; that is told this once.
    pub fn poll_first_octet(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<u8>>> {
        let first = |octets: &[u8]| octets.first().copied();
        let octet = match self {
            Self::Plain(tcp) => {
                let mut octet = [0];
                let mut octet = ReadBuf::new(&mut octet);
                ready!(tcp.poll_peek(cx, &mut octet)).map(|_| first(octet.filled()))
            }
            Self::TlsClient(tls) => ready!(Pin::new(tls).poll_fill_buf(cx)).map(first),
            Self::TlsServer(tls) => ready!(Pin::new(tls).poll_fill_buf(cx)).map(first),
        };
        Poll::Ready(match octet {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            octet => octet,
        })
    }

    /// Whether the peer has ended its direction, or the connection; also where what it said before is
    /// not read yet.
    pub fn has_ended(&self) -> bool {
        let state = pin!(self.tcp().ready(Interest::READABLE));
        match state.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(ready)) => ready.is_read_closed(),
            Poll::Ready(Err(_)) => true,
            Poll::Pending => false,
        }
    }

    /// Has the connection reset when it is dropped (RFC 9293, section 3.5.2), without a word of TLS.
    pub fn reset(&self) {
        // A system that cannot do it closes the connection all the same.
        let _ = SockRef::from(self.tcp()).set_linger(Some(Duration::ZERO));
    }
}

/// Calls the same method on whichever stream it is.
macro_rules! on_each {
    ($transport:expr, $method:ident($($argument:expr),*)) => {
        match $transport.get_mut() {
            Transport::Plain(stream) => Pin::new(stream).$method($($argument),*),
            Transport::TlsClient(stream) => Pin::new(stream).$method($($argument),*),
            Transport::TlsServer(stream) => Pin::new(stream).$method($($argument),*),
        }
    };
}

impl AsyncRead for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        on_each!(self, poll_read(cx, buffer))
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        on_each!(self, poll_write(cx, octets))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        on_each!(self, poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::TlsClient(stream) => stream.is_write_vectored(),
            Self::TlsServer(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_each!(self, poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_each!(self, poll_shutdown(cx))
    }
}
