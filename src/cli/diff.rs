//! `mailscope diff A B`: two transcripts compared by what they mean.

use std::path::PathBuf;
use std::process::ExitCode;

use super::progress::{Beside, Progress};
use super::say::{say, warn};
use super::{Common, Output, print_octets, view};
use crate::compare::{Conversation, Ignored, Measure, compare_by, write_json, write_page};
use crate::error::{Error, Result};
use crate::recording::{is_standard_input, name_of};

/// The arguments of `diff`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
What is compared: the commands in their order, their arguments, and what the server said to each, data \
as sets where its order has no meaning (responses, the items of a FETCH, flags, capabilities, numbers \
found). What came unsolicited may have come at any time.

What is no difference: tags, times, addresses, TLS and STARTTLS, the form of strings and literals, letter \
case where IMAP has none, human-readable text, ID, APPEND's date, passwords and SASL turns, and what is \
masked on one side.

Both recordings are held in memory: some 1 KiB for each response, and literals of up to 64 KiB as they are.

Exit codes: 0 equal, 1 different, 2 a file could not be read.")]
pub struct Arguments {
    /// The one transcript, or a text with C: and S: lines; - for standard input.
    a: PathBuf,

    /// The other one. One of both may be standard input.
    b: PathBuf,

    /// Do not compare this: a command (NOOP), a response (RECENT), a response code (UIDVALIDITY), an
    /// argument or an item ("sequence set", UID); by the name under which it is told, repeatable.
    #[arg(long, value_name = "NAME")]
    ignore: Vec<String>,

    /// Compare the octets of commands too, tags and secrets apart (letter case, quoting, literals, the order
    /// in sets and lists, dates, ID), and tell each that stands at another place: for two versions of an
    /// app or a library.
    #[arg(long)]
    exact: bool,
}

/// Prints the differences, or that there are none.
pub fn run(arguments: &Arguments, common: &Common) -> Result<ExitCode> {
    if [&arguments.a, &arguments.b]
        .iter()
        .all(|path| is_standard_input(path))
    {
        let why = "both are standard input, which can be read once";
        return Err(Error::new("compare - with -", why).hint("a file for one of both"));
    }
    let ignored = Ignored::new(arguments.ignore.iter().map(String::as_str));
    let progress = Progress::begin("reading", Beside::Nothing);
    let a = Conversation::of(progress.input(&arguments.a)?, &ignored)?;
    let b = Conversation::of(progress.input(&arguments.b)?, &ignored)?;
    let measure = match arguments.exact {
        true => Measure::Octets,
        false => Measure::Meaning,
    };
    let comparison = compare_by(measure, &a, &b);
    drop(progress);
    for torn in [&a.torn, &b.torn].into_iter().flatten() {
        say(&warn(torn));
    }
    let mut out = Vec::new();
    match common.output {
        Output::Json => write_json(&mut out, &comparison),
        Output::Text => {
            let names = [&arguments.a, &arguments.b].map(|path| name_of(path));
            let names = [&*names[0], &*names[1]];
            write_page(&mut out, &comparison, names, &view::style(common));
        }
    }
    print_octets(&out)?;
    match comparison.is_equal() {
        true => Ok(ExitCode::SUCCESS),
        false => Ok(ExitCode::from(1)),
    }
}
