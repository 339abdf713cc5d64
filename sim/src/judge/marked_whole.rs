//! For I4: an output in directories says of a batch that it is whole only when it is.
//!
//! The engine writes `records: N` into the file `_SUCCESS` of a batch's directory when all of its records stand beside it. Verified: on
//! the disk as every life found it and as the last one left it, each directory in which that stands has N lines in its other
//! files, hidden ones left out. Not verified: which lines, since the model knows them, and what stood there between two starts.

use crate::run::{Evidence, Image};
use std::collections::BTreeMap;

const MARK: &str = "_SUCCESS";

/// Each directory that calls itself whole and is not.
pub(super) fn false_marks(evidence: &Evidence) -> Vec<String> {
    let found = evidence.lives.iter().map(|life| (format!("life {} found", life.life), &life.image));
    let images = found.chain([("the last life left".to_owned(), &evidence.last_image)]);
    images
        .flat_map(|(who, image)| of_image(image).into_iter().map(move |mark| format!("{who} {mark}")))
        .collect()
}

fn of_image(image: &Image) -> Vec<String> {
    let mut lines: BTreeMap<&str, u64> = BTreeMap::new();
    for (path, bytes) in image {
        if let Some((directory, name)) = path.rsplit_once('/')
            && name != MARK
            && !name.starts_with('.')
        {
            *lines.entry(directory).or_default() +=
                bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        }
    }
    let marks = image.iter().filter_map(|(path, bytes)| {
        let (directory, name) = path.rsplit_once('/')?;
        let records: u64 =
            str::from_utf8(bytes).ok()?.strip_prefix("records: ")?.strip_suffix('\n')?.parse().ok()?;
        let there = lines.get(directory).copied().unwrap_or_default();
        (name == MARK && there != records)
            .then(|| format!("{path}, which says that {records} records are there, beside {there}"))
    });
    marks.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_before_its_records_is_told_and_one_that_is_not_whole_says_nothing() {
        let image = |files: &[(&str, &str)]| -> Image {
            files
                .iter()
                .map(|(name, text)| (format!("/output/out-1000/{name}"), text.as_bytes().to_vec()))
                .collect()
        };
        let whole = [(MARK, "records: 2\n"), ("part-00000", "a\nb\n")];
        assert_eq!(of_image(&image(&whole)), [""; 0]);
        assert_eq!(of_image(&image(&[(MARK, "records: 0\n")])), [""; 0]);
        for cut in ["", "rec", "records: 1"] {
            assert_eq!(of_image(&image(&[(MARK, cut)])), [""; 0], "{cut:?}");
        }
        for early in ["", "a\n", "a\nb"] {
            let told = of_image(&image(&[(MARK, "records: 2\n"), ("part-00000", early)]));
            assert!(told.len() == 1 && told[0].contains("2 records are there"), "{told:?}");
            let hidden =
                [(MARK, "records: 2\n"), ("part-00000", early), (".part-00000.0000000003", "a\nb\n")];
            assert_eq!(of_image(&image(&hidden)), told);
        }
    }
}
