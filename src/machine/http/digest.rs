//! Digest authentication (RFC 7616).

use crate::machine::files::hex;
use sha1::Digest;

/// What a server that asks for it says: the parameters of its `WWW-Authenticate`.
pub struct Challenge(Vec<(String, String)>);

impl Challenge {
    /// None if the header asks for something else.
    pub fn parse(header: &str) -> Option<Challenge> {
        let (scheme, rest) = header.trim().split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let mut parameters = Vec::new();
        let mut rest = rest;
        while let Some((name, after)) = rest.split_once('=') {
            let (value, next) = match after.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"')?,
                None => after.split_at(after.find(',').unwrap_or(after.len())),
            };
            let name = name.trim().trim_start_matches(',').trim();
            parameters.push((name.to_ascii_lowercase(), value.trim().to_string()));
            rest = next.trim_start().trim_start_matches(',');
        }
        Some(Challenge(parameters))
    }

    fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(n, _)| n == name);
        found.next().map(|(_, v)| v.as_str())
    }

    /// The `Authorization` that answers it; none if the server wants an algorithm or a protection that is not known.
    pub fn answer(
        &self,
        (user, password): (&str, &str),
        method: &str,
        target: &str,
    ) -> Option<String> {
        self.answer_with(
            (user, password),
            method,
            target,
            &crate::secret::random_name(),
        )
    }

    fn answer_with(
        &self,
        (user, password): (&str, &str),
        method: &str,
        target: &str,
        client: &str,
    ) -> Option<String> {
        let algorithm = self.get("algorithm").unwrap_or("MD5");
        let (plain, session) = match algorithm.to_ascii_lowercase().strip_suffix("-sess") {
            Some(plain) => (plain.to_string(), true),
            None => (algorithm.to_ascii_lowercase(), false),
        };
        let hash: fn(&str) -> String = match plain.as_str() {
            "md5" => |text| hex(&md5::Md5::digest(text)),
            "sha" => |text| hex(&sha1::Sha1::digest(text)),
            "sha-256" => |text| hex(&sha2::Sha256::digest(text)),
            _ => return None,
        };
        let (realm, nonce) = (self.get("realm")?, self.get("nonce")?);
        let qop = match self.get("qop") {
            None => None,
            Some(offered) => Some(offered.split(',').map(str::trim).find(|q| *q == "auth")?),
        };
        let mut who = hash(&format!("{user}:{realm}:{password}"));
        if session {
            who = hash(&format!("{who}:{nonce}:{client}"));
        }
        let what = hash(&format!("{method}:{target}"));
        let response = match qop {
            Some(qop) => hash(&format!("{who}:{nonce}:00000001:{client}:{qop}:{what}")),
            None => hash(&format!("{who}:{nonce}:{what}")),
        };
        let mut answer = format!(
            "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{target}\", response=\"{response}\""
        );
        if let Some(opaque) = self.get("opaque") {
            answer.push_str(&format!(", opaque=\"{opaque}\""));
        }
        answer.push_str(&format!(", algorithm={algorithm}"));
        if let Some(qop) = qop {
            answer.push_str(&format!(", qop={qop}, nc=00000001, cnonce=\"{client}\""));
        }
        Some(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_rfc() {
        let login = ("Mufasa", "Circle of Life");
        let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
        let client = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        for (algorithm, response) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            (
                "SHA-256",
                "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            ),
        ] {
            let header = format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
                 nonce=\"{nonce}\", opaque=\"x\""
            );
            let challenge = Challenge::parse(&header).unwrap();
            let answer = challenge.answer_with(login, "GET", "/dir/index.html", client);
            assert!(answer.unwrap().contains(response), "{algorithm}");
        }
        assert!(Challenge::parse("Basic realm=\"x\"").is_none());
    }
}
