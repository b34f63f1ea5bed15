//! `mailscope record SERVER`: relay, print live, save a transcript.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::ValueEnum;
use serde_json::json;
use tokio::net::TcpListener;

use super::Common;
use super::authority::WhichAuthority;
use super::client_certificate::ClientCertificate;
use super::keylog::KeyLogging;
use super::provider;
use super::say::{say, say_at_the_end, warn};
use super::session::{Session, Signals, Stopped};
use super::view;
use crate::error::{Doing, Error, Result};
use crate::event::{Gate, Secrets};
use crate::net::{
    AskedSecurity, Door, KeyLogFile, ListenAddress, Scope, Security, ServerAddress, ServerTrust,
    TlsToServer,
};
use crate::protocol::imap::Hidden;
use crate::relay::{Config, Leg, Relay};

/// The arguments of `record`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The real server: HOST, HOST:PORT, imaps://HOST[:PORT] or imap://HOST[:PORT]; or a large
    /// provider: gmail, outlook, icloud, fastmail, yahoo, aol, gmx, web.de, zoho, yandex, mail.ru,
    /// proton-bridge.
    server: String,

    /// Where to listen for apps that use TLS at once; `none` turns it off, port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:1993")]
    listen_tls: String,

    /// Where to listen for apps that use cleartext; `none` turns it off, port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:1143")]
    listen_plain: String,

    /// Write the addresses there as JSON once all listen.
    #[arg(long, value_name = "PATH")]
    ready_file: Option<PathBuf>,

    /// The transcript: a file, or a folder (if it is one or ends in /) that gets one named by time
    /// and host. Never overwritten.
    #[arg(short, long, value_name = "PATH", default_value = "recordings/")]
    out: PathBuf,

    /// How the server leg is secured [default: by SERVER].
    #[arg(long, value_enum, value_name = "HOW")]
    server_tls: Option<ServerTls>,

    /// Verify the server by the certificates in this PEM file instead of the system's.
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    server_ca: Option<PathBuf>,

    /// Do not verify the server's certificate.
    #[arg(long)]
    insecure: bool,

    #[command(flatten)]
    client_certificate: ClientCertificate,

    #[command(flatten)]
    which: WhichAuthority,

    #[command(flatten)]
    keys: KeyLogging,

    /// Do not mask passwords and tokens.
    #[arg(long)]
    show_secrets: bool,

    /// Do not show the app this capability; may be given again, * stands for any characters.
    #[arg(long, value_name = "NAME")]
    hide_capability: Vec<String>,

    /// Print nothing on standard output.
    #[arg(long)]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ServerTls {
    /// TLS at once.
    Implicit,
    /// An upgrade on the cleartext port.
    Starttls,
    /// Cleartext.
    None,
}

/// Runs until it is stopped by Ctrl-C or SIGTERM.
pub fn run(mut arguments: Arguments, common: &Common) -> Result<ExitCode> {
    if let Some(provider) = provider::named(&arguments.server) {
        say(&provider.introduction());
        arguments.listen_plain = provider.listen_plain(arguments.listen_plain);
        arguments.server = provider.server().to_owned();
    }
    let asked = arguments.server_tls.map(|how| match how {
        ServerTls::Implicit => AskedSecurity::Implicit,
        ServerTls::Starttls => AskedSecurity::Starttls,
        ServerTls::None => AskedSecurity::None,
    });
    let server = ServerAddress::parse(&arguments.server, asked)?;
    let keylog = arguments.keys.open()?;
    let server_tls = server_tls(&arguments, &server, keylog.as_ref())?;
    let runtime = super::session::runtime()?;
    let outcome = runtime.block_on(record(&arguments, common, server, server_tls, keylog));
    // A name look-up that hangs must not hold the end of the program up.
    runtime.shutdown_background();
    outcome
}

/// What TLS with the server takes, if there is to be any.
fn server_tls(
    arguments: &Arguments,
    server: &ServerAddress,
    keylog: Option<&Arc<KeyLogFile>>,
) -> Result<Option<TlsToServer>> {
    let identity = arguments.client_certificate.read(server)?;
    if server.security() == Security::Cleartext {
        return Ok(None);
    }
    let tls = TlsToServer::new(&trust(arguments))?.identity(identity);
    Ok(Some(match keylog {
        Some(keylog) => tls.keylog(Arc::clone(keylog)),
        None => tls,
    }))
}

fn trust(arguments: &Arguments) -> ServerTrust {
    match &arguments.server_ca {
        Some(file) => ServerTrust::File(file.clone()),
        None if arguments.insecure => ServerTrust::Nothing,
        None => ServerTrust::System,
    }
}

async fn record(
    arguments: &Arguments,
    common: &Common,
    server: ServerAddress,
    server_tls: Option<TlsToServer>,
    keylog: Option<Arc<KeyLogFile>>,
) -> Result<ExitCode> {
    let listeners = bind(arguments).await?;
    let authority = Arc::new(arguments.which.open(common)?);
    let secrets = match arguments.show_secrets {
        true => Secrets::Shown,
        false => Secrets::Masked,
    };
    let session = Session::start(
        &arguments.out,
        server.host(),
        &server.name(),
        secrets,
        arguments.insecure,
        view::standard_output(common, arguments.quiet)?,
    )?;
    let path = session.path().to_owned();
    let relay = Relay::new(Config {
        server: server.clone(),
        server_tls,
        insecure: arguments.insecure,
        authority: Arc::clone(&authority),
        keylog,
        gate: Gate::new(secrets),
        hidden: Hidden::new(arguments.hide_capability.iter().map(String::as_str)),
        listeners,
    })?
    .on_trouble(|error| say(&warn(&error.to_string())));
    let (tls, plain) = (relay.address(Leg::Tls), relay.address(Leg::Cleartext));
    introduce(arguments, &server, tls, plain, &path);
    let signals = Signals::install()?;
    if let Some(ready) = &arguments.ready_file {
        let ca = authority.path().map(|path| path.display().to_string());
        write_ready_file(ready, tls, plain, ca.as_deref())?;
    }
    let stopped = session.serve(relay, signals).await;
    Ok(conclude(&stopped, &path))
}

async fn bind(arguments: &Arguments) -> Result<Vec<(TcpListener, Leg)>> {
    let mut listeners = Vec::new();
    for (text, door, leg) in [
        (&arguments.listen_tls, Door::Tls, Leg::Tls),
        (&arguments.listen_plain, Door::Plain, Leg::Cleartext),
    ] {
        if let Some(address) = ListenAddress::parse(text, door)? {
            listeners.push((address.listen().await?, leg));
        }
    }
    match listeners.is_empty() {
        true => Err(Error::new("listen", "both listeners are turned off")
            .hint("leave --listen-tls or --listen-plain out")),
        false => Ok(listeners),
    }
}

/// Says on standard error what to do now.
fn introduce(
    arguments: &Arguments,
    server: &ServerAddress,
    tls: Option<SocketAddr>,
    plain: Option<SocketAddr>,
    path: &Path,
) {
    let leg = match server.security() {
        Security::Implicit => "TLS",
        Security::Starttls => "STARTTLS",
        Security::Cleartext => "cleartext",
    };
    let mut lines = vec![
        format!(
            "mailscope: recording {} ({leg}) to {}",
            server.name(),
            path.display()
        ),
        "  set the app's IMAP server to:".to_owned(),
    ];
    if let Some(address) = tls {
        let port = address.port();
        lines.push(format!(
            "    localhost, port {port}, SSL/TLS  (trust the authority first: {})",
            arguments.which.command()
        ));
    }
    if let Some(address) = plain {
        let port = address.port();
        lines.push(format!(
            "    localhost, port {port}, no encryption or STARTTLS"
        ));
    }
    match arguments.which.scope() {
        Scope::Local => {}
        scope @ Scope::Hosts(_) => lines.push(format!("  the authority is good for {scope}")),
        Scope::Unconstrained => lines.push(warn(
            "the authority in use vouches for any server (--unconstrained-ca): take the trust in \
             it back when you are done",
        )),
    }
    lines.push("  Ctrl-C ends it".to_owned());
    for address in [tls, plain].into_iter().flatten() {
        if !address.ip().is_loopback() {
            let text = format!("{address} can be reached from other machines");
            lines.push(warn(&text));
        }
    }
    for (given, note) in [
        (arguments.insecure, crate::event::Note::Insecure),
        (arguments.show_secrets, crate::event::Note::SecretsShown),
    ] {
        if given {
            lines.push(warn(&note.text()));
        }
    }
    lines.extend(arguments.keys.warning().as_deref().map(warn));
    say(&lines.join("\n"));
}

/// Writes the file that says where all listen, in one step.
pub(super) fn write_ready_file(
    path: &Path,
    tls: Option<SocketAddr>,
    plain: Option<SocketAddr>,
    ca: Option<&str>,
) -> Result<()> {
    let text = |address: Option<SocketAddr>| address.map(|address| address.to_string());
    let ready = json!({ "tls": text(tls), "plain": text(plain), "ca": ca });
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let doing = || format!("write the ready file {}", path.display());
    std::fs::write(&temporary, format!("{ready}\n")).doing(doing)?;
    std::fs::rename(&temporary, path).doing(doing)
}

fn conclude(stopped: &Stopped, path: &Path) -> ExitCode {
    let count = |n: u64, one: &str| match n {
        1 => format!("1 {one}"),
        n => format!("{n} {one}s"),
    };
    let path = path.display();
    let events = count(stopped.events, "event");
    let whole = stopped.connections.filter(|_| stopped.is_recorded());
    let mut lines = vec![match whole {
        Some(connections) => {
            let connections = count(connections, "connection");
            format!("mailscope: {events} of {connections} in {path}")
        }
        None => format!("mailscope: {events}, NOT ALL OF THEM in {path}"),
    }];
    if stopped.is_late() {
        lines.push(warn("not everything could be written before the end"));
    }
    if stopped.is_unread() {
        lines.push(warn("standard output was not read to its end"));
    }
    lines.push(format!("  look at it again: mailscope show {path}"));
    say_at_the_end(lines.join("\n"));
    match stopped.is_content() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(2),
    }
}
