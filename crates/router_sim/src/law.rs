//! Chance: seeded streams, one for each concern, and the laws that durations follow.

use router_core::Micros;

/// A SplitMix64 stream (Steele, Lea, Flood 2014): the same seed gives the same draws.
#[derive(Clone, Debug)]
pub struct Stream {
    state: u64,
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Stream {
    /// The stream of one concern under a seed; other concerns' draws do not move it.
    #[must_use]
    pub const fn new(seed: u64, concern: u64) -> Self {
        // A concern starts at a place that mixing has made unrelated to its neighbours'.
        let start = mix(mix(seed).wrapping_add(concern.wrapping_mul(GOLDEN)));
        Self { state: start }
    }

    /// The next 64 bits.
    pub const fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        mix(self.state)
    }

    /// Uniform above 0, up to and with 1: its logarithm is finite.
    pub fn unit(&mut self) -> f64 {
        ((self.bits() >> 11) + 1) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// Exponential with mean 1.
    pub fn exponential(&mut self) -> f64 {
        -self.unit().ln()
    }

    /// Normal with mean 0 and variance 1, after Box and Muller (1958).
    pub fn normal(&mut self) -> f64 {
        let radius = (2.0 * self.exponential()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }
}

const fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// What a duration follows; every mean in microseconds.
#[derive(Clone, Debug, PartialEq)]
pub enum Law {
    /// Always the same.
    Fixed(f64),
    /// Without memory: as gaps between arrivals, a Poisson stream.
    Exponential(f64),
    /// Phase type, in line: `phases` exponential phases one after the other, `mean` in all.
    Erlang {
        /// How many.
        phases: u32,
        /// Of their sum.
        mean: f64,
    },
    /// Phase type, in parallel: one exponential phase, the first with probability `share`.
    Hyperexponential {
        /// The first phase's probability.
        share: f64,
        /// Both phases' means.
        means: [f64; 2],
    },
    /// Lognormal: `variance` is in units of the mean, squared.
    Lognormal {
        /// Of the duration itself.
        mean: f64,
        /// The squared coefficient of variation.
        scv: f64,
    },
}

impl Law {
    /// The mean.
    #[must_use]
    pub fn mean(&self) -> f64 {
        match *self {
            Self::Fixed(mean)
            | Self::Exponential(mean)
            | Self::Erlang { mean, .. }
            | Self::Lognormal { mean, .. } => mean,
            Self::Hyperexponential { share, means } => share * means[0] + (1.0 - share) * means[1],
        }
    }

    /// One duration.
    pub fn draw(&self, stream: &mut Stream) -> Micros {
        let exact = match *self {
            Self::Fixed(mean) => mean,
            Self::Exponential(mean) => mean * stream.exponential(),
            Self::Erlang { phases, mean } => {
                let sum: f64 = (0..phases).map(|_| stream.exponential()).sum();
                sum * mean / f64::from(phases)
            }
            Self::Hyperexponential { share, means } => {
                let phase = usize::from(stream.unit() > share);
                means[phase] * stream.exponential()
            }
            Self::Lognormal { mean, scv } => {
                let variance = scv.ln_1p();
                mean * (variance.sqrt() * stream.normal() - variance / 2.0).exp()
            }
        };
        exact.round() as Micros
    }
}

#[cfg(test)]
mod tests {
    use super::{Law, Stream};

    fn moments(law: &Law) -> (f64, f64) {
        let mut stream = Stream::new(1, 1);
        let draws: Vec<f64> = (0..400_000)
            .map(|_| law.draw(&mut stream) as f64 / 1e6)
            .collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let squares = draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>();
        (mean, squares / draws.len() as f64)
    }

    #[test]
    fn splitmix_gives_the_published_numbers() {
        let mut stream = Stream { state: 1_234_567 };
        let drawn: [u64; 3] = std::array::from_fn(|_| stream.bits());
        let published = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
        ];
        assert_eq!(drawn, published);
    }

    #[test]
    fn laws_have_their_mean_and_variance() {
        let laws = [
            (Law::Fixed(2e6), 2.0, 0.0),
            (Law::Exponential(2e6), 2.0, 4.0),
            (
                Law::Erlang {
                    phases: 2,
                    mean: 2e6,
                },
                2.0,
                2.0,
            ),
            (
                Law::Hyperexponential {
                    share: 0.25,
                    means: [5e6, 1e6],
                },
                2.0,
                10.0,
            ),
            (
                Law::Lognormal {
                    mean: 2e6,
                    scv: 0.5,
                },
                2.0,
                2.0,
            ),
        ];
        for (law, mean, variance) in laws {
            let (seen, spread) = moments(&law);
            assert!((seen - mean).abs() < 0.02, "{law:?}: mean {seen}");
            assert!(
                (spread - variance).abs() <= 0.03 * variance,
                "{law:?}: variance {spread}"
            );
        }
    }

    #[test]
    fn streams_of_two_concerns_are_unrelated() {
        let (mut one, mut two) = (Stream::new(7, 1), Stream::new(7, 2));
        let centred = |stream: &mut Stream| stream.unit() - 0.5;
        let product: f64 = (0..100_000)
            .map(|_| centred(&mut one) * centred(&mut two))
            .sum();
        assert!((product / 100_000.0 * 12.0).abs() < 0.02, "{product}");
    }
}
