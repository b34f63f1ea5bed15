//! mailscope beside other programs that end TLS on both legs, each a process of its own:
//!
//! ```text
//! App -- TLS --> a bare relay | mailscope record | stunnel | HAProxy | sslsplit -- TLS --> Server
//! ```
//!
//! `cargo bench --bench rivals` takes some minutes and prints the table that stands in the README;
//! `cargo bench --bench rivals -- large noop` prints the rows whose names hold one of the words, and
//! `-- small mailscope stunnel` the columns of these programs alone. Every program has its turn in every
//! round, so that whatever else the machine does falls on all of them. One that is not installed has no
//! column, and is told with the line that installs it.
//!
//! `-- small writing stunnel` shows the bound of whatever records as mailscope does, with this TLS library
//! on this machine: a relay that writes as much, in the same way, and reads nothing of it. It has to be
//! asked for, since what it leaves to the disk slows those that have their turn behind it.

mod field;
mod figures;

use field::{Bare, Case, Effort, Field, Middle, Table};

/// How often each program has its turn.
const ROUNDS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(bare) = Bare::asked_for(&arguments) {
        return bare.run();
    }
    let given = |flag: &str| arguments.iter().any(|argument| argument == flag);
    if given("--list") {
        return;
    }
    // Without --bench it is only to be seen that it runs.
    let (rounds, effort) = match given("--bench") && !given("--test") {
        true => (ROUNDS, Effort::FULL),
        false => (1, Effort::SMALL),
    };
    let words: Vec<&String> = arguments
        .iter()
        .filter(|word| !word.starts_with('-'))
        .collect();
    let (programs, words): (Vec<_>, Vec<_>) = words
        .into_iter()
        .partition(|word| Middle::ALL.iter().any(|middle| middle.is_called(word)));
    let is_wanted = |case: &Case| {
        words.is_empty() || words.iter().any(|word| case.name().contains(word.as_str()))
    };
    figures::permit_files(4 * effort.connections + 200);
    let field = Field::start(effort);
    let (middles, missing): (Vec<_>, Vec<_>) = Middle::ALL
        .into_iter()
        .filter(|middle| {
            let is_named = programs.iter().any(|program| middle.is_called(program));
            is_named || (programs.is_empty() && *middle != Middle::Writing)
        })
        .partition(|middle| middle.is_here());
    for middle in missing {
        println!("{} is not here: {}", middle.name(), middle.install());
    }
    println!(
        "{rounds} turns each, on {}. Medians, and in brackets the lowest and the highest; behind\nthem how much that is of stunnel's in the same round.\n",
        figures::machine()
    );
    let mut table = Table::new(&middles);
    println!("{}", table.head());
    for case in Case::ALL.into_iter().filter(is_wanted) {
        // A process takes as much memory the next time, and sslsplit a while to get 2,000 connections.
        let rounds = if case == Case::Memory { 1 } else { rounds };
        for round in 0..rounds {
            for place in 0..middles.len() {
                let middle = middles[(place + round) % middles.len()];
                if middle.takes_part(case) {
                    table.add(case, middle, field.turn(case, middle));
                }
            }
        }
        println!("{}", table.rows(case));
    }
}
