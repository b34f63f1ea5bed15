//! What is measured.

use std::time::{Duration, Instant};

use mailscope::net::TlsToServer;

use super::app::{APPENDED, App, Fetch};
use super::middle::Running;

/// How much is done in one turn.
#[derive(Clone, Copy)]
pub struct Effort {
    /// How long something is repeated.
    pub time: Duration,
    /// Idle connections at once.
    pub connections: usize,
}

impl Effort {
    /// For figures.
    pub const FULL: Self = Self {
        time: Duration::from_millis(800),
        connections: 2_000,
    };
    /// To see that it runs.
    pub const SMALL: Self = Self {
        time: Duration::from_millis(50),
        connections: 20,
    };
}

/// One thing that is measured, in one or two rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// Mails of 1 MiB are fetched, on so many connections at once.
    Large(usize),
    /// Mails of 16 MiB are appended.
    Append,
    /// FETCH 1:1000 with short headers, again and again.
    Small,
    /// NOOP after NOOP, each when the one before is answered.
    Trips,
    /// 500 NOOPs at once, again and again.
    Pipelined,
    /// Connections with a whole handshake on both legs, four at a time.
    Connections,
    /// What an idle connection that is logged in takes of the program's memory.
    Memory,
}

impl Case {
    pub const ALL: [Self; 8] = [
        Self::Large(1),
        Self::Large(16),
        Self::Append,
        Self::Small,
        Self::Trips,
        Self::Pipelined,
        Self::Connections,
        Self::Memory,
    ];

    /// What it is called, in one word.
    pub fn name(self) -> &'static str {
        self.rows()[0].0
    }

    /// The rows' names and units.
    pub fn rows(self) -> Vec<(&'static str, &'static str)> {
        match self {
            Self::Large(1) => vec![
                ("large literals, 1 connection", "MB/s"),
                ("what is recorded of them", "MB/s"),
                ("processor time of one MB", "ms"),
            ],
            Self::Large(_) => vec![("large literals, 16 connections", "MB/s")],
            Self::Append => vec![("APPEND of 16 MiB", "MB/s")],
            Self::Small => vec![
                ("small fetches: FETCH 1:1000, headers", "/s"),
                ("what is recorded of them", "MB/s"),
                ("processor time of one response", "µs"),
            ],
            Self::Trips => vec![
                ("NOOP round trip, median", "µs"),
                ("NOOP round trip, p99", "µs"),
            ],
            Self::Pipelined => vec![("pipelined NOOPs", "/s")],
            Self::Connections => vec![("connections, two handshakes each", "/s")],
            Self::Memory => vec![("memory per idle connection", "KiB")],
        }
    }

    /// Octets of a transcript for each one that the server says, where it says much.
    pub fn recorded(self) -> Option<f64> {
        match self {
            Self::Large(_) => Some(1.04),
            Self::Small => Some(2.35),
            _ => None,
        }
    }

    /// Takes its values, one a row.
    pub async fn measure(self, effort: Effort, running: &Running) -> Vec<f64> {
        let (port, trust) = (running.port, &running.trust);
        match self {
            Self::Large(connections) => {
                let octets = Fetch::Large.untagged().len();
                let fetching = (0..connections).map(|_| {
                    let trust = trust.clone();
                    tokio::spawn(async move {
                        let mut app = App::connect(port, &trust).await.log_in().await;
                        app.ask(Fetch::Large.command(), octets).await; // not counted
                        app
                    })
                });
                let mut apps = Vec::new();
                for fetching in fetching.collect::<Vec<_>>() {
                    apps.push(fetching.await.expect("a mail"));
                }
                let meter = Meter::begin(running);
                let begun = Instant::now();
                let fetching = apps.into_iter().map(|mut app| {
                    tokio::spawn(async move {
                        let mut mails = 0;
                        while begun.elapsed() < effort.time {
                            app.ask(Fetch::Large.command(), octets).await;
                            mails += 1;
                        }
                        mails
                    })
                });
                let mut mails = 0;
                for fetching in fetching.collect::<Vec<_>>() {
                    mails += fetching.await.expect("mails");
                }
                let rate = megabytes(mails * octets, begun.elapsed());
                let each = meter.processor() * 1e3 / ((mails * octets) as f64 / 1e6);
                match connections {
                    1 => vec![rate, meter.recorded(), each],
                    _ => vec![rate],
                }
            }
            Self::Append => {
                let line = b"An app uploads a mail with an attachment.....................\r\n";
                let mail = line.repeat(APPENDED / line.len());
                let mut app = App::connect(port, trust).await.log_in().await;
                app.append(&mail[..1 << 20]).await; // not counted
                let begun = Instant::now();
                let mut mails = 0;
                while begun.elapsed() < effort.time {
                    app.append(&mail).await;
                    mails += 1;
                }
                vec![megabytes(mails * mail.len(), begun.elapsed())]
            }
            Self::Small => {
                let octets = Fetch::Small.untagged().len();
                let mut app = App::connect(port, trust).await.log_in().await;
                // As many as fill the queue of a recording that does not keep up.
                let warm = Instant::now();
                while warm.elapsed() < effort.time / 2 {
                    app.ask(Fetch::Small.command(), octets).await;
                }
                let meter = Meter::begin(running);
                let begun = Instant::now();
                let mut commands = 0;
                while begun.elapsed() < effort.time {
                    app.ask(Fetch::Small.command(), octets).await;
                    commands += 1;
                }
                let responses = (commands * Fetch::Small.responses()) as f64;
                let rate = responses / begun.elapsed().as_secs_f64();
                let each = meter.processor() * 1e6 / responses;
                vec![rate, meter.recorded(), each]
            }
            Self::Trips => {
                let mut app = App::connect(port, trust).await.log_in().await;
                let mut trips = Vec::new();
                let begun = Instant::now();
                while begun.elapsed() < effort.time {
                    let asked = Instant::now();
                    app.ask("NOOP", 0).await;
                    trips.push(asked.elapsed().as_secs_f64() * 1e6);
                }
                trips.drain(..trips.len() / 10); // not counted
                trips.sort_by(f64::total_cmp);
                vec![trips[trips.len() / 2], trips[trips.len() * 99 / 100]]
            }
            Self::Pipelined => {
                const BATCH: usize = 500;
                let mut app = App::connect(port, trust).await.log_in().await;
                app.noops(BATCH).await; // not counted
                let begun = Instant::now();
                let mut commands = 0;
                while begun.elapsed() < effort.time {
                    app.noops(BATCH).await;
                    commands += BATCH;
                }
                vec![commands as f64 / begun.elapsed().as_secs_f64()]
            }
            Self::Connections => {
                const AT_ONCE: usize = 4;
                drop(App::connect(port, trust).await); // not counted
                let begun = Instant::now();
                let connecting = (0..AT_ONCE).map(|_| {
                    let trust = trust.clone();
                    tokio::spawn(async move {
                        let tls = TlsToServer::new(&trust).expect("TLS");
                        let mut connections = 0;
                        while begun.elapsed() < effort.time {
                            drop(App::connect_with(port, &tls).await);
                            connections += 1;
                        }
                        connections
                    })
                });
                let mut connections = 0;
                for connecting in connecting.collect::<Vec<_>>() {
                    connections += connecting.await.expect("connections");
                }
                vec![f64::from(connections) / begun.elapsed().as_secs_f64()]
            }
            Self::Memory => {
                let tls = TlsToServer::new(trust).expect("TLS");
                drop(App::connect_with(port, &tls).await.log_in().await);
                let before = running.resident_kib();
                let mut apps = Vec::new();
                for _ in 0..effort.connections {
                    let mut app = App::connect_with(port, &tls).await.log_in().await;
                    app.idles();
                    apps.push(app);
                }
                let taken = running.resident_kib() - before;
                vec![taken / apps.len() as f64]
            }
        }
    }
}

fn megabytes(octets: usize, taken: Duration) -> f64 {
    octets as f64 / 1e6 / taken.as_secs_f64()
}

/// What the program does meanwhile.
struct Meter<'r> {
    running: &'r Running,
    begun: Instant,
    written: u64,
    processor: Duration,
}

impl<'r> Meter<'r> {
    fn begin(running: &'r Running) -> Self {
        Self {
            running,
            begun: Instant::now(),
            written: running.written(),
            processor: running.processor(),
        }
    }

    /// MB/s that its recording grew by.
    fn recorded(&self) -> f64 {
        let octets = self.running.written() - self.written;
        octets as f64 / 1e6 / self.begun.elapsed().as_secs_f64()
    }

    /// Seconds of processor time.
    fn processor(&self) -> f64 {
        (self.running.processor() - self.processor).as_secs_f64()
    }
}
