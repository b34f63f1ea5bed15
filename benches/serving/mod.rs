//! A replay and a bare server, and what is asked of both.
//!
//! ```text
//! App -- cleartext or TLS --> mailscope replay --quiet (a process)
//! App -- cleartext or TLS --> Bare                     (threads of this one)
//! ```

mod app;
mod bare;
mod replay;

use std::sync::Arc;
use std::time::Instant;

use mailscope::net::{Authority, ServerTrust, TlsToServer};
use tokio::runtime::Runtime;

use app::App;
use bare::Bare;
use replay::Replay;

/// How much is asked in one turn.
#[derive(Clone, Copy)]
pub struct Workload {
    /// Commands on one connection.
    pub commands: usize,
    /// Exchanges of the long recording.
    pub exchanges: usize,
    /// Connections at once.
    pub connections: usize,
}

impl Workload {
    /// For figures.
    pub const FULL: Self = Self {
        commands: 200_000,
        exchanges: 20_000,
        connections: 1_000,
    };
    /// To see that it runs.
    pub const SMALL: Self = Self {
        commands: 2_000,
        exchanges: 200,
        connections: 20,
    };
}

/// How an app's leg is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leg {
    Cleartext,
    Tls,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// One connection, NOOP after NOOP, hundreds under way.
    Noop(Leg),
    /// The same while a long recording is being played.
    NoopBesideLong,
    /// One connection, the recorded commands in their order.
    InOrder,
    /// All connections at once: from the first packet of the first to the last login's answer.
    SetUp(Leg),
    /// All connections at once: each its share of the NOOPs.
    AtOnce(Leg),
    /// What a connection that is logged in takes of the process's memory.
    Memory(Leg),
}

impl Case {
    pub const ALL: [Self; 10] = [
        Self::Noop(Leg::Cleartext),
        Self::Noop(Leg::Tls),
        Self::NoopBesideLong,
        Self::InOrder,
        Self::SetUp(Leg::Cleartext),
        Self::SetUp(Leg::Tls),
        Self::AtOnce(Leg::Cleartext),
        Self::AtOnce(Leg::Tls),
        Self::Memory(Leg::Cleartext),
        Self::Memory(Leg::Tls),
    ];

    pub fn unit(self) -> &'static str {
        match self {
            Self::Noop(_) | Self::NoopBesideLong | Self::InOrder | Self::AtOnce(_) => "/s",
            Self::SetUp(_) => " logins/s",
            Self::Memory(_) => " KiB",
        }
    }

    pub fn name(self, workload: Workload) -> String {
        let Workload {
            exchanges,
            connections,
            ..
        } = workload;
        let leg = |leg| match leg {
            Leg::Cleartext => "cleartext",
            Leg::Tls => "TLS",
        };
        match self {
            Self::Noop(secured) => format!("NOOP, pipelined, {}", leg(secured)),
            Self::NoopBesideLong => {
                format!("NOOP, pipelined, not recorded, in a recording of {exchanges} commands")
            }
            Self::InOrder => format!("{exchanges} recorded commands in their order, pipelined"),
            Self::SetUp(secured) => format!("{connections} connections, {}", leg(secured)),
            Self::AtOnce(secured) => {
                format!(
                    "NOOP, pipelined on {connections} connections at once, {}",
                    leg(secured)
                )
            }
            Self::Memory(secured) => {
                format!(
                    "memory of each of {connections} connections, {}",
                    leg(secured)
                )
            }
        }
    }
}

/// The servers, which run as long as the benchmark does.
pub struct Served {
    runtime: Runtime,
    workload: Workload,
    bare: Bare,
    authority: Arc<Authority>,
}

impl Served {
    pub fn start(workload: Workload) -> Self {
        let authority = Arc::new(Authority::ephemeral().expect("an authority"));
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        Self {
            runtime: runtime.enable_all().build().expect("a runtime"),
            workload,
            bare: Bare::start(&authority),
            authority,
        }
    }

    /// What it gives with the bare server, where that can be, and with a replay of its own.
    pub fn turn(&self, case: Case, bare_first: bool) -> (Option<f64>, f64) {
        let with_bare = || {
            let tls = ServerTrust::Authority(self.authority.der().clone());
            let comparable =
                !matches!(case, Case::NoopBesideLong | Case::InOrder | Case::Memory(_));
            comparable.then(|| self.measured(case, &self.bare.ports, &tls, || 0.0))
        };
        let with_replay = || {
            let exchanges = match case {
                Case::NoopBesideLong | Case::InOrder => self.workload.exchanges,
                _ => 0,
            };
            let replay = Replay::start(exchanges, case != Case::NoopBesideLong);
            self.measured(case, &replay.ports, &replay.trust, || replay.resident_kib())
        };
        match bare_first {
            true => {
                let bare = with_bare();
                (bare, with_replay())
            }
            false => {
                let replay = with_replay();
                (with_bare(), replay)
            }
        }
    }

    fn measured(
        &self,
        case: Case,
        ports: &[u16; 2],
        trust: &ServerTrust,
        resident_kib: impl Fn() -> f64,
    ) -> f64 {
        let tls = TlsToServer::new(trust).expect("TLS");
        let Workload {
            commands,
            exchanges,
            connections,
        } = self.workload;
        self.runtime.block_on(async {
            match case {
                Case::Noop(leg) => {
                    let mut app = App::log_in(leg, ports, &tls).await;
                    app.noops(commands / 10).await; // not counted
                    per_second(commands, app.noops(commands)).await
                }
                Case::NoopBesideLong => {
                    let mut app = App::log_in(Leg::Cleartext, ports, &tls).await;
                    per_second(commands / 10, app.noops(commands / 10)).await
                }
                Case::InOrder => {
                    let mut app = App::log_in(Leg::Cleartext, ports, &tls).await;
                    per_second(exchanges, app.fetches(exchanges)).await
                }
                Case::SetUp(leg) => {
                    per_second(connections, App::many(connections, leg, ports, &tls)).await
                }
                Case::AtOnce(leg) => {
                    let apps = App::many(connections, leg, ports, &tls).await;
                    let each = commands / connections;
                    per_second(each * connections, App::noops_of_all(apps, each)).await
                }
                Case::Memory(leg) => {
                    drop(App::log_in(leg, ports, &tls).await);
                    let before = resident_kib();
                    let apps = App::many(connections, leg, ports, &tls).await;
                    let taken = resident_kib() - before;
                    drop(apps);
                    taken / connections as f64
                }
            }
        })
    }
}

async fn per_second<T>(count: usize, doing: impl Future<Output = T>) -> f64 {
    let begun = Instant::now();
    let done = doing.await;
    let taken = begun.elapsed().as_secs_f64();
    drop(done);
    count as f64 / taken
}
