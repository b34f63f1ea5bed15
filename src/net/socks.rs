//! SOCKS5 without authentication (RFC 1928): an app names the server that it wants to be joined with.
//!
//! ```text
//! app -> 05 01 00                       versions and methods that it knows
//! app <- 05 00                          no authentication
//! app -> 05 01 00 03 len name port      CONNECT
//!                                         ... the server is dialled ...
//! app <- 05 00 00 01 address port       and from here on it is the server's connection
//! ```
//!
//! The last answer is the caller's to give, so that the app is told what became of its server. Not
//! an octet behind the request is read here, and nothing that was read is quoted in an error. Only CONNECT
//! is served, since that is what a mail app asks for. (Of the crates that do this, the permissively
//! licensed one takes six others along for these few octets.)

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::Poll;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;

use crate::limits;

const VERSION: u8 = 5;
const NO_AUTHENTICATION: u8 = 0;
const NO_ACCEPTABLE_METHOD: u8 = 0xff;
const CONNECT: u8 = 1;

/// Why an app is not served (RFC 1928, section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Something else.
    General = 1,
    /// It is not allowed.
    NotAllowed = 2,
    /// No way leads to the server's network.
    NetworkUnreachable = 3,
    /// The server does not answer, or its name is not found.
    HostUnreachable = 4,
    /// The server refused the connection.
    ConnectionRefused = 5,
    /// The app wants something else than CONNECT.
    CommandNotSupported = 7,
    /// The server's address is of a kind that is not known.
    AddressTypeNotSupported = 8,
}

/// Why there is no request to serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocksError {
    /// In words, with what to do.
    Failed {
        /// `it speaks SOCKS4; ...`
        why: String,
    },
    /// The app went before it sent anything.
    Gone,
}

impl SocksError {
    fn failed(why: impl Into<String>) -> Self {
        Self::Failed { why: why.into() }
    }
}

impl From<io::Error> for SocksError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                Self::failed("it closed the connection in the middle of its request")
            }
            _ => Self::failed(error.to_string()),
        }
    }
}

impl fmt::Display for SocksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { why } => f.write_str(why),
            Self::Gone => f.write_str("it closed the connection before it sent anything"),
        }
    }
}

impl std::error::Error for SocksError {}

/// An app's request, which waits for its answer.
#[derive(Debug)]
pub struct Request<S> {
    stream: S,
    host: String,
    port: u16,
}

/// Reads an app's request, within [`limits::HANDSHAKE`].
///
/// # Errors
///
/// The app does not speak SOCKS5, wants a password to be asked for, or something else than CONNECT. It
/// was told so, as far as SOCKS5 has words for it.
pub async fn accept<S>(stream: S) -> Result<Request<S>, SocksError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match timeout(limits::HANDSHAKE, read(stream)).await {
        Ok(request) => request,
        Err(_) => Err(SocksError::failed(format!(
            "it did not finish its request within {} seconds",
            limits::HANDSHAKE.as_secs()
        ))),
    }
}

impl<S: AsyncWrite + Unpin> Request<S> {
    /// The server's name or address, as the app gave it.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The server's port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Tells the app that it is joined with its server, by a connection made `from` there.
    ///
    /// # Errors
    ///
    /// The app is gone.
    pub async fn grant(mut self, from: SocketAddr) -> io::Result<S> {
        self.stream.write_all(&reply(0, from)).await?;
        Ok(self.stream)
    }

    /// Tells the app that it is not, and ends the connection.
    pub async fn refuse(mut self, refusal: Refusal) {
        refuse(&mut self.stream, refusal).await;
    }
}

async fn read<S>(mut stream: S) -> Result<Request<S>, SocksError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    greet(&mut stream).await?;
    let [version, command, _, kind] = octets(&mut stream).await?;
    if version != VERSION {
        discard(&mut stream).await;
        return Err(SocksError::failed("its request is not one of SOCKS5"));
    }
    let Some(host) = host(&mut stream, kind).await? else {
        discard(&mut stream).await;
        refuse(&mut stream, Refusal::AddressTypeNotSupported).await;
        return Err(SocksError::failed(format!(
            "its server's address is of type {kind}, which SOCKS5 does not know"
        )));
    };
    let port = u16::from_be_bytes(octets(&mut stream).await?);
    if command != CONNECT {
        refuse(&mut stream, Refusal::CommandNotSupported).await;
        return Err(SocksError::failed(format!(
            "it wants {}, and mailscope only does CONNECT",
            match command {
                2 => "BIND".to_owned(),
                3 => "UDP ASSOCIATE".to_owned(),
                other => format!("the command {other}"),
            }
        )));
    }
    Ok(Request { stream, host, port })
}

/// Agrees on the version and on no authentication (RFC 1928, section 3).
async fn greet<S>(stream: &mut S) -> Result<(), SocksError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut version = [0];
    if stream.read(&mut version).await.unwrap_or(0) == 0 {
        return Err(SocksError::Gone);
    }
    if version != [VERSION] {
        discard(stream).await;
        return Err(SocksError::failed(not_socks5(version[0])));
    }
    let [count] = octets(stream).await?;
    let mut methods = vec![0; usize::from(count)];
    stream.read_exact(&mut methods).await?;
    if methods.contains(&NO_AUTHENTICATION) {
        return Ok(stream.write_all(&[VERSION, NO_AUTHENTICATION]).await?);
    }
    stream.write_all(&[VERSION, NO_ACCEPTABLE_METHOD]).await?;
    Err(SocksError::failed(
        "it insists on a user name and password for the proxy; leave them out, mailscope asks for none",
    ))
}

/// What an app speaks whose first octet is this.
fn not_socks5(first: u8) -> &'static str {
    match first {
        4 => "it speaks SOCKS4; set its proxy to SOCKS version 5",
        0x16 => {
            "it speaks TLS; this listener is a SOCKS5 proxy, to be set as such, and not as the app's \
             mail server"
        }
        b'A'..=b'Z' => {
            "it speaks HTTP, most likely; set mailscope as its SOCKS proxy (version 5), not as its HTTP \
             proxy"
        }
        _ => "what it sent is not SOCKS5; set its proxy to SOCKS version 5",
    }
}

/// The host of a request; none for an address of an unknown type.
async fn host<S>(stream: &mut S, kind: u8) -> Result<Option<String>, SocksError>
where
    S: AsyncRead + Unpin,
{
    let address: IpAddr = match kind {
        1 => Ipv4Addr::from(octets::<4, _>(stream).await?).into(),
        3 => {
            let [length] = octets(stream).await?;
            let mut name = vec![0; usize::from(length)];
            stream.read_exact(&mut name).await?;
            return Ok(Some(String::from_utf8_lossy(&name).into_owned()));
        }
        4 => Ipv6Addr::from(octets::<16, _>(stream).await?).into(),
        _ => return Ok(None),
    };
    Ok(Some(address.to_canonical().to_string()))
}

async fn octets<const N: usize, S>(stream: &mut S) -> io::Result<[u8; N]>
where
    S: AsyncRead + Unpin,
{
    let mut octets = [0; N];
    stream.read_exact(&mut octets).await?;
    Ok(octets)
}

async fn refuse<S: AsyncWrite + Unpin>(stream: &mut S, refusal: Refusal) {
    let nowhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    // An app that is gone needs no answer.
    let _ = stream.write_all(&reply(refusal as u8, nowhere)).await;
    let _ = stream.shutdown().await;
}

/// An answer (RFC 1928, section 6).
fn reply(code: u8, address: SocketAddr) -> Vec<u8> {
    let mut reply = vec![VERSION, code, 0];
    match address.ip() {
        IpAddr::V4(ip) => {
            reply.push(1);
            reply.extend(ip.octets());
        }
        IpAddr::V6(ip) => {
            reply.push(4);
            reply.extend(ip.octets());
        }
    }
    reply.extend(address.port().to_be_bytes());
    reply
}

/// Reads what is there, so that closing does not reset the connection: an app may show a reset
/// instead of what it was told.
async fn discard<S: AsyncRead + Unpin>(stream: &mut S) {
    let mut unread = [0; 4096];
    let mut unread = ReadBuf::new(&mut unread);
    poll_fn(|cx| {
        let _ = Pin::new(&mut *stream).poll_read(cx, &mut unread);
        Poll::Ready(())
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{DuplexStream, duplex};

    const GREETING: &[u8] = b"\x05\x01\x00";

    /// What becomes of an app that sends these octets in these pieces; and its end.
    async fn sent(pieces: &[&[u8]]) -> (Result<Request<DuplexStream>, SocksError>, DuplexStream) {
        let (mut app, ours) = duplex(1024);
        let accepting = tokio::spawn(accept(ours));
        for piece in pieces {
            app.write_all(piece).await.unwrap();
            tokio::task::yield_now().await;
        }
        app.shutdown().await.unwrap();
        (accepting.await.unwrap(), app)
    }

    /// What the app was told in all.
    async fn heard(mut app: DuplexStream) -> Vec<u8> {
        let mut heard = Vec::new();
        app.read_to_end(&mut heard).await.unwrap();
        heard
    }

    async fn refused(request: &[u8]) -> (String, Vec<u8>) {
        let (outcome, app) = sent(&[request]).await;
        (outcome.unwrap_err().to_string(), heard(app).await)
    }

    #[tokio::test]
    async fn each_kind_of_address_whole_and_octet_by_octet() {
        for (request, host) in [
            (
                &b"\x05\x01\x00\x01\x7f\x00\x00\x01\x03\xe1"[..],
                "127.0.0.1",
            ),
            (b"\x05\x01\x00\x03\x09localhost\x03\xe1", "localhost"),
            (
                b"\x05\x01\x00\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x03\xe1",
                "::1",
            ),
            (
                b"\x05\x01\x00\x04\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\x01\x03\xe1",
                "127.0.0.1",
            ),
        ] {
            let whole = [GREETING, request].concat();
            let one_by_one: Vec<&[u8]> = whole.chunks(1).collect();
            for pieces in [vec![whole.as_slice()], vec![GREETING, request], one_by_one] {
                let (request, app) = sent(&pieces).await;
                let request = request.unwrap();
                assert_eq!((request.host(), request.port()), (host, 993));
                let from = "127.0.0.1:4660".parse().unwrap();
                drop(request.grant(from).await.unwrap());
                assert_eq!(
                    heard(app).await,
                    b"\x05\x00\x05\x00\x00\x01\x7f\x00\x00\x01\x12\x34"
                );
            }
        }
    }

    #[tokio::test]
    async fn octets_behind_the_request_stay_for_the_server() {
        let request = b"\x05\x02\x02\x00\x05\x01\x00\x03\x01h\x00\x8fa NOOP\r\n";
        let (request, _app) = sent(&[request]).await;
        let mut stream = request
            .unwrap()
            .grant("[::1]:1".parse().unwrap())
            .await
            .unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"a NOOP\r\n");
    }

    #[tokio::test]
    async fn what_became_of_the_server_is_told() {
        let request = b"\x05\x01\x00\x05\x01\x00\x03\x01h\x00\x8f";
        let (request, app) = sent(&[request]).await;
        request.unwrap().refuse(Refusal::ConnectionRefused).await;
        assert_eq!(heard(app).await, b"\x05\x00\x05\x05\x00\x01\0\0\0\0\0\0");
    }

    #[tokio::test]
    async fn what_is_not_served_is_told_in_the_words_of_socks5() {
        for (request, words, answer) in [
            (
                &b"\x05\x01\x02"[..],
                "user name and password",
                &b"\x05\xff"[..],
            ),
            (b"\x05\x00", "user name and password", b"\x05\xff"),
            (
                b"\x05\x01\x00\x05\x02\x00\x01\x7f\x00\x00\x01\x03\xe1",
                "BIND",
                b"\x05\x00\x05\x07\x00\x01\0\0\0\0\0\0",
            ),
            (
                b"\x05\x01\x00\x05\x03\x00\x03\x01h\x03\xe1",
                "UDP",
                b"\x05\x00\x05\x07\x00\x01\0\0\0\0\0\0",
            ),
            (
                b"\x05\x01\x00\x05\x01\x00\x02\x01h\x03\xe1",
                "type 2",
                b"\x05\x00\x05\x08\x00\x01\0\0\0\0\0\0",
            ),
            (
                b"\x05\x01\x00\x04\x01\x00\x01",
                "not one of SOCKS5",
                b"\x05\x00",
            ),
        ] {
            let (error, heard) = refused(request).await;
            assert!(error.contains(words), "{error}");
            assert_eq!(heard, answer, "{words}");
        }
    }

    #[tokio::test]
    async fn what_is_not_socks5_is_closed_without_an_octet() {
        for (octets, words) in [
            (&b"\x04\x01\x03\xe1\x7f\x00\x00\x01\x00"[..], "SOCKS4"),
            (b"CONNECT imap.example.com:993 HTTP/1.1\r\n\r\n", "HTTP"),
            (b"\x16\x03\x01\x02\x00", "TLS"),
            (b"\x00", "not SOCKS5"),
            (b"\x05", "middle"),
            (b"\x05\x03\x00", "middle"),
        ] {
            let (error, heard) = refused(octets).await;
            assert!(error.contains(words), "{error}");
            assert_eq!(heard, b"", "{words}");
        }
        let (outcome, _app) = sent(&[]).await;
        assert_eq!(outcome.unwrap_err(), SocksError::Gone);
        let (error, _) = refused(b"\x05\x01\x00\x05\x01\x00\x03\x09local").await;
        assert!(error.contains("middle"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_app_that_does_not_go_on_is_not_waited_for() {
        let (mut app, ours) = duplex(1024);
        app.write_all(b"\x05\x01").await.unwrap();
        let error = accept(ours).await.unwrap_err();
        assert!(error.to_string().contains("20 seconds"), "{error}");
    }
}
