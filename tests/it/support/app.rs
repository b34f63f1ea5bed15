//! An app for the near end: connects to mailscope and says what the test wants.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::{PATIENCE, certificates, server};

enum Leg {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// A connection to mailscope.
pub struct App {
    leg: Leg,
}

impl App {
    /// In cleartext.
    pub fn plain(address: &str) -> Self {
        Self::plain_over(connect(address))
    }

    /// In cleartext, on a connection that is there.
    pub fn plain_over(stream: TcpStream) -> Self {
        Self {
            leg: Leg::Plain(stream),
        }
    }

    /// With TLS, asking for `name` and trusting the authority in this PEM file alone.
    pub fn tls(address: &str, name: &str, trusted: &Path) -> Self {
        Self::tls_over(connect(address), name, trusted)
    }

    /// The same on a connection that is there.
    pub fn tls_over(stream: TcpStream, name: &str, trusted: &Path) -> Self {
        Self::tls_offering(stream, name, trusted, &[])
    }

    /// The same, offering these application protocols.
    pub fn tls_offering(stream: TcpStream, name: &str, trusted: &Path, alpn: &[&[u8]]) -> Self {
        let mut config = ClientConfig::clone(&certificates::client(trusted));
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        Self::plain_over(stream).with_tls(name, Arc::new(config))
    }

    /// The same cleartext connection with TLS from here on, begun with the first octet that is said
    /// or heard.
    pub fn with_tls(self, name: &str, config: Arc<ClientConfig>) -> Self {
        let Leg::Plain(tcp) = self.leg else {
            panic!("there is TLS already");
        };
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let connection = ClientConnection::new(config, name).unwrap();
        Self {
            leg: Leg::Tls(Box::new(StreamOwned::new(connection, tcp))),
        }
    }

    /// Begins TLS on this cleartext connection.
    pub fn begin_tls(&mut self, name: &str, trusted: &Path) {
        self.try_tls(name, trusted).unwrap();
    }

    /// Begins it, if that can be.
    pub fn try_tls(&mut self, name: &str, trusted: &Path) -> io::Result<()> {
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let connection = ClientConnection::new(certificates::client(trusted), name).unwrap();
        let mut stream = StreamOwned::new(connection, self.tcp().try_clone()?);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        self.leg = Leg::Tls(Box::new(stream));
        Ok(())
    }

    /// The application protocol agreed on, where there is TLS.
    pub fn alpn(&self) -> Option<&[u8]> {
        match &self.leg {
            Leg::Plain(_) => None,
            Leg::Tls(stream) => stream.conn.alpn_protocol(),
        }
    }

    fn stream(&mut self) -> &mut dyn ReadWrite {
        match &mut self.leg {
            Leg::Plain(stream) => stream,
            Leg::Tls(stream) => stream,
        }
    }

    /// The TCP connection.
    pub fn tcp(&self) -> &TcpStream {
        match &self.leg {
            Leg::Plain(stream) => stream,
            Leg::Tls(stream) => &stream.sock,
        }
    }

    /// Sends octets.
    pub fn say(&mut self, octets: &[u8]) {
        self.stream().write_all(octets).unwrap();
        self.stream().flush().unwrap();
    }

    /// Sends octets, if mailscope is there.
    pub fn try_say(&mut self, octets: &[u8]) -> io::Result<()> {
        self.stream().write_all(octets)
    }

    /// Reads lines up to the one that begins with `beginning`, if mailscope is there; whether that
    /// came.
    pub fn try_hear(&mut self, beginning: &str) -> io::Result<bool> {
        loop {
            let line = server::line(self.stream())?;
            if line.is_empty() || line.starts_with(beginning.as_bytes()) {
                return Ok(!line.is_empty());
            }
        }
    }

    /// Reads lines up to the one that begins with `beginning`; all of them.
    pub fn hear(&mut self, beginning: &str) -> String {
        let mut heard = String::new();
        loop {
            let line = server::line(self.stream()).unwrap();
            assert!(!line.is_empty(), "ended before {beginning:?}: {heard:?}");
            let line = String::from_utf8_lossy(&line).into_owned();
            heard.push_str(&line);
            if line.starts_with(beginning) {
                return heard;
            }
        }
    }

    /// Reads what comes next; nothing at the end.
    pub fn hear_some(&mut self) -> Vec<u8> {
        let mut octets = vec![0; 16 * 1024];
        let length = self.stream().read(&mut octets).unwrap();
        octets.truncate(length);
        octets
    }

    /// Reads so many octets.
    pub fn hear_octets(&mut self, length: usize) -> Vec<u8> {
        let mut octets = vec![0; length];
        self.stream().read_exact(&mut octets).unwrap();
        octets
    }

    /// Sends a command and reads up to its answer: `say_command("a", "NOOP")`.
    pub fn command(&mut self, tag: &str, command: &str) -> String {
        self.say(format!("{tag} {command}\r\n").as_bytes());
        self.hear(&format!("{tag} "))
    }

    /// Says that it will send no more.
    pub fn finish(&mut self) {
        if let Leg::Tls(stream) = &mut self.leg {
            stream.conn.send_close_notify();
        }
        let _ = self.stream().flush();
        let _ = self.tcp().shutdown(Shutdown::Write);
    }

    /// Reads to the end.
    pub fn rest(&mut self) -> io::Result<Vec<u8>> {
        let mut rest = Vec::new();
        match self.stream().read_to_end(&mut rest) {
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
            _ => Ok(rest),
        }
    }
}

trait ReadWrite: Read + Write {}

impl<T: Read + Write> ReadWrite for T {}

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}
