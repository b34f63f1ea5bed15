//! What can be had at best with this TLS library: octets of one leg written to the other, nothing
//! looked at; and the same beside a [`Writer`]. The benchmark's own binary, started again with `--bare`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use mailscope::net::Transport;
use mailscope::net::{Authority, Ours, ServerTrust, TlsToClient, TlsToServer, accept, dial};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::writer::Writer;

/// As much as mailscope reads at once.
const READ: usize = mailscope::limits::READ;

/// A relay for a server on this port, with the keys of this folder.
pub struct Bare {
    server: u16,
    keys: PathBuf,
    ready: PathBuf,
    /// Octets that it writes for each one of the server's.
    writes: f64,
}

impl Bare {
    /// If these arguments ask for one.
    pub fn asked_for(arguments: &[String]) -> Option<Self> {
        let [flag, server, keys, ready, writes] = arguments else {
            return None;
        };
        (flag == "--bare").then(|| Self {
            server: server.parse().expect("a port"),
            keys: keys.into(),
            ready: ready.into(),
            writes: writes.parse().expect("a number"),
        })
    }

    /// The command that starts one; it writes its port to `ready`, and for each octet of the server's so
    /// many to the folder that it is started in.
    pub fn command(server: u16, keys: &Path, ready: &Path, writes: f64) -> Command {
        let mut command = Command::new(std::env::current_exe().expect("a path"));
        command.arg("--bare").arg(server.to_string());
        command.args([keys, ready]).arg(writes.to_string());
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
            let writer = (self.writes > 0.0).then(|| Writer::begin(Path::new("."), self.writes));
            loop {
                let (app, _) = accept(&listener).await.expect("a connection");
                let legs = Arc::clone(&legs);
                let writer = writer.clone();
                tokio::spawn(async move {
                    let (app, server) = joined(app, &legs.0, &legs.1, self.server).await?;
                    // An end without close_notify is an end.
                    match writer {
                        None => relay(app, server).await,
                        Some(writer) => write_and_relay(app, server, &writer).await,
                    }
                });
            }
        });
    }
}

async fn joined(
    app: TcpStream,
    to_app: &TlsToClient,
    to_server: &TlsToServer,
    server: u16,
) -> std::io::Result<(Transport, Transport)> {
    let server = super::named(server);
    let started = to_app.hello(app).await.map_err(std::io::Error::other)?;
    let tcp = dial(&server, &Ours::default()).await.expect("a connection");
    let connected = to_server.connect(tcp, &server, Vec::new()).await;
    let (server, _) = connected.map_err(std::io::Error::other)?;
    let (app, _) = started.finish(None).await.map_err(std::io::Error::other)?;
    Ok((app, server))
}

async fn relay(mut app: Transport, mut server: Transport) -> std::io::Result<()> {
    tokio::io::copy_bidirectional_with_sizes(&mut app, &mut server, 8 * 1024, READ).await?;
    Ok(())
}

async fn write_and_relay(
    app: Transport,
    server: Transport,
    writer: &Writer,
) -> std::io::Result<()> {
    let (mut from_app, mut to_app) = tokio::io::split(app);
    let (mut from_server, mut to_server) = tokio::io::split(server);
    let mut octets = vec![0; READ];
    let down = async {
        loop {
            let read = from_server.read(&mut octets).await?;
            if read == 0 {
                return Ok(());
            }
            writer.passed(read);
            to_app.write_all(&octets[..read]).await?;
            to_app.flush().await?;
        }
    };
    tokio::select! {
        ended = down => ended,
        ended = tokio::io::copy(&mut from_app, &mut to_server) => ended.map(drop),
    }
}
