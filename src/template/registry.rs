//! A table of functions by name: the form that filters, tests and lookups have in common.

/// Functions by bare name, family after family; each family is in the order of the names.
pub struct Registry<F: 'static>(pub &'static [&'static [(&'static str, F)]]);

impl<F: Copy> Registry<F> {
    /// The function of that name.
    pub fn find(&self, name: &str) -> Option<F> {
        self.entries().find(|(n, _)| *n == name).map(|(_, f)| *f)
    }

    /// All names, for "did you mean".
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.entries().map(|(name, _)| *name)
    }

    fn entries(&self) -> impl Iterator<Item = &'static (&'static str, F)> {
        self.0.iter().flat_map(|family| family.iter())
    }
}

#[cfg(test)]
mod laws {
    use super::Registry;
    use crate::template::{filters, lookups, tests};

    #[test]
    fn each_name_is_there_once_and_in_order() {
        check(&filters::ALL);
        check(&tests::ALL);
        check(&lookups::ALL);
    }

    fn check<F: Copy>(registry: &Registry<F>) {
        for family in registry.0 {
            let sorted = family.is_sorted_by(|(a, _), (b, _)| a < b);
            assert!(sorted, "the family of {}", family[0].0);
        }
        let mut all: Vec<_> = registry.names().collect();
        all.sort_unstable();
        for pair in all.windows(2) {
            assert!(pair[0] != pair[1], "{} is there twice", pair[0]);
        }
    }
}
