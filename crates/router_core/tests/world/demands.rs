//! Random demands: most ask for little, some for what does not make sense.

use router_core::{AgentId, Demand, Need, Requirement, SECOND, SkillWeight};

use super::{AGENTS, Rng, SKILLS};

pub fn requirement(rng: &mut Rng) -> Requirement {
    let mut alternatives = Vec::new();
    if rng.chance(30) {
        let count = [1, 1, 1, 2, 3][rng.below(5) as usize];
        alternatives = (0..count).map(|_| alternative(rng)).collect();
        if !rng.chance(1) {
            alternatives.retain(|needs| !needs.is_empty());
        }
        if rng.chance(1) {
            alternatives = vec![vec![need(1, 1, false)]; 9];
        }
    }
    Requirement { alternatives }
}

fn need(skill: u32, level: u8, negated: bool) -> Need {
    Need {
        skill,
        level,
        negated,
    }
}

fn alternative(rng: &mut Rng) -> Vec<Need> {
    let mut needs = Vec::new();
    for skill in 1..SKILLS {
        for negated in [false, true] {
            if rng.chance(if negated { 8 } else { 30 }) {
                let level = [1, 40, 60, 1, 40, 60, 1, 0, 101][rng.below(9) as usize];
                // What cannot be is asked seldom.
                let level = if rng.chance(80) {
                    level.clamp(1, 60)
                } else {
                    level
                };
                needs.push(need(skill, level, negated));
            }
        }
    }
    if rng.chance(3) {
        needs.reverse();
    }
    if rng.chance(1) {
        needs = vec![need(1, 1, false); 17];
    }
    needs
}

pub fn demand(rng: &mut Rng) -> Demand {
    let mut demand = Demand {
        requires: requirement(rng),
        ..Demand::default()
    };
    if rng.chance(20) {
        demand.prefers = prefers(rng);
    }
    if rng.chance(25) {
        demand.preferred = agents(rng, 25, 9);
        demand.preferred_wait_us = [0, 1, 2, 20, 86_401][rng.below(5) as usize] * SECOND;
        if demand.preferred_wait_us > 86_400 * SECOND && rng.chance(80) {
            demand.preferred_wait_us = 86_400 * SECOND;
        }
        demand.beyond_capacity = rng.chance(40);
    }
    if rng.chance(15) {
        demand.excludes = agents(rng, 30, 17);
    }
    demand
}

fn prefers(rng: &mut Rng) -> Vec<SkillWeight> {
    let mut prefers = Vec::new();
    for skill in 1..SKILLS {
        if rng.chance(50) {
            let weight = [1, 3, 100, 1, 3, 100, 1, 3, 0, 101][rng.below(10) as usize];
            let weight = if rng.chance(80) {
                weight.clamp(1, 100)
            } else {
                weight
            };
            prefers.push(SkillWeight { skill, weight });
        }
    }
    if rng.chance(3) {
        prefers.reverse();
    }
    if rng.chance(1) {
        prefers = vec![
            SkillWeight {
                skill: 99,
                weight: 1
            };
            9 * rng.below(2) as usize + 1
        ];
    }
    prefers
}

fn agents(rng: &mut Rng, percent: u64, too_many: usize) -> Vec<AgentId> {
    let mut agents: Vec<AgentId> = (1..AGENTS).filter(|_| rng.chance(percent)).collect();
    if rng.chance(3) {
        agents.reverse();
    }
    if rng.chance(1) {
        agents = vec![rng.some(AGENTS); too_many * rng.below(2) as usize + 1];
    }
    agents
}
