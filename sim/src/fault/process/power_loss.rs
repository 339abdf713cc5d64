//! What a power loss leaves of what was not synced: drawn from a number, or chosen unit by unit.
//!
//! The units are those of [`crate::disk::AtRisk`]: each change of a name, and of each file its truncate, its length and its sectors.
//! They are known by their places at the moment of the loss, so a choice belongs to the crash that it was made for; places that
//! nothing has are passed over.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The machine loses power.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PowerLoss {
    /// What survives of what was not synced. 0: nothing. 1: everything. 2: every name and length, but no data. 3: all
    /// data, but no name. Any other number draws each sector, length and name.
    pub image_seed: u64,
    /// What survives, unit by unit, instead of what the image seed says. An operation that is hit inside still goes by the seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<Kept>,
}

/// What survives a power loss of what was not synced: what is not named here is lost.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// The changes of names that have happened, by their place among those that no directory's sync has confirmed, from 0. Whoever
    /// gave up a name that such a change takes gave it up, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<u64>,
    /// What is left of the files that have something unsynced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<KeptFile>,
}

/// What a power loss leaves of the unsynced content of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptFile {
    /// The file, by its place among those that have something unsynced, from 0, in the order of their creation.
    pub file: u64,
    /// The truncate has happened. If there was one and it has not, nothing that came after it has.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncate: bool,
    /// The length of the file covers so many of the unsynced bytes; else it ends with the last sector that is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The data of these sectors; 0 is the one with the first unsynced byte. The others read as zeros.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sectors: Vec<u64>,
}

impl PowerLoss {
    /// The image of a number.
    pub fn image(image_seed: u64) -> Self {
        Self { image_seed, keep: None }
    }

    /// What it leaves of what was not synced, on the timeline of a report.
    pub(super) fn what_survives(&self) -> String {
        match (&self.keep, self.image_seed) {
            (Some(keep), _) => format!("of what was not synced, survive: {keep}"),
            (None, 0) => "nothing unsynced survives".into(),
            (None, 1) => "everything survives, by luck".into(),
            (None, 2) => "of what was not synced, names and lengths survive, data do not".into(),
            (None, 3) => "of what was not synced, data survive and names do not".into(),
            (None, seed) => format!("what survives of the unsynced is drawn from {seed}"),
        }
    }
}

impl fmt::Display for PowerLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.keep {
            None => write!(f, "image {}", self.image_seed),
            Some(keep) => write!(f, "keep {keep}"),
        }
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if !self.names.is_empty() {
            parts.push(format!("names {}", Ranges(&self.names)));
        }
        for KeptFile { file, truncate, bytes, sectors } in &self.files {
            let mut of_file = Vec::new();
            if *truncate {
                of_file.push("truncate".to_owned());
            }
            if let Some(bytes) = bytes {
                of_file.push(format!("{bytes} bytes"));
            }
            if !sectors.is_empty() {
                of_file.push(format!("sectors {}", Ranges(sectors)));
            }
            if !of_file.is_empty() {
                parts.push(format!("file {file} {}", of_file.join(" ")));
            }
        }
        match parts.is_empty() {
            true => f.write_str("nothing"),
            false => f.write_str(&parts.join("; ")),
        }
    }
}

/// Ascending numbers, with a dash for those in a row.
struct Ranges<'a>(&'a [u64]);

impl fmt::Display for Ranges<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.0.chunk_by(|a, b| a.checked_add(1) == Some(*b));
        for (n, row) in rows.enumerate() {
            let comma = if n == 0 { "" } else { "," };
            match row {
                [first, .., last] => write!(f, "{comma}{first}-{last}")?,
                _ => write!(f, "{comma}{}", row[0])?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_reads_as_one_line_and_survives_its_file() {
        let files = vec![
            KeptFile { file: 0, sectors: vec![0, 3, 4, 5], ..KeptFile::default() },
            KeptFile { file: 2, truncate: true, bytes: Some(37), ..KeptFile::default() },
        ];
        let keep = Kept { names: vec![1], files };
        let power_loss = PowerLoss { image_seed: 0, keep: Some(keep) };
        let line = "keep names 1; file 0 sectors 0,3-5; file 2 truncate 37 bytes";
        assert_eq!(power_loss.to_string(), line);
        let text = toml::to_string(&power_loss).unwrap();
        assert_eq!(toml::from_str::<PowerLoss>(&text).unwrap(), power_loss, "{text}");
        let short = "image_seed = 0\nkeep = { files = [{ file = 0, sectors = [0, 3] }] }";
        let short: PowerLoss = toml::from_str(short).unwrap();
        assert_eq!(short.to_string(), "keep file 0 sectors 0,3");
        let nothing = PowerLoss { keep: Some(Kept::default()), ..PowerLoss::default() };
        assert_eq!(toml::from_str::<PowerLoss>(&toml::to_string(&nothing).unwrap()).unwrap(), nothing);
        assert_eq!(nothing.to_string(), "keep nothing");
    }

    #[test]
    fn the_timeline_tells_a_plain_image_from_a_drawn_one_and_from_a_chosen_one() {
        let plain = PowerLoss::image(2).what_survives();
        assert_eq!(plain, "of what was not synced, names and lengths survive, data do not");
        assert_eq!(PowerLoss::image(9).what_survives(), "what survives of the unsynced is drawn from 9");
        let chosen = PowerLoss { image_seed: 9, keep: Some(Kept::default()) };
        assert_eq!(chosen.what_survives(), "of what was not synced, survive: nothing");
    }
}
