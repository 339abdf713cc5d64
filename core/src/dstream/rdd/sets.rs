//! Operations that tell equal records from others. They compute at once, by a shuffle.

use super::{Data, Key, Rdd, joins::cogrouped};

impl<T: Key> Rdd<T> {
    /// Each record once.
    pub fn distinct(self) -> Rdd<T> {
        self.map(|record| (record, ())).reduce_by_key(|(), ()| ()).keys()
    }

    /// Each record once, with how often it is there.
    pub fn count_by_value(self) -> Rdd<(T, u64)> {
        self.map(|record| (record, 1)).reduce_by_key(|a, b| a + b)
    }

    /// The records that the other has not at all, with their duplicates.
    pub fn subtract(self, other: Rdd<T>) -> Rdd<T> {
        let (combined, workers) = cogrouped(self.marked(), other.marked());
        Rdd::of_shuffle(combined, workers, |record, (here, there), emit| {
            if there.is_empty() {
                here.iter().for_each(|()| emit(record.clone()));
            }
        })
    }

    /// The records that both have, each once.
    pub fn intersection(self, other: Rdd<T>) -> Rdd<T> {
        let (combined, workers) = cogrouped(self.marked(), other.marked());
        Rdd::of_shuffle(combined, workers, |record, (here, there), emit| {
            if !here.is_empty() && !there.is_empty() {
                emit(record.clone());
            }
        })
    }

    /// Each record as a key without a value. A list of these takes no memory, it counts.
    fn marked(self) -> Rdd<(T, ())> {
        self.map(|record| (record, ()))
    }
}

impl<T: Data> Rdd<T> {
    /// All records for each key that `f` makes of them, in their order.
    pub fn group_by<K: Key>(self, f: impl Fn(&T) -> K + Send + Sync + 'static) -> Rdd<(K, Vec<T>)> {
        self.key_by(f).group_by_key()
    }
}

#[cfg(test)]
mod tests {
    use crate::dstream::in_line::{rdd, sorted, splits};

    #[test]
    fn subtract_removes_every_copy_and_keeps_the_duplicates_of_the_rest() {
        for left in splits(&[1, 1, 2, 3, 2, 1]) {
            for right in splits(&[2, 5, 2]) {
                assert_eq!(sorted(left.clone().subtract(right)), [1, 1, 1, 3]);
            }
            assert_eq!(sorted(left.clone().subtract(rdd([]))), [1, 1, 1, 2, 2, 3]);
            assert!(rdd([]).subtract(left).is_empty());
        }
    }

    #[test]
    fn an_intersection_has_each_record_once() {
        for left in splits(&[1, 1, 2, 3, 2]) {
            for right in splits(&[2, 1, 2, 1, 7]) {
                assert_eq!(sorted(left.clone().intersection(right)), [1, 2]);
            }
        }
    }

    #[test]
    fn the_order_of_distinct_records_does_not_depend_on_how_they_are_split() {
        let words = ["the", "a", "the", "whale", "a", "sea", "the"].map(String::from);
        let expected = rdd([words.to_vec()]).distinct().collect();
        assert_eq!(expected.len(), 4);
        for split in splits(&words) {
            assert_eq!(split.clone().distinct().collect(), expected);
            let counts = split.count_by_value();
            assert_eq!(counts.clone().keys().collect(), expected);
            assert_eq!(counts.lookup(&"the".to_owned()), [3]);
        }
    }

    #[test]
    fn groups_keep_the_order_of_their_records() {
        for split in splits(&[5, 2, 7, 4, 2]) {
            let groups = split.group_by(|number| number % 2);
            assert_eq!(sorted(groups), [(0, vec![2, 4, 2]), (1, vec![5, 7])]);
        }
    }
}
