//! What can be had at best with this TLS library: octets of one leg written to the other, nothing
//! looked at. The benchmark's own binary, started again with `--bare`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use mailscope::net::{Authority, Ours, ServerTrust, TlsToClient, TlsToServer, accept, dial};
use tokio::net::{TcpListener, TcpStream};

/// A relay for a server on this port, with the keys of this folder.
pub struct Bare {
    server: u16,
    keys: PathBuf,
    ready: PathBuf,
}

impl Bare {
    /// If these arguments ask for one.
    pub fn asked_for(arguments: &[String]) -> Option<Self> {
        let [flag, server, keys, ready] = arguments else {
            return None;
        };
        (flag == "--bare").then(|| Self {
            server: server.parse().expect("a port"),
            keys: keys.into(),
            ready: ready.into(),
        })
    }

    /// The command that starts one; it writes its port to `ready`.
    pub fn command(server: u16, keys: &Path, ready: &Path) -> Command {
        let mut command = Command::new(std::env::current_exe().expect("a path"));
        command.arg("--bare").arg(server.to_string());
        command.args([keys, ready]);
        command
    }

    /// The authority of a folder.
    pub fn authority(keys: &Path) -> Authority {
        Authority::open_or_create(keys, &super::scope()).expect("an authority")
    }

    /// Serves until it is killed.
    pub fn run(self) {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            let port = listener.local_addr().expect("an address").port();
            let authority = Arc::new(Self::authority(&self.keys));
            let trust = ServerTrust::Authority(authority.der().clone());
            let legs = Arc::new((
                TlsToClient::new(authority).expect("TLS"),
                TlsToServer::new(&trust).expect("TLS"),
            ));
            let port = serde_json::json!({"tls": format!("127.0.0.1:{port}")});
            let told = self.ready.with_extension("new");
            std::fs::write(&told, port.to_string()).expect("written");
            std::fs::rename(&told, &self.ready).expect("renamed");
            loop {
                let (app, _) = accept(&listener).await.expect("a connection");
                let legs = Arc::clone(&legs);
                // An end without close_notify is an end.
                tokio::spawn(async move { relayed(app, &legs.0, &legs.1, self.server).await });
            }
        });
    }
}

async fn relayed(
    app: TcpStream,
    to_app: &TlsToClient,
    to_server: &TlsToServer,
    server: u16,
) -> std::io::Result<(u64, u64)> {
    /// As much as mailscope reads at once.
    const READ: usize = mailscope::limits::READ;
    let server = super::named(server);
    let started = to_app.hello(app).await.map_err(std::io::Error::other)?;
    let tcp = dial(&server, &Ours::default()).await.expect("a connection");
    let connected = to_server.connect(tcp, &server, Vec::new()).await;
    let (mut server, _) = connected.map_err(std::io::Error::other)?;
    let (mut app, _) = started.finish(None).await.map_err(std::io::Error::other)?;
    tokio::io::copy_bidirectional_with_sizes(&mut app, &mut server, 8 * 1024, READ).await
}
