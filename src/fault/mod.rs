//! Faults on purpose (`--fault`): what a server, or the way to it, may do to an app.
//!
//! ```text
//! --fault split=1 --fault no:SELECT=OVERQUOTA@0.5 --seed 7
//!    |              '-- Strikes: which command, greeting or response is struck; asked by the reader
//!    '----------------- Shape:   when how many octets go to the app; asked by whoever writes them
//! ```
//!
//! Nothing here writes, waits or knows the time: it is asked and says what is to happen. What is left
//! to chance comes from the seed, the connection's number and the fault's place in the list alone, so
//! that a run which failed fails again.

mod chance;
mod shape;
mod spelling;
mod strikes;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use chance::Dice;
pub use shape::{Allowance, Shape};
pub use spelling::NAMES;
pub use strikes::{How, Strike, Strikes};

use crate::event::Status;

/// One `--fault`.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    what: What,
    /// From 0 to 1.
    probability: f64,
    /// As the user wrote it.
    spelled: Arc<str>,
}

/// What happens.
#[derive(Clone, Debug, PartialEq)]
enum What {
    /// Octets reach the app so much later.
    Latency(Duration),
    /// And up to so much later still.
    Jitter(Duration),
    /// No more octets a second.
    Bandwidth(u64),
    /// So many octets in one write.
    Split(usize),
    /// The connection closes when the app was given so many octets.
    CutAfter(u64),
    /// It closes behind the answer to this.
    CloseAfter(At),
    /// A command is answered NO or BAD, and goes nowhere.
    Refuse {
        at: At,
        status: Status,
        code: Option<String>,
    },
    /// The server says BYE in place of an answer, and closes.
    Bye { at: At, code: Option<String> },
    /// The connection is reset in place of an answer.
    Reset(At),
    /// No answer comes.
    Stall(At),
    /// A literal's header says so many octets more than there are.
    LieLiteral { at: At, by: i64 },
    /// Mailboxes have this UIDVALIDITY; `None`: another one than they have.
    Uidvalidity(Option<u32>),
}

/// Where a fault strikes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum At {
    /// At every command.
    Any,
    /// At this one, upper case; `FETCH` stands for `UID FETCH` too.
    Command(String),
    /// At the greeting.
    Greeting,
}

impl At {
    fn is(&self, command: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Command(name) => {
                let short = command.strip_prefix("UID ").unwrap_or(command);
                name == command || name == short
            }
            Self::Greeting => false,
        }
    }
}

impl Fault {
    /// The command that it strikes at, upper case, if it is about one.
    pub fn command(&self) -> Option<&str> {
        match &self.what {
            What::CloseAfter(At::Command(name))
            | What::Refuse {
                at: At::Command(name),
                ..
            }
            | What::Bye {
                at: At::Command(name),
                ..
            }
            | What::Reset(At::Command(name))
            | What::Stall(At::Command(name))
            | What::LieLiteral {
                at: At::Command(name),
                ..
            } => Some(name),
            _ => None,
        }
    }

    /// Whether a run with another seed may differ.
    fn is_left_to_chance(&self) -> bool {
        self.probability < 1.0 || matches!(self.what, What::Jitter(_))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.spelled)
    }
}

/// All faults of a run.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    faults: Arc<[Fault]>,
    seed: u64,
}

impl Faults {
    /// These faults; what is left to chance is repeated with the same seed.
    pub fn new(faults: impl Into<Arc<[Fault]>>, seed: u64) -> Self {
        Self {
            faults: faults.into(),
            seed,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }

    /// What repeats them.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Whether anything is left to chance.
    pub fn are_left_to_chance(&self) -> bool {
        self.faults.iter().any(Fault::is_left_to_chance)
    }

    /// What strikes messages on the connection with this number.
    pub fn strikes(&self, conn: u64) -> Strikes {
        Strikes::new(self.with_dice(conn))
    }

    /// How octets reach the app on the connection with this number; `None`: as they come.
    pub fn shape(&self, conn: u64) -> Option<Shape> {
        Shape::new(self.with_dice(conn))
    }

    fn with_dice(&self, conn: u64) -> impl Iterator<Item = (&Fault, Dice)> {
        let faults = self.faults.iter().zip(0..);
        faults.map(move |(fault, place)| (fault, Dice::new(self.seed, conn, place)))
    }
}

/// `latency=50ms no:SELECT (--seed 7)`; the seed where it makes a difference.
impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, fault) in self.faults.iter().enumerate() {
            write!(f, "{}{fault}", if place == 0 { "" } else { " " })?;
        }
        match self.are_left_to_chance() {
            true => write!(f, " (--seed {})", self.seed),
            false => Ok(()),
        }
    }
}
