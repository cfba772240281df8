//! `password`: a random password that is kept in a file on the controller.
//!
//! Follows <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/password_lookup.html>.

use super::Lookup;
use super::terms::{self, no_more_options, take};
use crate::Result;
use crate::search::expand_home;
use crate::template::call::{Call, error};
use crate::template::filters::hash;
use crate::template::filters::paths;
use crate::template::python;
use crate::template::random::Random;
use crate::template::regex::{self, Flags};
use crate::value::{Map, Value};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/// What a term and the options of the call ask for.
struct Wanted {
    path: PathBuf,
    length: usize,
    chars: Vec<String>,
    encrypt: Option<String>,
    ident: Option<String>,
    seed: Option<Value>,
}

const OPTIONS: &[&str] = &["length", "encrypt", "chars", "ident", "seed"];

fn wanted(call: &Call, term: &Value, options: &Map) -> Result<Wanted> {
    let text = python::str(term);
    // the path may hold spaces: options start at the first word with `=`
    let option = regex::compile(r"\s+\w+=", Flags::default())?;
    let cut = regex::search(&option, &text)?
        .and_then(|c| c.get(0))
        .map_or(text.len(), |m| m.start());
    let (path, rest) = text.split_at(cut);
    let mut all = options.clone();
    for (name, value) in terms::split(&Value::str(rest))?.pairs {
        if !OPTIONS.contains(&name.as_str()) {
            return Err(error(format!(
                "Unrecognized parameter(s) given to password lookup: {name}"
            )));
        }
        all.insert(name.into(), value.into());
    }
    let length = match all.get("length") {
        None => 20,
        Some(v) => python::str(v).parse().map_err(|_| {
            error(format!(
                "Config 'length' for 'password' lookup plugin from 'Direct' has an invalid value: Invalid value provided for 'integer': {}",
                python::repr(v)
            ))
        })?,
    };
    let chars = match all.get("chars") {
        None | Some(Value::Null) => vec![
            "ascii_letters".to_string(),
            "digits".to_string(),
            ".,:-_".to_string(),
        ],
        Some(Value::List(items)) => items.iter().map(python::str).collect(),
        Some(text) => {
            let text = python::str(text);
            // a doubled comma is the character itself
            let mut parts: Vec<String> = Vec::new();
            if text.contains(",,") {
                parts.push(",".into());
            }
            parts.extend(
                text.replace(",,", ",")
                    .split(',')
                    .filter(|p| !p.is_empty())
                    .map(String::from),
            );
            parts
        }
    };
    let given = |name: &str| all.get(name).filter(|v| !v.is_null());
    let path = path.trim();
    let path = expand_home(path);
    let path = match call.templar.files().roots.last() {
        Some(folder) if path.is_relative() => folder.join(path),
        _ => path,
    };
    Ok(Wanted {
        path: PathBuf::from(paths::normalize(&path.to_string_lossy())),
        length,
        chars,
        encrypt: given("encrypt")
            .map(python::str)
            .filter(|scheme| !scheme.is_empty()),
        ident: given("ident").map(python::str),
        seed: given("seed").cloned(),
    })
}

/// The characters that names such as `digits` stand for; other words are the characters themselves.
fn alphabet(chars: &[String]) -> Vec<char> {
    let mut out = String::new();
    for part in chars {
        match part.as_str() {
            "ascii_letters" => out.push_str(LETTERS),
            "ascii_lowercase" => out.push_str(&LETTERS[..26]),
            "ascii_uppercase" => out.push_str(&LETTERS[26..]),
            "digits" => out.push_str(DIGITS),
            "hexdigits" => out.push_str("0123456789abcdefABCDEF"),
            "octdigits" => out.push_str("01234567"),
            "punctuation" => out.push_str(PUNCTUATION),
            "whitespace" => out.push_str(" \t\n\r\u{b}\u{c}"),
            "printable" => {
                for part in [DIGITS, LETTERS, PUNCTUATION, " \t\n\r\u{b}\u{c}"] {
                    out.push_str(part);
                }
            }
            other => out.push_str(other),
        }
    }
    out.replace(['"', '\''], "").chars().collect()
}

fn generate(wanted: &Wanted) -> Result<String> {
    let alphabet = alphabet(&wanted.chars);
    if alphabet.is_empty() {
        return Err(error("password: there are no characters to choose from"));
    }
    let mut random = Random::new(wanted.seed.as_ref())?;
    (0..wanted.length)
        .map(|_| Ok(alphabet[random.below(alphabet.len() as u64)? as usize]))
        .collect()
}

/// What a password file says: the password, and the salt it is encrypted with.
fn parse(content: &str) -> (String, Option<String>) {
    let content = content.trim_end_matches(['\n', '\r']);
    let content = content.rsplit_once(" ident=").map_or(content, |(c, _)| c);
    match content.rsplit_once(" salt=") {
        Some((password, salt)) => (password.to_string(), Some(salt.to_string())),
        None => (content.to_string(), None),
    }
}

/// Opens the file, making it and its folder for the user alone where they are missing, and locks it.
fn open(path: &Path) -> Result<File> {
    let fail = |e: std::io::Error| error(format!("password: {}: {e}", path.display()));
    if let Some(folder) = path.parent().filter(|f| !f.exists()) {
        let mut builder = DirBuilder::new();
        builder
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(fail)?;
    }
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(fail)?;
    // hosts that run at once must get one password
    file.lock().map_err(fail)?;
    Ok(file)
}

fn one(call: &Call, term: &Value, options: &Map) -> Result<Value> {
    let wanted = wanted(call, term, options)?;
    // passwords for /dev/null are made anew each time
    let throwaway = wanted.path == Path::new("/dev/null");
    let mut file = match throwaway {
        true => None,
        false => Some(open(&wanted.path)?),
    };
    let mut content = String::new();
    if let Some(file) = &mut file {
        file.read_to_string(&mut content)
            .map_err(|e| error(format!("password: {}: {e}", wanted.path.display())))?;
    }
    let (mut password, mut salt) = parse(&content);
    let mut changed = false;
    if content.is_empty() {
        password = generate(&wanted)?;
        changed = true;
    }
    if let Some(kind) = &wanted.encrypt
        && salt.is_none()
    {
        salt = Some(hash::random_salt(if kind.starts_with("md5") {
            8
        } else {
            16
        })?);
        changed = true;
    }
    if changed && let Some(file) = &mut file {
        let mut line = password.clone();
        if let (Some(salt), Some(_)) = (&salt, &wanted.encrypt) {
            line.push_str(&format!(" salt={salt}"));
        }
        if let Some(ident) = &wanted.ident {
            line.push_str(&format!(" ident={ident}"));
        }
        line.push('\n');
        use std::io::Seek;
        file.rewind()
            .and_then(|()| file.set_len(0))
            .and_then(|()| file.write_all(line.as_bytes()))
            .and_then(|()| file.sync_all())
            .map_err(|e| error(format!("password: {}: {e}", wanted.path.display())))?;
    }
    Ok(match &wanted.encrypt {
        Some(kind) => hash::crypt(&password, kind, salt.as_deref(), None)?.into(),
        None => password.into(),
    })
}

fn password(mut call: Call) -> Result<Vec<Value>> {
    let mut options = Map::default();
    for name in OPTIONS {
        if let Some(value) = take(&mut call, name) {
            options.insert((*name).into(), value);
        }
    }
    no_more_options(&call)?;
    call.args
        .iter()
        .map(|term| one(&call, term, &options))
        .collect()
}

pub static LOOKUPS: &[(&str, Lookup)] = &[("password", password)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_file_may_have_a_salt() {
        for (content, password, salt) in [
            ("secret\n", "secret", None),
            ("se cret salt=abc\n", "se cret", Some("abc")),
            ("secret salt=abc ident=2b\n", "secret", Some("abc")),
        ] {
            assert_eq!(parse(content), (password.into(), salt.map(String::from)));
        }
    }
}
