//! `mailscope demo`: the whole way on one machine. A server and an app, both played from a
//! recording that ships with mailscope, and the real relay between them with TLS on both legs.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

use super::path;
use super::say::{say, say_at_the_end};
use super::session::{Besides, Session, runtime};
use super::{Common, view};
use crate::error::{Doing, Error, Result};
use crate::event::{Gate, Peer, Secrets};
use crate::fault::Faults;
use crate::net::{
    AskedSecurity, Authority, Ours, ServerAddress, ServerTrust, TlsToClient, TlsToServer, accept,
    dial,
};
use crate::private;
use crate::protocol::imap::Hidden;
use crate::relay::{Config, Leg, Relay};
use crate::replay::{Part, play};

/// The recording: a tour of IMAP.
const TOUR: &str = include_str!("../../recordings/tour.json");

/// What the app says where the recording has a masked password.
const PASSWORD: &[u8] = b"a-demo-password";

/// The longest pause: long enough to read along, short enough to be done in seconds.
const PAUSE: Duration = Duration::from_millis(400);

/// How long the whole demo may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The arguments of `demo`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The transcript: a file, or a folder (if it is one or ends in /) that gets one named by time
    /// [default: recordings/, or the folder for temporary files where that cannot be written].
    #[arg(short, long, value_name = "PATH", value_parser = path::file())]
    out: Option<PathBuf>,

    /// Say below each line what it does, as to somebody who sees IMAP for the first time.
    #[arg(long)]
    explain: bool,
}

/// Plays the tour, then says how to go on.
pub fn run(arguments: Arguments, common: &Common) -> Result<ExitCode> {
    let runtime = runtime()?;
    let outcome = runtime.block_on(demo(&arguments, common));
    runtime.shutdown_background();
    outcome
}

async fn demo(arguments: &Arguments, common: &Common) -> Result<ExitCode> {
    let part = Part::read(Cursor::new(TOUR), "recordings/tour.json", PASSWORD)?;
    let servers_authority = Arc::new(Authority::ephemeral()?);
    let authority = Arc::new(Authority::ephemeral()?);
    let real_server = bind().await?;
    let door = bind().await?;
    let server = address(&real_server)?;
    let app_goes_to = address(&door)?;

    say(&format!(
        "mailscope: an app and a server on this machine, and mailscope between them:\n  \
         app -- TLS --> {} mailscope -- TLS --> {} server",
        app_goes_to.name(),
        server.name()
    ));
    let view = view::standard_output(common, false)?.map(|view| view.explaining(arguments.explain));
    let session = start(arguments, view)?;
    let path = session.path();
    let relay = Relay::new(Config {
        server: Some(server),
        asked: None,
        server_tls: Some(TlsToServer::new(&trust(&servers_authority))?),
        insecure: false,
        authority: Arc::clone(&authority),
        keylog: None,
        gate: Gate::new(Secrets::Masked),
        faults: Faults::default(),
        hidden: Hidden::default(),
        listeners: vec![(door, Leg::Tls)],
    })?;
    let played = async {
        let both = async {
            tokio::try_join!(
                play_server(&part, real_server, servers_authority),
                play_app(&part, &app_goes_to, authority),
            )
        };
        match tokio::time::timeout(PATIENCE, both).await {
            Ok(outcome) => outcome.map(|_| ()),
            Err(_) => Err(Error::new("play the demo", "it takes too long")),
        }
    };
    let (stopped, played) = session.serve_one(relay, played).await;
    played?;
    if !stopped.is_content() {
        return Ok(ExitCode::from(2));
    }
    conclude(&path);
    Ok(ExitCode::SUCCESS)
}

/// The session with its transcript where it was asked for, or where it can be.
fn start(arguments: &Arguments, view: Option<view::View>) -> Result<Session> {
    let folder = Path::new("recordings/");
    let out = match &arguments.out {
        Some(out) => out.clone(),
        None if can_write(folder) => folder.to_owned(),
        None => std::env::temp_dir(),
    };
    Session::start(
        &out,
        "demo",
        "localhost (demo)",
        Secrets::Masked,
        false,
        Besides {
            view,
            ..Besides::default()
        },
    )
}

fn can_write(folder: &Path) -> bool {
    let _ = private::folder().recursive(true).create(folder);
    // Permissions lie (read-only mounts, root); writing tells.
    let probe = folder.join(format!(".mailscope-{}", std::process::id()));
    let written = private::create_new(&probe).is_ok();
    let _ = std::fs::remove_file(&probe);
    written
}

async fn bind() -> Result<TcpListener> {
    TcpListener::bind("127.0.0.1:0")
        .await
        .doing(|| "listen on a free port of 127.0.0.1".into())
}

fn address(listener: &TcpListener) -> Result<ServerAddress> {
    let address = listener
        .local_addr()
        .doing(|| "ask for the free port".into())?;
    let text = format!("localhost:{}", address.port());
    ServerAddress::parse(&text, Some(AskedSecurity::Implicit))
}

fn trust(authority: &Authority) -> ServerTrust {
    ServerTrust::Authority(authority.der().clone())
}

async fn play_server(part: &Part, listener: TcpListener, own: Arc<Authority>) -> Result<()> {
    let doing = || "play the server".to_owned();
    let (stream, _) = accept(&listener).await.doing(doing)?;
    let started = TlsToClient::new(own)?.hello(stream).await.doing(doing)?;
    let (stream, _) = started.finish(None).await.doing(doing)?;
    play(part, Peer::Server, stream, PAUSE).await
}

async fn play_app(part: &Part, to: &ServerAddress, trusted: Arc<Authority>) -> Result<()> {
    let doing = || "play the app".to_owned();
    let tls = TlsToServer::new(&trust(&trusted))?;
    let stream = dial(to, &Ours::default()).await?;
    let (stream, _) = tls.connect(stream, to, Vec::new()).await.doing(doing)?;
    play(part, Peer::Client, stream, PAUSE).await
}

fn conclude(path: &Path) {
    let (path, word) = (path.display(), path::word(path));
    say_at_the_end(format!(
        "
That was a whole IMAP session, seen by mailscope. It is kept in
  {path}

Look at it again:
  mailscope show {word}
Now a real app and a real server:
  mailscope ca                        how to let the app trust mailscope
  mailscope record imap.example.com   your server's name
and set the app's IMAP server to localhost, port 1993, SSL/TLS."
    ));
}
