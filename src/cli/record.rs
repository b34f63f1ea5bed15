//! `mailscope record SERVER`: relay, print live, save a transcript.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::ValueHint;
use tokio::net::TcpListener;

use super::Common;
use super::authority::WhichAuthority;
use super::divert::{self, Diversion};
use super::fault::{self, FaultArguments};
use super::filter::FilterArgument;
use super::keylog::KeyLogging;
use super::known;
use super::path;
use super::provider;
use super::ready_file::ReadyFile;
use super::remote::{self, RemoteAccess};
use super::say::{say, say_aside, say_at_the_end, warn};
use super::server_leg::{ServerLeg, described};
use super::session::{Besides, Session, Stopped};
use super::signals::Signals;
use super::stats::StatsAtTheEnd;
use super::view;
use crate::error::{Error, Result};
use crate::event::{Gate, Secrets};
use crate::net::{
    AskedSecurity, Door, KeyLogFile, ListenAddress, Scope, ServerAddress, TlsToServer, find,
};
use crate::protocol::imap::Hidden;
use crate::relay::{Config, Leg, Relay};

/// The arguments of `record`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The real server: HOST, HOST:PORT, imaps://HOST[:PORT] or imap://HOST[:PORT]; or a large
    /// provider: gmail, outlook, icloud, fastmail, yahoo, aol, gmx, web.de, zoho, yandex, mail.ru,
    /// proton-bridge. May be left out where apps keep their own (--listen-socks,
    /// --listen-transparent).
    #[arg(
        required_unless_present_any = ["listen_socks", "listen_transparent"],
        value_hint = ValueHint::Hostname,
        value_parser = known::servers(),
        hide_possible_values = true
    )]
    server: Option<String>,

    /// Where to listen for apps that use TLS at once; `none` turns it off, port 0 takes a free one.
    #[arg(
        long,
        value_name = "ADDR",
        default_value = "127.0.0.1:1993",
        value_hint = ValueHint::Other,
        requires = "server"
    )]
    listen_tls: String,

    /// Where to listen for apps that use cleartext; `none` turns it off, port 0 takes a free one.
    #[arg(
        long,
        value_name = "ADDR",
        default_value = "127.0.0.1:1143",
        value_hint = ValueHint::Other,
        requires = "server"
    )]
    listen_plain: String,

    #[command(flatten)]
    diversion: Diversion,

    #[command(flatten)]
    remote: RemoteAccess,

    /// Write the addresses there as JSON once all listen.
    #[arg(long, value_name = "PATH", value_parser = path::file())]
    ready_file: Option<PathBuf>,

    /// The transcript: a file, or a folder (if it is one or ends in /) that gets one named by time
    /// and host. Never overwritten.
    #[arg(short, long, value_name = "PATH", default_value = "recordings/", value_parser = path::file())]
    out: PathBuf,

    /// Write the session there too, as a decrypted capture for Wireshark. Never overwritten.
    #[arg(long, value_name = "FILE", value_parser = path::file())]
    pcapng: Option<PathBuf>,

    #[command(flatten)]
    leg: ServerLeg,

    #[command(flatten)]
    which: WhichAuthority,

    #[command(flatten)]
    keys: KeyLogging,

    /// Do not mask passwords and tokens.
    #[arg(long)]
    show_secrets: bool,

    /// Do not show the app this capability; may be given again, * stands for any characters.
    #[arg(
        long,
        value_name = "NAME",
        value_parser = known::capabilities(),
        hide_possible_values = true
    )]
    hide_capability: Vec<String>,

    #[command(flatten)]
    faults: FaultArguments,

    #[command(flatten)]
    filter: FilterArgument,

    /// Say at the end, on standard error, what `mailscope stats` tells of the transcript.
    #[arg(long)]
    stats: bool,

    /// Say below each line what it does, as to somebody who sees IMAP for the first time.
    #[arg(long)]
    explain: bool,

    /// Print nothing on standard output.
    #[arg(long)]
    quiet: bool,

    /// Tell below each event what is against the RFCs in it, as `lint` does.
    #[arg(long)]
    lint: bool,
}

/// Runs until it is stopped by Ctrl-C, SIGTERM or the end of its terminal.
pub fn run(mut arguments: Arguments, common: &Common) -> Result<ExitCode> {
    if let Some(provider) = arguments.server.as_deref().and_then(provider::named) {
        say(&provider.introduction());
        arguments.listen_plain = provider.listen_plain(arguments.listen_plain);
        arguments.server = Some(provider.server().to_owned());
    }
    let asked = arguments.leg.asked();
    let keylog = arguments.keys.open()?;
    let server = arguments.server.as_deref();
    let servers = Servers {
        own: server
            .map(|text| ServerAddress::parse(text, asked))
            .transpose()?,
        asked,
        tls: arguments.leg.tls(keylog.as_ref())?,
    };
    let runtime = super::session::runtime()?;
    let outcome = runtime.block_on(record(&arguments, common, servers, keylog));
    // A name look-up that hangs must not hold the end of the program up.
    runtime.shutdown_background();
    outcome
}

/// The servers of a run.
struct Servers {
    /// That of the apps which are set to mailscope.
    own: Option<ServerAddress>,
    asked: Option<AskedSecurity>,
    tls: Option<TlsToServer>,
}

async fn record(
    arguments: &Arguments,
    common: &Common,
    servers: Servers,
    keylog: Option<Arc<KeyLogFile>>,
) -> Result<ExitCode> {
    let filter = arguments.filter.read()?;
    let view = view_of(arguments, common)?;
    let faults = arguments.faults.read()?;
    let faults_told = fault::introduction(&faults);
    let others = [Some(&arguments.out), arguments.pcapng.as_ref()];
    let others: Vec<&Path> = others.into_iter().flatten().map(PathBuf::as_path).collect();
    let ready = arguments.ready_file.as_deref();
    let ready = ready
        .map(|path| ReadyFile::begin(path, &others))
        .transpose()?;
    let listeners = bind(arguments, servers.own.is_some()).await?;
    let authority = Arc::new(arguments.which.open(common)?);
    let secrets = match arguments.show_secrets {
        true => Secrets::Shown,
        false => Secrets::Masked,
    };
    let without_server = listeners.first().map_or("none", |(_, leg)| leg.name());
    let own = servers.own.clone();
    let (host, name) = match &own {
        Some(server) => (server.host(), server.name()),
        None => (without_server, without_server.to_owned()),
    };
    let relay = Relay::new(Config {
        server: servers.own,
        asked: servers.asked,
        server_tls: servers.tls,
        insecure: arguments.leg.is_insecure(),
        authority: Arc::clone(&authority),
        keylog,
        gate: Gate::new(secrets),
        hidden: Hidden::new(arguments.hide_capability.iter().map(String::as_str)),
        faults,
        listeners,
    })?
    .on_trouble(|error| say_aside(warn(&error.to_string())));
    let besides = Besides {
        view: view.map(|view| view.filtered(filter)),
        capture: arguments.pcapng.as_deref(),
        stats: arguments.stats.then(|| StatsAtTheEnd::new(common)),
    };
    let session = Session::start(
        &arguments.out,
        host,
        &name,
        secrets,
        arguments.leg.is_insecure(),
        besides,
    )?;
    let path = session.path();
    introduce(arguments, own.as_ref(), &relay, &path, faults_told);
    if let Some(server) = own {
        // A slow name server holds nothing up.
        tokio::spawn(async move {
            if let Err(error) = find(&server).await {
                say(&warn(&error.to_string()));
            }
        });
    }
    let ca = authority.path().map(|path| path.display().to_string());
    let begun = Signals::install().and_then(|signals| {
        if let Some(ready) = ready {
            ready.write(&listening(&relay), ca.as_deref())?;
        }
        Ok(signals)
    });
    let signals = match begun {
        Ok(signals) => signals,
        Err(error) => {
            session.discard();
            return Err(error);
        }
    };
    let stopped = session.serve(relay, signals).await;
    Ok(conclude(&stopped))
}

async fn bind(arguments: &Arguments, has_server: bool) -> Result<Vec<(TcpListener, Leg)>> {
    let mut asked_for = Vec::new();
    for (text, door, leg) in [
        (&arguments.listen_tls, Door::Tls, Leg::Tls),
        (&arguments.listen_plain, Door::Plain, Leg::Cleartext),
    ] {
        let address = ListenAddress::parse(text, door)?.filter(|_| has_server);
        asked_for.extend(address.map(|address| (address, leg)));
    }
    asked_for.extend(arguments.diversion.asked_for(&arguments.which)?);
    match asked_for.is_empty() {
        true => Err(Error::new("listen", "all listeners are turned off")
            .hint("SERVER, and --listen-tls or --listen-plain left out")),
        false => divert::listen(asked_for, arguments.remote.reach()).await,
    }
}

fn view_of(arguments: &Arguments, common: &Common) -> Result<Option<view::View>> {
    let view = view::standard_output(common, arguments.quiet)?
        .map(|view| view.explaining(arguments.explain));
    match arguments.lint {
        true => view.map(view::View::linting).transpose(),
        false => Ok(view),
    }
}

/// Says on standard error what to do now.
fn introduce(
    arguments: &Arguments,
    server: Option<&ServerAddress>,
    relay: &Relay,
    path: &Path,
    faults: Option<String>,
) {
    let (tls, plain) = (relay.address(Leg::Tls), relay.address(Leg::Cleartext));
    let diverted = divert::addresses(relay);
    let mut lines = vec![format!(
        "mailscope: recording {} to {}",
        server.map_or("the servers that apps keep".to_owned(), described),
        path.display()
    )];
    if tls.or(plain).is_some() {
        lines.push("  set the app's IMAP server to:".to_owned());
    }
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
    for &(leg, address) in &diverted {
        lines.extend(divert::introduction(leg, address, &arguments.which));
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
    let diverted = diverted.into_iter().map(|(_, address)| address);
    lines.extend(remote::warnings(
        tls.into_iter().chain(plain),
        "whoever connects uses the server from here, and is recorded",
    ));
    lines.extend(remote::warnings(
        diverted,
        "whoever connects reaches other servers from here, and is recorded",
    ));
    for (given, note) in [
        (arguments.leg.is_insecure(), crate::event::Note::Insecure),
        (arguments.show_secrets, crate::event::Note::SecretsShown),
    ] {
        if given {
            lines.push(warn(&note.text()));
        }
    }
    lines.extend(arguments.keys.warning().as_deref().map(warn));
    lines.extend(faults.as_deref().map(warn));
    say(&lines.join("\n"));
}

/// Each listener's name and address; those of the usual two stand there when they are off, too.
fn listening(relay: &Relay) -> Vec<(&'static str, Option<SocketAddr>)> {
    let diverted = divert::addresses(relay).into_iter();
    [Leg::Tls, Leg::Cleartext]
        .map(|leg| (leg.name(), relay.address(leg)))
        .into_iter()
        .chain(diverted.map(|(leg, address)| (leg.name(), Some(address))))
        .collect()
}

fn conclude(stopped: &Stopped) -> ExitCode {
    let count = |n: u64, one: &str| match n {
        1 => format!("1 {one}"),
        n => format!("{n} {one}s"),
    };
    let path = stopped.path.display();
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
    lines.push(format!(
        "  look at it again: mailscope show {}",
        path::word(&stopped.path)
    ));
    say_at_the_end(lines.join("\n"));
    match stopped.is_content() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(2),
    }
}
