//! The figures for people.
//!
//! ```text
//! 1 connection: 11 commands, 10 round trips, 777 ms of waiting, 295 B from the app, ...
//!
//! command     count   p50   p90   p99   max   app   server  lit  trips
//! FETCH           3  41ms  44ms  44ms  44ms  120B  12.1KiB    3      1
//! ```
//!
//! Where there is no room for all columns, those that matter least are left out; the JSON has all.

use super::budget::Verdict;
use super::page::{Page, Role};
use super::table::{self, Column, safe, wrap};
use super::waste::{Kind, Waste};
use super::{CommandFigures, ConnectionFigures, Summary};
use crate::event::{Micros, Times};
use crate::figure::{counted, duration, octets};

/// Adds it.
pub fn write_text(page: &mut Page<'_>, summary: &Summary, budget: &[Verdict]) {
    sums(page, summary);
    if !summary.commands.is_empty() {
        page.line(Role::Plain, "");
        commands(page, summary);
    }
    if !summary.connections.is_empty() {
        page.line(Role::Plain, "");
        connections(page, summary);
    }
    page.line(Role::Plain, "");
    waste(page, &summary.waste);
    if !budget.is_empty() {
        page.line(Role::Plain, "");
        verdicts(page, budget);
    }
}

fn sums(page: &mut Page<'_>, summary: &Summary) {
    let sums = &summary.sums;
    let waiting = match summary.times {
        Times::Told => format!("{} of waiting, ", duration(sums.waiting)),
        Times::Untold => String::new(),
    };
    let text = format!(
        "{}: {}, {}, {waiting}{} from the app, {} from the server",
        counted(sums.connections, "connection"),
        counted(sums.commands, "command"),
        counted(sums.round_trips, "round trip"),
        octets(sums.bytes_client),
        octets(sums.bytes_server),
    );
    wrap(page, Role::Plain, &text, (0, 2));
    if summary.times == Times::Untold {
        let text = "It does not say when something was said, as a text: there are no times, and commands \
                    are taken to be sent at once.";
        wrap(page, Role::Plain, text, (0, 2));
    }
}

fn column(head: &'static str, sheds: u8) -> Column {
    Column { head, sheds }
}

/// `44ms`, `1.2KiB`: in a table every column counts.
fn tight(figure: &str) -> String {
    figure.replace(' ', "")
}

fn or_none(time: Option<Micros>) -> String {
    time.map_or_else(|| "-".to_owned(), |time| tight(&duration(time)))
}

fn number(number: u64) -> String {
    match number {
        0 => "-".to_owned(),
        number => number.to_string(),
    }
}

fn commands(page: &mut Page<'_>, summary: &Summary) {
    let columns = [
        column("command", 0),
        column("count", 0),
        column("p50", 3),
        column("p90", 7),
        column("p99", 6),
        column("max", 2),
        column("app", 5),
        column("server", 4),
        column("lit", 8),
        column("trips", 1),
    ];
    let row = |(name, row): (&String, &CommandFigures)| {
        let told = row.latencies.percentiles();
        vec![
            safe(name),
            row.count.to_string(),
            or_none(told.map(|told| told.p50)),
            or_none(told.map(|told| told.p90)),
            or_none(told.map(|told| told.p99)),
            or_none(told.map(|told| told.max)),
            tight(&octets(row.bytes_client)),
            tight(&octets(row.bytes_server)),
            number(row.literals_client + row.literals_server),
            number(row.round_trips),
        ]
    };
    let rows: Vec<Vec<String>> = summary.commands.iter().map(row).collect();
    table::write(page, &columns, &rows, |_| Role::Plain);
}

fn connections(page: &mut Page<'_>, summary: &Summary) {
    let columns = [
        column("conn", 0),
        column("commands", 5),
        column("trips", 3),
        column("set-up", 7),
        column("first mail", 2),
        column("waiting", 1),
        column("idle", 4),
        column("in IDLE", 8),
        column("app", 9),
        column("server", 6),
    ];
    let is_told = |_: &Micros| summary.times == Times::Told;
    let row = |one: &ConnectionFigures| {
        vec![
            one.conn.to_string(),
            one.commands.to_string(),
            number(one.round_trips),
            or_none(one.setup.filter(is_told)),
            or_none(one.first_message.filter(is_told)),
            or_none(Some(one.waiting).filter(is_told)),
            or_none(Some(one.idle).filter(is_told)),
            or_none(Some(one.idling).filter(|idling| idling.0 > 0)),
            tight(&octets(one.bytes_client)),
            tight(&octets(one.bytes_server)),
        ]
    };
    let rows: Vec<Vec<String>> = summary.connections.iter().map(row).collect();
    table::write(page, &columns, &rows, |_| Role::Plain);
    let hidden = summary.sums.connections - summary.connections.len() as u64;
    if hidden > 0 {
        let more = counted(hidden, "further connection");
        let text = format!("and {more}, counted above and not listed");
        wrap(page, Role::Plain, &text, (0, 2));
    }
}

fn waste(page: &mut Page<'_>, waste: &[Waste]) {
    /// Connections of one kind of waste that are listed.
    const LISTED: usize = 8;
    let kinds = waste.chunk_by(|one, next| {
        one.kind == next.kind && one.capability.is_some() == next.capability.is_some()
    });
    let (unused, kinds): (Vec<_>, Vec<_>) =
        kinds.partition(|items| items[0].kind == Kind::UnusedCapability);
    match kinds.is_empty() {
        true => page.line(Role::Title, "nothing wasted that mailscope knows of"),
        false => page.line(Role::Title, "wasted"),
    }
    for items in kinds {
        let first = &items[0];
        let better = format!(
            "{}: {} ({})",
            first.kind.id(),
            first.better(),
            clause(first)
        );
        wrap(page, Role::Waste, &better, (2, 4));
        for item in &items[..items.len().min(LISTED)] {
            wrap(page, Role::Plain, &where_and_how_much(item), (6, 8));
        }
        if items.len() > LISTED {
            let more = counted((items.len() - LISTED) as u64, "further connection");
            wrap(page, Role::Plain, &format!("… and on {more}"), (6, 8));
        }
    }
    let unused = unused.concat();
    if !unused.is_empty() {
        page.line(Role::Plain, "");
        page.line(Role::Title, "offered and never used");
    }
    for item in &unused {
        let name = item.capability.unwrap_or_default();
        let saved = match item.octets {
            0 => String::new(),
            saved => format!("; some {} would be saved", octets(saved)),
        };
        let text = format!("{name}: {}{saved} ({})", item.better(), clause(item));
        wrap(page, Role::Waste, &text, (2, 4));
    }
}

fn where_and_how_much(item: &Waste) -> String {
    let conn = match item.conn {
        Some(conn) => format!("connection {conn}"),
        None => "several connections".to_owned(),
    };
    let mut text = format!("{conn}: {}", item.figure());
    let numbers: Vec<String> = item.commands.iter().map(|n| format!("#{n}")).collect();
    if !numbers.is_empty() {
        let more = if item.further_commands > 0 {
            "\u{a0}…"
        } else {
            ""
        };
        text.push_str(&format!(" ({}{more})", numbers.join(" ")));
    }
    text
}

/// Where that is written, as one word.
fn clause(item: &Waste) -> String {
    item.clause().replace(' ', "\u{a0}")
}

fn verdicts(page: &mut Page<'_>, budget: &[Verdict]) {
    const WITHIN: &str = "ok";
    const BEYOND: &str = "EXCEEDED";
    let columns = [
        column("budget", 0),
        column("allowed", 1),
        column("used", 0),
        column("", 0),
    ];
    let row = |verdict: &Verdict| {
        let says = if verdict.is_exceeded() {
            BEYOND
        } else {
            WITHIN
        };
        let (figure, limit) = verdict.both_shown();
        vec![safe(&verdict.name), limit, figure, says.to_owned()]
    };
    let rows: Vec<Vec<String>> = budget.iter().map(row).collect();
    table::write(page, &columns, &rows, |cell| match cell {
        BEYOND => Role::Beyond,
        WITHIN => Role::Within,
        _ => Role::Plain,
    });
}
