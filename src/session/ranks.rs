//! Which of many places are taken, and how many before each: a Fenwick tree over ones and zeros.
//!
//! A place is added at the end, taken out anywhere, and found by its rank, each in logarithmic time.

/// Places in a row, each taken or left.
#[derive(Default)]
pub(super) struct Ranks {
    /// `sums[i - 1]` counts the places taken of the `i & -i` places that end with the `i`th.
    sums: Vec<u32>,
}

impl Ranks {
    /// Adds a place at the end, taken.
    pub(super) fn push(&mut self) {
        let at = self.sums.len() + 1;
        let mut sum = 1;
        let mut step = 1;
        while step < (at & at.wrapping_neg()) {
            sum += self.sums[at - step - 1];
            step <<= 1;
        }
        self.sums.push(sum);
    }

    /// Leaves a place that is taken.
    pub(super) fn leave(&mut self, place: usize) {
        let mut at = place + 1;
        while at <= self.sums.len() {
            self.sums[at - 1] -= 1;
            at += at & at.wrapping_neg();
        }
    }

    /// How many places are taken before this one.
    pub(super) fn before(&self, place: usize) -> usize {
        let mut at = place.min(self.sums.len());
        let mut sum = 0;
        while at > 0 {
            sum += self.sums[at - 1] as usize;
            at &= at - 1;
        }
        sum
    }

    /// The taken place with so many taken ones before it.
    pub(super) fn find(&self, before: usize) -> Option<usize> {
        let mut left = before;
        let mut at = 0;
        let mut step = self.sums.len().checked_ilog2().map_or(0, |bits| 1 << bits);
        while step > 0 {
            if let Some(sum) = self.sums.get(at + step - 1)
                && (*sum as usize) <= left
            {
                left -= *sum as usize;
                at += step;
            }
            step >>= 1;
        }
        (at < self.sums.len()).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_a_list_is() {
        let mut ranks = Ranks::default();
        let mut list: Vec<usize> = Vec::new();
        let mut random = fastrand::Rng::with_seed(9051);
        for place in 0..300 {
            ranks.push();
            list.push(place);
            while random.bool() && !list.is_empty() {
                ranks.leave(list.remove(random.usize(..list.len())));
            }
            for (rank, place) in list.iter().enumerate() {
                assert_eq!(ranks.find(rank), Some(*place));
                assert_eq!(ranks.before(*place), rank);
            }
            assert_eq!(ranks.find(list.len()), None);
        }
    }
}
