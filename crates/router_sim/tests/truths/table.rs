//! Tables of expectations: played in parallel, judged as one family.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use router_sim::{Batches, Centre, Estimate, Play, Ratio, Sums, student_quantile};

/// How often chance alone may fail a whole table.
pub const FAMILY_ALPHA: f64 = 0.01;

type Part = Box<dyn Fn(&Sums) -> f64 + Send + Sync>;

/// A part of a figure.
pub fn part(of: impl Fn(&Sums) -> f64 + Send + Sync + 'static) -> Part {
    Box::new(of)
}

/// What is estimated.
pub enum Measure {
    /// One sum over another.
    Mean(Part, Part),
    /// The mean of squares less the square of the mean: squares, plain, over.
    Variance(Part, Part, Part),
}

impl Measure {
    pub fn mean(
        of: impl Fn(&Sums) -> f64 + Send + Sync + 'static,
        over: impl Fn(&Sums) -> f64 + Send + Sync + 'static,
    ) -> Self {
        Self::Mean(part(of), part(over))
    }

    pub fn estimate(&self, batches: &Batches) -> Estimate {
        let ratio = |numerator: &dyn Fn(&Sums) -> f64, denominator: &dyn Fn(&Sums) -> f64| {
            batches.estimate(&Ratio {
                numerator,
                denominator,
            })
        };
        match self {
            Self::Mean(of, over) => ratio(of, over),
            Self::Variance(squares, plain, over) => {
                let mean = ratio(plain, over).value;
                // Around the whole play's mean; its own error matters only squared.
                let around =
                    |sums: &Sums| squares(sums) + mean * (mean * over(sums) - 2.0 * plain(sums));
                ratio(&around, over)
            }
        }
    }
}

/// One expectation.
pub struct Figure {
    pub name: String,
    pub expected: f64,
    /// How far the expectation itself may be off: its rounding.
    pub rounding: f64,
    /// The expectation's own standard deviation: it may have been simulated.
    pub expected_error: f64,
    /// How narrow our interval must be, relative to the expectation.
    pub target: f64,
    /// A share of something: what is left to 1 must be seen too.
    pub share: bool,
    pub measure: Measure,
}

/// A centre and what is expected of it.
pub struct Case {
    pub name: String,
    pub centre: Centre,
    pub figures: Vec<Figure>,
    /// Contacts after which the empty start is forgotten.
    pub warm_up: u64,
    /// Contacts in the first stretches.
    pub batch: u64,
    /// Contacts after which a play ends, narrow enough or not.
    pub most: u64,
}

/// A figure as it came out.
pub struct Seen {
    pub name: String,
    pub expected: f64,
    pub value: f64,
    pub half_width: f64,
    pub inside: bool,
    /// The interval is one.
    pub sound: bool,
    /// How many times longer the play would have to be.
    pub short: f64,
    pub narrow: bool,
}

/// A case as it came out.
pub struct Played {
    pub name: String,
    pub contacts: u64,
    pub seconds: f64,
    pub seen: Vec<Seen>,
}

/// The fewest stretches that tell an error.
const FEWEST: usize = 64;

impl Case {
    /// Plays until every figure is narrow enough, or for `most` contacts.
    pub fn play(&self, alpha: f64) -> Played {
        let started = Instant::now();
        let mut play = Play::new(self.centre.clone());
        play.arrivals(self.warm_up);
        let (mut batches, mut batch, mut contacts) = (Batches::default(), self.batch, 0);
        loop {
            let joined = batches.push(play.arrivals(batch));
            contacts += batch;
            batch *= if joined { 2 } else { 1 };
            let look = batches.count() >= FEWEST && batches.count().is_multiple_of(16);
            if contacts >= self.most || (look && self.done(&batches, alpha, contacts)) {
                break;
            }
        }
        play.router().check();
        Played {
            name: self.name.clone(),
            contacts,
            seconds: started.elapsed().as_secs_f64(),
            seen: self.judge(&batches, alpha),
        }
    }

    /// Every figure is narrow enough, or would need more than there may be.
    fn done(&self, batches: &Batches, alpha: f64, contacts: u64) -> bool {
        let hopeless = |seen: &Seen| seen.short * contacts as f64 > self.most as f64;
        let seen = self.judge(batches, alpha);
        seen.iter().all(|seen| seen.narrow || hopeless(seen))
    }

    fn judge(&self, batches: &Batches, alpha: f64) -> Vec<Seen> {
        // At the fewest degrees of freedom that three kinds of luck leave.
        let quantile = student_quantile(1.0 - alpha / 2.0, batches.count() as f64 - 4.0);
        let judge = |figure: &Figure| figure.judge(batches, quantile);
        self.figures.iter().map(judge).collect()
    }
}

impl Figure {
    fn judge(&self, batches: &Batches, quantile: f64) -> Seen {
        let Estimate { value, error, .. } = self.measure.estimate(batches);
        let half_width = quantile * error;
        let off = (value - self.expected).abs();
        let certain = self.expected == 0.0 || (self.share && self.expected == 1.0);
        // An interval that reaches out of the possible is no interval: what it counts came too
        // seldom for a normal law.
        let rest = if self.share {
            value.min(1.0 - value)
        } else {
            value
        };
        let sound = certain || (half_width > 0.0 && half_width <= 0.5 * rest);
        // Widths fall with the square root of the length.
        let least = 0.5
            * if self.share {
                self.expected.min(1.0 - self.expected)
            } else {
                self.expected
            };
        let width = least.min(self.target * self.expected);
        let short = if self.target > 0.0 {
            (half_width / width).powi(2)
        } else {
            0.0
        };
        Seen {
            name: self.name.clone(),
            expected: self.expected,
            value,
            half_width,
            inside: off <= quantile * error.hypot(self.expected_error) + self.rounding + 1e-12,
            sound,
            short,
            narrow: sound && half_width <= self.target * self.expected,
        }
    }
}

/// How many figures stand and fall together.
pub fn figures(cases: &[Case]) -> usize {
    cases.iter().map(|case| case.figures.len()).sum()
}

/// Plays the cases, of a family of so many figures, on as many threads as there are processors.
pub fn play_all(cases: &[Case], family: usize) -> Vec<Played> {
    let alpha = FAMILY_ALPHA / family as f64;
    let next = AtomicUsize::new(0);
    let played = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let done = case.play(alpha);
                    done.print();
                    played
                        .lock()
                        .expect("no player panics with the lock")
                        .push(done);
                }
            });
        }
    });
    let mut played = played.into_inner().expect("no player panicked");
    played.sort_by(|one, other| one.name.cmp(&other.name));
    played
}

impl Played {
    fn print(&self) {
        let Self {
            name,
            contacts,
            seconds,
            ..
        } = self;
        let rate = *contacts as f64 / seconds / 1e6;
        println!("{name}: {contacts} contacts, {seconds:.1} s, {rate:.2} M contacts/s");
        for seen in &self.seen {
            let Seen {
                name,
                expected,
                value,
                half_width,
                ..
            } = seen;
            let word = match (seen.sound, seen.inside, seen.narrow) {
                (false, _, _) => "  too rare",
                (true, false, _) => "  OUTSIDE",
                (true, true, false) => "  wide",
                (true, true, true) => "",
            };
            println!(
                "    {name:<24} expected {expected:<12.6} seen {value:<12.6} ± {half_width:.6} ({:.1} %){word}",
                100.0 * half_width / expected
            );
        }
    }
}

/// Figures outside their interval, as `case: figure`.
pub fn outside(played: &[Played]) -> Vec<String> {
    named(played, |seen| seen.sound && !seen.inside)
}

/// Figures that came so seldom that their interval says nothing, and were not judged.
pub fn too_rare(played: &[Played]) -> Vec<String> {
    named(played, |seen| !seen.sound)
}

/// Figures whose interval stayed too wide.
pub fn wide(played: &[Played]) -> Vec<String> {
    named(played, |seen| seen.sound && !seen.narrow)
}

fn named(played: &[Played], which: impl Fn(&Seen) -> bool) -> Vec<String> {
    let mut names = Vec::new();
    for case in played {
        let which = case.seen.iter().filter(|seen| which(seen));
        names.extend(which.map(|seen| format!("{}: {}", case.name, seen.name)));
    }
    names
}
