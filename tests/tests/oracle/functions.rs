//! What the texts in the recorded files mean. A text that is not known here fails its test.

use highwater_core::State;
use serde_json::{Value, json};
use std::sync::Arc;

pub type Pair = (String, i64);

pub fn number(text: &str) -> fn(i64) -> i64 {
    match text {
        "x*2+1" => |x| x * 2 + 1,
        "v*10" => |v| v * 10,
        _ => unknown(text),
    }
}

pub fn predicate(text: &str) -> fn(&i64) -> bool {
    match text {
        "x % 2 == 0" => |x| x % 2 == 0,
        _ => unknown(text),
    }
}

pub fn expansion(text: &str) -> fn(i64) -> Vec<i64> {
    match text {
        "x -> [x+i for i in 0..abs(x)%3)" | "v -> [v, v+1, ..] abs(v)%3 of them" => {
            |x| (0..x.abs() % 3).map(|i| x + i).collect()
        }
        _ => unknown(text),
    }
}

pub fn combination(text: &str) -> fn(i64, i64) -> i64 {
    match text {
        "a+b" => |a, b| a + b,
        "max(a,b)" => i64::max,
        _ => unknown(text),
    }
}

pub fn inverse(text: &str) -> fn(i64, i64) -> i64 {
    match text {
        "a-b" => |a, b| a - b,
        _ => unknown(text),
    }
}

pub fn filter(text: &str) -> fn(&String, &i64) -> bool {
    match text {
        "value != 0" => |_, value| *value != 0,
        _ => unknown(text),
    }
}

/// What is done to the values before.
pub fn preparation(text: Option<&str>) -> fn(i64) -> i64 {
    match text {
        None => |v| v,
        Some("value := 1 (counts)") => |_| 1,
        Some(text) => unknown(text),
    }
}

/// The functions of `update_state_by_key` whose state is a number.
pub fn update(text: &str) -> fn(Vec<i64>, Option<i64>) -> Option<i64> {
    match text {
        "state + sum(values)" => |values, state| Some(state.unwrap_or(0) + sum(&values)),
        "None if values empty else state + sum(values)" => {
            |values, state| (!values.is_empty()).then(|| state.unwrap_or(0) + sum(&values))
        }
        "s = state + sum(values); None if s > 15 else s" => {
            |values, state| Some(state.unwrap_or(0) + sum(&values)).filter(|s| *s <= 15)
        }
        _ => unknown(text),
    }
}

pub fn sum(values: &[i64]) -> i64 {
    values.iter().sum()
}

pub type Tracking = Arc<dyn Fn(&String, Option<i64>, &mut State<i64>) -> Value + Send + Sync>;

/// The functions of `map_with_state`.
pub fn tracking(text: &str) -> Tracking {
    fn updated(value: Option<i64>, state: &mut State<i64>) -> i64 {
        let s = state.get_option().copied().unwrap_or(0) + value.expect("only a time-out has none");
        state.update(s);
        s
    }
    match text {
        "s = state + v; update; emit [k,s]" => {
            Arc::new(|key, value, state| json!([key, updated(value, state)]))
        }
        "s = state + v; if s > 15: remove (if it exists), emit [k,s,removed]; else update, emit [k,s,kept]" => {
            Arc::new(|key, value, state| {
                let s = state.get_option().copied().unwrap_or(0) + value.expect("only a time-out has none");
                if s <= 15 {
                    state.update(s);
                    return json!([key, s, "kept"]);
                }
                if state.exists() {
                    state.remove();
                }
                json!([key, s, "removed"])
            })
        }
        "if timing out: emit [k,state,timeout]; else s = state + v; update; emit [k,s,data]" => {
            Arc::new(|key, value, state| match state.is_timing_out() {
                true => json!([key, state.get(), "timeout"]),
                false => json!([key, updated(value, state), "data"]),
            })
        }
        _ => unknown(text),
    }
}

/// # Panics
/// Always: what the text means has to be entered here.
pub fn unknown(text: &str) -> ! {
    panic!(
        "'{text}' is not known to this test: add what it means to oracle/functions.rs or oracle/pipeline.rs"
    )
}
