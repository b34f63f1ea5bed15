//! `mailscope stats TRANSCRIPT`: what a session cost, and what of that was wasted.

use std::path::PathBuf;
use std::process::ExitCode;

use super::filter::FilterArgument;
use super::progress::{Beside, Progress};
use super::say::{say, say_at_the_end, warn};
use super::{Common, Output, before, print_octets, view};
use crate::error::Result;
use crate::recording::Events;
use crate::sink::batch::Batch;
use crate::sink::bus::{Purpose, Sink};
use crate::sink::palette::Meaning;
use crate::sink::terminal::Style;
use crate::stats::{Budget, Page, Role, Stats, Wanted, write_text};

/// The arguments of `stats`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The transcript, or a text with C: and S: lines; - for standard input.
    transcript: PathBuf,

    /// Exit with 1 where a figure is beyond its limit: bytes, bytes-client, bytes-server, commands,
    /// connections, literals, round-trips, unanswered, waste; duration, first-mail, setup, waiting and the
    /// latencies p50, p90, p99, max (times, such as 500ms). Of one command: max:SELECT=500ms; of one kind
    /// of waste: waste:fetched-twice=0.
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
    let mut stats = Stats::new(events.times());
    let mut damage = None;
    for event in before(&mut events, &mut damage) {
        let is_wanted = filter.as_mut().is_none_or(|filter| filter.matches(&event));
        stats.take(&event, if is_wanted { Wanted::Yes } else { Wanted::No });
    }
    drop(progress);
    let summary = stats.finish();
    let verdicts = budget.verdicts(&summary)?;
    let octets = match common.output {
        Output::Text => {
            let style = view::style(common);
            let paint = |role, text: &str| painted(style, role, text);
            let mut page = Page::painted(style.width, &paint);
            write_text(&mut page, &summary, &verdicts);
            page.text.into_bytes()
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
        let (figure, limit) = verdict.both_shown();
        say(&format!(
            "mailscope: over budget: {} {figure}, allowed {limit}",
            verdict.name
        ));
    }
    Ok(code)
}

fn painted(style: Style, role: Role, text: &str) -> String {
    let meaning = match role {
        Role::Plain => Meaning::Plain,
        Role::Head => Meaning::Dim,
        Role::Title => Meaning::Name,
        Role::Waste => Meaning::Note,
        Role::Within => Meaning::Ok,
        Role::Beyond => Meaning::No,
    };
    let mut out = Vec::new();
    style.palette().paint(&mut out, meaning, text);
    String::from_utf8_lossy(&out).into_owned()
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
    fn take(&mut self, events: &Batch) -> Result<()> {
        for event in events.iter() {
            self.stats.take(event, Wanted::Yes);
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        let summary = std::mem::take(&mut self.stats).finish();
        let mut page = Page::plain(self.width);
        write_text(&mut page, &summary, &[]);
        say_at_the_end(page.text.trim_end().to_owned());
        Ok(())
    }

    fn purpose(&self) -> Purpose {
        Purpose::View
    }
}
