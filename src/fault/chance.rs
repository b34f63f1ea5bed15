//! What is left to chance, so that it can be repeated.

use fastrand::Rng;

/// One fault's dice on one connection: what it throws depends on nothing but the run's seed, the
/// connection's number, the fault's place in the list and how often it was thrown.
#[derive(Clone, Debug)]
pub struct Dice(Rng);

impl Dice {
    /// The dice of the fault at this place, on the connection with this number.
    pub fn new(seed: u64, conn: u64, place: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        for number in [conn, place] {
            rng = Rng::with_seed(rng.u64(..) ^ number);
        }
        Self(rng)
    }

    /// Whether something happens that has this probability, from 0 to 1.
    pub fn falls(&mut self, probability: f64) -> bool {
        self.0.f64() < probability
    }

    /// A number from 0 to `most`.
    pub fn up_to(&mut self, most: u64) -> u64 {
        self.0.u64(..=most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throws(mut dice: Dice) -> Vec<bool> {
        (0..64).map(|_| dice.falls(0.5)).collect()
    }

    #[test]
    fn the_same_seed_throws_the_same_and_everything_else_another() {
        let throws = |seed, conn, place| throws(Dice::new(seed, conn, place));
        assert_eq!(throws(7, 1, 0), throws(7, 1, 0));
        for (seed, conn, place) in [(8, 1, 0), (7, 2, 0), (7, 1, 1), (7, 0, 1)] {
            assert_ne!(throws(seed, conn, place), throws(7, 1, 0));
        }
    }

    #[test]
    fn the_first_throws_of_many_runs_are_fair() {
        for throw in 0..3 {
            let falls = |seed| {
                let mut dice = Dice::new(seed, 1, 0);
                (0..=throw).map(|_| dice.falls(0.6)).last() == Some(true)
            };
            let often = (0..10_000).filter(|seed| falls(*seed)).count();
            assert!((5_800..6_200).contains(&often), "{often} at throw {throw}");
        }
    }

    #[test]
    fn what_is_certain_happens_and_what_is_impossible_does_not() {
        let mut dice = Dice::new(1, 1, 1);
        assert!((0..1000).all(|_| dice.falls(1.0) && !dice.falls(0.0)));
        let often = (0..1000).filter(|_| dice.falls(0.25)).count();
        assert!((150..350).contains(&often), "{often}");
    }
}
