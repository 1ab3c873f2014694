//! Arrivals at the place of another, for later, or with a deadline for the reply.

use router_core::{DAY, Router, SECOND, Terms};

use super::Rng;

pub fn terms(rng: &mut Rng, router: &Router) -> Terms {
    let mut terms = Terms::default();
    if rng.chance(12) {
        terms.place = over(rng, router);
    }
    if rng.chance(if terms.place == 0 { 12 } else { 4 }) {
        let ahead = [0, 1, 3, 20, 401 * 86_400][rng.below(5) as usize] * SECOND;
        let back = if rng.chance(10) { 5 * SECOND } else { 0 };
        terms.not_before = (router.now() + ahead).saturating_sub(back);
    }
    if rng.chance(25) {
        let ahead = [0, 1, 2, 5, 70, 90_000][rng.below(6) as usize] * SECOND;
        terms.reply_by = router.now() + ahead + rng.below(3) * SECOND / 2;
    }
    if rng.chance(1) {
        terms.reply_by = [1, 400 * DAY, u64::MAX][rng.below(3) as usize];
    }
    terms
}

/// A contact that is over, if one is found.
fn over(rng: &mut Rng, router: &Router) -> u64 {
    let last = router.next_contact();
    let some = |rng: &mut Rng| last.saturating_sub(rng.below(30));
    let mut id = some(rng);
    for _ in 0..6 {
        if router.ended(id).is_some() {
            break;
        }
        id = some(rng);
    }
    id
}
