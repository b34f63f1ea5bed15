//! `mailscope scrub TRANSCRIPT -o FILE`: the same conversation with nobody's data in it.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;

use super::progress::{Beside, Progress};
use super::say::{say, warn};
use crate::error::Result;
use crate::scrub::{Kept, Target, scrub};

/// The arguments of `scrub`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
What goes: every word (letters and digits) of addresses, names, subjects, texts, mailboxes, hosts, header \
fields, ID, metadata, user flags and servers' texts, in every encoding; attachments. Another word of the \
same shape and length stands for each, the same one in the whole file, and nobody can tell the one from \
the other: what stands for what is drawn at random and kept nowhere.

What stays: commands, responses, codes, capabilities, known flags and attributes; message numbers, UIDs, \
counts, sizes, MODSEQ; dates and times; INBOX; names of well-known header fields; MIME structure, types \
and charsets; white space and punctuation, so the length of every word, line and message; tags; ports, \
loopback addresses, TLS versions; plain English words in servers' texts. Masked passwords stay masked.

Secrets that were shown (--show-secrets) are masked. A text of C: and S: lines becomes a text.

At the end, what was written is searched for every word of the original, in every encoding: of four \
letters and more anywhere, of two and three where the original has it. If one is left, nothing is written.

Exit codes: 0 done, 2 a file could not be read or written, or a word is left.")]
pub struct Arguments {
    /// The transcript, or a text with C: and S: lines; - for standard input.
    transcript: PathBuf,

    /// The new transcript, or text, never overwritten; its owner alone may read it. - for standard output.
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,

    /// What is to stay although it may tell of somebody.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHAT")]
    keep: Vec<What>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// Subjects of mails, in headers, ENVELOPE and SEARCH.
    Subjects,
    /// Names of mailboxes.
    Folders,
}

/// Writes it.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let kept = Kept {
        subjects: arguments.keep.contains(&What::Subjects),
        folders: arguments.keep.contains(&What::Folders),
    };
    let mut stdout = io::stdout().lock();
    let (target, place) = match arguments.out == Path::new("-") {
        true => (Target::Out(&mut stdout), "standard output".to_owned()),
        false => (
            Target::File(&arguments.out),
            arguments.out.display().to_string(),
        ),
    };
    let progress = Progress::begin("reading", Beside::Nothing);
    let scrubbed = scrub(&arguments.transcript, target, kept, &progress)?;
    drop(progress);
    if let Some(torn) = &scrubbed.torn {
        say(&warn(torn));
    }
    say(&format!(
        "scrubbed {} events, {} words replaced: {place}",
        scrubbed.events, scrubbed.words,
    ));
    match scrubbed.damage {
        None => Ok(ExitCode::SUCCESS),
        Some(damage) => Err(damage.hint(format!(
            "what stands before it: its {} events, scrubbed, are in {place}",
            scrubbed.events
        ))),
    }
}
