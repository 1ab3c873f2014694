//! The contacts that wait, by id: a ring, because ids are given out in order.

use router_core::{ContactId, Micros};

/// What the play knows of a contact that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Contact {
    pub(crate) at: Micros,
    pub(crate) flow: usize,
}

/// Who waits. Its size is a power of two that no two waiting contacts' ids differ by.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    ring: Vec<Option<(ContactId, Contact)>>,
    next_id: ContactId,
}

impl Default for Waiting {
    fn default() -> Self {
        let (ring, next_id) = (vec![None; 1_024], 1);
        Self { ring, next_id }
    }
}

impl Waiting {
    /// The id that the router will give to the next contact.
    pub(crate) const fn next_id(&self) -> ContactId {
        self.next_id
    }

    pub(crate) fn arrive(&mut self, contact: Contact) {
        while self.ring[self.slot(self.next_id)].is_some() {
            self.grow();
        }
        let slot = self.slot(self.next_id);
        self.ring[slot] = Some((self.next_id, contact));
        self.next_id += 1;
    }

    pub(crate) fn get(&self, id: ContactId) -> Option<Contact> {
        let (known, contact) = self.ring[self.slot(id)]?;
        (known == id).then_some(contact)
    }

    /// Takes a contact that waits.
    pub(crate) fn leave(&mut self, id: ContactId) -> Contact {
        let contact = self
            .get(id)
            .expect("the router speaks of a contact that waits");
        let slot = self.slot(id);
        self.ring[slot] = None;
        contact
    }

    const fn slot(&self, id: ContactId) -> usize {
        id as usize & (self.ring.len() - 1)
    }

    fn grow(&mut self) {
        let doubled = vec![None; self.ring.len() * 2];
        for entry in std::mem::replace(&mut self.ring, doubled)
            .into_iter()
            .flatten()
        {
            let slot = self.slot(entry.0);
            self.ring[slot] = Some(entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Contact, Waiting};

    #[test]
    fn one_who_waits_for_ever_is_found_among_the_many_who_do_not() {
        let mut waiting = Waiting::default();
        for at in 0..10_000 {
            waiting.arrive(Contact { at, flow: 0 });
            if at % 1_024 != 1 {
                assert_eq!(waiting.leave(at + 1).at, at);
            }
        }
        for at in (1..10_000).step_by(1_024) {
            assert_eq!(waiting.get(at + 1), Some(Contact { at, flow: 0 }));
            assert_eq!(waiting.get(at + 2), None);
        }
    }
}
