//! Passwords: whether one is a hash, how it is set, and when it ends.
//!
//! A hash is a secret: it goes to `chpasswd` over its input, never as an argument that others could read.

use super::args::{Args, UpdatePassword};
use super::{Returns, existing, failure};
use crate::machine::{Machine, users};
use crate::modules::Failure;
use crate::modules::common::tool;

/// Whether a text could be what the system keeps as a password: a hash, or a word for none.
pub fn is_hash(text: &str) -> bool {
    if text.is_empty() || ["*", "!", "*************"].contains(&text) {
        return true;
    }
    if text.contains([':', '*', '!']) {
        return false;
    }
    let fields: Vec<&str> = text.split('$').collect();
    let [_, method, .., digest] = fields.as_slice() else {
        return false;
    };
    let length = match *method {
        "1" => Some(22),
        "5" => Some(43),
        "6" => Some(86),
        _ => None,
    };
    digest
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '='))
        && length.is_none_or(|l| digest.len() == l)
}

/// The password that the user is to have, where that is another one than `now`.
pub fn wanted(args: &Args, now: Option<&str>) -> Option<String> {
    let given = args.password.as_deref()?;
    if let Some(now) = now {
        let same = now.trim_start_matches('!') == given.trim_start_matches('!');
        if same || args.update_password == UpdatePassword::OnCreate {
            return None;
        }
    }
    Some(match args.password_lock {
        Some(true) => format!("!{}", given.trim_start_matches('!')),
        _ => given.to_string(),
    })
}

/// Sets the password.
pub fn set(
    args: &Args,
    password: &str,
    machine: &mut Machine,
    returns: &mut Returns,
) -> Result<(), Failure> {
    if password.contains(['\n', '\r']) || args.name.contains(['\n', ':']) {
        return Err(failure(
            args,
            "the password's hash is more than one line",
            1,
        ));
    }
    let mut command = tool::command([tool::find(machine, "chpasswd")?.as_str(), "-e"]);
    command.stdin = Some(format!("{}:{password}\n", args.name).into_bytes());
    let output = tool::perform(machine, &command, "the password is set")?;
    returns.take(args, &output)
}

/// Sets the days after which the password ends, as far as they are others.
pub fn expire(args: &Args, machine: &mut Machine, returns: &mut Returns) -> Result<(), Failure> {
    let Some(account) = existing(args) else {
        return Ok(());
    };
    let now = users::shadow_of(&account.name).unwrap_or_default();
    let wanted = [
        ("-M", args.password_expire_max, now.max),
        ("-m", args.password_expire_min, now.min),
        ("-W", args.password_expire_warn, now.warn),
        ("-I", args.password_expire_account_disable, now.inactive),
    ];
    let mut words = Vec::new();
    for (option, wanted, now) in wanted {
        if let Some(days) = wanted
            && now.unwrap_or(-1) != days
        {
            words.extend([option.to_string(), days.to_string()]);
        }
    }
    if words.is_empty() {
        return Ok(());
    }
    words.insert(0, tool::find(machine, "chage")?);
    words.push(args.name.clone());
    let output = tool::run(machine, words, "the end of the password is set")?;
    returns.take(args, &output)
}

#[cfg(test)]
mod tests {
    use super::is_hash;

    #[test]
    fn hashes_are_told_from_passwords() {
        let sha512 = format!("$6$saltsalt${}", "a".repeat(86));
        let cases = [
            ("", true),
            ("*", true),
            ("!", true),
            ("secret", false),
            ("pass$word", false),
            ("a:b", false),
            ("!x", false),
            (sha512.as_str(), true),
            ("$6$saltsalt$short", false),
            ("$y$j9T$salt$abcDEF./", true),
            ("$2b$12$abc-def", false),
        ];
        for (text, expected) in cases {
            assert_eq!(is_hash(text), expected, "{text}");
        }
    }
}
