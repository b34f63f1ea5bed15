//! `mailscope show TRANSCRIPT`: print a transcript exactly as `record` would have.

use std::path::PathBuf;
use std::process::ExitCode;

use super::filter::FilterArgument;
use super::progress::{Beside, Progress};
use super::say::{say, warn};
use super::view;
use super::{Common, before};
use crate::error::Result;
use crate::recording::Events;

/// The arguments of `show`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The transcript, or a text with C: and S: lines; - for standard input.
    transcript: PathBuf,

    #[command(flatten)]
    filter: FilterArgument,

    /// Say below each line what it does, as to somebody who sees IMAP for the first time.
    #[arg(long)]
    explain: bool,

    /// Tell below each event what is against the RFCs in it, as `lint` does.
    #[arg(long)]
    lint: bool,
}

/// Prints every event, then says on standard error if the file is torn.
pub fn run(arguments: &Arguments, common: &Common) -> Result<ExitCode> {
    let filter = arguments.filter.read()?;
    let progress = Progress::begin("reading", Beside::Output);
    let mut events = Events::read(progress.input(&arguments.transcript)?)?;
    let Some(view) = view::standard_output(common, false)? else {
        return Ok(ExitCode::SUCCESS);
    };
    let mut view = view.filtered(filter).explaining(arguments.explain);
    let mut read = 0_u64;
    if arguments.lint {
        view = view.linting()?;
    }
    let mut damage = None;
    for event in before(&mut events, &mut damage) {
        read += 1;
        view.print(&event)?;
        if view.is_closed() {
            return Ok(ExitCode::SUCCESS);
        }
    }
    view.flush()?;
    drop(progress);
    if read > 0 && view.printed() == 0 {
        say(&format!("mailscope: none of the {read} events matches"));
    }
    if let Some(torn) = events.torn() {
        say(&warn(&torn.to_string()));
    }
    damage.map_or(Ok(ExitCode::SUCCESS), Err)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;
    use crate::event::{Event, Secrets};
    use crate::filter::{Matcher, parse};
    use crate::protocol::imap::conversations::random::{Step, conversation, events};
    use crate::sink::terminal::{ColorChoice, Stream, Surroundings, Terminal, style_for};
    use crate::stats::{Stats, Wanted};
    use crate::transcript::{FORMAT, Reader, write_event};

    use crate::event::Peer::{Client as C, Server as S};

    /// Each event's line of JSON and its rows in colour.
    fn shown(events: &[Event]) -> Vec<(String, String)> {
        let mut terminal = Terminal::new(style_for(&Surroundings {
            choice: ColorChoice::Always,
            stream: Stream::Other,
            no_color: None,
            term: None,
            columns: None,
        }));
        let show = |event: &Event| {
            let (mut json, mut rows) = (Vec::new(), Vec::new());
            write_event(&mut json, event);
            terminal.write_event(&mut rows, event).unwrap();
            (
                String::from_utf8(json).unwrap(),
                String::from_utf8(rows).unwrap(),
            )
        };
        events.iter().map(show).collect()
    }

    fn read_again(lines: &[(String, String)]) -> Vec<Event> {
        let started = crate::transcript::rfc3339(datetime!(2026-11-23 12:00 UTC));
        let lines: Vec<&str> = lines.iter().map(|(json, _)| json.as_str()).collect();
        let document = format!(
            "{{\"mailscope\":{{\"format\":{FORMAT},\"started\":\"{started}\"}},\n\"events\":[\n{}\n]}}\n",
            lines.join(",\n")
        );
        let reader = Reader::new(Cursor::new(document.into_bytes()), "test").unwrap();
        Events::new(reader).map(Result::unwrap).collect()
    }

    /// The numbers of the events that match each of some filters.
    fn matched(events: &[Event]) -> Vec<Vec<u64>> {
        let filters = [
            "command:FETCH,LOGIN,IDLE",
            "mailbox:* -status:OK",
            "tag:a or unsolicited or ambiguous",
            "\"h\" or flag:* or code:* elapsed>1us",
            "octets>20 or name:*S* or incomplete",
        ];
        let matched = |filter: &&str| {
            let mut matcher = Matcher::new(&parse(filter).unwrap());
            let matching = events.iter().filter(|event| matcher.matches(event));
            matching.map(|event| event.n).collect()
        };
        filters.iter().map(matched).collect()
    }

    /// What `stats` tells of the events.
    fn measured(events: &[Event]) -> String {
        let mut stats = Stats::default();
        events
            .iter()
            .for_each(|event| stats.take(event, Wanted::Yes));
        let mut json = Vec::new();
        stats.finish().write_json(&mut json, None);
        String::from_utf8(json).unwrap()
    }

    fn same_again(steps: &[Step]) {
        for secrets in [Secrets::Masked, Secrets::Shown] {
            let events = events(steps, secrets);
            let live = shown(&events);
            let again = read_again(&live);
            assert_eq!(matched(&again), matched(&events));
            assert_eq!(measured(&again), measured(&events));
            let again = shown(&again);
            assert_eq!(again.len(), live.len());
            for (again, live) in again.iter().zip(&live) {
                assert_eq!(again, live);
            }
        }
    }

    #[test]
    fn large_literals_are_shown_as_they_were_recorded() {
        let mail = "hunter2".repeat(30_000);
        let size = mail.len();
        let append = format!("c APPEND x {{{size}+}}\r\n{mail}\r\n");
        let fetched = format!("* 1 FETCH (BODY[] {{{size}}}\r\n{mail})\r\na OK\r\nb OK\r\n");
        same_again(&[
            (S, (*b"* OK hi\r\n").into()),
            (C, (*b"z LOGIN alice hunter2\r\n").into()),
            (S, (*b"z OK in\r\n").into()),
            (C, (*b"a FETCH 1 BODY[]\r\nb NOOP\r\n").into()),
            (S, fetched.as_bytes().into()),
            (C, append.as_bytes().into()),
            (S, (*b"c OK\r\n").into()),
        ]);
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::with_cases(96)
        })]

        #[test]
        fn a_conversation_is_shown_as_it_was_recorded(steps in conversation()) {
            same_again(&steps);
        }
    }
}
