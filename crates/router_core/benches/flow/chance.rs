//! Seeded chance: a floor is the same on every machine.

#[derive(Clone)]
pub struct Chance(u64);

impl Chance {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number in `0..limit`.
    pub const fn below(&mut self, limit: u32) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (((self.0 >> 32) * limit as u64) >> 32) as u32
    }

    pub const fn percent(&mut self, share: u32) -> bool {
        self.below(100) < share
    }
}
