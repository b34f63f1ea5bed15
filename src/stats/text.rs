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
use super::table::{self, Column, safe, wrap};
use super::waste::{Kind, Waste};
use super::{CommandFigures, ConnectionFigures, Summary};
use crate::event::Micros;
use crate::figure::{counted, duration, octets};

/// Adds it, in lines of this width (40 or more).
pub fn write_text(out: &mut String, summary: &Summary, budget: &[Verdict], width: usize) {
    sums(out, summary, width);
    if !summary.commands.is_empty() {
        out.push('\n');
        commands(out, summary, width);
    }
    if !summary.connections.is_empty() {
        out.push('\n');
        connections(out, summary, width);
    }
    out.push('\n');
    waste(out, &summary.waste, width);
    if !budget.is_empty() {
        out.push('\n');
        verdicts(out, budget, width);
    }
}

fn sums(out: &mut String, summary: &Summary, width: usize) {
    let sums = &summary.sums;
    let text = format!(
        "{}: {}, {}, {} of waiting, {} from the app, {} from the server",
        counted(sums.connections, "connection"),
        counted(sums.commands, "command"),
        counted(sums.round_trips, "round trip"),
        duration(sums.waiting),
        octets(sums.bytes_client),
        octets(sums.bytes_server),
    );
    wrap(out, &text, (0, 2), width);
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

fn commands(out: &mut String, summary: &Summary, width: usize) {
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
    table::write(out, &columns, &rows, width);
}

fn connections(out: &mut String, summary: &Summary, width: usize) {
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
    let row = |one: &ConnectionFigures| {
        vec![
            one.conn.to_string(),
            one.commands.to_string(),
            number(one.round_trips),
            or_none(one.setup),
            or_none(one.first_message),
            or_none(Some(one.waiting)),
            or_none(Some(one.idle)),
            or_none(Some(one.idling).filter(|idling| idling.0 > 0)),
            tight(&octets(one.bytes_client)),
            tight(&octets(one.bytes_server)),
        ]
    };
    let rows: Vec<Vec<String>> = summary.connections.iter().map(row).collect();
    table::write(out, &columns, &rows, width);
    let hidden = summary.sums.connections - summary.connections.len() as u64;
    if hidden > 0 {
        let more = counted(hidden, "further connection");
        wrap(
            out,
            &format!("and {more}, counted above and not listed"),
            (0, 2),
            width,
        );
    }
}

fn waste(out: &mut String, waste: &[Waste], width: usize) {
    /// Connections of one kind of waste that are listed.
    const LISTED: usize = 8;
    let kinds = waste.chunk_by(|one, next| one.kind == next.kind);
    let (unused, kinds): (Vec<_>, Vec<_>) =
        kinds.partition(|items| items[0].kind == Kind::UnusedCapability);
    match kinds.is_empty() {
        true => out.push_str("nothing wasted that mailscope knows of\n"),
        false => out.push_str("wasted\n"),
    }
    for items in kinds {
        let first = &items[0];
        let better = format!(
            "{}: {} ({})",
            first.kind.id(),
            first.better(),
            clause(first)
        );
        wrap(out, &better, (2, 4), width);
        for item in &items[..items.len().min(LISTED)] {
            wrap(out, &where_and_how_much(item), (6, 8), width);
        }
        if items.len() > LISTED {
            let more = counted((items.len() - LISTED) as u64, "further connection");
            wrap(out, &format!("… and on {more}"), (6, 8), width);
        }
    }
    let unused = unused.concat();
    if !unused.is_empty() {
        out.push_str("\noffered and never used\n");
    }
    for item in &unused {
        let name = item.capability.unwrap_or_default();
        let text = format!("{name}: {} ({})", item.better(), clause(item));
        wrap(out, &text, (2, 4), width);
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

fn verdicts(out: &mut String, budget: &[Verdict], width: usize) {
    let columns = [
        column("budget", 0),
        column("allowed", 1),
        column("used", 0),
        column("", 0),
    ];
    let row = |verdict: &Verdict| {
        vec![
            verdict.name.to_owned(),
            verdict.shown(verdict.limit),
            verdict.shown(verdict.figure),
            if verdict.is_exceeded() {
                "EXCEEDED"
            } else {
                "ok"
            }
            .to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = budget.iter().map(row).collect();
    table::write(out, &columns, &rows, width);
}
