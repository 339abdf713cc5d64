//! `print`: the first records of every batch on the standard output, as Spark lays them out.

use super::{Batch, BatchInfo, Sink, SinkError, SinkPosition, TextRecord};
use crate::{
    dstream::Data,
    env::{BoxFuture, Env, Executor},
    ids::BatchTime,
};
use std::{io::Write, sync::Arc};

const RULE: &str = "-------------------------------------------\n";

/// A sink that shows the first records of a batch.
pub(crate) struct Print {
    first: usize,
    executor: Option<Arc<dyn Executor>>,
}

impl Print {
    /// Shows `first` records. It needs no more than one more than that, to know that there are more.
    pub fn new(first: usize) -> Self {
        Self { first, executor: None }
    }
}

fn page<T: TextRecord>(time: BatchTime, records: &[T], first: usize) -> String {
    let mut page = format!("{RULE}Time: {} ms\n{RULE}", time.0);
    for record in records.iter().take(first) {
        record.write_text(&mut page);
        page.push('\n');
    }
    if records.len() > first {
        page.push_str("...\n");
    }
    page.push('\n');
    page
}

impl<T: Data + TextRecord> Sink<T> for Print {
    type Prepared = String;

    fn open<'a>(
        &'a mut self,
        env: &'a Env,
        _at: Option<SinkPosition>,
    ) -> BoxFuture<'a, Result<SinkPosition, SinkError>> {
        self.executor = Some(env.executor.clone());
        Box::pin(async { Ok(SinkPosition::default()) })
    }

    fn name(&self) -> String {
        "standard output".into()
    }

    fn prepare(&self, batch: Batch<T>) -> String {
        page(batch.time(), &batch.records, self.first)
    }

    fn emit(&mut self, _info: BatchInfo, page: String) -> BoxFuture<'_, Result<SinkPosition, SinkError>> {
        Box::pin(async move {
            let executor = self.executor.as_ref().expect("a sink is opened before it emits");
            // It may block. That nobody reads it any more is no reason to stop the program.
            let show = move || _ = std::io::stdout().lock().write_all(page.as_bytes());
            executor.compute(Box::new(show)).await?;
            Ok(SinkPosition::default())
        })
    }

    fn sync(&mut self) -> BoxFuture<'_, Result<(), SinkError>> {
        Box::pin(async { Ok(()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_laid_out_as_sparks() {
        let records: Vec<_> = (1..=11).map(|n| ("word", n)).collect();
        let time = BatchTime(1_357_008_430_000);
        let head = "-------------------------------------------\n\
                    Time: 1357008430000 ms\n\
                    -------------------------------------------\n";
        assert_eq!(page(time, &records[..2], 10), format!("{head}(word,1)\n(word,2)\n\n"));
        let ten: String = (1..=10).map(|n| format!("(word,{n})\n")).collect();
        assert_eq!(page(time, &records[..10], 10), format!("{head}{ten}\n"));
        assert_eq!(page(time, &records, 10), format!("{head}{ten}...\n\n"));
        assert_eq!(page(time, &records[..0], 10), format!("{head}\n"));
    }
}
