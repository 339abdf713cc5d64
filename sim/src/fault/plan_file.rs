//! The file of a plan, in TOML: what a person writes and edits, a shrinker leaves behind, and `scenarios/regressions/` keeps.
//!
//! The faults alone are a plan; with the scenario and the seed the file is a whole case. What is read was checked: every field is
//! known and every number makes sense, or the error names the field and where in the file it is. What is written can be read.

use super::{Fault, PLAN_MS_MAX, Plan, limits};
use crate::TextError;
use serde::{Deserialize, de::IntoDeserializer, ser::Error as _};
use std::{fmt::Write, ops::Range};
use toml::{
    Spanned, Table, Value,
    de::{DeTable, DeValue},
};

/// A plan has no more faults than this: a run that looks at each of them at every operation would take hours.
pub const FAULTS_MAX: usize = 10_000;

/// A plan with what makes a case of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanFile {
    /// What it is about, for people.
    pub about: Option<String>,
    /// The name of the scenario.
    pub scenario: Option<String>,
    /// Draws the workload, and all else that the plan leaves open.
    pub seed: Option<u64>,
    /// The plan.
    pub plan: Plan,
}

/// The file as it stands. The faults are read one by one, since an error in a list has no place.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    about: Option<String>,
    scenario: Option<String>,
    seed: Option<u64>,
    lines: Option<u64>,
    #[serde(default)]
    faults: Vec<Table>,
}

impl PlanFile {
    /// Reads a file.
    ///
    /// # Errors
    /// If it is no TOML, has a field that is not known, lacks one, has a number that makes no sense, or more than [`FAULTS_MAX`] faults.
    ///
    /// ```
    /// use highwater_sim::fault::PlanFile;
    ///
    /// let file = PlanFile::read("lines = 12\n[[faults]]\nkind = 'reset'\nconnection = 1\nafter_bytes = 5\n")?;
    /// assert_eq!(file.plan.to_string(), "reset connection 1 after 5 bytes");
    /// let error = PlanFile::read("[[faults]]\nkind = 'reset'\nconnection = 0\nafter_bytes = 5\n").unwrap_err();
    /// assert_eq!(error.to_string(), "line 3, column 14: fault 1: `connection` is 0, and must be at least 1");
    /// # Ok::<(), highwater_sim::TextError>(())
    /// ```
    pub fn read(text: &str) -> Result<Self, TextError> {
        let whole = |error: toml::de::Error| TextError::of_toml(text, &error);
        let written: Written = toml::from_str(text).map_err(whole)?;
        let spanned = DeTable::parse(text).map_err(whole)?.into_inner();
        if let Some((at, message)) = senseless(&spanned) {
            return Err(TextError::at(text, at, message));
        }
        let mut plan = Plan { lines: written.lines, faults: Vec::new() };
        // When the last fault that comes at a time of its own comes, and for how long all of them go on.
        let (mut last_ms, mut lasts_ms) = (0, 0u64);
        let tables = spanned.get("faults").and_then(|faults| faults.get_ref().as_array());
        if let Some(one) = tables.and_then(|tables| tables.get(FAULTS_MAX)) {
            return Err(TextError::at(text, one.span().start, too_many(written.faults.len())));
        }
        for (index, (fault, table)) in
            written.faults.into_iter().zip(tables.into_iter().flatten()).enumerate()
        {
            let error =
                |at, message: &str| TextError::at(text, at, format!("fault {}: {message}", index + 1));
            let read = Fault::deserialize(Value::Table(fault).into_deserializer());
            let read = read.map_err(|wrong: toml::de::Error| {
                error(place_of(wrong.message(), table, text).unwrap_or(table.span().start), wrong.message())
            })?;
            if let Some((at, message)) = table.get_ref().as_table().and_then(senseless) {
                return Err(error(at, &message));
            }
            if let Some(message) = read.trigger().and_then(|trigger| read.never_fires_at(&trigger)) {
                let at = place_of("`trigger`", table, text).unwrap_or(table.span().start);
                return Err(error(at, message));
            }
            last_ms = last_ms.max(read.at_ms().unwrap_or(0));
            lasts_ms = lasts_ms.saturating_add(read.lasts_in_all_ms());
            plan.faults.push(read);
            let takes_ms = lasts_ms.saturating_add(last_ms);
            if takes_ms > PLAN_MS_MAX {
                let message = format!(
                    "with it the faults come and go on for {} s in all, and a plan may take {} s",
                    takes_ms / 1000,
                    PLAN_MS_MAX / 1000
                );
                return Err(error(table.span().start, &message));
            }
        }
        Ok(Self { about: written.about, scenario: written.scenario, seed: written.seed, plan })
    }

    /// Writes the file.
    ///
    /// # Errors
    /// If a number is greater than TOML has, or there are more than [`FAULTS_MAX`] faults.
    pub fn write(&self) -> Result<String, toml::ser::Error> {
        if self.plan.faults.len() > FAULTS_MAX {
            return Err(toml::ser::Error::custom(too_many(self.plan.faults.len())));
        }
        let mut text = String::new();
        let mut field = |name: &str, value: Value| {
            writeln!(text, "{name} = {value}").expect("a string takes all that is written to it");
        };
        if let Some(about) = &self.about {
            field("about", Value::from(about.as_str()));
        }
        if let Some(scenario) = &self.scenario {
            field("scenario", Value::from(scenario.as_str()));
        }
        for (name, number) in [("seed", self.seed), ("lines", self.plan.lines)] {
            if let Some(number) = number {
                field(name, Value::try_from(number)?);
            }
        }
        for fault in &self.plan.faults {
            let fields = Table::try_from(fault)?;
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str("[[faults]]\n");
            for (name, value) in fields {
                writeln!(text, "{name} = {value}").expect("a string takes all that is written to it");
            }
        }
        Ok(text)
    }
}

fn too_many(faults: usize) -> String {
    format!("it has {faults} faults, and a plan has at most {FAULTS_MAX}")
}

/// The first number that its field may not have, and what is wrong with it. Lists are not looked into.
fn senseless(table: &DeTable<'_>) -> Option<(usize, String)> {
    table.iter().find_map(|(name, value)| match value.get_ref() {
        DeValue::Table(inner) => senseless(inner),
        DeValue::Integer(number) => {
            let number = i64::from_str_radix(number.as_str(), number.radix()).ok()?;
            let (name, limits) = (name.get_ref(), limits(name.get_ref()));
            let (least, greatest) = (limits.start(), limits.end());
            let must = match () {
                () if number < *least => format!("at least {least}"),
                () if number > *greatest => format!("at most {greatest}"),
                () => return None,
            };
            Some((value.span().start, format!("`{name}` is {number}, and must be {must}")))
        }
        _ => None,
    })
}

/// Where in a fault that is which an error quotes: a name or a value. The error itself knows no place.
fn place_of(message: &str, fault: &Spanned<DeValue<'_>>, text: &str) -> Option<usize> {
    let (_, rest) = message.split_once(['`', '"'])?;
    let (quoted, _) = rest.split_once(['`', '"'])?;
    place_in(quoted, fault.get_ref().as_table()?, text)
}

fn place_in(quoted: &str, table: &DeTable<'_>, text: &str) -> Option<usize> {
    let is = |span: Range<usize>| {
        let found = text.get(span.clone())?.trim_matches(['"', '\'']);
        (found == quoted).then_some(span.start)
    };
    table.iter().find_map(|(name, value)| {
        let inner = value.get_ref().as_table().and_then(|inner| place_in(quoted, inner, text));
        is(name.span()).or_else(|| is(value.span())).or(inner)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Bounds, FaultKind};
    use crate::rng::{Domain, stream};

    /// One fault of every kind, and many of each.
    fn drawn() -> Vec<Fault> {
        let bounds = Bounds { kinds: FaultKind::ALL.to_vec(), ..Bounds::default() };
        let aim = super::super::Aim { bounds: &bounds, lives: 3, connections: 3 };
        let mut rng = stream(1, Domain::Plan);
        let of = |kind| Fault::draw(kind, &mut rng, &aim);
        FaultKind::ALL.iter().copied().cycle().take(100 * FaultKind::ALL.len()).map(of).collect()
    }

    fn error(text: &str) -> String {
        PlanFile::read(text).unwrap_err().to_string()
    }

    #[test]
    fn what_is_written_reads_back() {
        for some in drawn().chunks(FaultKind::ALL.len()) {
            let file = PlanFile {
                about: Some("a \"line\"\nthat is cut".to_owned()),
                scenario: Some("word-count".to_owned()),
                seed: Some(7),
                plan: Plan { lines: Some(12), faults: some.to_vec() },
            };
            assert_eq!(PlanFile::read(&file.write().unwrap()), Ok(file));
        }
        assert_eq!(PlanFile::default().write().unwrap(), "");
        assert_eq!(PlanFile::read(""), Ok(PlanFile::default()));
    }

    #[test]
    fn a_number_beyond_toml_is_not_written() {
        assert!(PlanFile { seed: Some(u64::MAX), ..PlanFile::default() }.write().is_err());
    }

    #[test]
    fn a_plan_has_a_bound_that_is_no_plans_trouble() {
        let one = "[[faults]]\nkind = 'reset'\nconnection = 1\nafter_bytes = 1\n";
        let most = PlanFile::read(&one.repeat(FAULTS_MAX)).unwrap();
        assert_eq!(most.plan.faults.len(), FAULTS_MAX);
        assert_eq!(
            error(&one.repeat(FAULTS_MAX + 1)),
            "line 40001, column 1: it has 10001 faults, and a plan has at most 10000"
        );
        let more = [&most.plan.faults[..], &most.plan.faults[..1]].concat();
        let refused = PlanFile { plan: Plan::of(more), ..PlanFile::default() }.write().unwrap_err();
        assert!(refused.to_string().contains("10001 faults"), "{refused}");
    }

    /// Whatever the kind, at every depth.
    #[test]
    fn a_misspelt_field_is_an_error_that_names_it() {
        for fault in drawn().into_iter().take(FaultKind::ALL.len()) {
            let whole = PlanFile { plan: Plan::of(vec![fault]), ..PlanFile::default() }.write().unwrap();
            let misspelt =
                format!("[[faults]]\nkind = 'reset'\nconnection = 1\nafter_bytes = 1\n{whole}nuber = 3\n");
            let line = misspelt.lines().count();
            let error = error(&misspelt);
            assert!(
                error.starts_with(&format!("line {line}, column 1: fault 2: unknown field `nuber`")),
                "{error}"
            );
            if let Some((before, after)) = whole.split_once("trigger = { ") {
                let error = self::error(&format!("{before}trigger = {{ nuber = 3, {after}"));
                assert!(error.contains("unknown field `nuber`"), "{error}");
            }
        }
        let error = error("lines = 3\nsead = 7\n");
        assert!(error.starts_with("line 2, column 1: unknown field `sead`"), "{error}");
    }

    #[test]
    fn an_error_says_where_it_is() {
        let fault = |fields: &str| format!("lines = 3\n\n[[faults]]\nkind = 'crash'\n{fields}\n");
        let time = "restart_after_ms = 2\ntrigger = { on = 'time', at_ms";
        for (text, place) in [
            ("lines = ".to_owned(), "line 1, column 9: "),
            ("seed = 'x'\n".to_owned(), "line 1, column 8: "),
            ("seed = -1\n".to_owned(), "line 1, column 8: "),
            ("[[faults]]\nkind = 'crush'\n".to_owned(), "line 2, column 8: fault 1: unknown variant `crush`"),
            (fault("restart_after_ms = 2"), "line 3, column 1: fault 1: missing field `trigger`"),
            (fault(&format!("{time} = 'soon' }}")), "line 6, column 34: fault 1: "),
            (fault(&format!("{time} = -7 }}")), "line 6, column 34: fault 1: "),
            (fault(&format!("power_loss = {{ seed = 1 }}\n{time} = 7 }}")), "line 5, column 16: fault 1: "),
        ] {
            let error = error(&text);
            assert!(error.starts_with(place), "{text}{error}");
        }
    }

    #[test]
    fn a_fault_that_can_never_fire_and_a_plan_that_never_ends_are_refused() {
        let never = "[[faults]]\nkind = 'io-error'\ntrigger = { on = 'time', at_ms = 7 }\n";
        let told = error(never);
        assert!(told.starts_with("line 3, column 1: fault 1: it strikes one disk operation"), "{told}");
        for (fields, message) in [
            ("kind = 'crash'\nrestart_after_ms = 1\ntrigger = { on = 'start', life = 2 }", "cannot crash"),
            (
                "kind = 'disk-full'\nfor_ms = 1\ntrigger = { on = 'network-operation', life = 1, number = 1 }",
                "not of the network",
            ),
        ] {
            let told = error(&format!("[[faults]]\n{fields}\n"));
            assert!(told.starts_with("line 4, column 1: fault 1: ") && told.contains(message), "{told}");
        }
        let pause = "[[faults]]\nkind = 'pause'\nfor_ms = 3000000\ntrigger = { on = 'time', at_ms = 7 }\n";
        assert!(PlanFile::read(pause).is_ok());
        let told = error(&pause.repeat(2));
        assert!(
            told.starts_with("line 5, column 1: fault 2: with it the faults come and go on for 6000 s"),
            "{told}"
        );
        let endless =
            "[[faults]]\nkind = 'slow-start'\nlife = 1\nlatency_ms = 9\noperations = 9223372036854775807\n";
        assert!(error(endless).contains("a plan may take 5400 s"));
    }

    #[test]
    fn numbers_that_make_no_sense_are_refused() {
        for (fields, wrong) in [
            ("kind = 'crash'\nrestart_after_ms = 1\ntrigger = { on = 'start', life = 0 }", "`life` is 0"),
            ("kind = 'trickle'\nconnection = 1\nafter_bytes = 0\nbytes_max = 0", "`bytes_max` is 0"),
            ("kind = 'reset'\nconnection = 0\nafter_bytes = 0", "`connection` is 0"),
            (
                "kind = 'reset'\nconnection = 4294967296\nafter_bytes = 0",
                "integer `4294967296`, expected u32",
            ),
            ("kind = 'drift'\nat_ms = 1\nppm = -1000000", "`ppm` is -1000000, and must be at least -999999"),
            (
                "kind = 'bit-rot'\nplace = 'state'\nfile = 0\nbyte = 0\nbit = 8\ntrigger = { on = 'time', at_ms = 1 }",
                "`bit` is 8, and must be at most 7",
            ),
            ("kind = 'stop'\nrestart_after_ms = 1\nat_ms = 9223372036854775807", "at most 86400000"),
        ] {
            let error = error(&format!("[[faults]]\n{fields}\n"));
            assert!(error.contains(wrong), "{error}");
        }
        assert_eq!(error("lines = 0\n"), "line 1, column 9: `lines` is 0, and must be at least 1");
    }
}
