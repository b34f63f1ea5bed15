//! What stands between app and server: mailscope's relay, or a plain copy to compare it with.

use std::sync::Arc;

use mailscope::event::{Gate, Secrets};
use mailscope::fault::Faults;
use mailscope::net::{AskedSecurity, Authority, Clock, ServerAddress};
use mailscope::protocol::imap::Hidden;
use mailscope::relay::{Config, Leg, Relay};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::copy::Copy;
use super::sinks::Sinks;
use super::{Route, Way};

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
    pub fn start(route: Route, server: ServerAddress, authority: &Arc<Authority>) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let listener = super::listener(&runtime);
        // How the app secures its leg is the app's own affair.
        let address = super::named(&listener, AskedSecurity::Implicit);
        let stop = CancellationToken::new();
        let sinks = Sinks::new(route.way);
        let working = match route.way {
            Way::Copy => {
                let copying = Copy::new(server, authority).run(listener);
                let copying = stop.clone().run_until_cancelled_owned(copying);
                runtime.spawn(async move {
                    copying.await;
                })
            }
            Way::Relay | Way::Recorded => {
                let relay = relay(listener, route.session.app(), server, authority);
                let relaying = relay.run(Arc::clone(&sinks.bus), Clock::start(), stop.clone());
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
        self.sinks.finish();
    }
}

fn relay(
    listener: TcpListener,
    leg: Leg,
    server: ServerAddress,
    authority: &Arc<Authority>,
) -> Relay {
    let config = Config {
        server: Some(server),
        asked: None,
        server_tls: Some(super::trusting(authority)),
        keylog: None,
        insecure: false,
        authority: Arc::clone(authority),
        gate: Gate::new(Secrets::Masked),
        hidden: Hidden::default(),
        faults: Faults::default(),
        listeners: vec![(listener, leg)],
    };
    Relay::new(config).expect("a relay")
}
