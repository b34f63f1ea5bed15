//! Both ends of a connection through mailscope in the hands of one test, each way on its own: what
//! [`App`](super::app::App) and [`Server`](super::server::Server), which take turns, cannot do.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, Connection, ServerConfig, ServerConnection};

use super::mailscope::Mailscope;
use super::{PATIENCE, certificates, wait_for};

/// How an app reaches mailscope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    Plain,
    Tls,
}

/// The server's end, where every connection is waited for.
pub struct Far {
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
}

impl Far {
    /// On a free port of 127.0.0.1; with `tls`, behind TLS.
    pub fn listen(tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        Self { listener, tls }
    }

    /// `127.0.0.1:PORT`, or `localhost:PORT` for a certificate's sake.
    pub fn name(&self) -> String {
        format!("localhost:{}", self.listener.local_addr().unwrap().port())
    }

    /// The next connection, its handshake done.
    pub fn accept(&self) -> Wire {
        let accepted = wait_for("a connection", || self.listener.accept().ok());
        let tcp = ready(accepted.0);
        tcp.set_nonblocking(false).unwrap();
        match &self.tls {
            None => Wire { tcp, tls: None },
            Some(config) => {
                let tls = ServerConnection::new(Arc::clone(config)).unwrap();
                Wire::handshake(tcp, tls.into()).unwrap()
            }
        }
    }
}

/// An app's connection and the server's that mailscope joins it with.
pub fn join(mailscope: &Mailscope, door: Door, far: &Far) -> (Wire, Wire) {
    std::thread::scope(|scope| {
        let far = scope.spawn(|| far.accept());
        let near = match door {
            Door::Plain => Wire::plain(mailscope.plain()),
            Door::Tls => Wire::tls(mailscope.tls(), &mailscope.ca()),
        };
        (near, far.join().unwrap())
    })
}

/// A connection.
pub struct Wire {
    tcp: TcpStream,
    tls: Option<Arc<Mutex<Connection>>>,
}

impl Wire {
    /// To this address, in cleartext.
    pub fn plain(address: &str) -> Self {
        let tcp = ready(TcpStream::connect(address).unwrap());
        Self { tcp, tls: None }
    }

    /// To this address, with TLS, as localhost.
    pub fn tls(address: &str, trusted: &Path) -> Self {
        let name = ServerName::try_from("localhost").unwrap();
        let tls = ClientConnection::new(certificates::client(trusted), name).unwrap();
        let tcp = ready(TcpStream::connect(address).unwrap());
        Self::handshake(tcp, tls.into()).unwrap()
    }

    fn handshake(mut tcp: TcpStream, mut tls: Connection) -> io::Result<Self> {
        while tls.is_handshaking() {
            tls.complete_io(&mut tcp)?;
        }
        // What the handshake left to be sent: session tickets.
        while tls.wants_write() {
            tls.write_tls(&mut tcp)?;
        }
        let tls = Some(Arc::new(Mutex::new(tls)));
        Ok(Self { tcp, tls })
    }

    /// The TCP connection.
    pub fn tcp(&self) -> &TcpStream {
        &self.tcp
    }

    /// The two ways, for two threads.
    pub fn ways(&self) -> (Incoming, Outgoing) {
        let incoming = Incoming {
            tcp: self.tcp.try_clone().unwrap(),
            tls: self.tls.clone(),
            buffer: vec![0; 64 * 1024],
            came: VecDeque::new(),
        };
        let outgoing = Outgoing {
            tcp: self.tcp.try_clone().unwrap(),
            tls: self.tls.clone(),
        };
        (incoming, outgoing)
    }

    /// Sends octets.
    pub fn say(&self, octets: &[u8]) {
        self.ways().1.write_all(octets).unwrap();
    }

    /// Reads so many octets.
    pub fn hear(&self, length: usize) -> Vec<u8> {
        let mut octets = vec![0; length];
        self.ways().0.read_exact(&mut octets).unwrap();
        octets
    }

    /// Reads to the end, which must be a proper one: close_notify where there is TLS.
    pub fn rest(&self) -> Vec<u8> {
        let mut octets = Vec::new();
        self.ways().0.read_to_end(&mut octets).unwrap();
        octets
    }

    /// Says that no more comes from here.
    pub fn finish(&self) {
        self.ways().1.finish();
    }
}

/// What comes.
pub struct Incoming {
    tcp: TcpStream,
    tls: Option<Arc<Mutex<Connection>>>,
    buffer: Vec<u8>,
    /// Decrypted and not yet read; lost with this, so that what comes later is read from the same.
    came: VecDeque<u8>,
}

impl Read for Incoming {
    fn read(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        let Some(tls) = &self.tls else {
            return self.tcp.read(octets);
        };
        while self.came.is_empty() {
            if let Some(length) = taken(&mut tls.lock().unwrap(), &mut self.came)? {
                return Ok(length);
            }
            if !self.came.is_empty() {
                break;
            }
            let length = self.tcp.read(&mut self.buffer)?; // not under the lock
            let mut tls = tls.lock().unwrap();
            let mut records = &self.buffer[..length];
            loop {
                tls.read_tls(&mut records)?;
                tls.process_new_packets().map_err(io::Error::other)?;
                if records.is_empty() {
                    break;
                }
                taken(&mut tls, &mut self.came)?;
            }
        }
        self.came.read(octets)
    }
}

/// Takes what is decrypted; `Some(0)` at the proper end.
fn taken(tls: &mut Connection, came: &mut VecDeque<u8>) -> io::Result<Option<usize>> {
    let mut piece = [0; 16 * 1024];
    loop {
        match tls.reader().read(&mut piece) {
            Ok(0) if came.is_empty() => return Ok(Some(0)),
            Ok(0) => return Ok(None),
            Ok(length) => came.extend(&piece[..length]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error),
        }
    }
}

/// What goes.
pub struct Outgoing {
    tcp: TcpStream,
    tls: Option<Arc<Mutex<Connection>>>,
}

impl Outgoing {
    /// Says that no more comes from here.
    pub fn finish(mut self) {
        if let Some(tls) = &self.tls {
            tls.lock().unwrap().send_close_notify();
            let _ = self.write(b"");
        }
        let _ = self.tcp.shutdown(Shutdown::Write);
    }
}

impl Write for Outgoing {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let Some(tls) = &self.tls else {
            return self.tcp.write(octets);
        };
        let mut records = Vec::new();
        let length = {
            let mut tls = tls.lock().unwrap();
            let length = tls.writer().write(octets)?;
            while tls.wants_write() {
                tls.write_tls(&mut records)?;
            }
            length
        };
        self.tcp.write_all(&records)?; // not under the lock
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn ready(tcp: TcpStream) -> TcpStream {
    tcp.set_read_timeout(Some(PATIENCE)).unwrap();
    tcp.set_write_timeout(Some(PATIENCE)).unwrap();
    tcp.set_nodelay(true).unwrap();
    tcp
}
