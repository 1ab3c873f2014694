//! Intervals for steady-state figures by the method of batch means: a play is cut into stretches
//! so long that their figures are as good as independent, and these tell how far the whole may be
//! off (Law and Kelton, "Simulation Modeling and Analysis", 9.5.3).

use crate::sums::Sums;

/// A figure of a play: what one counts, over what.
pub struct Ratio<'a> {
    /// Of one stretch.
    pub numerator: &'a dyn Fn(&Sums) -> f64,
    /// Of one stretch.
    pub denominator: &'a dyn Fn(&Sums) -> f64,
}

/// A figure as it was seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Over all stretches.
    pub value: f64,
    /// How far a fresh play of this length would be off, as a standard deviation; times
    /// [`student_quantile`] half of an interval.
    pub error: f64,
    /// Degrees of freedom: stretches but one, and but one for each kind of luck.
    pub freedom: f64,
}

/// Stretches of equal length. When there are [`Batches::MOST`], neighbours are joined.
#[derive(Clone, Debug, Default)]
pub struct Batches {
    stretches: Vec<Sums>,
}

impl Batches {
    /// From here on neighbours are joined, so that stretches grow as a play goes on.
    pub const MOST: usize = 128;

    /// Adds the next stretch; whether neighbours were joined and the next must be twice as long.
    pub fn push(&mut self, stretch: Sums) -> bool {
        self.stretches.push(stretch);
        if self.stretches.len() < Self::MOST {
            return false;
        }
        let join = |pair: &[Sums]| {
            let mut joined = pair[0].clone();
            joined.add(&pair[1]);
            joined
        };
        self.stretches = self.stretches.chunks_exact(2).map(join).collect();
        true
    }

    /// How many stretches there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.stretches.len()
    }

    /// All stretches as one.
    #[must_use]
    pub fn total(&self) -> Sums {
        let mut total = Sums::default();
        self.stretches.iter().for_each(|stretch| total.add(stretch));
        total
    }

    /// A figure and its error: the ratio of sums, less what the stretches' luck explains of it.
    ///
    /// Luck has a known mean of 0; what of the residuals goes with it linearly is taken out
    /// (control variates: Lavenberg and Welch, Management Science 27, 1981).
    #[must_use]
    pub fn estimate(&self, ratio: &Ratio) -> Estimate {
        let count = self.count() as f64;
        let pair = |sums: &Sums| ((ratio.numerator)(sums), (ratio.denominator)(sums));
        let pairs: Vec<(f64, f64)> = self.stretches.iter().map(pair).collect();
        let over: f64 = pairs.iter().map(|(_, over)| over).sum();
        let plain = pairs.iter().map(|(of, _)| of).sum::<f64>() / over;
        let mut residuals: Vec<f64> = pairs.iter().map(|(of, over)| of - plain * over).collect();
        let (mut explained, mut spread) = (0.0, 1.0 / count);
        let controls = self.controls();
        for control in &controls {
            let slope = dot(&residuals, &control.around) / control.square;
            take_out(&mut residuals, slope, &control.around);
            explained += slope * control.mean;
            spread += control.mean.powi(2) / control.square;
        }
        let freedom = count - 1.0 - controls.len() as f64;
        let square = dot(&residuals, &residuals) / freedom;
        Estimate {
            value: plain - explained * count / over,
            error: (square * spread).sqrt() * count / over,
            freedom,
        }
    }

    /// The kinds of luck that vary, each without what the ones before it explain.
    fn controls(&self) -> Vec<Control> {
        let count = self.count() as f64;
        let mut controls: Vec<Control> = Vec::new();
        for kind in 0..3 {
            let luck = self.stretches.iter().map(|sums| sums.luck[kind]);
            let mut mean = luck.clone().sum::<f64>() / count;
            let mut around: Vec<f64> = luck.map(|luck| luck - mean).collect();
            let whole = dot(&around, &around);
            for earlier in &controls {
                let slope = dot(&around, &earlier.around) / earlier.square;
                take_out(&mut around, slope, &earlier.around);
                mean -= slope * earlier.mean;
            }
            let square = dot(&around, &around);
            if square > 1e-6 * whole {
                controls.push(Control {
                    mean,
                    around,
                    square,
                });
            }
        }
        controls
    }
}

/// A kind of luck over the stretches: its mean, what is left around it, and the square of that.
struct Control {
    mean: f64,
    around: Vec<f64>,
    square: f64,
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

fn take_out(from: &mut [f64], slope: f64, what: &[f64]) {
    for (from, what) in from.iter_mut().zip(what) {
        *from -= slope * what;
    }
}

/// Student's quantile, by bisection of the integral of the density.
///
/// # Panics
/// When `probability` is not between 0.5 and 1.
#[must_use]
pub fn student_quantile(probability: f64, freedom: f64) -> f64 {
    assert!((0.5..1.0).contains(&probability), "{probability}");
    let (mut low, mut high) = (0.0, 200.0);
    let whole = tail(0.0, freedom);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if 0.5 * tail(middle, freedom) / whole > 1.0 - probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// The density beyond `from`, not normed: Simpson's rule after t = tan(u) * sqrt(freedom), which
/// turns it into a power of the cosine.
fn tail(from: f64, freedom: f64) -> f64 {
    let start = (from / freedom.sqrt()).atan();
    let steps = 400;
    let width = (std::f64::consts::FRAC_PI_2 - start) / f64::from(steps);
    let height = |step: i32| (start + width * f64::from(step)).cos().powf(freedom - 1.0);
    let inner = |step: i32| if step % 2 == 0 { 2.0 } else { 4.0 } * height(step);
    let sum = height(0) + (1..steps).map(inner).sum::<f64>();
    sum * width / 3.0
}

#[cfg(test)]
mod tests {
    use super::{Batches, Ratio, student_quantile};
    use crate::law::Stream;
    use crate::sums::Sums;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        let table = [
            (0.975, 10.0, 2.228_139),
            (0.995, 30.0, 2.749_996),
            (0.9995, 60.0, 3.460_200),
            (0.9995, 120.0, 3.373_500),
        ];
        for (probability, freedom, quantile) in table {
            let seen = student_quantile(probability, freedom);
            assert!(
                (seen - quantile).abs() < 1e-3,
                "{probability} {freedom}: {seen}"
            );
        }
    }

    /// Ratios of 3 whose parts move together, and go with luck as far as `with` says.
    fn estimates(with: f64) -> (f64, u32) {
        let mut stream = Stream::new(5, 1);
        let quantile = student_quantile(0.975, 37.0);
        let (mut errors, mut covered) = (0.0, 0);
        for _ in 0..1_000 {
            let mut batches = Batches::default();
            for _ in 0..40 {
                let luck = [stream.normal(), stream.normal(), 0.0];
                let time_us =
                    100_000 + (10_000.0 * stream.exponential() + 5_000.0 * luck[0]) as u64;
                let noise = 1_000.0 * (stream.normal() + with * (luck[0] - luck[1]));
                let waiting_us = (3.0 * time_us as f64 + noise).round() as u64;
                batches.push(Sums {
                    time_us,
                    waiting_us,
                    luck,
                    ..Sums::default()
                });
            }
            let estimate = batches.estimate(&Ratio {
                numerator: &|sums| sums.waiting_us as f64,
                denominator: &|sums| sums.time_us as f64,
            });
            errors += estimate.error;
            covered += u32::from((estimate.value - 3.0).abs() <= quantile * estimate.error);
        }
        (errors, covered)
    }

    #[test]
    fn intervals_cover_as_often_as_they_say() {
        let (plain, covered) = estimates(0.0);
        assert!((925..=975).contains(&covered), "{covered}");
        // What luck explains makes no interval wider, and none fails oftener.
        let (explained, covered) = estimates(3.0);
        assert!((925..=975).contains(&covered), "{covered}");
        assert!(
            (explained / plain - 1.0).abs() < 0.01,
            "{explained} {plain}"
        );
    }

    #[test]
    fn joined_neighbours_keep_the_whole() {
        let mut batches = Batches::default();
        let joined: Vec<bool> = (1..=150)
            .map(|time_us| {
                batches.push(Sums {
                    time_us,
                    ..Sums::default()
                })
            })
            .collect();
        assert_eq!(joined.iter().position(|&now| now), Some(Batches::MOST - 1));
        assert_eq!(batches.total().time_us, 150 * 151 / 2);
        assert_eq!(batches.count(), 64 + 22);
    }
}
