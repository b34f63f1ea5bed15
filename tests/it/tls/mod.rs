//! TLS on both legs as the app meant it: versions, names and protocols, certificates of both sides,
//! and the keys for who captures.
//!
//! What fails, and what the app is told of it, is in `failures`; the authority's certificates are in
//! `authority` and `trust_stores`.

mod client_certificate;
mod keylog;
mod s_server;
mod server_keys;
mod sessions;

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use libtest_mimic::Trial;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

use super::support::server::{Server, Stream, answer, line};
use super::support::transcript::Transcript;

pub fn trials() -> Vec<Trial> {
    [
        client_certificate::trials(),
        keylog::trials(),
        server_keys::trials(),
        sessions::trials(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// When TLS begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begins {
    AtOnce,
    Starttls,
}

/// What a server saw of a handshake.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    sni: Option<String>,
    alpn: Option<String>,
}

/// A polite server with TLS, and what it sees of each session.
fn server(config: Arc<ServerConfig>, begins: Begins) -> (Server, Receiver<Seen>) {
    let (see, seen) = channel();
    let server = Server::plain(move |stream| {
        match begins {
            Begins::AtOnce => {}
            Begins::Starttls => until_starttls(stream)?,
        }
        let connection = ServerConnection::new(Arc::clone(&config)).map_err(io::Error::other)?;
        let mut tls = StreamOwned::new(connection, stream.tcp().try_clone()?);
        while tls.conn.is_handshaking() {
            tls.conn.complete_io(&mut tls.sock)?;
        }
        let alpn = tls.conn.alpn_protocol();
        let _ = see.send(Seen {
            sni: tls.conn.server_name().map(str::to_owned),
            alpn: alpn.map(|name| String::from_utf8_lossy(name).into_owned()),
        });
        if begins == Begins::AtOnce {
            tls.write_all(b"* OK ready\r\n")?;
        }
        answer(&mut tls)?;
        tls.finish();
        Ok(())
    });
    (server, seen)
}

fn until_starttls(stream: &mut dyn Stream) -> io::Result<()> {
    stream.write_all(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n")?;
    loop {
        let line = line(stream)?;
        let text = String::from_utf8_lossy(&line).into_owned();
        let mut words = text.split_whitespace();
        let (Some(tag), Some(name)) = (words.next(), words.next()) else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        if name.eq_ignore_ascii_case("CAPABILITY") {
            stream.write_all(b"* CAPABILITY IMAP4rev1 STARTTLS\r\n")?;
        }
        stream.write_all(format!("{tag} OK done\r\n").as_bytes())?;
        if name.eq_ignore_ascii_case("STARTTLS") {
            return Ok(());
        }
    }
}

/// The `secured` event of a leg; there is one.
fn secured<'t>(transcript: &'t Transcript, leg: &str) -> &'t Value {
    let events = transcript.kind("secured");
    let mut events = events.into_iter().filter(|event| event["leg"] == leg);
    let event = events.next();
    assert_eq!(events.next(), None);
    event.unwrap_or_else(|| panic!("no TLS on the leg {leg}: {}", transcript.text()))
}
