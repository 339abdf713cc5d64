//! A recorded case, as its file has it. What this reader does not know is an error, so nothing of a case goes unlooked at.

use highwater_core::Interval;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use std::{collections::BTreeSet, fs, path::PathBuf, sync::Mutex};

/// Where the recorded files are.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("oracle")
}

/// What is in a file.
pub fn read<T: DeserializeOwned>(name: &str) -> Vec<T> {
    let path = folder().join(name).with_extension("json");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A batch that a stream produced. Records are sorted as JSON text.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// Its time, in milliseconds since the stream's start.
    pub time_ms: u64,
    pub records: Vec<Value>,
}

impl Batch {
    pub fn new(time_ms: u64, mut records: Vec<Value>) -> Self {
        records.sort_by_cached_key(Value::to_string);
        Self { time_ms, records }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub operator: String,
    pub params: Params,
    pub batch_ms: u64,
    pub input_partitions: usize,
    input: Vec<Vec<Value>>,
    input2: Option<Vec<Vec<Value>>>,
    input3: Option<Vec<Vec<Value>>>,
    /// What Spark produced.
    pub output: Option<Vec<Batch>>,
    /// What the plain definition gives, where Spark is wrong.
    pub plain_output: Option<Vec<Batch>>,
    /// What Spark failed with, where it did.
    pub error: Option<Value>,
    /// Of a case with a restart: what Spark produced before it, right after it, and later.
    pub output_before: Option<Vec<Batch>>,
    pub output_after_at_start: Option<Vec<Batch>>,
    pub output_after_later: Option<Vec<Batch>>,
}

impl Case {
    /// How many batches there are.
    pub fn batches(&self) -> u64 {
        self.input.len() as u64
    }

    /// The records of an input, counted from 0.
    pub fn records<T: DeserializeOwned>(&self, index: usize) -> Vec<Vec<T>> {
        let inputs = [Some(&self.input), self.input2.as_ref(), self.input3.as_ref()];
        let input = inputs[index].unwrap_or_else(|| panic!("{} needs input {}", self.operator, index + 1));
        let record = |value: &Value| {
            serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{value}: {error}"))
        };
        input.iter().map(|batch| batch.iter().map(record).collect()).collect()
    }

    /// The batch interval.
    pub fn interval(&self) -> Interval {
        interval(self.batch_ms)
    }
}

pub fn interval(ms: u64) -> Interval {
    Interval::from_millis(ms).unwrap_or_else(|| panic!("{ms} ms is no interval"))
}

/// The parameters of a case, which must all be asked for.
#[derive(Debug, Deserialize)]
#[serde(from = "Map<String, Value>")]
pub struct Params {
    values: Map<String, Value>,
    asked_for: Mutex<BTreeSet<String>>,
}

impl From<Map<String, Value>> for Params {
    fn from(values: Map<String, Value>) -> Self {
        Self { values, asked_for: Mutex::default() }
    }
}

impl Params {
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.asked_for.lock().unwrap().insert(name.to_owned());
        self.values.get(name)
    }

    pub fn text(&self, name: &str) -> &str {
        let value = self.get(name).unwrap_or_else(|| panic!("no parameter {name} in {:?}", self.values));
        value.as_str().unwrap_or_else(|| panic!("{name} is no text: {value}"))
    }

    pub fn number_or_none(&self, name: &str) -> Option<u64> {
        self.get(name).map(|value| value.as_u64().unwrap_or_else(|| panic!("{name} is no number: {value}")))
    }

    pub fn number(&self, name: &str) -> u64 {
        self.number_or_none(name).unwrap_or_else(|| panic!("no parameter {name} in {:?}", self.values))
    }

    pub fn interval(&self, name: &str) -> Interval {
        interval(self.number(name))
    }

    /// A number that may be below zero.
    pub fn signed(&self, name: &str) -> i64 {
        let value = self.get(name).unwrap_or_else(|| panic!("no parameter {name} in {:?}", self.values));
        value.as_i64().unwrap_or_else(|| panic!("{name} is no number: {value}"))
    }

    /// States that are there at the beginning.
    pub fn initial<S: DeserializeOwned>(&self) -> Vec<(String, S)> {
        let read = |value: &Value| serde_json::from_value(value.clone()).expect("initial states are pairs");
        self.get("initial").map_or_else(Vec::new, read)
    }

    /// A note that says what the case means must say this.
    pub fn expect_note(&self, known: &str) {
        assert_eq!(self.text("note"), known, "the note says something else");
    }

    /// # Panics
    /// If there is a parameter that nobody asked for.
    pub fn assert_all_known(&self) {
        let asked_for = self.asked_for.lock().unwrap();
        for name in self.values.keys() {
            assert!(asked_for.contains(name), "unknown parameter {name} in {:?}", self.values);
        }
    }
}
