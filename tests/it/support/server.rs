//! A server for the far end: a thread that does what the test says on each connection.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::PATIENCE;

/// What one connection is: cleartext or TLS, both ways in one thread.
pub trait Stream: Read + Write + Send {
    /// The TCP connection under it.
    fn tcp(&self) -> &TcpStream;

    /// Says that no more octets come from here, TLS's close_notify included.
    fn finish(&mut self) {
        let _ = self.flush();
        let _ = self.tcp().shutdown(Shutdown::Write);
    }
}

impl Stream for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Stream for StreamOwned<ServerConnection, TcpStream> {
    fn tcp(&self) -> &TcpStream {
        &self.sock
    }

    fn finish(&mut self) {
        self.conn.send_close_notify();
        let _ = self.flush();
        let _ = self.sock.shutdown(Shutdown::Write);
    }
}

/// A server on a free port of 127.0.0.1 until it is dropped.
pub struct Server {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    connections: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl Server {
    /// Serves every connection in a thread of its own with `serve`; with `tls`, behind TLS.
    pub fn start(
        tls: Option<Arc<ServerConfig>>,
        serve: impl Fn(&mut dyn Stream) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let stopped = Arc::new(AtomicBool::new(false));
        let connections = Arc::new(Mutex::new(Vec::new()));
        let (stop, threads, serve) = (
            Arc::clone(&stopped),
            Arc::clone(&connections),
            Arc::new(serve),
        );
        let thread = std::thread::spawn(move || {
            for accepted in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = accepted else { continue };
                let (tls, serve) = (tls.clone(), Arc::clone(&serve));
                threads.lock().unwrap().push(std::thread::spawn(move || {
                    // An app that goes away ends its connection; the test sees that at its end.
                    let _ = handle(stream, tls, &*serve);
                }));
            }
        });
        Self {
            address,
            stopped,
            thread: Some(thread),
            connections,
        }
    }

    /// A cleartext server.
    pub fn plain(
        serve: impl Fn(&mut dyn Stream) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self::start(None, serve)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// `localhost:PORT`
    pub fn name(&self) -> String {
        format!("localhost:{}", self.port())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address); // wakes the thread that accepts
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        for connection in self.connections.lock().unwrap().drain(..) {
            let _ = connection.join();
        }
    }
}

fn handle(
    stream: TcpStream,
    tls: Option<Arc<ServerConfig>>,
    serve: &dyn Fn(&mut dyn Stream) -> io::Result<()>,
) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    match tls {
        None => {
            let mut stream = stream;
            serve(&mut stream)?;
            stream.finish();
        }
        Some(config) => {
            let connection = ServerConnection::new(config).map_err(io::Error::other)?;
            let mut stream = StreamOwned::new(connection, stream);
            serve(&mut stream)?;
            stream.finish();
        }
    }
    Ok(())
}

/// Reads one line, LF included; less at the end of the stream. Octet by octet, since what follows
/// the line is for somebody else.
pub fn line(stream: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let mut octet = [0];
    while !line.ends_with(b"\n") {
        match stream.read(&mut octet) {
            Ok(0) => break,
            Ok(_) => line.push(octet[0]),
            // A signal came, nothing else.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(line)
}

/// Greets, and answers every line.
pub fn polite(stream: &mut dyn Stream) -> io::Result<()> {
    stream.write_all(b"* OK ready\r\n")?;
    answer(stream)
}

/// Answers every line `TAG ...` with `TAG OK done`, LOGOUT with BYE too, until the app is gone.
pub fn answer(stream: &mut dyn Stream) -> io::Result<()> {
    loop {
        let line = line(stream)?;
        let text = String::from_utf8_lossy(&line).into_owned();
        let mut words = text.split_whitespace();
        let Some(tag) = words.next() else {
            return Ok(());
        };
        let logout = words
            .next()
            .is_some_and(|w| w.eq_ignore_ascii_case("LOGOUT"));
        if logout {
            stream.write_all(b"* BYE see you\r\n")?;
        }
        stream.write_all(format!("{tag} OK done\r\n").as_bytes())?;
        if logout {
            return Ok(());
        }
    }
}
