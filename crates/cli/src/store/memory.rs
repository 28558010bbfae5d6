//! A store in memory, for tests and as a second implementation of the contract.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use super::asker::Asker;
use super::{Item, ItemId, ItemInfo, Status, Store, StoreError, StoreKind};

/// Items in a map.
#[derive(Debug, Default)]
pub(crate) struct MemoryStore {
    items: RefCell<BTreeMap<ItemId, Item>>,
    generation: Cell<u64>,
}

impl Store for MemoryStore {
    fn kind(&self) -> StoreKind {
        StoreKind::Memory
    }

    fn status(&self) -> Status {
        Status::Ready
    }

    fn unlock(&mut self, _asker: &mut dyn Asker) -> Result<(), StoreError> {
        Ok(())
    }

    fn lock(&mut self) {}

    fn list(&self) -> Result<(Vec<ItemInfo>, Vec<StoreError>), StoreError> {
        Ok((self.items.borrow().values().map(|item| item.info.clone()).collect(), Vec::new()))
    }

    fn read(&self, id: &ItemId) -> Result<Item, StoreError> {
        self.items.borrow().get(id).cloned().ok_or(StoreError::Absent)
    }

    fn write(&self, item: &Item) -> Result<(), StoreError> {
        self.items.borrow_mut().insert(item.info.id.clone(), item.clone());
        self.generation.set(self.generation.get() + 1);
        Ok(())
    }

    fn delete(&self, id: &ItemId) -> Result<(), StoreError> {
        self.generation.set(self.generation.get() + 1);
        self.items.borrow_mut().remove(id).map(drop).ok_or(StoreError::Absent)
    }

    fn generation(&self) -> Option<u64> {
        Some(self.generation.get())
    }
}
