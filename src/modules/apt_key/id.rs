//! Names of keys: fingerprints and their ends.

use crate::modules::Failure;

/// A key's id as the user gave it, and the lengths of it that programs use.
#[derive(Clone, Debug, PartialEq)]
pub struct Id {
    /// All of it, in capitals and without `0x`.
    pub full: String,
    /// The last 8 digits.
    pub short: String,
    /// The last 16 digits, or the 8 that there are: what it is found by among keys.
    pub found_by: String,
}

impl Id {
    /// Fails with Ansible's message for what is no id.
    pub fn parse(given: Option<&str>) -> Result<Id, Failure> {
        let invalid = || {
            let shown = given.map_or(crate::Value::Null, crate::Value::str);
            Failure::new("Invalid key_id").with("id", shown)
        };
        let text = given.ok_or_else(invalid)?.to_uppercase();
        let full = text.strip_prefix("0X").unwrap_or(&text);
        let enough = matches!(full.len(), 8 | 16..);
        if !enough || !full.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(invalid());
        }
        let end = |digits: usize| full[full.len().saturating_sub(digits)..].to_string();
        Ok(Id {
            full: full.to_string(),
            short: end(8),
            found_by: end(16),
        })
    }

    /// Whether only 8 digits are known, so that keys are compared by these.
    pub fn is_short(&self) -> bool {
        self.full.len() == 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_8_digits_or_at_least_16() {
        let id = Id::parse(Some("0x6e5a3e0d60a5061d4f0829ee5032bc8d783a320d")).unwrap();
        assert_eq!(id.full, "6E5A3E0D60A5061D4F0829EE5032BC8D783A320D");
        assert_eq!(id.found_by, "5032BC8D783A320D");
        assert_eq!(id.short, "783A320D");
        assert!(Id::parse(Some("783a320d")).unwrap().is_short());
        for bad in [
            None,
            Some(""),
            Some("ABCDEF"),
            Some("0123456789AB"),
            Some("xyzxyzxy"),
        ] {
            assert_eq!(Id::parse(bad).unwrap_err().msg, "Invalid key_id");
        }
    }
}
