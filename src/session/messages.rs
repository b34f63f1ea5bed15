//! The messages of a mailbox in their order: which number has which UID, and which flags, as far as
//! it was told (RFC 9051, section 2.3.1).
//!
//! Numbers move when a message before them goes; UIDs do not. A message's place, which does not move
//! either, is found by its number in a tree of ranks, so that no list is shifted.

use std::collections::BTreeMap;

use super::ranks::Ranks;
use crate::limits;

/// Flags of a message: the place of a set of flags in the mailbox's list.
pub(super) type FlagSet = u32;

/// Messages, numbered from 1.
#[derive(Default)]
pub struct Messages {
    /// Those up to the last one of which anything was told, the gone ones among them.
    places: Vec<Place>,
    ranks: Ranks,
    /// Places that are taken.
    taken: usize,
    /// Messages behind them.
    further: u64,
    by_uid: BTreeMap<u32, usize>,
    /// Flags that were told in an earlier one are forgotten.
    epoch: u32,
}

#[derive(Clone, Copy)]
struct Place {
    uid: Option<std::num::NonZeroU32>,
    flags: Option<std::num::NonZeroU32>,
    epoch: u32,
    gone: bool,
}

/// What came of being told a UID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learned {
    /// It fits.
    Fits,
    /// The message had this UID before.
    Changed(u32),
    /// Messages before it have UIDs as high, or messages behind it UIDs as low: this one.
    NotAscending(u32),
    /// There is no such message, or it is beyond the bound.
    Beyond,
    /// It was the UID of a message that is gone.
    Reused,
}

impl Messages {
    /// How many there are.
    pub fn count(&self) -> u64 {
        self.taken as u64 + self.further
    }

    /// There are so many now. More of them are new ones at the end; where there are fewer, nobody
    /// knows which are gone.
    pub(super) fn set_count(&mut self, count: u64) {
        match count.checked_sub(self.count()) {
            Some(new) => self.further += new,
            None => {
                *self = Self {
                    further: count,
                    ..Self::default()
                }
            }
        }
    }

    /// The UID of the message with this number.
    pub fn uid(&self, number: u64) -> Option<u32> {
        self.places[self.place(number)?].uid.map(Into::into)
    }

    pub(super) fn flags(&self, number: u64) -> Option<FlagSet> {
        let place = &self.places[self.place(number)?];
        let flags = place.flags.filter(|_| place.epoch == self.epoch)?;
        Some(flags.get() - 1)
    }

    /// Nobody knows any message's flags any more.
    pub(super) fn forget_flags(&mut self) {
        self.epoch = self.epoch.wrapping_add(1);
    }

    /// The messages of which anything was told are those up to this number.
    pub(super) fn told(&self) -> u64 {
        self.taken as u64
    }

    /// The number of the message with this UID.
    pub fn number(&self, uid: u32) -> Option<u64> {
        let place = self.by_uid.get(&uid)?;
        Some(self.ranks.before(*place) as u64 + 1)
    }

    /// Whether a message with this UID was told of.
    pub fn knows(&self, uid: u32) -> bool {
        self.by_uid.contains_key(&uid)
    }

    /// The UIDs that were told, ascending.
    pub fn uids(&self) -> impl Iterator<Item = u32> {
        self.by_uid.keys().copied()
    }

    /// Those of them in a range.
    pub(super) fn uids_in(&self, first: u32, last: u32) -> impl Iterator<Item = u32> {
        self.by_uid.range(first..=last).map(|(uid, _)| *uid)
    }

    fn place(&self, number: u64) -> Option<usize> {
        let before = usize::try_from(number.checked_sub(1)?).ok()?;
        match self.taken == self.places.len() {
            true => (before < self.taken).then_some(before), // none is gone
            false => self.ranks.find(before),
        }
    }

    /// The place of a message of which something is told, which may not have had one.
    fn place_of(&mut self, number: u64) -> Option<usize> {
        if number == 0 || number > self.count() || number > limits::MAILBOX_MESSAGES {
            return None;
        }
        while (self.taken as u64) < number {
            self.places.push(Place {
                uid: None,
                flags: None,
                epoch: self.epoch,
                gone: false,
            });
            self.ranks.push();
            self.taken += 1;
            self.further -= 1;
        }
        self.place(number)
    }

    /// The message with this number has this UID.
    pub(super) fn learn(&mut self, number: u64, uid: u32) -> Learned {
        let Some(place) = self.place_of(number) else {
            return Learned::Beyond;
        };
        let before = self.places[place].uid.map(u32::from);
        if before == Some(uid) {
            return Learned::Fits;
        }
        self.places[place].uid = std::num::NonZeroU32::new(uid);
        if let Some(before) = before {
            self.by_uid.remove(&before);
        }
        let odd = self.contradicts(uid, place);
        self.by_uid.insert(uid, place);
        match (before, odd) {
            (Some(before), _) => Learned::Changed(before),
            (None, Some(odd)) => Learned::NotAscending(odd),
            (None, None) => Learned::Fits,
        }
    }

    /// A UID that is as high although its message stands before this one, or as low and behind it.
    fn contradicts(&self, uid: u32, place: usize) -> Option<u32> {
        // Most are told in their order.
        let last = self.by_uid.last_key_value();
        if last.is_none_or(|(last, at)| *last < uid && *at < place) {
            return None;
        }
        let lower = self.by_uid.range(..=uid).next_back();
        let higher = self.by_uid.range(uid..).next();
        let odd = lower.filter(|(_, at)| **at >= place);
        let odd = odd.or(higher.filter(|(_, at)| **at <= place));
        odd.map(|(odd, _)| *odd)
    }

    pub(super) fn set_flags(&mut self, number: u64, flags: Option<FlagSet>) {
        if let Some(place) = self.place_of(number) {
            let flags = flags.and_then(|flags| std::num::NonZeroU32::new(flags + 1));
            self.places[place].flags = flags;
            self.places[place].epoch = self.epoch;
        }
    }

    /// The message with this number is gone; the UID that it had, if that is known.
    pub(super) fn expunge(&mut self, number: u64) -> Option<u32> {
        if number == 0 || number > self.count() {
            return None;
        }
        let Some(place) = self.place(number) else {
            self.further -= 1;
            return None;
        };
        self.ranks.leave(place);
        self.taken -= 1;
        self.places[place].gone = true;
        let uid = self.places[place].uid.map(u32::from);
        if let Some(uid) = uid
            && self.by_uid.get(&uid) == Some(&place)
        {
            self.by_uid.remove(&uid);
        }
        self.close_ranks();
        uid
    }

    /// The messages with these UIDs are gone; whether so many were there.
    ///
    /// A UID that was never told lies between two that were: one of the messages between them, all
    /// unknown, is gone, and which one makes no difference to what is known of the others.
    pub(super) fn vanish(&mut self, first: u32, last: u32) -> bool {
        let mut all = true;
        let mut from = first;
        while from <= last {
            let known = self.by_uid.range(from..=last).next().map(|(uid, _)| *uid);
            let unknown = match known {
                Some(uid) => u64::from(uid - from),
                None => u64::from(last - from) + 1,
            };
            all &= unknown == 0 || self.vanish_between(from, unknown) == unknown;
            let Some(uid) = known else {
                break;
            };
            if let Some(number) = self.number(uid) {
                self.expunge(number);
            }
            let Some(next) = uid.checked_add(1) else {
                break;
            };
            from = next;
        }
        all
    }

    /// Takes away up to so many messages without a known UID around where `uid` would be.
    fn vanish_between(&mut self, uid: u32, most: u64) -> u64 {
        let number = |place: &usize| self.ranks.before(*place) as u64 + 1;
        let lower = self.by_uid.range(..uid).next_back();
        let higher = self.by_uid.range(uid..).next();
        let lower = lower.map_or(0, |(_, place)| number(place));
        let higher = higher.map_or(self.count() + 1, |(_, place)| number(place));
        let gone = higher.saturating_sub(lower + 1).min(most);
        for _ in 0..gone {
            if self.place(lower + 1).is_none() {
                self.further -= gone.min(self.further); // none of them has a place
                break;
            }
            self.expunge(lower + 1);
        }
        gone
    }

    /// Forgets the places of messages that are gone, once they are most of them.
    fn close_ranks(&mut self) {
        const FEW: usize = 1024;
        if self.places.len() < FEW || self.places.len() < 2 * self.taken {
            return;
        }
        self.places.retain(|place| !place.gone);
        self.ranks = Ranks::default();
        self.by_uid.clear();
        for (place, message) in self.places.iter().enumerate() {
            self.ranks.push();
            if let Some(uid) = message.uid {
                self.by_uid.insert(uid.into(), place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::growth::assert_linear;

    fn with_uids(uids: &[u32]) -> Messages {
        let mut messages = Messages::default();
        messages.set_count(uids.len() as u64);
        for (number, uid) in (1..).zip(uids) {
            assert_eq!(messages.learn(number, *uid), Learned::Fits);
        }
        messages
    }

    fn numbered(messages: &Messages) -> Vec<Option<u32>> {
        (1..=messages.count()).map(|n| messages.uid(n)).collect()
    }

    #[test]
    fn higher_numbers_move_down_when_a_message_goes() {
        let mut messages = with_uids(&[11, 12, 15, 19]);
        assert_eq!(messages.expunge(2), Some(12));
        assert_eq!(numbered(&messages), [Some(11), Some(15), Some(19)]);
        assert_eq!(messages.number(19), Some(3));
        assert_eq!(messages.number(12), None);
        messages.set_count(4);
        assert_eq!(messages.uid(4), None);
    }

    #[test]
    fn what_vanishes_is_found_by_its_uid_or_by_its_neighbours() {
        let mut messages = Messages::default();
        messages.set_count(6);
        messages.learn(2, 20);
        messages.learn(5, 50);
        assert!(messages.vanish(30, 30)); // 3 or 4
        assert_eq!(numbered(&messages)[1..4], [Some(20), None, Some(50)]);
        assert!(messages.vanish(50, 51)); // and 6
        assert_eq!(numbered(&messages), [None, Some(20), None]);
        assert!(!messages.vanish(1, 5)); // one at most
        assert_eq!(numbered(&messages), [Some(20), None]);
        assert!(!messages.vanish(1, u32::MAX));
        assert_eq!(messages.count(), 0);
    }

    #[test]
    fn uids_that_contradict_what_was_told_are_told_from_others() {
        let mut messages = with_uids(&[11, 12, 15]);
        assert_eq!(messages.learn(2, 13), Learned::Changed(12));
        messages.set_count(4);
        assert_eq!(messages.learn(4, 14), Learned::NotAscending(15));
        assert_eq!(messages.learn(5, 99), Learned::Beyond);
    }

    #[test]
    fn a_server_that_claims_very_many_costs_nothing() {
        let mut messages = Messages::default();
        messages.set_count(u64::MAX);
        assert_eq!(messages.learn(u64::MAX, 7), Learned::Beyond);
        assert_eq!(messages.places.len(), 0);
        assert_eq!(messages.expunge(9), None);
        assert!(messages.vanish(1, u32::MAX));
        assert_eq!(messages.places.len(), 0);
    }

    #[test]
    fn it_is_what_a_list_is() {
        let mut random = fastrand::Rng::with_seed(9051);
        let mut messages = Messages::default();
        let mut list: Vec<u32> = Vec::new();
        let mut next = 1;
        for _ in 0..4000 {
            if random.u8(..10) < 6 {
                list.push(next);
                messages.set_count(list.len() as u64);
                messages.learn(list.len() as u64, next);
                next += random.u32(1..4);
            } else if !list.is_empty() {
                let at = random.usize(..list.len());
                let uid = list.remove(at);
                match random.bool() {
                    true => assert_eq!(messages.expunge(at as u64 + 1), Some(uid)),
                    false => assert!(messages.vanish(uid, uid)),
                }
            }
        }
        let list: Vec<_> = list.into_iter().map(Some).collect();
        assert_eq!(numbered(&messages), list);
    }

    #[test]
    fn taking_all_messages_out_of_the_middle_grows_with_their_number() {
        let prepare = |size: usize| {
            let uids: Vec<u32> = (1..=size as u32).collect();
            with_uids(&uids)
        };
        assert_linear(2_000, prepare, |messages| {
            while messages.count() > 0 {
                messages.expunge(messages.count().div_ceil(2));
            }
        });
    }
}
