//! Names and passwords of hosts from `~/.netrc`.

/// The login for `host` in the text of such a file, or its default.
pub fn login(text: &str, host: &str) -> Option<(String, String)> {
    let mut words = text
        .lines()
        .map(|l| match l.trim_start().starts_with('#') {
            true => "",
            false => l,
        })
        .flat_map(str::split_whitespace);
    let (mut here, mut user, mut password) = (false, None, None);
    while let Some(word) = words.next() {
        match word {
            "machine" | "default" => {
                if here {
                    break;
                }
                here = word == "default" || words.next() == Some(host);
            }
            "login" | "user" => user = words.next().filter(|_| here).or(user),
            "password" => password = words.next().filter(|_| here).or(password),
            "account" => drop(words.next()),
            _ => {}
        }
    }
    here.then(|| {
        let own = |w: Option<&str>| w.unwrap_or_default().to_string();
        (own(user), own(password))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_own_entry_is_found() {
        let text = "machine a login ua password pa\n# machine h login no\nmachine h\n  login u\n  password p\ndefault login d password e\n";
        for (host, user, password) in [("a", "ua", "pa"), ("h", "u", "p"), ("x", "d", "e")] {
            assert_eq!(
                login(text, host),
                Some((user.into(), password.into())),
                "{host}"
            );
        }
        assert_eq!(login("machine a login b password c", "x"), None);
    }
}
