//! Latencies in logarithmic buckets of at most 1/64 relative width: `loadtest/histogram.py`'s own, so
//! that either client's counts can be read by the same report.

const SUB_BITS: u32 = 6;

/// Counts of microseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Values by bucket.
    pub counts: Vec<u64>,
    /// The sum of all values.
    pub total_us: u64,
    /// The largest value.
    pub largest_us: u64,
}

impl Histogram {
    /// Adds one value.
    pub fn add(&mut self, value_us: u64) {
        let bucket = bucket_of(value_us);
        if bucket >= self.counts.len() {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += 1;
        self.total_us += value_us;
        self.largest_us = self.largest_us.max(value_us);
    }

    /// How many values there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The bound of the bucket in which the value at `percent` of all values is; `None` = no value.
    #[must_use]
    pub fn percentile_us(&self, percent: u64) -> Option<u64> {
        let wanted = (self.count() * percent).div_ceil(100).max(1);
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return Some(highest_of(bucket).min(self.largest_us));
            }
        }
        None
    }
}

/// Exact below 128, then 64 buckets for each power of two.
fn bucket_of(value: u64) -> usize {
    let bits = u64::BITS - value.leading_zeros();
    let shift = bits.saturating_sub(SUB_BITS + 1);
    ((u64::from(shift) << SUB_BITS) + (value >> shift)) as usize
}

/// The highest value that a bucket holds.
fn highest_of(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < 2 << SUB_BITS {
        return bucket;
    }
    let shift = (bucket >> SUB_BITS) - 1;
    ((bucket - (shift << SUB_BITS) + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_join_without_a_gap_and_are_narrow() {
        let mut last = 0;
        for value in (0..100_000).chain([1 << 30, (1 << 40) + 12_345]) {
            let bucket = bucket_of(value);
            assert!(value >= 100_000 || bucket <= last + 1, "{value}");
            last = bucket;
            let highest = highest_of(bucket);
            assert!(
                highest >= value && highest - value <= value / 64,
                "{value} in {highest}"
            );
        }
    }

    #[test]
    fn percentiles_are_never_below_the_truth() {
        let mut times = Histogram::default();
        assert_eq!(times.percentile_us(50), None);
        (1..=1_000).for_each(|value| times.add(value));
        assert_eq!(times.count(), 1_000);
        assert!((500..508).contains(&times.percentile_us(50).unwrap()));
        assert!((990..=1_000).contains(&times.percentile_us(99).unwrap()));
        assert_eq!(
            (times.percentile_us(100), times.total_us),
            (Some(1_000), 500_500)
        );
    }
}
