//! `mailscope stats TRANSCRIPT`: what a session cost, and what of that was wasted.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use super::filter::FilterArgument;
use super::progress::{Beside, Progress};
use super::say::{say, say_at_the_end, warn};
use super::{Common, Output, before, print_octets, view};
use crate::error::Result;
use crate::event::Event;
use crate::recording::Events;
use crate::sink::bus::{Purpose, Sink};
use crate::stats::{Budget, Stats, Wanted, write_text};

/// The arguments of `stats`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The transcript.
    transcript: PathBuf,

    /// Exit with 1 where a sum is beyond its limit: bytes, bytes-client, bytes-server, commands,
    /// connections, literals, round-trips, waiting (a time), waste (items).
    #[arg(long, value_name = "NAME=LIMIT,...")]
    budget: Vec<String>,

    #[command(flatten)]
    filter: FilterArgument,
}

/// Prints the figures; whether they are within the budget is the exit code.
pub fn run(arguments: &Arguments, common: &Common) -> Result<ExitCode> {
    let mut budget = Budget::default();
    for limits in &arguments.budget {
        budget.add(limits)?;
    }
    let mut filter = arguments.filter.read()?;
    let progress = Progress::begin("reading", Beside::Nothing);
    let mut events = Events::read(progress.input(&arguments.transcript)?)?;
    let mut stats = Stats::default();
    let mut damage = None;
    for event in before(&mut events, &mut damage) {
        let is_wanted = filter.as_mut().is_none_or(|filter| filter.matches(&event));
        stats.take(&event, if is_wanted { Wanted::Yes } else { Wanted::No });
    }
    drop(progress);
    let summary = stats.finish();
    let verdicts = budget.verdicts(&summary);
    let octets = match common.output {
        Output::Text => {
            let mut text = String::new();
            write_text(&mut text, &summary, &verdicts, view::style(common).width);
            text.into_bytes()
        }
        Output::Json => {
            let mut json = Vec::new();
            let asked = (!budget.is_empty()).then_some(verdicts.as_slice());
            summary.write_json(&mut json, asked);
            json
        }
    };
    print_octets(&octets)?;
    if let Some(torn) = events.torn() {
        say(&warn(&torn.to_string()));
    }
    if let Some(damage) = damage {
        return Err(damage.hint("the figures are of what stands before it"));
    }
    let exceeded = verdicts.iter().filter(|verdict| verdict.is_exceeded());
    let mut code = ExitCode::SUCCESS;
    for verdict in exceeded {
        code = ExitCode::from(1);
        say(&format!(
            "mailscope: over budget: {} {}, allowed {}",
            verdict.name,
            verdict.shown(verdict.figure),
            verdict.shown(verdict.limit)
        ));
    }
    Ok(code)
}

/// `record --stats`: the figures on standard error when the run is over.
pub struct StatsAtTheEnd {
    stats: Stats,
    width: usize,
}

impl StatsAtTheEnd {
    /// Nothing is counted yet.
    pub fn new(common: &Common) -> Self {
        Self {
            stats: Stats::default(),
            width: view::style(common).width,
        }
    }
}

impl Sink for StatsAtTheEnd {
    fn take(&mut self, events: &[Arc<Event>]) -> Result<()> {
        for event in events {
            self.stats.take(event, Wanted::Yes);
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        let summary = std::mem::take(&mut self.stats).finish();
        let mut text = String::new();
        write_text(&mut text, &summary, &[], self.width);
        say_at_the_end(text.trim_end().to_owned());
        Ok(())
    }

    fn purpose(&self) -> Purpose {
        Purpose::View
    }
}
