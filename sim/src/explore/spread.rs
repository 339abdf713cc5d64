//! An order that reaches every part of a range early: each number once, a fixed step apart.

/// The numbers below a total, spread.
#[derive(Clone, Debug)]
pub(super) struct Spread {
    total: u64,
    step: u64,
    next: u64,
    left: u64,
}

impl Spread {
    pub(super) fn over(total: u64) -> Self {
        // The golden section of the range, or the step nearest to it that comes by every number.
        let golden = (u128::from(total) * 618_034 / 1_000_000) as u64;
        let near = (0..golden).flat_map(|far| [golden + far, golden - far]);
        let step = near.into_iter().find(|step| gcd(*step, total) == 1).unwrap_or(1);
        Self { total, step, next: 0, left: total }
    }
}

impl Iterator for Spread {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.left = self.left.checked_sub(1)?;
        let number = self.next;
        self.next = ((u128::from(number) + u128::from(self.step)) % u128::from(self.total)) as u64;
        Some(number)
    }
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_comes_once_and_the_first_ones_are_spread() {
        for total in (0..200).chain([1000, 4096, 9699]) {
            let mut numbers: Vec<u64> = Spread::over(total).collect();
            if total >= 100 {
                let tenths: std::collections::BTreeSet<u64> =
                    numbers[..30].iter().map(|n| n * 10 / total).collect();
                assert!(tenths.len() >= 9, "of {total}");
            }
            numbers.sort_unstable();
            assert!(numbers.into_iter().eq(0..total), "{total}");
        }
    }
}
