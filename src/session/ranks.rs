//! Sums of a row of counts, kept while single counts change: a Fenwick tree.
//!
//! A count is added at the end, changed anywhere, and found by what stands before it, each in logarithmic
//! time.

/// Counts in a row.
#[derive(Default)]
pub(super) struct Ranks {
    /// `sums[i - 1]` adds up the `i & -i` counts that end with the `i`th.
    sums: Vec<u32>,
}

impl Ranks {
    /// Adds a count at the end.
    pub(super) fn push(&mut self, count: u32) {
        let at = self.sums.len() + 1;
        let mut sum = count;
        let mut step = 1;
        while step < (at & at.wrapping_neg()) {
            sum += self.sums[at - step - 1];
            step <<= 1;
        }
        self.sums.push(sum);
    }

    /// The count at this place is larger by so much.
    pub(super) fn add(&mut self, place: usize, more: u32) {
        self.change(place, |sum| sum + more);
    }

    /// The count at this place, which was not less, is smaller by so much.
    pub(super) fn take(&mut self, place: usize, less: u32) {
        self.change(place, |sum| sum - less);
    }

    fn change(&mut self, place: usize, changed: impl Fn(u32) -> u32) {
        let mut at = place + 1;
        while let Some(sum) = self.sums.get_mut(at - 1) {
            *sum = changed(*sum);
            at += at & at.wrapping_neg();
        }
    }

    /// What the counts before this place add up to.
    pub(super) fn before(&self, place: usize) -> u32 {
        let mut at = place.min(self.sums.len());
        let mut sum = 0;
        while at > 0 {
            sum += self.sums[at - 1];
            at &= at - 1;
        }
        sum
    }

    /// The place of the count that reaches beyond `sum`, and what is left of `sum` there.
    pub(super) fn find(&self, sum: u32) -> Option<(usize, u32)> {
        let mut left = sum;
        let mut at = 0;
        let mut step = self.sums.len().checked_ilog2().map_or(0, |bits| 1 << bits);
        while step > 0 {
            if let Some(sum) = self.sums.get(at + step - 1)
                && *sum <= left
            {
                left -= *sum;
                at += step;
            }
            step >>= 1;
        }
        (at < self.sums.len()).then_some((at, left))
    }
}

impl FromIterator<u32> for Ranks {
    fn from_iter<T: IntoIterator<Item = u32>>(counts: T) -> Self {
        let mut ranks = Self::default();
        counts.into_iter().for_each(|count| ranks.push(count));
        ranks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_a_list_is() {
        let mut ranks = Ranks::default();
        let mut list: Vec<u32> = Vec::new();
        let mut random = fastrand::Rng::with_seed(9051);
        for _ in 0..300 {
            let count = random.u32(..4);
            ranks.push(count);
            list.push(count);
            while random.bool() {
                let place = random.usize(..list.len());
                let less = random.u32(..=list[place]);
                match random.bool() {
                    true => {
                        ranks.take(place, less);
                        list[place] -= less;
                    }
                    false => {
                        ranks.add(place, less);
                        list[place] += less;
                    }
                }
            }
            let mut sum = 0;
            for (place, count) in list.iter().enumerate() {
                assert_eq!(ranks.before(place), sum);
                for left in 0..*count {
                    assert_eq!(ranks.find(sum + left), Some((place, left)));
                }
                sum += count;
            }
            assert_eq!(ranks.before(list.len()), sum);
            assert_eq!(ranks.find(sum), None);
        }
    }
}
