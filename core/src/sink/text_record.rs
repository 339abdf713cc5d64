//! How a record reads where it is written as text: as Spark shows it, so that what reads the one reads the other.

use crate::{
    ids::BatchTime,
    text::{Text, Word},
};
use std::fmt::Write;

/// A record that [`print`](crate::DStream::print) and [`save_as_text_files`](crate::DStream::save_as_text_files) write as text: a text
/// as it is, a number in digits, a pair as `(the,3)`, an option as `Some(3)` or `None`, a list as `[1, 2]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no text of its own",
    note = "make a text of each record first: `.map(|record| format!(\"{{record:?}}\"))`"
)]
pub trait TextRecord {
    /// Appends the record's text, without an end of line.
    fn write_text(&self, out: &mut String);
}

macro_rules! formatted {
    ($format:literal: $($record:ty),+) => {$(
        impl TextRecord for $record {
            fn write_text(&self, out: &mut String) {
                // A String takes whatever is written to it.
                let _ = write!(out, $format, self);
            }
        }
    )+};
}

formatted!("{}": i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, bool, char);
// Always with a point, as in Spark.
formatted!("{:?}": f32, f64, ());

macro_rules! text {
    ($($record:ty),+) => {$(
        impl TextRecord for $record {
            fn write_text(&self, out: &mut String) {
                out.push_str(self);
            }
        }
    )+};
}

text!(String, &str, Text, Word);

impl TextRecord for BatchTime {
    fn write_text(&self, out: &mut String) {
        self.0.write_text(out);
        out.push_str(" ms");
    }
}

macro_rules! tuple {
    ($first:ident $($rest:ident)+) => {
        impl<$first: TextRecord, $($rest: TextRecord),+> TextRecord for ($first, $($rest),+) {
            #[allow(non_snake_case, reason = "the fields are named as their types")]
            fn write_text(&self, out: &mut String) {
                let ($first, $($rest),+) = self;
                out.push('(');
                $first.write_text(out);
                $(
                    out.push(',');
                    $rest.write_text(out);
                )+
                out.push(')');
            }
        }
    };
}

tuple!(A B);
tuple!(A B C);
tuple!(A B C D);
tuple!(A B C D E);
tuple!(A B C D E F);

impl<T: TextRecord> TextRecord for Option<T> {
    fn write_text(&self, out: &mut String) {
        match self {
            None => out.push_str("None"),
            Some(record) => {
                out.push_str("Some(");
                record.write_text(out);
                out.push(')');
            }
        }
    }
}

impl<T: TextRecord> TextRecord for Vec<T> {
    fn write_text(&self, out: &mut String) {
        out.push('[');
        for (index, record) in self.iter().enumerate() {
            if index > 0 {
                out.push_str(", ");
            }
            record.write_text(out);
        }
        out.push(']');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(record: impl TextRecord) -> String {
        let mut out = String::new();
        record.write_text(&mut out);
        out
    }

    #[test]
    fn records_read_as_in_spark() {
        assert_eq!(text(("the", 3)), "(the,3)");
        assert_eq!(text((Word::from("a"), (1, Some(2.0)), None::<u8>)), "(a,(1,Some(2.0)),None)");
        assert_eq!(text(vec![("x", -1)]), "[(x,-1)]");
        assert_eq!(text((BatchTime(2000), String::from("say \"so\""))), "(2000 ms,say \"so\")");
        assert_eq!(text(((), true, 'c', [1, 2].to_vec())), "((),true,c,[1, 2])");
    }
}
