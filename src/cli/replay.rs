//! `mailscope replay TRANSCRIPT...`: a recording as the server that an app's tests run against.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use clap::{ValueEnum, ValueHint};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::authority::WhichAuthority;
use super::fault::{self, FaultArguments};
use super::growing::{Growing, Grown};
use super::keylog::KeyLogging;
use super::path;
use super::progress::{Beside, Progress};
use super::ready_file::ReadyFile;
use super::remote::{self, RemoteAccess};
use super::say::{say, say_at_the_end, warn};
use super::session::runtime;
use super::signals::Signals;
use super::{Common, view};
use crate::error::{Doing, Error, Result};
use crate::limits;
use crate::net::{Clock, Door, KeyLogFile, ListenAddress, Ours};
use crate::private;
use crate::protocol::imap::AppLeg;
use crate::recording::Input;
use crate::replay::{Config, Matching, OnMiss, Report, Script, Service};
use crate::sink::bus::{Bus, OnFailure, Sink};
use crate::transcript::is_hidden;

/// The arguments of `replay`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The transcripts, or texts with C: and S: lines (- for standard input); their sessions are served
    /// together.
    #[arg(required = true, value_name = "TRANSCRIPT")]
    transcripts: Vec<PathBuf>,

    /// Where to listen for apps that use TLS at once; `none` turns it off, port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:1993", value_hint = ValueHint::Other)]
    listen_tls: String,

    /// Where to listen for apps that use STARTTLS or cleartext; `none` turns it off, port 0 takes a
    /// free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:1143", value_hint = ValueHint::Other)]
    listen_plain: String,

    #[command(flatten)]
    remote: RemoteAccess,

    /// Write the addresses there as JSON once all listen.
    #[arg(long, value_name = "PATH", value_parser = path::file())]
    ready_file: Option<PathBuf>,

    /// Which recorded command a live one may be answered as.
    #[arg(long = "match", value_enum, value_name = "HOW", default_value_t = Match::State)]
    matching: Match,

    /// What is answered to a command that nothing recorded fits; `record` asks a real server.
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = Miss::Bad)]
    on_miss: Miss,

    #[command(flatten)]
    growing: Growing,

    /// The pauses between the server's answers: none, recorded, or the recorded ones times a factor.
    #[arg(long, value_name = "none|recorded|FACTOR", default_value = "none", value_parser = pace)]
    timing: f64,

    /// Write there as JSON what matched, what did not and what was never asked for.
    #[arg(long, value_name = "FILE", value_parser = path::file())]
    report: Option<PathBuf>,

    /// End when every recorded connection has been served.
    #[arg(long)]
    once: bool,

    /// Count what was never asked for as a mismatch.
    #[arg(long)]
    require_all: bool,

    #[command(flatten)]
    which: WhichAuthority,

    #[command(flatten)]
    keys: KeyLogging,

    #[command(flatten)]
    faults: FaultArguments,

    /// Say below each line what it does, as to somebody who sees IMAP for the first time.
    #[arg(long)]
    explain: bool,

    /// Print nothing on standard output.
    #[arg(long)]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Match {
    /// The next one of the same connection, or none.
    Strict,
    /// The first unused one that fits in the session's state.
    State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Miss {
    /// BYE, and the connection is closed.
    Fail,
    /// BAD, and the session goes on.
    Bad,
    /// What the server of --server answers, which is added to the transcript.
    Record,
}

/// `none`, `recorded` or a factor.
fn pace(text: &str) -> Result<f64, String> {
    match text {
        "none" => Ok(0.0),
        "recorded" => Ok(1.0),
        factor => match factor.parse::<f64>() {
            Ok(factor) if factor.is_finite() && (0.0..=1000.0).contains(&factor) => Ok(factor),
            _ => Err("none, recorded, or a factor from 0 to 1000, such as 0.5".into()),
        },
    }
}

/// Serves until Ctrl-C, SIGTERM or the end of its terminal, or with `--once` until all was served.
pub fn run(arguments: &Arguments, common: &Common) -> Result<ExitCode> {
    let keylog = arguments.keys.open()?;
    let played = played(arguments, keylog.as_ref())?;
    let runtime = runtime()?;
    let outcome = runtime.block_on(replay(arguments, common, played, keylog));
    runtime.shutdown_background();
    outcome
}

/// What is played.
enum Played {
    /// These sessions, and nothing else.
    Script(Script),
    /// A transcript that may grow.
    Grown(Box<Grown>),
}

fn played(arguments: &Arguments, keylog: Option<&Arc<KeyLogFile>>) -> Result<Played> {
    if arguments.on_miss == Miss::Record {
        let grown = arguments.growing.open(&arguments.transcripts, keylog)?;
        return Ok(Played::Grown(Box::new(grown)));
    }
    arguments.growing.refuse_without_miss()?;
    let progress = match arguments.quiet {
        true => Progress::none(),
        false => Progress::begin("reading", Beside::Nothing),
    };
    let mut script = Script::default();
    for transcript in &arguments.transcripts {
        let Input { name, octets } = progress.input(transcript)?;
        script.append(Script::read(octets, &name)?);
    }
    drop(progress);
    for torn in &script.torn {
        say(&warn(torn));
    }
    Ok(Played::Script(script))
}

async fn replay(
    arguments: &Arguments,
    common: &Common,
    played: Played,
    keylog: Option<Arc<KeyLogFile>>,
) -> Result<ExitCode> {
    let faults = arguments.faults.read()?;
    let faults_told = fault::introduction(&faults);
    let ready = arguments.ready_file.as_deref();
    let others: Vec<&Path> = arguments.report.as_deref().into_iter().collect();
    let ready = ready
        .map(|path| ReadyFile::begin(path, &others))
        .transpose()?;
    let listeners = bind(arguments).await?;
    let addresses = listeners
        .iter()
        .filter_map(|(listener, _)| listener.local_addr().ok());
    let mut remarks = Vec::new();
    let (script, upstream) = match played {
        Played::Script(script) => (script, None),
        Played::Grown(grown) => {
            remarks = grown.introduction(&arguments.transcripts[0]);
            grown.divided(Ours::listening(addresses))
        }
    };
    let authority = Arc::new(arguments.which.open(common)?);
    let ca = authority.path().map(|path| path.display().to_string());
    let sessions = match upstream.as_ref().is_some_and(|upstream| upstream.is_all) {
        true => 0,
        false => script.sessions.len(),
    };
    let has_server = upstream.is_some();
    let service = Service::new(Config {
        script,
        matching: match arguments.matching {
            Match::Strict => Matching::Strict,
            Match::State => Matching::State,
        },
        on_miss: match arguments.on_miss {
            Miss::Fail => OnMiss::Fail,
            Miss::Bad | Miss::Record => OnMiss::Bad,
        },
        pace: arguments.timing,
        faults,
        authority,
        listeners,
        upstream: upstream.clone(),
        keylog,
    })?;
    let (tls, plain) = (
        service.address(AppLeg::Tls),
        service.address(AppLeg::Cleartext),
    );
    remarks.extend(arguments.keys.warning().as_deref().map(warn));
    remarks.extend(faults_told.as_deref().map(warn));
    introduce(arguments, sessions, has_server, (tls, plain), remarks);
    let mut signals = Signals::install()?;
    if let Some(ready) = ready {
        ready.write(&[("tls", tls), ("plain", plain)], ca.as_deref())?;
    }
    let view = view::standard_output(common, arguments.quiet)?
        .map(|view| view.explaining(arguments.explain));
    let sinks = view.map(|view| (view.policy(), Box::new(view) as Box<dyn Sink>));
    let on_failure: OnFailure = Arc::new(|_, error| say(&warn(&error.to_string())));
    let bus = Arc::new(Bus::new(sinks.into_iter().collect(), &on_failure)?);
    let report = service.reporter();
    let stop = CancellationToken::new();
    let running = service.run(
        Arc::clone(&bus),
        Clock::start(),
        stop.clone(),
        arguments.once,
    );
    let mut running = std::pin::pin!(running);
    tokio::select! {
        () = &mut running => {}
        () = signals.first() => {
            signals.end_at_a_second();
            stop.cancel();
            running.await;
        }
    }
    let _ = bus.finish(Instant::now() + limits::FINISH_VIEW);
    let deadline = Instant::now() + limits::END.saturating_sub(limits::FINISH_VIEW);
    let is_written = upstream.is_none_or(|upstream| upstream.recorder.finish(deadline));
    let code = conclude(arguments, &report())?;
    match is_written {
        true => Ok(code),
        false => {
            say_at_the_end(warn(
                "not everything is in the transcript that was to be added",
            ));
            Ok(ExitCode::from(2))
        }
    }
}

async fn bind(arguments: &Arguments) -> Result<Vec<(TcpListener, AppLeg)>> {
    let mut listeners = Vec::new();
    for (text, door, leg) in [
        (&arguments.listen_tls, Door::Tls, AppLeg::Tls),
        (&arguments.listen_plain, Door::Plain, AppLeg::Cleartext),
    ] {
        if let Some(address) = ListenAddress::parse(text, door)? {
            listeners.push((address.listen(arguments.remote.reach()).await?, leg));
        }
    }
    match listeners.is_empty() {
        true => Err(Error::new("listen", "both listeners are turned off")
            .hint("leave --listen-tls or --listen-plain out")),
        false => Ok(listeners),
    }
}

fn introduce(
    arguments: &Arguments,
    sessions: usize,
    has_server: bool,
    (tls, plain): (Option<SocketAddr>, Option<SocketAddr>),
    remarks: Vec<String>,
) {
    let sessions = match sessions {
        1 => "1 recorded connection".to_owned(),
        many => format!("{many} recorded connections"),
    };
    let mut lines = vec![
        format!("mailscope: replaying {sessions}"),
        "  set the app's IMAP server to:".to_owned(),
    ];
    if let Some(address) = tls {
        let (port, command) = (address.port(), arguments.which.command());
        lines.push(format!(
            "    localhost, port {port}, SSL/TLS  (trust the authority first: {command})"
        ));
    }
    if let Some(address) = plain {
        let port = address.port();
        lines.push(format!(
            "    localhost, port {port}, no encryption or STARTTLS"
        ));
    }
    lines.push(match has_server {
        true => "  the password is to be the server's; Ctrl-C ends it".to_owned(),
        false => "  any password does; Ctrl-C ends it".to_owned(),
    });
    lines.extend(remote::warnings(
        tls.into_iter().chain(plain),
        "whoever connects reads what is recorded",
    ));
    lines.extend(remarks);
    say(&lines.join("\n"));
}

fn conclude(arguments: &Arguments, report: &Report) -> Result<ExitCode> {
    // A file that cannot be written is no reason to keep it from the user.
    say_at_the_end(format!("mailscope: {report}"));
    if let Some(path) = &arguments.report {
        write(path, report)?;
    }
    match report.is_content(arguments.require_all) {
        true => Ok(ExitCode::SUCCESS),
        false => Ok(ExitCode::from(1)),
    }
}

fn write(path: &Path, report: &Report) -> Result<()> {
    let doing = || format!("write the report {}", path.display());
    let json = serde_json::to_string_pretty(report).doing(doing)?;
    // In place, for it may be a pipe or a device.
    let file = private::file()
        .write(true)
        .create(true)
        .truncate(true)
        .open(path);
    file.and_then(|mut file| file.write_all((fit_to_be_seen(&json) + "\n").as_bytes()))
        .doing(doing)
}

/// The same JSON; what an app or a recording says and nobody sees is spelt out in it.
fn fit_to_be_seen(json: &str) -> String {
    let mut fit = String::with_capacity(json.len());
    for c in json.chars() {
        match c != '\n' && (c.is_control() || is_hidden(c)) {
            true => {
                let units = c.encode_utf16(&mut [0; 2]).to_vec();
                fit.extend(units.iter().map(|unit| format!("\\u{unit:04x}")));
            }
            false => fit.push(c),
        }
    }
    fit
}
