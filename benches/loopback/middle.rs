//! What stands between app and server: mailscope's relay, or a plain copy to compare it with.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mailscope::error::Result;
use mailscope::event::{Event, Gate, Secrets};
use mailscope::net::{Authority, Ours, ServerAddress, TlsToClient, TlsToServer, accept, dial};
use mailscope::protocol::imap::Hidden;
use mailscope::relay::{Config, Leg, Relay};
use mailscope::sink::bus::{Bus, OnFailure, Purpose, Sink};
use mailscope::sink::queue::Policy;
use mailscope::sink::recording::Recording;
use mailscope::transcript::{Header, TranscriptFile};
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long a sink may take to write what is left; a busy disk is no failure here.
const PATIENCE: Duration = Duration::from_secs(60);

/// How octets get from one leg to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Read, written, not looked at: the same TLS, and nothing else.
    Copy,
    /// mailscope without a sink.
    Relay,
    /// mailscope with a transcript.
    Recorded,
}

impl Way {
    /// All of them, the one to compare with first.
    pub const ALL: [Self; 3] = [Self::Copy, Self::Relay, Self::Recorded];

    /// What it is called in a report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Relay => "relay",
            Self::Recorded => "relay, recording",
        }
    }
}

/// Whatever runs, on threads of its own like the program's.
pub struct Middle {
    /// Where it listens.
    pub address: ServerAddress,
    runtime: Runtime,
    working: JoinHandle<()>,
    stop: CancellationToken,
    sinks: Sinks,
}

impl Middle {
    /// Listens for apps that want to talk with `server`. The one authority is everybody's.
    pub fn start(way: Way, server: &ServerAddress, authority: &Arc<Authority>) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let bound = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
        let listener = bound.expect("a free port");
        let address = super::named(listener.local_addr().expect("an address"));
        let stop = CancellationToken::new();
        let sinks = Sinks::new(way);
        let working = match way {
            Way::Copy => {
                let copying = copy(listener, server.clone(), Arc::clone(authority));
                let copying = stop.clone().run_until_cancelled_owned(copying);
                runtime.spawn(async move {
                    copying.await;
                })
            }
            Way::Relay | Way::Recorded => {
                let relay = relay(listener, server.clone(), Arc::clone(authority));
                let relaying = relay.run(Arc::clone(&sinks.bus), Instant::now(), stop.clone());
                runtime.spawn(async move {
                    relaying.await;
                })
            }
        };
        Self {
            address,
            runtime,
            working,
            stop,
            sinks,
        }
    }

    /// Ends it when all that was read is written.
    pub fn stop(self) {
        self.stop.cancel();
        self.runtime.block_on(self.working).expect("an end");
        let failures = self.sinks.bus.finish(Instant::now() + PATIENCE);
        assert!(failures.is_empty(), "{failures:?}");
    }
}

/// One connection after the other.
async fn copy(listener: TcpListener, server: ServerAddress, authority: Arc<Authority>) {
    let to_server = super::trusting(&authority);
    let to_client = TlsToClient::new(authority).expect("TLS");
    loop {
        let (app, _) = accept(&listener).await.expect("a connection");
        // An end without close_notify is an end.
        let _ = copy_one(app, &server, &to_server, &to_client).await;
    }
}

async fn copy_one(
    app: TcpStream,
    server: &ServerAddress,
    to_server: &TlsToServer,
    to_client: &TlsToClient,
) -> std::io::Result<(u64, u64)> {
    let started = to_client.hello(app).await.expect("a hello");
    let tcp = dial(server, &Ours::default()).await.expect("a connection");
    let connected = to_server.connect(tcp, server, Vec::new()).await;
    let (mut server, _) = connected.expect("a handshake");
    let (mut app, _) = started.finish(None).await.expect("a handshake");
    tokio::io::copy_bidirectional(&mut app, &mut server).await
}

fn relay(listener: TcpListener, server: ServerAddress, authority: Arc<Authority>) -> Relay {
    let config = Config {
        server: Some(server),
        asked: None,
        server_tls: Some(super::trusting(&authority)),
        keylog: None,
        insecure: false,
        authority,
        gate: Gate::new(Secrets::Masked),
        hidden: Hidden::default(),
        listeners: vec![(listener, Leg::Tls)],
    };
    Relay::new(config).expect("a relay")
}

/// Where events go.
struct Sinks {
    bus: Arc<Bus>,
    /// With the transcript.
    _folder: Option<TempDir>,
}

impl Sinks {
    fn new(way: Way) -> Self {
        let on_failure: OnFailure = Arc::new(|_, failure| panic!("{failure}"));
        let folder = (way == Way::Recorded).then(|| tempfile::tempdir().expect("a folder"));
        let transcripts = folder.iter().map(|folder| {
            let header = Header::new(OffsetDateTime::now_utc(), "localhost");
            let path = folder.path().join("transcript.json");
            let file = TranscriptFile::create(&path, &header).expect("a transcript");
            let sink: Box<dyn Sink> = Box::new(Unsynchronized(Recording::new(file)));
            (Policy::PushBack, sink)
        });
        let bus = Bus::new(transcripts.collect(), &on_failure).expect("a bus");
        Self {
            bus: Arc::new(bus),
            _folder: folder,
        }
    }
}

/// A recording that does not make the disk write at its end: its files are gone before that.
struct Unsynchronized(Recording);

impl Sink for Unsynchronized {
    fn take(&mut self, events: &[Arc<Event>]) -> Result<()> {
        self.0.take(events)
    }

    fn purpose(&self) -> Purpose {
        self.0.purpose()
    }
}
