//! `--fault` and `--seed`: what goes wrong on purpose, the same for `record` and `replay`.

use super::known;
use crate::error::{Error, Result};
use crate::fault::{Fault, Faults};
use crate::protocol::imap::is_command;

/// The faults of a run.
#[derive(Debug, clap::Args)]
pub struct FaultArguments {
    /// Inject a fault into what the app is given; may be given again. latency=50ms, jitter=10ms,
    /// bandwidth=64KiB (a second), split=1 (octets a write), close-after=4096, close-after=SELECT,
    /// no:SELECT=OVERQUOTA, bad:NOOP, bye, bye:SELECT, reset:FETCH, stall:NOOP, lie-literal,
    /// uidvalidity. Without :COMMAND it strikes at every command; :GREETING is the greeting;
    /// @0.5 behind it is a probability.
    #[arg(
        help_heading = "Faults",
        long = "fault",
        value_name = "NAME[:COMMAND][=VALUE][@PROBABILITY]",
        value_parser = known::faults(),
        hide_possible_values = true
    )]
    faults: Vec<Fault>,

    /// What decides on faults that are left to chance, to repeat a run [default: told when it starts].
    #[arg(help_heading = "Faults", long, value_name = "N", requires = "faults")]
    seed: Option<u64>,
}

impl FaultArguments {
    /// The faults; without a seed, one is thrown.
    ///
    /// # Errors
    ///
    /// One is for a command that there is not.
    pub fn read(&self) -> Result<Faults> {
        /// Short enough to type.
        const SEEDS: u64 = 1_000_000;
        for fault in &self.faults {
            if let Some(command) = fault.command().filter(|command| !is_command(command)) {
                return Err(Error::new(
                    format!("read --fault {fault}"),
                    format!("{command} is no command of IMAP that mailscope knows"),
                )
                .hint("a command such as SELECT, FETCH or \"UID FETCH\""));
            }
        }
        let seed = self.seed.unwrap_or_else(|| fastrand::u64(..SEEDS));
        Ok(Faults::new(self.faults.clone(), seed))
    }
}

/// What is said of them when a run starts; nothing if there are none.
pub fn introduction(faults: &Faults) -> Option<String> {
    (!faults.is_empty()).then(|| format!("faults are injected: {faults}"))
}
