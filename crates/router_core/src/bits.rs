//! A growing set of small numbers.

use std::iter::Zip;
use std::slice::Iter;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bits {
    words: Vec<u64>,
}

impl Bits {
    pub(crate) fn set(&mut self, bit: usize, on: bool) {
        let (word, mask) = (bit / 64, 1_u64 << (bit % 64));
        if word >= self.words.len() {
            if !on {
                return;
            }
            self.words.resize(word + 1, 0);
        }
        if on {
            self.words[word] |= mask;
        } else {
            self.words[word] &= !mask;
        }
    }

    /// The numbers below a limit.
    pub(crate) fn below(limit: usize) -> Self {
        let mut words = vec![u64::MAX; limit.div_ceil(64)];
        if let Some(last) = words.last_mut().filter(|_| !limit.is_multiple_of(64)) {
            *last = (1 << (limit % 64)) - 1;
        }
        Self { words }
    }

    /// Keeps those that another set has, or has not.
    pub(crate) fn keep(&mut self, other: &Self, wanted: bool) {
        let turn = if wanted { 0 } else { u64::MAX };
        let others = other.words.iter().chain(std::iter::repeat(&0));
        for (word, other) in self.words.iter_mut().zip(others) {
            *word &= other ^ turn;
        }
    }

    /// Adds those of another set.
    pub(crate) fn add(&mut self, other: &Self) {
        if self.words.len() < other.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
    }

    /// Ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.both(self)
    }

    pub(crate) fn has(&self, bit: usize) -> bool {
        self.words
            .get(bit / 64)
            .is_some_and(|word| word & (1 << (bit % 64)) != 0)
    }

    pub(crate) fn count(&self) -> usize {
        self.words
            .iter()
            .map(|word| word.count_ones() as usize)
            .sum()
    }

    /// How many are members of both sets.
    pub(crate) fn count_both(&self, other: &Self) -> usize {
        self.words
            .iter()
            .zip(&other.words)
            .map(|(a, b)| (a & b).count_ones() as usize)
            .sum()
    }

    /// The members of both sets, ascending.
    #[inline]
    pub(crate) fn both<'a>(&'a self, other: &'a Self) -> Both<'a> {
        Both {
            words: self.words.iter().zip(&other.words),
            rest: 0,
            next: 0,
        }
    }
}

/// Runs over the members of two sets.
#[derive(Clone)]
pub(crate) struct Both<'a> {
    words: Zip<Iter<'a, u64>, Iter<'a, u64>>,
    /// Members left of the word under way.
    rest: u64,
    /// The first number behind that word.
    next: usize,
}

impl Iterator for Both<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.rest == 0 {
            let (one, other) = self.words.next()?;
            self.rest = one & other;
            self.next += 64;
        }
        let bit = self.rest.trailing_zeros() as usize;
        self.rest &= self.rest - 1;
        Some(self.next - 64 + bit)
    }
}
