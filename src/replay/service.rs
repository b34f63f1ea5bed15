//! A recording served on ports: sockets and TLS around [`Player`]s, one a connection.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::link::{Link, Waited};
use super::player::{Effect, Manner, Player};
use super::report::Report;
use super::script::Script;
use super::upstream::{self, Line, Upstream};
use super::usage::{Matching, OnMiss, Usage};
use crate::error::Result;
use crate::event::{Body, Draft, Gate, Micros, Note, Numbers, Peer, Secrets};
use crate::fault::Faults;
use crate::limits;
use crate::net::{Authority, Clock, KeyLogFile, Outlet, TlsToClient, Transport, accept};
use crate::protocol::Break;
use crate::protocol::imap::AppLeg;
use crate::sink::bus::Bus;

/// What is served, and how.
pub struct Config {
    /// The recording.
    pub script: Script,
    /// How commands are matched.
    pub matching: Matching,
    /// What is answered that nothing fits.
    pub on_miss: OnMiss,
    /// Recorded pauses are multiplied by this; 0 for none.
    pub pace: f64,
    /// What goes wrong on purpose.
    pub faults: Faults,
    /// Who signs for the server.
    pub authority: Arc<Authority>,
    /// Where to listen, and how apps begin there.
    pub listeners: Vec<(TcpListener, AppLeg)>,
    /// What nothing fits is passed there.
    pub upstream: Option<Arc<Upstream>>,
    /// Where the keys of the TLS sessions with apps go.
    pub keylog: Option<Arc<KeyLogFile>>,
}

/// A server that is ready to be run.
pub struct Service {
    shared: Arc<Shared>,
    listeners: Vec<(TcpListener, AppLeg)>,
}

struct Shared {
    usage: Arc<Usage>,
    manner: Manner,
    faults: Faults,
    gate: Gate,
    tls: TlsToClient,
    ended: Notify,
    upstream: Option<Arc<Upstream>>,
}

impl Service {
    /// A server with its listeners. Fails if the authority cannot be used for TLS.
    pub fn new(config: Config) -> Result<Self> {
        let tls = TlsToClient::new(config.authority)?;
        let tls = match config.keylog {
            Some(keylog) => tls.keylog(keylog),
            None => tls,
        };
        let shared = Shared {
            usage: Arc::new(Usage::new(config.script, config.matching)),
            manner: Manner {
                on_miss: config.on_miss,
                pace: config.pace,
            },
            faults: config.faults,
            gate: Gate::new(Secrets::Masked),
            tls,
            ended: Notify::new(),
            upstream: config.upstream,
        };
        if shared.upstream.is_some() {
            shared.usage.counts_recorded();
        }
        Ok(Self {
            shared: Arc::new(shared),
            listeners: config.listeners,
        })
    }

    /// The address of the first listener where apps begin like this.
    pub fn address(&self, leg: AppLeg) -> Option<SocketAddr> {
        let (listener, _) = self.listeners.iter().find(|(_, kind)| *kind == leg)?;
        listener.local_addr().ok()
    }

    /// What gives the report, also while the server runs.
    pub fn reporter(&self) -> impl Fn() -> Report + Send + Sync + 'static {
        let shared = Arc::clone(&self.shared);
        move || shared.usage.report()
    }

    /// Serves apps until `stop` is called; with `once`, until every recorded connection was served.
    /// What both sides say goes to `bus`.
    pub async fn run(self, bus: Arc<Bus>, clock: Clock, stop: CancellationToken, once: bool) {
        let mut connections = JoinSet::new();
        let mut last = 0;
        let (sender, mut accepted) = tokio::sync::mpsc::channel(16);
        let mut doors = JoinSet::new();
        for (listener, leg) in self.listeners {
            let sender = sender.clone();
            doors.spawn(async move {
                loop {
                    // Most failures pass: no descriptors left for now, an app that is gone already.
                    match accept(&listener).await {
                        Ok((stream, address)) => {
                            if sender.send((stream, address, leg)).await.is_err() {
                                return;
                            }
                        }
                        Err(_) => tokio::time::sleep(limits::SINK_LINGER).await,
                    }
                }
            });
        }
        loop {
            let shared = Arc::clone(&self.shared);
            let (stream, address, leg) = tokio::select! {
                () = stop.cancelled() => break,
                () = shared.ended.notified(), if once => match shared.usage.is_served() {
                    true => break,
                    false => continue,
                },
                Some(accepted) = accepted.recv() => accepted,
                Some(_) = connections.join_next() => continue,
            };
            last += 1;
            let session = Session {
                live: Live {
                    numbers: Numbers::new(last),
                    bus: Arc::clone(&bus),
                    clock,
                },
                conn: last,
                once,
                shared,
            };
            let stop = stop.clone();
            connections.spawn(async move {
                tokio::select! {
                    () = session.serve(stream, address, leg) => {}
                    () = stop.cancelled() => {}
                }
            });
        }
        doors.abort_all();
        if once {
            // What is on its way to the last app still arrives.
            let rest = async { while connections.join_next().await.is_some() {} };
            let _ = tokio::time::timeout(limits::END_CONNECTIONS, rest).await;
        }
        connections.shutdown().await;
    }
}

/// Where one connection's events go.
struct Live {
    numbers: Numbers,
    bus: Arc<Bus>,
    clock: Clock,
}

impl Live {
    fn now(&self) -> Micros {
        self.clock.now()
    }

    fn tell(&mut self, body: Body) {
        let mut drafts = vec![Draft::new(0, self.now(), body)];
        self.bus.publish(&mut self.numbers, &mut drafts);
    }
}

/// One live connection.
struct Session {
    shared: Arc<Shared>,
    conn: u64,
    /// The run ends when all is served.
    once: bool,
    live: Live,
}

impl Session {
    async fn serve(mut self, stream: TcpStream, address: SocketAddr, leg: AppLeg) {
        self.live.tell(Body::Connected {
            client: address.to_string(),
            server: "replay".into(),
        });
        let reason = self.session(stream, leg).await;
        self.live.tell(Body::Closed { reason });
        self.shared.ended.notify_one();
    }

    async fn session(&mut self, stream: TcpStream, leg: AppLeg) -> Option<String> {
        let transport = match leg {
            AppLeg::Cleartext => Transport::Plain(stream),
            AppLeg::Tls => match self.secured(stream).await {
                Ok(transport) => transport,
                Err(reason) => return Some(reason),
            },
        };
        let shared = &self.shared;
        let (usage, gate) = (Arc::clone(&shared.usage), shared.gate.clone());
        let strikes = shared.faults.strikes(self.conn);
        let (line, worker) = upstream::line(shared.upstream.as_ref(), &gate);
        let mut player = Player::new(self.conn, usage, shared.manner, gate, leg, strikes);
        if let Some(upstream) = &shared.upstream {
            player = player.growing(upstream.is_all);
        }
        let outlet = shared.faults.shape(self.conn).map(Outlet::new);
        if !shared.faults.is_empty() {
            let note = Note::FaultsOn(shared.faults.to_string().into());
            self.live.tell(Body::Note(note.finding()));
        }
        let link = Link { transport, outlet };
        let conversation = self.converse(&mut player, link, line);
        let (reason, ()) = tokio::join!(conversation, worker.run());
        let mut drafts = Vec::new();
        player.end(self.live.now(), &mut drafts);
        self.live.bus.publish(&mut self.live.numbers, &mut drafts);
        reason.unwrap_or_else(|error| Some(error.to_string()))
    }

    /// TLS with the app; why not, if it does not come about.
    async fn secured(&mut self, stream: TcpStream) -> Result<Transport, String> {
        let accepted = async { self.shared.tls.hello(stream).await?.finish(None).await };
        match accepted.await {
            Ok((transport, secured)) => {
                self.live.tell(Body::Secured(Box::new(secured)));
                Ok(transport)
            }
            Err(error) => {
                let why = error.to_string();
                self.live.tell(Body::Note(
                    Note::ClientHandshake { why: why.clone() }.finding(),
                ));
                Err(format!("TLS handshake with the app failed: {why}"))
            }
        }
    }

    /// Plays until the connection is over; why, unless both just ended it.
    async fn converse(
        &mut self,
        player: &mut Player,
        mut link: Link,
        mut line: Line,
    ) -> std::io::Result<Option<String>> {
        // Most connections idle most of the time; only a busy one gets a large buffer.
        const SMALL: usize = 8 * 1024;
        let mut drafts = Vec::new();
        let mut effects = player.begin(self.live.now(), &mut drafts);
        let mut buffer = vec![0; SMALL];
        let mut waited = Waited::Whole;
        loop {
            self.live.bus.publish(&mut self.live.numbers, &mut drafts);
            let mut secured = false;
            // What the app said while it idled, or while its server took its time.
            let mut early = Vec::new();
            for effect in effects {
                match effect {
                    Effect::Say(octets) => link.say(octets).await?,
                    Effect::Pause { is_idle: true, .. } if !early.is_empty() => {}
                    // Nobody is there whom it would keep waiting.
                    Effect::Pause { .. } if waited == Waited::AppIsDone => {}
                    Effect::Pause {
                        pause,
                        is_idle: true,
                    } => early.extend_from_slice(link.idle(pause, &mut buffer).await?),
                    Effect::Pause { pause, .. } => {
                        waited = link.pause(pause, &mut buffer, &mut early).await?;
                    }
                    Effect::Close => {
                        link.finish().await?;
                        link.transport.close(limits::END_CONNECTIONS).await;
                        return Ok(None);
                    }
                    Effect::Break(how, fault) => {
                        link.finish().await?;
                        match how {
                            Break::Close => link.transport.close(limits::END_CONNECTIONS).await,
                            Break::Reset => link.transport.reset(),
                        }
                        return Ok(Some(format!("--fault {fault}")));
                    }
                    Effect::StartTls => {
                        link.finish().await?;
                        link.transport = match link.transport {
                            Transport::Plain(tcp) => {
                                self.secured(tcp).await.map_err(std::io::Error::other)?
                            }
                            already => already,
                        };
                        secured = true;
                    }
                }
            }
            link.flush().await?;
            self.live.bus.room().await;
            if self.once && player.is_at_rest() && self.shared.usage.is_served() {
                link.finish().await?;
                self.shared.ended.notify_one();
            }
            if secured {
                effects = player.secured(self.live.now(), &mut drafts);
                continue;
            }
            if early.is_empty() && player.has_more() {
                // A run that is to end ends here, however much the app reads and asks.
                tokio::task::yield_now().await;
                effects = player.proceed(self.live.now(), &mut drafts);
                continue;
            }
            for order in player.take_orders() {
                if !line.order(order) {
                    return Err(std::io::Error::other(
                        "the app said more than was asked of it",
                    ));
                }
            }
            let heard = match (early.is_empty(), player.listens()) {
                (false, _) => &*early,
                (true, listens) => tokio::select! {
                    reply = line.reply() => {
                        effects = player.passed(reply, self.live.now(), &mut drafts);
                        continue;
                    }
                    heard = link.hear_if(listens, &mut buffer) => heard?,
                },
            };
            if let Some(fault) = link.cut() {
                let note = Note::Fault(fault.into());
                self.live.tell(Body::Note(note.finding()));
                let reason = format!("--fault {fault}");
                link.transport.close(limits::END_CONNECTIONS).await;
                return Ok(Some(reason));
            }
            if heard.is_empty() {
                self.live.tell(Body::HalfClosed { from: Peer::Client });
                link.finish().await?;
                let _ = link.transport.shutdown().await;
                return Ok(None);
            }
            let is_busy = heard.len() >= SMALL;
            effects = player.hear(heard, self.live.now(), &mut drafts);
            if is_busy {
                buffer.resize(limits::READ, 0);
            }
        }
    }
}
