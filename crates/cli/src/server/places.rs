//! Slots for connections, as many as the system allows. If a new connection needs a slot, the connection that has
//! waited longest for its client gives up its own, so slow clients cannot block the server.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use tokio::sync::Notify;

/// The slots of one server, used by one thread.
#[derive(Debug)]
pub(super) struct Places {
    most: usize,
    taken: Cell<usize>,
    waiting: RefCell<BTreeMap<u64, Rc<Notify>>>,
    next: Cell<u64>,
}

impl Places {
    pub(super) fn new(most: usize) -> Self {
        Self { most, taken: Cell::new(0), waiting: RefCell::default(), next: Cell::new(0) }
    }

    /// Checks for a free slot. If there is none, tells the connection that waits longest to end.
    pub(super) fn find_room(&self) -> Room {
        if self.taken.get() < self.most {
            return Room::Now;
        }
        match self.waiting.borrow_mut().pop_first() {
            Some((_, longest)) => {
                longest.notify_one();
                Room::Soon
            }
            None => Room::Later,
        }
    }

    /// Takes a slot.
    pub(super) fn take(self: &Rc<Self>) -> Place {
        self.taken.set(self.taken.get() + 1);
        Place(Rc::clone(self))
    }

    /// Registers that a connection waits for its client.
    pub(super) fn wait(&self) -> Waiting<'_> {
        let number = self.next.get();
        self.next.set(number + 1);
        let notify = Rc::new(Notify::new());
        self.waiting.borrow_mut().insert(number, Rc::clone(&notify));
        Waiting { places: self, number, notify }
    }
}

/// Whether there is a slot for one more connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    Now,
    /// A connection was told to end.
    Soon,
    /// All connections are being answered.
    Later,
}

/// A taken slot, returned on drop.
#[derive(Debug)]
pub(super) struct Place(Rc<Places>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.taken.set(self.0.taken.get().saturating_sub(1));
    }
}

/// A connection that waits for its client.
#[derive(Debug)]
pub(super) struct Waiting<'a> {
    places: &'a Places,
    number: u64,
    notify: Rc<Notify>,
}

impl Waiting<'_> {
    /// Completes when another connection needs the slot.
    pub(super) async fn is_taken(&self) {
        self.notify.notified().await;
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.places.waiting.borrow_mut().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_wait_ends_where_a_place_is_needed() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let places = Rc::new(Places::new(2));
        let (first, _second) = (places.take(), places.take());
        let (longest, other) = (places.wait(), places.wait());
        assert_eq!(places.find_room(), Room::Soon);
        runtime.block_on(longest.is_taken());
        drop((longest, first));
        assert_eq!(places.find_room(), Room::Now);
        let _third = places.take();
        assert_eq!(places.find_room(), Room::Soon);
        runtime.block_on(other.is_taken());
        drop(other);
        assert_eq!(places.find_room(), Room::Later, "none is left that waits");
    }
}
