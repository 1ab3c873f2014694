//! Where agents stand in the pools, and who is present: brought up to date before a choice.

use crate::agent::Agent;
use crate::class::{Floor, Lane};
use crate::order::key_in;
use crate::room::is_shut;
use crate::setup::Setup;

impl Floor {
    /// Brings an agent's places up to date.
    pub(crate) fn refresh(&mut self, agent: &Agent, setup: &Setup) {
        let shut = is_shut(agent, setup);
        let placed = &mut self.placed[agent.position as usize];
        let class = &mut self.agents[placed.class];
        let rooms = &mut self.rooms;
        rooms.clear();
        let room_on = |lane: &Lane| if shut { 0 } else { lane.room_for(agent, setup) };
        rooms.extend(class.lanes.iter().map(room_on));
        let old_rooms = &mut *placed.rooms;
        if rooms.iter().chain(old_rooms.iter()).all(|&room| room == 0) {
            return;
        }
        let config = &setup.config.agents[agent.position as usize];
        for (order, strategy) in self.orders.iter().enumerate() {
            let key = key_in(*strategy, agent, config, class.units, setup.config.seed);
            let was = std::mem::replace(&mut placed.keys[order], key);
            let lanes = class.lanes.iter_mut().zip(&*rooms).zip(&*old_rooms);
            for ((lane, &room), &old) in lanes {
                if old == room && (was == key || room == 0) {
                    continue;
                }
                lane.pools[order].put((old, &was), (room, key));
                if self.crowded {
                    let everybody = self.everybody.entry((lane.channel, order)).or_default();
                    if old > 0 {
                        everybody.remove(&was);
                    }
                    if room > 0 {
                        everybody.insert(key);
                    }
                }
            }
        }
        for ((lane, &room), old) in class.lanes.iter().zip(&*rooms).zip(old_rooms) {
            let came_or_went = (*old == 0) != (room == 0);
            *old = room;
            if came_or_went {
                let available = self.available.entry(lane.channel).or_default();
                available.set(placed.class, !lane.pools[0].is_empty());
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
