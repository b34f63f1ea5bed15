//! What a replay takes: pipelined commands, a long recording, a thousand connections at once; in turns
//! with a server that looks for line ends and nothing else, over the same sockets and the same TLS.
//!
//! `cargo bench --bench replay` takes about a minute and prints the table that stands in the README.
//! The replay is the program itself, `mailscope replay --quiet`, in a process of its own.

mod figures;
mod serving;

use figures::Spread;
use serving::{Served, Workload};

/// How often each server has its turn.
const ROUNDS: usize = 15;

fn main() {
    let given = |flag: &str| std::env::args().any(|argument| argument == flag);
    if given("--list") {
        return;
    }
    // Without --bench it is only to be seen that it runs.
    let (rounds, workload) = match given("--bench") && !given("--test") {
        true => (ROUNDS, Workload::FULL),
        false => (1, Workload::SMALL),
    };
    figures::permit_files(2 * workload.connections + 200);
    let served = Served::start(workload);
    println!(
        "{rounds} turns each, on {}. Medians, and in brackets the lowest and the highest.\n",
        figures::machine()
    );
    println!("| | line ends alone | replay | of that |\n|---|---|---|---|");
    for case in serving::Case::ALL {
        let mut turns = Vec::new();
        for round in 0..rounds {
            turns.push(served.turn(case, round % 2 == 0));
        }
        let bare: Option<Vec<f64>> = turns.iter().map(|(bare, _)| *bare).collect();
        let replay: Vec<f64> = turns.iter().map(|(_, replay)| *replay).collect();
        let ratios = turns
            .iter()
            .map(|(bare, replay)| bare.map(|bare| 100.0 * replay / bare));
        let ratios: Option<Vec<f64>> = ratios.collect();
        let cell = |values: Option<Vec<f64>>, unit| {
            values.map_or_else(String::new, |values| Spread::of(&values).told(unit))
        };
        println!(
            "| {} | {} | {} | {} |",
            case.name(workload),
            cell(bare, case.unit()),
            cell(Some(replay), case.unit()),
            cell(ratios, "%")
        );
    }
}
