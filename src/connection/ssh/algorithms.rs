//! Which algorithms are offered, and in which order.

use super::options::Algorithms;
use super::patterns;
use ssh2::{MethodType, Session};

/// Those that the processor does in hardware come first: rplay opens many connections at once.
const CIPHERS: &[&str] = &[
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
];

/// Without the old `ssh-rsa`, which is RSA with SHA-1; a configuration can add it.
const HOST_KEYS: &[&str] = &[
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
];

/// Tells libssh2 what to offer. `known` are the kinds of key that are known of the host: they come first, as
/// another would look like a changed one.
///
/// Fails if libssh2 has none of those that are wanted.
pub fn choose(session: &Session, wanted: &Algorithms, known: &[&str]) -> Result<(), String> {
    let is_known = |name: &str| {
        known.contains(&name) || name.starts_with("rsa-") && known.contains(&"ssh-rsa")
    };
    let mut host_keys: Vec<String> = HOST_KEYS.iter().map(|n| n.to_string()).collect();
    if wanted.host_keys.is_none() {
        host_keys.sort_by_key(|name| !is_known(name));
    }
    let ciphers = || CIPHERS.iter().map(|n| n.to_string()).collect();
    for (kinds, what, list, usual) in [
        (&[MethodType::Kex][..], "KexAlgorithms", &wanted.kex, None),
        (
            &[MethodType::HostKey],
            "HostKeyAlgorithms",
            &wanted.host_keys,
            Some(host_keys),
        ),
        (
            &[MethodType::CryptCs, MethodType::CryptSc],
            "Ciphers",
            &wanted.ciphers,
            Some(ciphers()),
        ),
        (
            &[MethodType::MacCs, MethodType::MacSc],
            "MACs",
            &wanted.macs,
            None,
        ),
    ] {
        if list.is_none() && usual.is_none() {
            continue;
        }
        for kind in kinds {
            let supported = session.supported_algs(*kind).unwrap_or_default();
            let usual = usual
                .clone()
                .unwrap_or_else(|| supported.iter().map(|n| n.to_string()).collect());
            let mut chosen = combine(usual, list.as_deref().unwrap_or("+"));
            chosen.retain(|name| supported.contains(&name.as_str()));
            if chosen.is_empty() {
                let list = list.as_deref().unwrap_or_default();
                return Err(format!("{what} {list}"));
            }
            session
                .method_pref(*kind, &chosen.join(","))
                .map_err(|e| format!("{what}: {}", e.message()))?;
        }
    }
    Ok(())
}

/// A list as `ssh_config(5)` has it: alone, or with `+`, `-` or `^` before it.
fn combine(usual: Vec<String>, list: &str) -> Vec<String> {
    let names = |list: &str| -> Vec<String> {
        let names = list.split(',').map(|n| n.trim().to_string());
        names.filter(|n| !n.is_empty()).collect()
    };
    let first_of = |lists: [Vec<String>; 2]| {
        let mut all: Vec<String> = Vec::new();
        for name in lists.into_iter().flatten() {
            if !all.contains(&name) {
                all.push(name);
            }
        }
        all
    };
    match list.split_at_checked(1) {
        Some(("+", more)) => first_of([usual, names(more)]),
        Some(("^", first)) => first_of([names(first), usual]),
        Some(("-", less)) => {
            let less = names(less);
            let kept = usual.into_iter();
            kept.filter(|n| !less.iter().any(|p| patterns::matches(p, n)))
                .collect()
        }
        _ => names(list),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_combined_as_ssh_does() {
        for (list, expected) in [
            ("+c,a", "a,b,c"),
            ("^c,b", "c,b,a"),
            ("-a*", "b"),
            ("c,a", "c,a"),
        ] {
            let usual = vec!["a".to_string(), "b".to_string()];
            assert_eq!(combine(usual, list).join(","), expected);
        }
    }

    #[test]
    fn libssh2_has_what_is_preferred() {
        let session = Session::new().unwrap();
        choose(&session, &Algorithms::default(), &["ssh-rsa"]).unwrap();
        let ciphers = session.supported_algs(MethodType::CryptCs).unwrap();
        assert!(ciphers.contains(&CIPHERS[0]), "{ciphers:?}");
        let none = Algorithms {
            ciphers: Some("rot13".to_string()),
            ..Algorithms::default()
        };
        assert_eq!(choose(&session, &none, &[]).unwrap_err(), "Ciphers rot13");
    }
}
