//! Weights of clicks as targets, from a column such as a rating, an event type or seconds of dwelling.

use crate::error::excerpt;

/// Weights of a column's values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Worths {
    /// Values and their weights; if empty, a cell's number is its weight.
    known: Vec<(String, f32)>,
}

impl Worths {
    /// From `VALUE=WEIGHT` pairs.
    ///
    /// # Errors
    /// Names a pair that is malformed, has a weight outside `0..=1`, or repeats a value.
    pub fn new(pairs: &[String]) -> Result<Self, String> {
        let mut known: Vec<(String, f32)> = Vec::new();
        for pair in pairs {
            let parts = pair.rsplit_once('=');
            let (value, weight) = parts.ok_or_else(|| format!("{pair}: expected VALUE=WEIGHT"))?;
            let weight = share(weight).map_err(|found| format!("{pair}: a weight {found}"))?;
            if known.iter().any(|(other, _)| same(other, value)) {
                return Err(format!("{value} has two weights"));
            }
            known.push((value.to_owned(), weight));
        }
        Ok(Self { known })
    }

    /// The weight of a cell.
    ///
    /// # Errors
    /// Says why a cell has no weight.
    pub fn of(&self, cell: Option<&str>) -> Result<f32, String> {
        let cell = cell.map(str::trim).filter(|cell| !cell.is_empty());
        let cell = cell.ok_or("the weight is empty")?;
        if self.known.is_empty() {
            return share(cell).map_err(|found| {
                format!(
                    "a weight {found}: say what each value is worth, as in --weight-of {}=1",
                    excerpt(cell)
                )
            });
        }
        let found = self.known.iter().find(|(value, _)| same(value, cell));
        let found = found.ok_or_else(|| {
            let cell = excerpt(cell);
            format!("{cell} has no weight: add --weight-of {cell}=WEIGHT")
        })?;
        Ok(found.1)
    }
}

/// A number from 0 to 1, or why it is not one.
fn share(text: &str) -> Result<f32, String> {
    let number: Option<f32> = text.trim().parse().ok();
    let share = number.filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| format!("is {}, but must be a number from 0 to 1", excerpt(text)))
}

/// Whether two cells are the same text or the same number: 5 and 5.0 are one rating.
fn same(a: &str, b: &str) -> bool {
    let numbers = a.parse::<f64>().ok().zip(b.parse::<f64>().ok());
    a == b || numbers.is_some_and(|(a, b)| a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worths(pairs: &[&str]) -> Result<Worths, String> {
        Worths::new(
            &pairs
                .iter()
                .map(|&pair| pair.to_owned())
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn a_cell_is_worth_what_is_said_of_it_or_itself() {
        let ratings = worths(&["5=1", "4=1", "3=0.4", "1=0.05"]).expect("pairs");
        assert_eq!(ratings.of(Some("5.0")), Ok(1.0));
        assert_eq!(ratings.of(Some(" 3 ")), Ok(0.4));
        let events = worths(&["view=0.2", "a=b=1"]).expect("pairs");
        assert_eq!(events.of(Some("view")), Ok(0.2));
        assert_eq!(events.of(Some("a=b")), Ok(1.0));
        let plain = worths(&[]).expect("pairs");
        assert_eq!(plain.of(Some("0")), Ok(0.0));
        assert_eq!(plain.of(Some("0.75")), Ok(0.75));
    }

    #[test]
    fn what_has_no_weight_is_said() {
        let told = |worths: &Worths, cell| worths.of(cell).expect_err("no weight");
        let plain = Worths::default();
        for cell in ["4", "-1", "NaN", "inf", "view"] {
            let told = told(&plain, Some(cell));
            assert!(
                told.contains(cell) && told.contains(&format!("--weight-of {cell}=1")),
                "{told}"
            );
        }
        assert!(told(&plain, None).contains("empty"));
        assert!(told(&plain, Some(" ")).contains("empty"));
        let ratings = worths(&["5=1"]).expect("a pair");
        assert!(told(&ratings, Some("4")).contains("--weight-of 4=WEIGHT"));
        for (pairs, due) in [
            (&["5"][..], "expected VALUE=WEIGHT"),
            (&["5=2"], "is 2, but must be a number from 0 to 1"),
            (&["5=-0.1"], "is -0.1"),
            (&["5=x"], "is x"),
            (&["5=1", "5.0=0.5"], "two weights"),
        ] {
            let told = worths(pairs).expect_err("wrong");
            assert!(told.contains(due), "{told}");
        }
    }
}
