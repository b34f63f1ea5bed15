//! 128 bits that stand for octets, or for anything that can be hashed: what is large is compared by
//! them and not kept.
//!
//! Not a fingerprint against somebody who wants two contents to be taken for the same; two that are so
//! by chance are not to be expected.

use std::hash::{DefaultHasher, Hash, Hasher};

/// What stands for a content.
pub type Digest = u128;

/// Takes in octets, in pieces of any size.
#[derive(Clone)]
pub struct Digester([DefaultHasher; 2]);

impl Digester {
    /// Nothing was taken in.
    pub fn new() -> Self {
        let mut other = DefaultHasher::new();
        other.write_u8(1);
        Self([DefaultHasher::new(), other])
    }

    /// What stands for all that was taken in.
    pub fn digest(&self) -> Digest {
        let [one, other] = &self.0;
        u128::from(one.finish()) << 64 | u128::from(other.finish())
    }
}

impl Hasher for Digester {
    fn finish(&self) -> u64 {
        self.0[0].finish()
    }

    fn write(&mut self, octets: &[u8]) {
        for hasher in &mut self.0 {
            hasher.write(octets);
        }
    }
}

/// What stands for a value.
pub fn digest(value: &impl Hash) -> Digest {
    let mut digester = Digester::new();
    value.hash(&mut digester);
    digester.digest()
}

/// What stands for octets, however they came.
pub fn digest_octets(octets: &[u8]) -> Digest {
    let mut digester = Digester::new();
    digester.write(octets);
    digester.digest()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_have_one_digest_however_they_are_cut() {
        let octets: Vec<u8> = (0..=255).cycle().take(1000).collect();
        for size in [1, 3, 7, 8, 9, 64, 999] {
            let mut digester = Digester::new();
            for piece in octets.chunks(size) {
                digester.write(piece);
            }
            assert_eq!(digester.digest(), digest_octets(&octets), "{size}");
        }
        assert_ne!(digest_octets(&octets), digest_octets(&octets[1..]));
    }
}
