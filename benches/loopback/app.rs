//! The mail app: asks, and reads the answer to its end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mailscope::net::{Authority, Ours, ServerAddress, TlsToServer, Transport, dial};
use mailscope::relay::Leg;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use super::Session;
use super::server::{GREETING, starttls};
use crate::traffic::Exchange;

/// A connection that waits for its answers, logged in.
pub struct App {
    runtime: Runtime,
    stream: Transport,
    buffer: Vec<u8>,
    /// From the first packet to the login's answer.
    pub set_up: Duration,
}

impl App {
    /// Connects, and logs in behind TLS.
    pub fn connect(to: &ServerAddress, trusted: &Arc<Authority>, session: Session) -> Self {
        let runtime = super::one_thread();
        // A new one each time, so that no handshake resumes the one before.
        let tls = super::trusting(trusted);
        let mut buffer = vec![0; 64 * 1024];
        let login = Exchange::login();
        let (stream, set_up) = runtime.block_on(async {
            let begun = Instant::now();
            let tcp = dial(to, &Ours::default()).await.expect("a connection");
            let mut stream = match session.app() {
                Leg::Tls => begin_with_tls(tcp, &tls, to).await,
                _ => begin_with_starttls(tcp, &tls, to, &mut buffer).await,
            };
            exchange(&mut stream, &mut buffer, &login).await;
            (stream, begun.elapsed())
        });
        let mut app = Self {
            runtime,
            stream,
            buffer,
            set_up,
        };
        if session == Session::Compressed {
            app.ask(&Exchange::compress());
        }
        app
    }

    /// Sends the command and reads the whole answer.
    pub fn ask(&mut self, asked: &Exchange) {
        let asking = exchange(&mut self.stream, &mut self.buffer, asked);
        self.runtime.block_on(asking);
    }
}

async fn begin_with_tls(tcp: TcpStream, tls: &TlsToServer, to: &ServerAddress) -> Transport {
    let connected = tls.connect(tcp, to, Vec::new()).await;
    let (mut stream, _) = connected.expect("a handshake");
    hear_greeting(&mut stream).await;
    stream
}

async fn begin_with_starttls(
    tcp: TcpStream,
    tls: &TlsToServer,
    to: &ServerAddress,
    buffer: &mut [u8],
) -> Transport {
    let mut stream = Transport::Plain(tcp);
    hear_greeting(&mut stream).await;
    exchange(&mut stream, buffer, &starttls("a")).await;
    let Transport::Plain(tcp) = stream else {
        unreachable!("it is plain");
    };
    let connected = tls.connect(tcp, to, Vec::new()).await;
    connected.expect("a handshake").0
}

async fn hear_greeting(stream: &mut Transport) {
    let mut greeting = [0; GREETING.len()];
    stream.read_exact(&mut greeting).await.expect("a greeting");
}

async fn exchange(stream: &mut Transport, buffer: &mut [u8], asked: &Exchange) {
    stream.write_all(&asked.command).await.expect("sent");
    stream.flush().await.expect("sent");
    let mut missing = asked.response.len();
    while missing > 0 {
        let most = missing.min(buffer.len());
        let length = stream.read(&mut buffer[..most]).await.expect("an answer");
        assert_ne!(length, 0, "closed within an answer");
        missing -= length;
        let end = asked.response.len() - missing;
        // Enough to see that it is the answer, and not what the time is spent on.
        assert_eq!(buffer[length - 1], asked.response[end - 1]);
    }
}
