//! What strikes which message.

use std::sync::Arc;

use super::chance::Dice;
use super::{At, Fault, What};
use crate::event::Status;

/// A fault that struck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strike {
    /// As the user wrote it.
    pub fault: Arc<str>,
    /// What happens.
    pub how: How,
}

/// What happens to the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// This status, with this response code.
    Refuse(Status, Option<String>),
    /// BYE, with this response code, and the end.
    Bye(Option<String>),
    /// The end.
    Close,
    /// A reset.
    Reset,
    /// Nothing, for ever.
    Stall,
}

/// What strikes messages on one connection.
#[derive(Clone, Debug, Default)]
pub struct Strikes {
    faults: Vec<(Fault, Dice)>,
    /// The UIDVALIDITY that mailboxes are given, if it is another: decided once a connection.
    uidvalidity: Option<(Option<u32>, Arc<str>)>,
}

impl Strikes {
    pub(super) fn new<'f>(faults: impl Iterator<Item = (&'f Fault, Dice)>) -> Self {
        let mut strikes = Self::default();
        for (fault, mut dice) in faults {
            match fault.what {
                What::Latency(_)
                | What::Jitter(_)
                | What::Bandwidth(_)
                | What::Split(_)
                | What::CutAfter(_) => {}
                What::Uidvalidity(number) => {
                    if dice.falls(fault.probability) {
                        strikes.uidvalidity = Some((number, Arc::clone(&fault.spelled)));
                    }
                }
                _ => strikes.faults.push((fault.clone(), dice)),
            }
        }
        strikes
    }

    /// Whether nothing is ever struck.
    pub fn is_empty(&self) -> bool {
        self.faults.is_empty() && self.uidvalidity.is_none()
    }

    /// Whether responses may be edited.
    pub fn edit(&self) -> bool {
        let lies = |(fault, _): &(Fault, _)| matches!(fault.what, What::LieLiteral { .. });
        self.uidvalidity.is_some() || self.faults.iter().any(lies)
    }

    /// The first one that `what` finds struck.
    fn first<T>(&mut self, what: impl Fn(&What) -> Option<T>) -> Option<(Arc<str>, T)> {
        self.faults.iter_mut().find_map(|(fault, dice)| {
            let found = what(&fault.what)?;
            let falls = dice.falls(fault.probability);
            falls.then(|| (Arc::clone(&fault.spelled), found))
        })
    }

    fn strike(&mut self, how: impl Fn(&What) -> Option<How>) -> Option<Strike> {
        let (fault, how) = self.first(how)?;
        Some(Strike { fault, how })
    }

    /// What the app gets in place of an answer to this command (upper case).
    pub fn command(&mut self, name: &str) -> Option<Strike> {
        self.strike(|what| {
            Some(match what {
                What::Refuse { at, status, code } if at.is(name) => {
                    How::Refuse(*status, code.clone())
                }
                What::Bye { at, code } if at.is(name) => How::Bye(code.clone()),
                What::Reset(at) if at.is(name) => How::Reset,
                What::Stall(at) if at.is(name) => How::Stall,
                _ => return None,
            })
        })
    }

    /// What the app gets in place of the greeting.
    pub fn greeting(&mut self) -> Option<Strike> {
        self.strike(|what| {
            Some(match what {
                What::Bye { at, code } if *at == At::Greeting => How::Bye(code.clone()),
                What::Reset(At::Greeting) => How::Reset,
                _ => return None,
            })
        })
    }

    /// What comes behind the answer to this command (upper case).
    pub fn behind(&mut self, name: &str) -> Option<Strike> {
        self.strike(|what| match what {
            What::CloseAfter(at) if at.is(name) => Some(How::Close),
            _ => None,
        })
    }

    /// What comes behind the greeting.
    pub fn behind_greeting(&mut self) -> Option<Strike> {
        self.strike(|what| match what {
            What::CloseAfter(At::Greeting) => Some(How::Close),
            _ => None,
        })
    }

    /// By how many octets the header of a literal is wrong in a response to this command (upper case).
    pub fn lie(&mut self, name: &str) -> Option<(Arc<str>, i64)> {
        self.first(|what| match what {
            What::LieLiteral { at, by } if at.is(name) => Some(*by),
            _ => None,
        })
    }

    /// The UIDVALIDITY that is told in place of this one (RFC 9051, section 2.3.1.1).
    pub fn uidvalidity(&self, real: u32) -> Option<(Arc<str>, u32)> {
        let (number, fault) = self.uidvalidity.as_ref()?;
        let next = real.checked_add(1).unwrap_or(1);
        Some((Arc::clone(fault), number.unwrap_or(next)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Faults;
    use super::*;

    fn strikes(faults: &[&str]) -> Strikes {
        let faults: Vec<Fault> = faults.iter().map(|text| text.parse().unwrap()).collect();
        Faults::new(faults, 7).strikes(1)
    }

    fn hows(strikes: &mut Strikes, command: &str, times: usize) -> Vec<Option<How>> {
        let throw = |_| strikes.command(command).map(|strike| strike.how);
        (0..times).map(throw).collect()
    }

    #[test]
    fn a_command_is_struck_by_its_name_and_by_what_strikes_all() {
        let mut strikes = strikes(&["no:SELECT=OVERQUOTA", "reset:FETCH", "stall:UID STORE"]);
        let refused = How::Refuse(Status::No, Some("OVERQUOTA".into()));
        assert_eq!(hows(&mut strikes, "SELECT", 1), [Some(refused)]);
        assert_eq!(hows(&mut strikes, "FETCH", 1), [Some(How::Reset)]);
        assert_eq!(hows(&mut strikes, "UID FETCH", 1), [Some(How::Reset)]);
        assert_eq!(hows(&mut strikes, "UID STORE", 1), [Some(How::Stall)]);
        assert_eq!(hows(&mut strikes, "STORE", 1), [None]);
        assert_eq!(strikes.greeting(), None);
        let mut all = self::strikes(&["bye"]);
        assert_eq!(hows(&mut all, "NOOP", 1), [Some(How::Bye(None))]);
        assert_eq!(all.greeting(), None, "the greeting is no command");
    }

    #[test]
    fn one_fault_more_does_not_change_what_another_throws() {
        let mut alone = strikes(&["no:NOOP@0.5"]);
        let mut with = strikes(&["no:NOOP@0.5", "bad:CHECK@0.5"]);
        let alone = hows(&mut alone, "NOOP", 50);
        for (place, how) in alone.iter().enumerate() {
            assert_eq!(hows(&mut with, "NOOP", 1)[0], *how, "{place}");
            let _ = with.command("CHECK");
        }
        assert!(alone.contains(&None) && alone.iter().any(Option::is_some));
    }

    #[test]
    fn uidvalidity_is_another_and_never_zero() {
        let strikes = strikes(&["uidvalidity"]);
        let told = |real| strikes.uidvalidity(real).unwrap().1;
        assert_eq!((told(7), told(u32::MAX)), (8, 1));
        assert!(strikes.edit());
    }
}
