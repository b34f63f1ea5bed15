//! Connections of a relay whose peers are gone or silent, in a time that passes as fast as nobody does
//! anything.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::{Config, Leg, Relay};
use crate::error::{Error, Result};
use crate::event::{Body, Gate, Secrets};
use crate::fault::Faults;
use crate::limits;
use crate::net::{Authority, Clock, Security, ServerAddress, ServerTrust, TlsToServer};
use crate::protocol::imap::Hidden;
use crate::sink::batch::Batch;
use crate::sink::bus::{Bus, OnFailure, Purpose, Sink};
use crate::sink::queue::Policy;

/// Why connections ended.
#[derive(Clone, Default)]
struct Reasons(Arc<Mutex<Vec<String>>>);

impl Sink for Reasons {
    fn take(&mut self, events: &Batch) -> Result<()> {
        for event in events.iter() {
            if let Body::Closed { reason } = &event.body {
                let reason = reason.clone().unwrap_or_default();
                self.0.lock().unwrap().push(reason);
            }
        }
        Ok(())
    }

    fn purpose(&self) -> Purpose {
        Purpose::Record
    }
}

/// A relay between a cleartext listener and a server in the hands of the test.
struct Bench {
    app: TcpStream,
    server: TcpStream,
    reasons: Reasons,
    stop: CancellationToken,
    running: tokio::task::JoinHandle<u64>,
    bus: Arc<Bus>,
}

impl Bench {
    async fn new(security: Security) -> Self {
        let far = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (to, at) = (near.local_addr().unwrap(), far.local_addr().unwrap());
        let relay = Relay::new(Config {
            server: Some(ServerAddress::at("127.0.0.1", at.port(), security).unwrap()),
            asked: None,
            server_tls: Some(TlsToServer::new(&ServerTrust::Nothing).unwrap()),
            insecure: true,
            authority: Arc::new(Authority::ephemeral().unwrap()),
            keylog: None,
            gate: Gate::new(Secrets::Masked),
            hidden: Hidden::default(),
            faults: Faults::default(),
            listeners: vec![(near, Leg::Cleartext)],
        })
        .unwrap();
        let reasons = Reasons::default();
        let sinks: Vec<(Policy, Box<dyn Sink>)> =
            vec![(Policy::PushBack, Box::new(reasons.clone()))];
        let on_failure: OnFailure = Arc::new(|_, error: &Error| panic!("{error}"));
        let bus = Arc::new(Bus::new(sinks, &on_failure).unwrap());
        let stop = CancellationToken::new();
        let running = relay.run(Arc::clone(&bus), Clock::start(), stop.clone());
        let running = tokio::spawn(running);
        let app = TcpStream::connect(to).await.unwrap();
        let (server, _) = far.accept().await.unwrap();
        Self {
            app,
            server,
            reasons,
            stop,
            running,
            bus,
        }
    }

    /// The server sees its end; after how long, and what it was given before.
    async fn server_s_end(&mut self) -> (Duration, Vec<u8>) {
        let begun = Instant::now();
        let mut given = Vec::new();
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = self.server.read(&mut buffer).await {
            given.extend_from_slice(&buffer[..length]);
        }
        (begun.elapsed(), given)
    }

    /// Why the one connection ended, in the transcript.
    async fn reason(self) -> String {
        self.stop.cancel();
        self.running.await.unwrap();
        let deadline = std::time::Instant::now() + Duration::from_secs(60);
        assert!(self.bus.finish(deadline).is_empty());
        let reasons = self.reasons.0.lock().unwrap();
        let [reason] = &reasons[..] else {
            panic!("{reasons:?}");
        };
        reason.clone()
    }
}

/// Much longer than anybody is waited for.
const LONG: Duration = Duration::from_secs(3600);

async fn in_time<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(LONG, what).await.expect("it hangs")
}

/// Its login waits until the server's leg is secured, and the server says nothing.
#[tokio::test(start_paused = true)]
async fn an_app_that_left_is_not_kept_for_a_server_that_says_nothing() {
    let mut bench = Bench::new(Security::Starttls).await;
    bench.app.write_all(b"a LOGIN alice x\r\n").await.unwrap();
    let mut asked = vec![0; 20];
    in_time(bench.server.read_exact(&mut asked)).await.unwrap();
    assert_eq!(asked, b"mailscope STARTTLS\r\n");
    bench.app.shutdown().await.unwrap();
    let (waited, given) = in_time(bench.server_s_end()).await;
    assert_eq!(given, b"", "no login in cleartext");
    assert!(waited >= limits::HALF_CLOSED, "{waited:?}");
    let reason = bench.reason().await;
    let words = "the app left, and the server neither took what it had said nor spoke for 60 s";
    assert_eq!(reason, words);
}

/// It is waited for as long as the server says something.
#[tokio::test(start_paused = true)]
async fn an_app_that_only_ended_its_direction_hears_a_slow_server_out() {
    let mut bench = Bench::new(Security::Cleartext).await;
    bench.app.write_all(b"a NOOP\r\n").await.unwrap();
    bench.app.shutdown().await.unwrap();
    let mut heard = Vec::new();
    for turn in 0..5 {
        tokio::time::sleep(limits::HALF_CLOSED * 3 / 4).await;
        let line = format!("* OK still there {turn}\r\n");
        bench.server.write_all(line.as_bytes()).await.unwrap();
        let mut octets = vec![0; line.len()];
        in_time(bench.app.read_exact(&mut octets)).await.unwrap();
        heard.extend(octets);
    }
    assert!(heard.ends_with(b"4\r\n"));
    let (waited, given) = in_time(bench.server_s_end()).await;
    assert_eq!(given, b"a NOOP\r\n");
    assert_eq!(waited, Duration::ZERO, "its end was passed on long ago");
    let begun = Instant::now();
    assert_eq!(in_time(bench.app.read(&mut [0])).await.unwrap(), 0);
    assert!(begun.elapsed() >= limits::HALF_CLOSED / 2);
    assert_eq!(bench.reason().await, "half closed, and silent for 60 s");
}

/// Everything on the way is full, and the app resets its connection, which is then not read.
#[tokio::test(start_paused = true)]
async fn an_app_that_left_is_not_kept_for_a_server_that_reads_nothing() {
    let mut bench = Bench::new(Security::Cleartext).await;
    bench.server.write_all(b"* PREAUTH hi\r\n").await.unwrap();
    in_time(bench.app.read_exact(&mut [0; 14])).await.unwrap();
    bench
        .app
        .write_all(b"a APPEND x {1000000000+}\r\n")
        .await
        .unwrap();
    fill(&mut bench.app).await;
    let linger = SockRef::from(&bench.app).set_linger(Some(Duration::ZERO));
    linger.unwrap();
    // The server's end stays open, and is not read.
    let Bench {
        app,
        server: _server,
        reasons,
        ..
    } = bench;
    drop(app);
    in_time(until(|| !reasons.0.lock().unwrap().is_empty())).await;
    let words = "the app left, and the server neither took what it had said nor spoke for 60 s";
    assert_eq!(*reasons.0.lock().unwrap(), [words]);
}

/// As above, where what waits for the server is in TLS's hands already.
#[tokio::test]
async fn an_app_that_left_is_not_kept_for_a_server_that_reads_nothing_of_tls() {
    let bench = Bench::new(Security::Implicit).await;
    let Bench {
        mut app,
        server,
        reasons,
        ..
    } = bench;
    let mut server = as_tls_server(server).await;
    server.write_all(b"* PREAUTH hi\r\n").await.unwrap();
    app.read_exact(&mut [0; 14]).await.unwrap();
    tokio::time::pause();
    app.write_all(b"a APPEND x {1000000000+}\r\n")
        .await
        .unwrap();
    fill(&mut app).await;
    let linger = SockRef::from(&app).set_linger(Some(Duration::ZERO));
    linger.unwrap();
    drop(app);
    in_time(until(|| !reasons.0.lock().unwrap().is_empty())).await;
    let words = "the app left, and the server neither took what it had said nor spoke for 60 s";
    assert_eq!(*reasons.0.lock().unwrap(), [words]);
}

/// Shows the certificate of an authority of its own.
async fn as_tls_server(server: TcpStream) -> TlsStream<TcpStream> {
    let leaf = Authority::ephemeral().unwrap().leaf(None).unwrap();
    let leaf = CertifiedKey::new(leaf.cert.clone(), Arc::clone(&leaf.key));
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(leaf)));
    let acceptor = TlsAcceptor::from(Arc::new(config));
    acceptor.accept(server).await.unwrap()
}

/// A peer that is there is waited for, however long nobody takes what it says.
#[tokio::test(start_paused = true)]
async fn an_app_that_is_there_is_kept_for_a_server_that_reads_nothing() {
    let mut bench = Bench::new(Security::Cleartext).await;
    bench.server.write_all(b"* PREAUTH hi\r\n").await.unwrap();
    in_time(bench.app.read_exact(&mut [0; 14])).await.unwrap();
    bench
        .app
        .write_all(b"a APPEND x {1000000000+}\r\n")
        .await
        .unwrap();
    let filled = fill(&mut bench.app).await;
    tokio::time::sleep(LONG).await;
    assert!(bench.reasons.0.lock().unwrap().is_empty());
    // And then goes on.
    let mut taken = 0;
    let mut buffer = vec![0; 64 * 1024];
    while taken < filled {
        taken += in_time(bench.server.read(&mut buffer)).await.unwrap();
    }
    assert_eq!(bench.reason().await, "mailscope was stopped");
}

async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        // In real time too: sinks have threads of their own.
        std::thread::sleep(Duration::from_millis(2));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Writes until nobody takes anything any more; how much.
async fn fill(app: &mut TcpStream) -> usize {
    let mut filled = 0;
    let mut idle = 0;
    while idle < 50 {
        match app.try_write(&[b'x'; 64 * 1024]) {
            Ok(length) => {
                filled += length;
                idle = 0;
            }
            Err(_) => {
                idle += 1;
                // In real time too: the system moves octets on.
                std::thread::sleep(Duration::from_millis(2));
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }
    filled
}
