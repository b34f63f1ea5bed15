//! Message sequence numbers as they were when an exchange began, or a mailbox was selected.
//!
//! An EXPUNGE moves all higher numbers down by one (RFC 9051, section 7.5.1), so that what a number
//! says depends on the EXPUNGEs before it:
//!
//! ```text
//! S: * 3 EXPUNGE          S: * 4 EXPUNGE
//! S: * 3 EXPUNGE          S: * 3 EXPUNGE       messages 3 and 4 are gone, both times
//! ```

/// EXPUNGEs that are followed; behind more, numbers stand for themselves. Messages
/// are expunged by the thousand, and each costs as much as there were before it.
const FOLLOWED: usize = 20_000;

/// Which messages are gone since then.
#[derive(Default)]
pub struct Numbering {
    /// By the numbers of then, rising.
    gone: Vec<u64>,
}

impl Numbering {
    /// The number of then of the message that has this one now.
    pub fn before(&self, number: u64) -> u64 {
        // So many of those gone stood before it: the first for which it comes out lower.
        let (mut low, mut high) = (0, self.gone.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.gone[middle] - (middle as u64) <= number {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        number.saturating_add(low as u64)
    }

    /// The message with this number is gone; its number of then.
    pub fn gone(&mut self, number: u64) -> u64 {
        let before = self.before(number);
        if self.gone.len() < FOLLOWED {
            let place = self.gone.partition_point(|gone| *gone < before);
            self.gone.insert(place, before);
        }
        before
    }

    /// What a count of messages would be, were none of them gone.
    pub fn count(&self, number: u64) -> u64 {
        number.saturating_add(self.gone.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_order_of_expunges_does_not_matter() {
        for expunges in [[3, 3], [4, 3]] {
            let mut numbering = Numbering::default();
            let mut gone: Vec<u64> = expunges.iter().map(|n| numbering.gone(*n)).collect();
            gone.sort_unstable();
            assert_eq!(gone, [3, 4]);
            assert_eq!((numbering.before(2), numbering.before(3)), (2, 5));
            assert_eq!(numbering.count(8), 10);
        }
    }

    proptest! {
        #[test]
        fn a_message_keeps_its_first_number(expunges in prop::collection::vec(1..20_usize, 0..15)) {
            let mut mailbox: Vec<u64> = (1..=40).collect();
            let mut numbering = Numbering::default();
            for expunge in expunges {
                let gone = mailbox.remove(expunge - 1);
                prop_assert_eq!(numbering.gone(expunge as u64), gone);
                for (now, then) in (1..).zip(&mailbox) {
                    prop_assert_eq!(numbering.before(now), *then);
                }
            }
        }
    }
}
