//! What ends a computation.

use super::{Data, Rdd};

impl<T: Data> Rdd<T> {
    /// All records, in order.
    pub fn collect(&self) -> Vec<T> {
        let mut parts = self.to_vecs();
        if parts.len() == 1 {
            return parts.pop().unwrap_or_default();
        }
        let mut all = Vec::with_capacity(parts.iter().map(Vec::len).sum());
        parts.into_iter().for_each(|part| all.extend(part));
        all
    }
}
