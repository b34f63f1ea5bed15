//! The command line: one file a subcommand, and no protocol logic.
//!
//! Standard output holds the conversation only; addresses, hints, warnings and errors go to
//! standard error. Exit codes: 0 done, 1 a mismatch or a finding, 2 it could not run or record.

mod authority;
mod ca;
mod client_certificate;
mod completions;
mod demo;
mod diff;
mod divert;
mod explain;
mod export;
mod fault;
mod filter;
mod growing;
mod import;
mod keylog;
mod known;
mod lint;
mod man;
mod path;
mod progress;
mod provider;
mod ready_file;
mod record;
mod redirect;
mod remote;
mod replay;
mod say;
mod scrub;
mod server_leg;
mod session;
mod show;
mod signals;
mod stats;
mod view;
mod warnings;

use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::error::{Error, Result};
use crate::event::Event;
use crate::recording::Events;

/// An oscilloscope for mail protocols: see, keep and understand what a mail app and its IMAP
/// server say to each other.
#[derive(Debug, Parser)]
#[command(name = "mailscope", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    common: Common,
}

/// Options of every command.
#[derive(Clone, Debug, clap::Args)]
pub struct Common {
    /// How the conversation is printed: lines for people, or the transcript's events, one a line.
    #[arg(help_heading = "All commands", long, global = true, value_enum, default_value_t = Output::Text)]
    output: Output,

    /// When to use colours; NO_COLOR turns `auto` off.
    #[arg(help_heading = "All commands", long, global = true, value_enum, default_value_t = Color::Auto)]
    color: Color,

    /// The folder of the certificate authorities [env: MAILSCOPE_CA_DIR] [default: in the user's data
    /// folder].
    #[arg(
        help_heading = "All commands",
        long,
        global = true,
        value_name = "DIR",
        value_hint = clap::ValueHint::DirPath
    )]
    ca_dir: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Relay between a mail app and its server, print what they say, save a transcript.
    Record(record::Arguments),
    /// Serve transcripts as a fake server that an app's tests run against.
    Replay(replay::Arguments),
    /// Print a transcript exactly as `record` would have.
    Show(show::Arguments),
    /// Write a transcript in another form.
    Export(export::Arguments),
    /// Make a transcript of what others kept: a rawlog, C: and S: lines, a capture, a library's log.
    Import(import::Arguments),
    /// What a session cost in time, octets and round trips, and what of that was wasted.
    Stats(stats::Arguments),
    /// Compare two transcripts by what they mean.
    Diff(diff::Arguments),
    /// Write a transcript with nobody's data in it, to share it.
    Scrub(scrub::Arguments),
    /// What a command, capability, response code or flag is, with its RFC.
    Explain(explain::Arguments),
    /// Say what client or server did against the RFCs, each with its clause.
    Lint(lint::Arguments),
    /// The certificate authorities that apps have to trust: where they are, and how to trust them.
    Ca(ca::Arguments),
    /// The whole way on this machine, without an account or a network.
    Demo(demo::Arguments),
    /// Write the completion script for a shell to standard output.
    Completions(completions::Arguments),
    /// Write manual pages: one to standard output, or all into a folder.
    Man(man::Arguments),
}

/// Runs the command. What could not be done is for the caller to print.
pub fn run(cli: Cli) -> Result<ExitCode> {
    match cli.command {
        Command::Record(arguments) => record::run(arguments, &cli.common),
        Command::Replay(arguments) => replay::run(&arguments, &cli.common),
        Command::Show(arguments) => show::run(&arguments, &cli.common),
        Command::Export(arguments) => export::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Stats(arguments) => stats::run(&arguments, &cli.common),
        Command::Diff(arguments) => diff::run(&arguments, &cli.common),
        Command::Scrub(arguments) => scrub::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments, &cli.common),
        Command::Lint(arguments) => lint::run(&arguments, &cli.common),
        Command::Ca(arguments) => ca::run(&arguments, &cli.common),
        Command::Demo(arguments) => demo::run(arguments, &cli.common),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Man(arguments) => man::run(&arguments),
    }
}

/// The events before the first that cannot be read; why it cannot is put into `damage`.
fn before(events: &mut Events, damage: &mut Option<Error>) -> impl Iterator<Item = Event> {
    events.map_while(|event| match event {
        Ok(event) => Some(event),
        Err(error) => {
            *damage = Some(error);
            None
        }
    })
}

/// Prints on standard output; a closed pipe is no error.
fn print(text: &str) -> Result<ExitCode> {
    print_octets(text.as_bytes())
}

/// Writes octets to standard output; a closed pipe is no error.
fn print_octets(octets: &[u8]) -> Result<ExitCode> {
    let mut stdout = std::io::stdout();
    match stdout.write_all(octets).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::new("write to standard output", error))
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}
