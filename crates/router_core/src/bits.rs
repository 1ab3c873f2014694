//! A growing set of small numbers.

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

    pub(crate) fn has(&self, bit: usize) -> bool {
        self.words
            .get(bit / 64)
            .is_some_and(|word| word & (1 << (bit % 64)) != 0)
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
    pub(crate) fn both<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = usize> + 'a {
        self.words
            .iter()
            .zip(&other.words)
            .enumerate()
            .flat_map(|(word, (a, b))| {
                let mut rest = a & b;
                std::iter::from_fn(move || {
                    if rest == 0 {
                        return None;
                    }
                    let bit = rest.trailing_zeros() as usize;
                    rest &= rest - 1;
                    Some(word * 64 + bit)
                })
            })
    }
}
