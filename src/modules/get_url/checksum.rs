//! `checksum: algorithm:digest`, where the digest may be looked up in a file of digests.

use crate::machine::Machine;
use crate::modules::Failure;
use std::io;
use std::path::Path;

/// What a file is to hash to.
pub(super) struct Checksum {
    algorithm: String,
    digest: String,
}

impl Checksum {
    /// `look_up` gets the URL of a file of digests, if that is what the user gave.
    pub fn parse(
        text: &str,
        file_url: &str,
        look_up: impl FnOnce(&str) -> Result<String, Failure>,
    ) -> Result<Checksum, Failure> {
        let (algorithm, value) = text.split_once(':').ok_or_else(|| {
            Failure::new("The checksum parameter has to be in format <algorithm>:<checksum>")
        })?;
        let schemes = ["http://", "https://", "ftp://", "file://"];
        let digest = match schemes.iter().any(|s| value.starts_with(s)) {
            true => {
                let file = super::name_in_url(file_url);
                find(&look_up(value)?, &file).ok_or_else(|| {
                    Failure::new(format!(
                        "Unable to find a checksum for file '{file}' in '{}'",
                        crate::machine::http::shown(value)
                    ))
                })?
            }
            false => value.to_string(),
        };
        let digest: String = digest
            .chars()
            .filter(|c| c.is_alphanumeric() || *c == '_')
            .collect::<String>()
            .to_lowercase();
        if digest.is_empty() || !digest.chars().all(|c| c.is_ascii_hexdigit()) {
            return Err(Failure::new("The checksum format is invalid"));
        }
        Ok(Checksum {
            algorithm: algorithm.trim().to_lowercase(),
            digest,
        })
    }

    /// Whether the file has this digest; if not, the one that it has.
    pub fn check(&self, machine: &Machine, path: &Path) -> Result<Result<(), String>, Failure> {
        let found = digest(machine, path, &self.algorithm)?;
        Ok(match found == self.digest {
            true => Ok(()),
            false => Err(found),
        })
    }

    pub fn digest(&self) -> &str {
        &self.digest
    }
}

fn digest(machine: &Machine, path: &Path, algorithm: &str) -> Result<String, Failure> {
    type Digest = fn(&Machine, &Path) -> io::Result<String>;
    let known: &[(&str, Digest)] = &[
        ("md5", Machine::digest::<md5::Md5>),
        ("sha1", Machine::digest::<sha1::Sha1>),
        ("sha224", Machine::digest::<sha2::Sha224>),
        ("sha256", Machine::digest::<sha2::Sha256>),
        ("sha384", Machine::digest::<sha2::Sha384>),
        ("sha512", Machine::digest::<sha2::Sha512>),
    ];
    let Some((_, digest)) = known.iter().find(|(name, _)| *name == algorithm) else {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        return Err(Failure::new(format!(
            "Could not hash file '{}' with algorithm '{algorithm}'. Available algorithms: {}",
            path.display(),
            names.join(", ")
        )));
    };
    digest(machine, path).map_err(|e| {
        let e = crate::machine::errno_text(&e);
        Failure::new(format!("Could not hash file '{}': {e}", path.display()))
    })
}

/// The digest of `file` in what `sha256sum` and its like write; a lone digest is the file's.
fn find(text: &str, file: &str) -> Option<String> {
    let mut lines = text.lines().map(str::trim).filter(|l| !l.is_empty());
    if let (Some(only), None) = (lines.next(), lines.next())
        && !only.contains(char::is_whitespace)
    {
        return Some(only.to_string());
    }
    text.lines().find_map(|line| {
        let line = line.trim();
        // BSD's form: `SHA256 (name) = digest`
        if let Some((name, digest)) = line.split_once(") = ")
            && name.split_once(" (").is_some_and(|(_, name)| name == file)
        {
            return Some(digest.to_string());
        }
        let (digest, name) = line.split_once(char::is_whitespace)?;
        let name = name.trim().trim_start_matches('*');
        let name = name.strip_prefix("./").unwrap_or(name);
        (name == file).then(|| digest.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_found_in_lists() {
        for (text, found) in [
            ("abc\n", Some("abc")),
            ("abc  f\ndef  g\n", Some("abc")),
            ("def *g\nabc *f\n", Some("abc")),
            ("def ./g\nabc ./f\n", Some("abc")),
            ("SHA256 (g) = def\nSHA256 (f) = abc\n", Some("abc")),
            ("abc  sub/f\n", None),
            ("def  g\n", None),
            ("", None),
        ] {
            assert_eq!(find(text, "f").as_deref(), found, "{text}");
        }
    }

    #[test]
    fn what_is_no_digest_is_refused() {
        let parse = |text: &str| {
            let look_up = |_: &str| -> Result<String, Failure> { Ok("def  g\n".to_string()) };
            Checksum::parse(text, "http://h/f?x", look_up)
                .map(|c| c.digest)
                .map_err(|e| e.msg)
        };
        assert_eq!(parse("sha256: 00-FF"), Ok("00ff".to_string()));
        assert_eq!(
            parse("sha256:zz").unwrap_err(),
            "The checksum format is invalid"
        );
        assert!(parse("00ff").unwrap_err().contains("has to be in format"));
        assert_eq!(
            parse("sha256:http://h/sums").unwrap_err(),
            "Unable to find a checksum for file 'f' in 'http://h/sums'"
        );
    }
}
