//! The messages of a mailbox in their order: which number has which UID, and which flags, as far as
//! it was told (RFC 9051, section 2.3.1).
//!
//! Numbers move when a message before them goes; UIDs do not. Only a message of which something was told
//! has a place, which does not move either. As long as what is told begins with the first message and
//! leaves none out, a message's place is its number; from then on [`Order`] finds it.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use super::order::{Found, Order, Place};
use crate::limits;

/// Flags of a message: the place of a set of flags in the mailbox's list.
pub(super) type FlagSet = u32;

/// Messages, numbered from 1.
#[derive(Default)]
pub struct Messages {
    /// What was told, by place.
    known: Vec<Known>,
    /// Places whose messages are gone.
    free: Vec<Place>,
    /// Of the places; without it, they are in the order of the messages and none is left out.
    order: Option<Order>,
    /// Messages behind the last one that has a place.
    further: u64,
    by_uid: BTreeMap<u32, Place>,
    /// Flags that were told in an earlier one are forgotten.
    epoch: u32,
}

#[derive(Clone, Copy)]
struct Known {
    uid: Option<NonZeroU32>,
    flags: Option<NonZeroU32>,
    epoch: u32,
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
        self.told() + self.further
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
        self.known[self.place(number)?].uid.map(Into::into)
    }

    pub(super) fn flags(&self, number: u64) -> Option<FlagSet> {
        let known = &self.known[self.place(number)?];
        let flags = known.flags.filter(|_| known.epoch == self.epoch)?;
        Some(flags.get() - 1)
    }

    /// Nobody knows any message's flags any more.
    pub(super) fn forget_flags(&mut self) {
        self.epoch = self.epoch.wrapping_add(1);
    }

    /// Behind the message with this number, nothing was told of any.
    pub(super) fn told(&self) -> u64 {
        match &self.order {
            Some(order) => order.count().into(),
            None => self.known.len() as u64,
        }
    }

    /// The number of the message with this UID.
    pub fn number(&self, uid: u32) -> Option<u64> {
        self.by_uid.get(&uid).map(|place| self.number_at(*place))
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

    fn number_at(&self, place: Place) -> u64 {
        let before = self.order.as_ref().map(|order| order.before(place));
        u64::from(before.unwrap_or(place)) + 1
    }

    fn place(&self, number: u64) -> Option<usize> {
        match self.find(number) {
            Found::Told(place) => Some(place as usize),
            Found::Untold { .. } | Found::None => None,
        }
    }

    fn find(&self, number: u64) -> Found {
        let before = number.checked_sub(1);
        let Some(before) = before.and_then(|before| Place::try_from(before).ok()) else {
            return Found::None;
        };
        match &self.order {
            Some(order) => order.find(before),
            None if (before as usize) < self.known.len() => Found::Told(before),
            None => Found::None,
        }
    }

    /// The order of the places, which from now on need not be that of the numbers.
    fn ordered(&mut self) -> &mut Order {
        let places = self.known.len();
        self.order.get_or_insert_with(|| Order::of(places))
    }

    /// The place of a message of which something is told, which may not have had one.
    fn place_of(&mut self, number: u64) -> Option<usize> {
        let found = self.find(number);
        if let Found::Told(place) = found {
            return Some(place as usize);
        }
        if number == 0 || number > self.count() || number > limits::MAILBOX_MESSAGES {
            return None;
        }
        let untold = (number - 1).saturating_sub(self.told());
        let place = self.free.pop().unwrap_or(self.known.len() as Place);
        if let Found::Untold { next, behind } = found {
            self.ordered().insert(place, next, behind);
        } else {
            if self.order.is_some() || untold > 0 {
                self.ordered().push(place, untold as u32);
            }
            self.further -= untold + 1;
        }
        let nothing = Known {
            uid: None,
            flags: None,
            epoch: self.epoch,
        };
        match self.known.get_mut(place as usize) {
            Some(known) => *known = nothing,
            None => self.known.push(nothing),
        }
        Some(place as usize)
    }

    /// The message with this number has this UID.
    pub(super) fn learn(&mut self, number: u64, uid: u32) -> Learned {
        let Some(place) = self.place_of(number) else {
            return Learned::Beyond;
        };
        let before = self.known[place].uid.map(u32::from);
        if before == Some(uid) {
            return Learned::Fits;
        }
        self.known[place].uid = NonZeroU32::new(uid);
        if let Some(before) = before {
            self.by_uid.remove(&before);
        }
        let odd = self.contradicts(uid, number);
        self.by_uid.insert(uid, place as Place);
        match (before, odd) {
            (Some(before), _) => Learned::Changed(before),
            (None, Some(odd)) => Learned::NotAscending(odd),
            (None, None) => Learned::Fits,
        }
    }

    /// A UID that is as high although its message stands before this one, or as low and behind it.
    fn contradicts(&self, uid: u32, number: u64) -> Option<u32> {
        let at = |place: &Place| self.number_at(*place);
        // Most are told in their order.
        let last = self.by_uid.last_key_value();
        if last.is_none_or(|(last, place)| *last < uid && at(place) < number) {
            return None;
        }
        let lower = self.by_uid.range(..=uid).next_back();
        let higher = self.by_uid.range(uid..).next();
        let odd = lower.filter(|(_, place)| at(place) >= number);
        let odd = odd.or(higher.filter(|(_, place)| at(place) <= number));
        odd.map(|(odd, _)| *odd)
    }

    pub(super) fn set_flags(&mut self, number: u64, flags: Option<FlagSet>) {
        if let Some(place) = self.place_of(number) {
            let flags = flags.and_then(|flags| NonZeroU32::new(flags + 1));
            self.known[place].flags = flags;
            self.known[place].epoch = self.epoch;
        }
    }

    /// The message with this number is gone; the UID that it had, if that is known.
    pub(super) fn expunge(&mut self, number: u64) -> Option<u32> {
        let Found::Told(place) = self.find(number) else {
            self.take_away(number, 1);
            return None;
        };
        self.forget(place);
        let uid = self.known[place as usize].uid;
        self.close_ranks();
        uid.map(u32::from)
    }

    /// So many messages from this number on are gone.
    fn take_away(&mut self, first: u64, count: u64) {
        if first == 0 {
            return;
        }
        let mut left = count.min(self.count().saturating_sub(first - 1));
        while left > 0 {
            match self.find(first) {
                Found::Told(place) => {
                    self.forget(place);
                    left -= 1;
                }
                Found::Untold { next, behind } => {
                    let order = self.ordered();
                    let gone = left.min((order.untold(next) - behind).into());
                    order.take(next, gone as u32);
                    left -= gone;
                }
                Found::None => {
                    self.further -= left;
                    left = 0;
                }
            }
        }
        self.close_ranks();
    }

    /// The message at this place is gone.
    fn forget(&mut self, place: Place) {
        self.further += u64::from(self.ordered().remove(place));
        self.free.push(place);
        if let Some(uid) = self.known[place as usize].uid.map(u32::from)
            && self.by_uid.get(&uid) == Some(&place)
        {
            self.by_uid.remove(&uid);
        }
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
        let at = |(_, place): (&u32, &Place)| self.number_at(*place);
        let lower = self.by_uid.range(..uid).next_back().map_or(0, at);
        let higher = self.by_uid.range(uid..).next();
        let higher = higher.map_or(self.count().saturating_add(1), at);
        let gone = higher.saturating_sub(lower + 1).min(most);
        self.take_away(lower + 1, gone);
        gone
    }

    /// Gives the messages new places, in their order, once most of the old ones stand empty.
    fn close_ranks(&mut self) {
        let Some(order) = self.order.take_if(|order| order.is_sparse()) else {
            return;
        };
        let mut new = vec![0; self.known.len()];
        let mut known = Vec::new();
        let mut untold = Vec::new();
        for (place, before) in order.places() {
            new[place as usize] = known.len() as Place;
            known.push(self.known[place as usize]);
            untold.push(before);
        }
        self.by_uid
            .values_mut()
            .for_each(|place| *place = new[*place as usize]);
        if untold.iter().any(|untold| *untold > 0) {
            self.order = Some(Order::new((0..).zip(untold), known.len()));
        }
        self.known = known;
        self.free = Vec::new();
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

    impl Messages {
        /// The same, with places of its own.
        fn copy(&self) -> Self {
            let mut copy = Self::default();
            copy.set_count(self.count());
            for number in 1..=self.told() {
                if let Some(place) = self.place(number) {
                    let at = copy.place_of(number).unwrap();
                    copy.known[at] = self.known[place];
                    if let Some(uid) = self.known[place].uid {
                        copy.by_uid.insert(uid.into(), at as Place);
                    }
                }
            }
            copy.epoch = self.epoch;
            copy
        }
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
        assert_eq!(messages.known.len(), 0);
        assert_eq!(messages.expunge(9), None);
        assert!(messages.vanish(1, u32::MAX));
        assert_eq!(messages.known.len(), 0);
    }

    /// 80 octets of a server once made a million places and took each of them away again.
    #[test]
    fn what_is_told_of_a_high_number_makes_one_place() {
        let mut messages = Messages::default();
        for round in 1..=100 {
            messages.set_count(limits::MAILBOX_MESSAGES);
            messages.set_flags(limits::MAILBOX_MESSAGES - round, Some(3));
            assert_eq!(messages.known.len(), 1, "round {round}");
            assert_eq!(messages.flags(limits::MAILBOX_MESSAGES - round), Some(3));
            assert!(!messages.vanish(1, u32::MAX));
            assert_eq!((messages.count(), messages.told()), (0, 0));
        }
        messages.set_count(limits::MAILBOX_MESSAGES);
        for number in [1, 1_000, 1_000_000, 999_999, 2] {
            messages.learn(number, number as u32 * 2);
        }
        assert_eq!(messages.known.len(), 5);
        assert!(messages.vanish(2_001, 902_000)); // between messages 1,000 and 999,999
        assert_eq!(messages.count(), 100_000);
        assert_eq!(messages.number(2_000_000), Some(100_000));
        assert_eq!(messages.known.len(), 5);
    }

    /// However the server makes places and takes them away, there are not many more than messages of
    /// which something is known.
    #[test]
    fn places_of_messages_that_are_gone_are_given_up() {
        let mut messages = Messages::default();
        messages.set_count(40_000);
        for number in (2..=40_000).step_by(2) {
            messages.learn(number, number as u32);
        }
        assert_eq!(messages.known.len(), 20_000);
        for round in 0..20 {
            for _ in 0..1_000 {
                messages.expunge(messages.count() / 2);
                messages.expunge(2);
            }
            messages.set_count(messages.count() + 10);
            messages.learn(messages.count(), 50_000 + round);
        }
        let (places, known) = (messages.known.len(), messages.by_uid.len());
        assert!(places < 1_000, "{places} places for {known} messages");
    }

    /// What a list would say, message by message.
    #[derive(Clone, Default)]
    struct Listed(Vec<(Option<u32>, Option<FlagSet>)>);

    impl Listed {
        fn with_uid(&self, mut is_it: impl FnMut(u32) -> bool) -> Option<usize> {
            self.0
                .iter()
                .position(|(uid, _)| uid.is_some_and(&mut is_it))
        }

        fn vanish(&mut self, first: u32, last: u32) {
            let mut unknown = 0;
            for uid in first..=last {
                let known = self.with_uid(|it| it == uid);
                unknown += u64::from(known.is_none());
                if known.is_some() || uid == last {
                    let end = if known.is_some() { uid } else { uid + 1 };
                    let begin = end - unknown as u32;
                    let lower = self
                        .0
                        .iter()
                        .rposition(|(uid, _)| uid.is_some_and(|uid| uid < begin));
                    let lower = lower.map_or(0, |lower| lower + 1);
                    let higher = self.with_uid(|uid| uid >= begin).unwrap_or(self.0.len());
                    let gone = (higher - lower).min(unknown as usize);
                    self.0.drain(lower..lower + gone);
                    unknown = 0;
                }
                if let Some(known) = self.with_uid(|it| it == uid) {
                    self.0.remove(known);
                }
            }
        }
    }

    /// Messages that were told in any order, or of which nothing was: `spread` UIDs lie between two.
    fn is_what_a_list_is(seed: u64, most: usize, grows: u64) {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut messages = Messages::default();
        let mut list = Listed::default();
        let mut uids: Vec<u32> = Vec::new(); // of all messages, told or not
        let mut next = 1;
        for step in 0..3_000 {
            let at = random.usize(..list.0.len().max(1));
            let number = at as u64 + 1;
            match random.u8(..12) {
                0 if list.0.len() < most => {
                    for _ in 0..random.u64(1..=grows) {
                        list.0.push((None, None));
                        uids.push(next);
                        next += random.u32(1..4);
                    }
                    messages.set_count(list.0.len() as u64);
                }
                _ if list.0.is_empty() => {}
                1..=5 => {
                    assert_eq!(messages.learn(number, uids[at]), Learned::Fits);
                    list.0[at].0 = Some(uids[at]);
                }
                6..=7 => {
                    let flags = random.bool().then(|| random.u32(..5));
                    messages.set_flags(number, flags);
                    list.0[at].1 = flags;
                }
                8..=9 => {
                    assert_eq!(messages.expunge(number), list.0[at].0);
                    list.0.remove(at);
                    uids.remove(at);
                }
                10 if list.0[at].0.is_some() => {
                    assert!(messages.vanish(uids[at], uids[at]));
                    list.0.remove(at);
                    uids.remove(at);
                }
                _ => {
                    let (mut one, mut two) = (messages.copy(), list.clone());
                    let first = uids[at].saturating_sub(random.u32(..3)).max(1);
                    let last = first + random.u32(..30);
                    one.vanish(first, last);
                    two.vanish(first, last);
                    assert_same(&one, &two, step);
                }
            }
            if most < 100 || step % 64 == 0 {
                assert_same(&messages, &list, step);
            }
        }
    }

    fn assert_same(messages: &Messages, list: &Listed, step: usize) {
        assert_eq!(messages.count(), list.0.len() as u64, "step {step}");
        let told = messages.told();
        assert_eq!(messages.uid(told + 1), None);
        for (number, (uid, flags)) in (1..).zip(&list.0) {
            assert_eq!(messages.uid(number), *uid, "step {step}, {number}");
            assert_eq!(messages.flags(number), *flags, "step {step}, {number}");
            if let Some(uid) = uid {
                assert_eq!(messages.number(*uid), Some(number), "step {step}, {uid}");
            }
            assert!(number <= told || (uid.is_none() && flags.is_none()));
        }
        let uids: Vec<u32> = list.0.iter().filter_map(|(uid, _)| *uid).collect();
        assert!(messages.uids().eq(uids));
    }

    #[test]
    fn it_is_what_a_list_is() {
        is_what_a_list_is(9051, 60, 8);
        is_what_a_list_is(7162, 600, 300);
        is_what_a_list_is(3501, 1_200, 1_200);
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
