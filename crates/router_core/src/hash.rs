//! The 64-bit mix behind `state_hash`. Specified, so that any other implementation of the rules
//! can compute the same number from the same state.

use crate::ids::ArrivalKey;

/// SplitMix64's finaliser.
pub(crate) const fn mix(word: u64) -> u64 {
    let z = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The hash of one entity: its words, folded in order.
pub(crate) struct Fold(u64);

impl Fold {
    /// Begins with the entity's kind.
    pub(crate) const fn new(kind: u64) -> Self {
        Self(mix(kind))
    }

    pub(crate) const fn word(self, word: u64) -> Self {
        Self(mix(self.0 ^ word))
    }

    pub(crate) fn words(self, words: impl IntoIterator<Item = u64>) -> Self {
        words.into_iter().fold(self, Self::word)
    }

    /// A 16-byte key as its two big-endian halves.
    pub(crate) fn key(self, key: &ArrivalKey) -> Self {
        let whole = u128::from_be_bytes(*key);
        self.word((whole >> 64) as u64).word(whole as u64)
    }

    pub(crate) const fn end(self) -> u64 {
        self.0
    }
}

/// What a table must know of its entities to hash them.
pub(crate) trait Hashed {
    /// The entity's hash; equal states have equal hashes whatever holds them.
    fn hash(&self) -> u64;
}
