//! `mailscope lint TRANSCRIPT`: what client or server did against the RFCs, each with its clause.

use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use super::known;
use super::progress::{Beside, Progress};
use super::say::{say, warn};
use super::view;
use super::{Common, Output};
use crate::error::{Error, Result};
use crate::lint::print::{Sarif, Text, rules, summary, write_finding, write_rule};
use crate::lint::{Finding, Linter, RULES, near, rule};
use crate::recording::Events;
use crate::sink::terminal::Style;

/// The arguments of `lint`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The transcript, or a text with C: and S: lines; - for standard input.
    #[arg(required_unless_present = "list_rules")]
    transcript: Option<PathBuf>,

    /// Leave out the findings of this rule (repeatable).
    #[arg(long, value_name = "ID", value_parser = known::rules(), hide_possible_values = true)]
    allow: Vec<String>,

    /// Print the rules and do nothing else.
    #[arg(long)]
    list_rules: bool,

    /// Print a SARIF 2.1.0 log, for what shows code scanning results.
    #[arg(long)]
    sarif: bool,
}

/// How findings are printed.
enum Form {
    Text(Text),
    Json,
    Sarif(Sarif),
}

/// Prints what is found. Exit code 1 where that is more than information.
pub fn run(arguments: &Arguments, common: &Common) -> Result<ExitCode> {
    let allowed = arguments.allow.iter().map(|id| known(id));
    let allowed: Vec<&'static str> = allowed.collect::<Result<_>>()?;
    let style = view::style(common);
    let Some(path) = arguments
        .transcript
        .as_ref()
        .filter(|_| !arguments.list_rules)
    else {
        return list(common.output, style);
    };
    let mut form = match common.output {
        _ if arguments.sarif => Form::Sarif(Sarif::new(path)),
        Output::Json => Form::Json,
        Output::Text => Form::Text(Text::new(style)),
    };
    let progress = Progress::begin("reading", Beside::Output);
    let mut events = Events::read(progress.input(path)?)?;
    let mut linter = Linter::allowing(allowed);
    let mut damage = None;
    while let Some(event) = events.next() {
        match event {
            Ok(event) => form.print(&linter.read(&event), events.line())?,
            Err(error) => damage = Some(error), // there are no more
        }
    }
    drop(progress);
    if let Some(torn) = events.torn() {
        say(&warn(&torn));
    }
    let counts = linter.counts();
    match form {
        Form::Text(_) => {
            let space = if counts.found() > 0 { "\n" } else { "" };
            print_all(format!("{space}{}\n", summary(counts, style)).as_bytes())?;
        }
        Form::Json => {}
        Form::Sarif(sarif) => {
            print_all(format!("{:#}\n", sarif.finish()).as_bytes())?;
        }
    }
    if let Some(damage) = damage {
        return Err(damage.hint("the findings are of what stands before it"));
    }
    Ok(match counts.is_bad() {
        true => ExitCode::from(1),
        false => ExitCode::SUCCESS,
    })
}

impl Form {
    /// What was found in the event that begins in this line.
    fn print(&mut self, found: &[Finding], line: u64) -> Result<()> {
        let mut out = Vec::new();
        for finding in found {
            match self {
                Self::Text(text) => text.write(&mut out, finding),
                Self::Json => write_finding(&mut out, finding),
                Self::Sarif(sarif) => sarif.add(finding, line),
            }
        }
        print_all(&out)
    }
}

/// Writes to standard output. That nobody reads it is no error, and changes nothing about the exit code.
fn print_all(octets: &[u8]) -> Result<()> {
    let mut stdout = std::io::stdout();
    match stdout.write_all(octets).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Error::new("write to standard output", error))
        }
        _ => Ok(()),
    }
}

fn known(id: &str) -> Result<&'static str> {
    if let Some(rule) = rule(id) {
        return Ok(rule.id);
    }
    let error = Error::new(format!("allow {id}"), "there is no such rule");
    Err(match near(id).as_slice() {
        [] => error.hint("mailscope lint --list-rules"),
        near => error.hint(format!(
            "{}, or mailscope lint --list-rules",
            near.join(", ")
        )),
    })
}

fn list(output: Output, style: Style) -> Result<ExitCode> {
    let mut out = Vec::new();
    match output {
        Output::Json => RULES.iter().for_each(|rule| write_rule(&mut out, rule)),
        Output::Text => rules(&mut out, RULES, style),
    }
    print_all(&out)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;
    use crate::event::{Event, Secrets};
    use crate::protocol::imap::conversations::random::{conversation, events};
    use crate::transcript::{FORMAT, Reader, rfc3339, write_event};

    fn found(events: impl Iterator<Item = Event>) -> String {
        let mut linter = Linter::default();
        let mut out = Vec::new();
        for event in events {
            for finding in linter.read(&event) {
                write_finding(&mut out, &finding);
            }
        }
        String::from_utf8(out).unwrap()
    }

    fn read_again(events: &[Event]) -> impl Iterator<Item = Event> + use<> {
        let lines: Vec<String> = events
            .iter()
            .map(|event| {
                let mut line = Vec::new();
                write_event(&mut line, event);
                String::from_utf8(line).unwrap()
            })
            .collect();
        let started = rfc3339(datetime!(2026-11-23 12:00 UTC));
        let document = format!(
            "{{\"mailscope\":{{\"format\":{FORMAT},\"started\":\"{started}\"}},\n\"events\":[\n{}\n]}}\n",
            lines.join(",\n")
        );
        let reader = Reader::new(Cursor::new(document.into_bytes()), "test").unwrap();
        Events::new(reader).map(Result::unwrap)
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::with_cases(96)
        })]

        #[test]
        fn the_same_is_found_live_and_in_the_transcript(steps in conversation()) {
            for secrets in [Secrets::Masked, Secrets::Shown] {
                let live = events(&steps, secrets);
                let again = found(read_again(&live));
                prop_assert_eq!(found(live.into_iter()), again);
            }
        }
    }
}
