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
use std::collections::BTreeSet;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Name(u64),
    Truncate(u64),
    Length(u64),
    Sector(u64, u64),
}

/// One image, as a choice among the units by their places.
#[derive(Clone, Copy)]
enum Choice {
    /// Those whose bits are set.
    Subset(u64),
    Nothing,
    Everything,
    NoData,
    NoNames,
    Only(usize),
    Without(usize),
    UpTo(usize),
}

/// Whether the images of a moment are all of them, if they are at most so many.
pub(super) fn is_complete(at_risk: &AtRisk, max: usize) -> bool {
    subsets(units(at_risk).len(), max).is_some()
}

/// The images of a moment, each of them once, at most so many and at least one: the first one is that nothing survives. They are made one by
/// one, since they can be more than memory holds, and end once `keep_going` says no.
pub(super) fn images<'a>(
    at_risk: &'a AtRisk,
    max: usize,
    keep_going: &'a impl Fn() -> bool,
) -> impl Iterator<Item = Kept> + 'a {
    let units = units(at_risk);
    let mut made = BTreeSet::new();
    choices(units.len(), max)
        .take_while(|_| keep_going())
        .map(move |choice| kept(at_risk, &units, |unit| choice.keeps(unit, units[unit])))
        .filter(move |image| made.insert(image.clone()))
        .take(max.max(1))
}

/// How many subsets so many units have, if these are no more than the bound.
fn subsets(units: usize, max: usize) -> Option<u64> {
    let subsets = 1_u64.checked_shl(u32::try_from(units).ok()?)?;
    (subsets <= max as u64).then_some(subsets)
}

fn choices(units: usize, max: usize) -> Box<dyn Iterator<Item = Choice>> {
    if let Some(subsets) = subsets(units, max) {
        return Box::new((0..subsets).map(Choice::Subset));
    }
    let plain = [Choice::Nothing, Choice::Everything, Choice::NoData, Choice::NoNames];
    let of_one = |chosen| {
        let chosen = chosen as usize;
        [Choice::Only(chosen), Choice::Without(chosen), Choice::UpTo(chosen)]
    };
    Box::new(plain.into_iter().chain(Spread::over(units as u64).flat_map(of_one)))
}

impl Choice {
    fn keeps(self, place: usize, unit: Unit) -> bool {
        match self {
            Self::Subset(subset) => subset >> place & 1 == 1,
            Self::Nothing => false,
            Self::Everything => true,
            Self::NoData => !matches!(unit, Unit::Sector(..)),
            Self::NoNames => !matches!(unit, Unit::Name(_)),
            Self::Only(chosen) => place == chosen,
            Self::Without(chosen) => place != chosen,
            Self::UpTo(chosen) => place <= chosen,
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
    use std::cell::Cell;

    fn at_risk(names: usize, files: &[(bool, u64, u64)]) -> AtRisk {
        let file = |(truncate, bytes, sectors): &(bool, u64, u64)| FileAtRisk {
            path: "/a".into(),
            truncate: *truncate,
            bytes: *bytes,
            sectors: *sectors,
        };
        AtRisk { names: vec!["create /a".into(); names], files: files.iter().map(file).collect() }
    }

    fn all(at_risk: &AtRisk, max: usize) -> Vec<Kept> {
        images(at_risk, max, &|| true).collect()
    }

    fn lines(at_risk: &AtRisk, max: usize) -> Vec<String> {
        all(at_risk, max).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn nothing_at_risk_is_one_image() {
        assert_eq!(lines(&AtRisk::default(), 16), ["nothing"]);
        assert!(is_complete(&AtRisk::default(), 16));
    }

    #[test]
    fn few_units_have_all_their_subsets_each_once() {
        let at_risk = at_risk(1, &[(false, 600, 2)]);
        assert!(is_complete(&at_risk, 16) && !is_complete(&at_risk, 15));
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
        assert_eq!(lines(&at_risk, 16), expected);
    }

    #[test]
    fn what_follows_a_truncate_is_lost_with_it() {
        let expected = ["nothing", "file 0 truncate", "file 0 truncate 9 bytes", "file 0 truncate sectors 0"];
        assert_eq!(lines(&at_risk(0, &[(true, 9, 1)]), 16), expected);
    }

    #[test]
    fn many_units_have_the_plain_images_and_then_as_many_others_as_the_bound_lets() {
        let at_risk = at_risk(3, &[(false, 5000, 10), (true, 700, 2)]);
        for max in [1, 4, 16, 40] {
            let images = all(&at_risk, max);
            assert!(!is_complete(&at_risk, max));
            assert_eq!(images.len(), max);
            assert_eq!(BTreeSet::from_iter(&images).len(), max);
        }
        let plain = [
            "nothing",
            "names 0-2; file 0 sectors 0-9; file 1 truncate sectors 0-1",
            "names 0-2; file 0 5000 bytes; file 1 truncate 700 bytes",
            "file 0 sectors 0-9; file 1 truncate sectors 0-1",
        ];
        assert_eq!(lines(&at_risk, 4), plain);
        let all = lines(&at_risk, 1000);
        for one in [
            "names 1",
            "file 0 sectors 7",
            "names 0-1",
            "names 0,2; file 0 sectors 0-9; file 1 truncate sectors 0-1",
        ] {
            assert!(all.iter().any(|line| line == one), "{one}");
        }
    }

    /// So many that nobody could wait for them, or hold them.
    #[test]
    fn images_come_one_by_one_until_they_are_not_wanted_any_more() {
        let many = at_risk(40, &[(false, 5000, 10)]);
        assert!(is_complete(&many, usize::MAX));
        assert_eq!(images(&many, usize::MAX, &|| true).take(1000).count(), 1000);
        let asked = Cell::new(0);
        let some = || {
            asked.set(asked.get() + 1);
            asked.get() <= 100
        };
        assert!(images(&many, usize::MAX, &some).count() <= 100);
        // Every second subset has lost the truncate, and all after it: that is one image.
        let same = at_risk(0, &[(true, 9, 50)]);
        asked.set(0);
        assert_eq!(images(&same, usize::MAX, &some).count(), 51);
    }
}
