//! `~` and `$NAME` in paths, as Python's `os.path.expanduser` and `os.path.expandvars` replace them.

use crate::machine::users;
/// The variables of a path and then its home folder, as Ansible reads an option that is a path.
pub fn path(text: &str) -> String {
    path_with(text, &environment)
}

/// As [`path`], with the variables that `variable` knows.
pub fn path_with(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> String {
    home_with(&variables_with(text, variable), variable)
}

/// `~` and `~user` at the start of a path; a user who is not there stays.
pub fn home(path: &str) -> String {
    home_with(path, &environment)
}

/// `$NAME` and `${NAME}` from the environment; what is not set there stays.
pub fn variables(text: &str) -> String {
    variables_with(text, &environment)
}

thread_local! {
    /// The variables of the task that this thread works for.
    static TASK: std::cell::RefCell<Vec<(String, String)>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// Does something with `variables` set over those of the process.
pub fn with_variables<T>(variables: &[(String, String)], work: impl FnOnce() -> T) -> T {
    let before = TASK.replace(variables.to_vec());
    let done = work();
    TASK.set(before);
    done
}

fn environment(name: &str) -> Option<String> {
    let of_task = TASK.with_borrow(|set| {
        let found = set.iter().rev().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone())
    });
    of_task.or_else(|| std::env::var(name).ok())
}

fn home_with(path: &str, variable: &dyn Fn(&str) -> Option<String>) -> String {
    let Some(after) = path.strip_prefix('~') else {
        return path.to_string();
    };
    let (user, rest) = after.split_at(after.find('/').unwrap_or(after.len()));
    let home = match user {
        "" => variable("HOME").or_else(users::home_of_self),
        user => users::user_by_name(user).map(|u| u.home),
    };
    match home {
        Some(home) => match home.trim_end_matches('/') {
            "" if rest.is_empty() => "/".to_string(),
            home => format!("{home}{rest}"),
        },
        None => path.to_string(),
    }
}

fn variables_with(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (name, length) = match rest[1..].strip_prefix('{') {
            Some(braced) => match braced.find('}') {
                Some(end) => (&braced[..end], end + 3),
                None => ("", 1),
            },
            None => {
                let end = rest[1..]
                    .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                    .map_or(rest.len(), |end| end + 1);
                (&rest[1..end], end)
            }
        };
        match (!name.is_empty()).then(|| variable(name)).flatten() {
            Some(value) => out.push_str(&value),
            None => out.push_str(&rest[..length]),
        }
        rest = &rest[length..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_replaced_and_the_rest_stays() {
        let variable = |name: &str| match name {
            "HOME" => Some("/h/".to_string()),
            "A" => Some("x".to_string()),
            "TILDE" => Some("~".to_string()),
            _ => None,
        };
        for (text, expanded) in [
            ("/x/$A/y", "/x/x/y"),
            ("${A}s", "xs"),
            ("$A$A", "xx"),
            ("$NO_A/a", "$NO_A/a"),
            ("${NO_A}/a", "${NO_A}/a"),
            ("a$", "a$"),
            ("${a", "${a"),
            ("$$ ${} $ü", "$$ ${} $ü"),
            ("~", "/h"),
            ("~/a/~", "/h/a/~"),
            ("$TILDE/a", "/h/a"),
            ("~root/a", "/root/a"),
            ("~nosuchuser/a", "~nosuchuser/a"),
            ("a~", "a~"),
        ] {
            assert_eq!(path_with(text, &variable), expanded, "{text}");
        }
        assert_eq!(home_with("~", &|_| Some("/".to_string())), "/");
    }
}
