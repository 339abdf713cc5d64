//! Where a batch is computed, and how its keys are hashed.

use crate::{env::Executor, state::KeyHasher};
use std::sync::{Arc, Mutex};

/// What a computation needs beside its records. Cloning it is cheap.
#[derive(Clone)]
pub(crate) struct Workers {
    pub executor: Arc<dyn Executor>,
    pub hasher: KeyHasher,
}

impl Workers {
    /// Computes `make(0)`, `make(1)`, .. `make(count - 1)`, on several threads where there are; the results are in this order.
    pub fn parallel<R: Send>(&self, count: usize, make: impl Fn(usize) -> R + Sync) -> Vec<R> {
        match count {
            0 => Vec::new(),
            1 => vec![make(0)],
            _ => {
                let mut results: Vec<Option<R>> = (0..count).map(|_| None).collect();
                let make = &make;
                let tasks = results
                    .iter_mut()
                    .enumerate()
                    .map(|(index, slot)| {
                        Box::new(move || *slot = Some(make(index))) as Box<dyn FnOnce() + Send + '_>
                    })
                    .collect();
                self.executor.parallel(tasks);
                results.into_iter().map(|result| result.expect("every task ran")).collect()
            }
        }
    }

    /// As [`parallel`](Self::parallel), with each computation owning one element of `inputs`.
    pub fn parallel_over<I: Send, R: Send>(
        &self,
        inputs: Vec<I>,
        make: impl Fn(usize, I) -> R + Sync,
    ) -> Vec<R> {
        let inputs: Vec<_> = inputs.into_iter().map(|input| Mutex::new(Some(input))).collect();
        self.parallel(inputs.len(), |index| {
            let input = inputs[index].lock().expect("taken once").take().expect("taken once");
            make(index, input)
        })
    }
}
