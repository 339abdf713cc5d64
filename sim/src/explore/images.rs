//! Which images of a power loss are tried: all of them where there are few units at risk, a bounded choice where there are many.
//!
//! The units of a moment are each change of a name and, of each file with something unsynced, its truncate, its length and each of
//! its sectors. Where the subsets of the units are no more than the bound, each is tried. Where there are more, these are, in this order,
//! until the bound is reached: nothing, everything, everything but data, everything but names; then in turns one unit alone, one
//! unit missing, and the first units of the order in which they were made, each for units spread over all of them.
//!
//! Left out: a length in the middle of what one append wrote. The crash inside that append is what leaves it.

use super::spread::Spread;
use crate::{
    disk::AtRisk,
    fault::{Kept, KeptFile},
};

/// The images of a moment.
pub(super) struct Images {
    /// Each of them once.
    pub kept: Vec<Kept>,
    /// Whether these are all of them.
    pub complete: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Name(u64),
    Truncate(u64),
    Length(u64),
    Sector(u64, u64),
}

/// The images of a moment, at most so many and at least one: the first one is that nothing survives.
pub(super) fn images(at_risk: &AtRisk, max: usize) -> Images {
    let units = units(at_risk);
    let n = units.len();
    let mut images = Images { kept: Vec::new(), complete: true };
    if n < usize::BITS as usize && 1 << n <= max {
        for subset in 0..1usize << n {
            images.add(kept(at_risk, &units, |unit| subset >> unit & 1 == 1), usize::MAX);
        }
        return images;
    }
    images.complete = false;
    let is_data = |unit: usize| matches!(units[unit], Unit::Sector(..));
    let is_name = |unit: usize| matches!(units[unit], Unit::Name(_));
    images.add(kept(at_risk, &units, |_| false), max.max(1));
    images.add(kept(at_risk, &units, |_| true), max);
    images.add(kept(at_risk, &units, |unit| !is_data(unit)), max);
    images.add(kept(at_risk, &units, |unit| !is_name(unit)), max);
    for chosen in Spread::over(n as u64) {
        let chosen = chosen as usize;
        images.add(kept(at_risk, &units, |unit| unit == chosen), max);
        images.add(kept(at_risk, &units, |unit| unit != chosen), max);
        images.add(kept(at_risk, &units, |unit| unit <= chosen), max);
    }
    images
}

impl Images {
    fn add(&mut self, kept: Kept, max: usize) {
        if self.kept.len() < max && !self.kept.contains(&kept) {
            self.kept.push(kept);
        }
    }
}

fn units(at_risk: &AtRisk) -> Vec<Unit> {
    let names = (0..at_risk.names.len() as u64).map(Unit::Name);
    let files = (0..).zip(&at_risk.files).flat_map(|(n, file)| {
        let truncate = file.truncate.then_some(Unit::Truncate(n));
        let length = (file.bytes > 0).then_some(Unit::Length(n));
        truncate.into_iter().chain(length).chain((0..file.sectors).map(move |sector| Unit::Sector(n, sector)))
    });
    names.chain(files).collect()
}

/// The image that keeps some of the units. Images that are one have one form: the length is told only where it is more than the end
/// of the last sector, and what a lost truncate takes with it is not told.
fn kept(at_risk: &AtRisk, units: &[Unit], keeps: impl Fn(usize) -> bool) -> Kept {
    let mut image = Kept::default();
    let mut files: Vec<KeptFile> =
        (0..at_risk.files.len() as u64).map(|file| KeptFile { file, ..KeptFile::default() }).collect();
    for (_, unit) in units.iter().enumerate().filter(|(n, _)| keeps(*n)) {
        match *unit {
            Unit::Name(name) => image.names.push(name),
            Unit::Truncate(file) => files[file as usize].truncate = true,
            Unit::Length(file) => files[file as usize].bytes = Some(at_risk.files[file as usize].bytes),
            Unit::Sector(file, sector) => files[file as usize].sectors.push(sector),
        }
    }
    for (file, at_risk) in files.iter_mut().zip(&at_risk.files) {
        if at_risk.truncate && !file.truncate {
            (file.bytes, file.sectors) = (None, Vec::new());
        }
        if file.sectors.last().is_some_and(|last| last + 1 == at_risk.sectors) {
            file.bytes = None;
        }
    }
    files.retain(|file| file.truncate || file.bytes.is_some() || !file.sectors.is_empty());
    image.files = files;
    image
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::FileAtRisk;
    use std::collections::BTreeSet;

    fn at_risk(names: usize, files: &[(bool, u64, u64)]) -> AtRisk {
        let file = |(truncate, bytes, sectors): &(bool, u64, u64)| FileAtRisk {
            path: "/a".into(),
            truncate: *truncate,
            bytes: *bytes,
            sectors: *sectors,
        };
        AtRisk { names: vec!["create /a".into(); names], files: files.iter().map(file).collect() }
    }

    fn lines(images: &Images) -> Vec<String> {
        images.kept.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn nothing_at_risk_is_one_image() {
        let images = images(&AtRisk::default(), 16);
        assert_eq!((lines(&images), images.complete), (vec!["nothing".to_owned()], true));
    }

    #[test]
    fn few_units_have_all_their_subsets_each_once() {
        let images = images(&at_risk(1, &[(false, 600, 2)]), 16);
        assert!(images.complete);
        let expected = [
            "nothing",
            "names 0",
            "file 0 600 bytes",
            "names 0; file 0 600 bytes",
            "file 0 sectors 0",
            "names 0; file 0 sectors 0",
            "file 0 600 bytes sectors 0",
            "names 0; file 0 600 bytes sectors 0",
            "file 0 sectors 1",
            "names 0; file 0 sectors 1",
            "file 0 sectors 0-1",
            "names 0; file 0 sectors 0-1",
        ];
        assert_eq!(lines(&images), expected);
    }

    #[test]
    fn what_follows_a_truncate_is_lost_with_it() {
        let images = images(&at_risk(0, &[(true, 9, 1)]), 16);
        let expected = ["nothing", "file 0 truncate", "file 0 truncate 9 bytes", "file 0 truncate sectors 0"];
        assert_eq!(lines(&images), expected);
    }

    #[test]
    fn many_units_have_the_plain_images_and_then_as_many_others_as_the_bound_lets() {
        let at_risk = at_risk(3, &[(false, 5000, 10), (true, 700, 2)]);
        for max in [1, 4, 16, 40] {
            let images = images(&at_risk, max);
            assert!(!images.complete);
            assert_eq!(images.kept.len(), max);
            assert_eq!(BTreeSet::from_iter(&images.kept).len(), max);
        }
        let plain = [
            "nothing",
            "names 0-2; file 0 sectors 0-9; file 1 truncate sectors 0-1",
            "names 0-2; file 0 5000 bytes; file 1 truncate 700 bytes",
            "file 0 sectors 0-9; file 1 truncate sectors 0-1",
        ];
        assert_eq!(lines(&images(&at_risk, 4)), plain);
        let all = lines(&images(&at_risk, 1000));
        for one in [
            "names 1",
            "file 0 sectors 7",
            "names 0-1",
            "names 0,2; file 0 sectors 0-9; file 1 truncate sectors 0-1",
        ] {
            assert!(all.iter().any(|line| line == one), "{one}");
        }
    }
}
