//! A part of a batch.

use std::sync::Arc;

/// A part of a batch: a function that pushes its records, in order, each time it is called.
pub(crate) struct Partition<T>(Arc<Each<T>>);

type Each<T> = dyn Fn(&mut dyn FnMut(T)) + Send + Sync;

impl<T> Clone for Partition<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: 'static> Partition<T> {
    pub fn new(each: impl Fn(&mut dyn FnMut(T)) + Send + Sync + 'static) -> Self {
        Self(Arc::new(each))
    }

    pub fn each(&self, emit: &mut dyn FnMut(T)) {
        (self.0)(emit);
    }

    /// Its records.
    pub fn to_vec(&self) -> Vec<T> {
        let mut records = Vec::new();
        self.each(&mut |record| records.push(record));
        records
    }
}

impl<T: Clone + Send + Sync + 'static> Partition<T> {
    /// A part that was computed already.
    pub fn of(records: Vec<T>) -> Self {
        Self::new(move |emit| records.iter().cloned().for_each(&mut *emit))
    }
}
