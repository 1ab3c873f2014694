//! Where agents stand in the pools, and who is present: brought up to date before a choice.

use crate::agent::Agent;
use crate::class::Floor;
use crate::order::key_in;
use crate::room::is_shut;
use crate::setup::Setup;

impl Floor {
    /// Brings an agent's places up to date.
    pub(crate) fn refresh(&mut self, agent: &Agent, setup: &Setup) {
        let shut = is_shut(agent, setup);
        let placed = &mut self.placed[agent.position as usize];
        let rooms = &mut *placed.rooms;
        // As most who are touched: they had their hands full and still have.
        if shut && rooms.iter().all(|&room| room == 0) {
            return;
        }
        let class = &mut self.agents[placed.class];
        let config = &setup.config.agents[agent.position as usize];
        let last = self.orders.len() - 1;
        for (order, strategy) in self.orders.iter().enumerate() {
            let key = key_in(*strategy, agent, config, class.units, setup.config.seed);
            let was = std::mem::replace(&mut placed.keys[order], key);
            for (lane, room) in class.lanes.iter_mut().zip(&mut *rooms) {
                let old = *room;
                let new = if shut { 0 } else { lane.room_for(agent, setup) };
                if old == new && (was == key || new == 0) {
                    continue;
                }
                lane.pools[order].put((old, &was), (new, key));
                if self.crowded {
                    let everybody = self.everybody.entry((lane.channel, order)).or_default();
                    if old > 0 {
                        everybody.remove(&was);
                    }
                    if new > 0 {
                        everybody.insert(key);
                    }
                }
                if order < last {
                    continue;
                }
                *room = new;
                if (old == 0) != (new == 0) {
                    let available = self.available.entry(lane.channel).or_default();
                    available.set(placed.class, !lane.pools[0].is_empty());
                }
            }
        }
    }

    /// Lists an agent as present, or no longer; true when it has just gone.
    pub(crate) fn list_present(&mut self, agent: &Agent) -> bool {
        let present = agent.present();
        let placed = &mut self.placed[agent.position as usize];
        if placed.listed == present && placed.present == present {
            return false;
        }
        if placed.listed != present {
            placed.listed = present;
            let listed = &mut self.agents[placed.class].present;
            if present {
                listed.insert(agent.position);
            } else {
                listed.remove(&agent.position);
            }
            self.manned.set(placed.class, !listed.is_empty());
        }
        std::mem::replace(&mut placed.present, present) && !present
    }
}
