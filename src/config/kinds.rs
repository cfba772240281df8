//! What the values of settings may be, and how they are read.

use crate::expand;
use crate::kv::unquote;
use crate::secret::Secret;
use crate::source::Location;
use crate::value::Value;
use crate::yaml::Duplicates;
use std::path::{Path, PathBuf};

/// Where a value is set.
pub enum Origin {
    File(Location),
    Env(String),
    Default,
}

impl Origin {
    /// The folder that relative paths are relative to: the file's, or where rplay was started.
    fn base(&self) -> PathBuf {
        match self {
            Origin::File(at) => std::path::absolute(&at.source.name)
                .ok()
                .and_then(|p| p.parent().map(Path::to_path_buf))
                .unwrap_or_default(),
            _ => std::env::current_dir().unwrap_or_default(),
        }
    }

    fn path(&self, text: &str) -> PathBuf {
        let here = std::env::current_dir().unwrap_or_default();
        let text = text
            .replace("{{CWD}}", &here.display().to_string())
            .replace("{{ CWD }}", &here.display().to_string());
        crate::search::clean(&self.base().join(expand::path(&text)))
    }
}

/// A type that a setting can have.
pub trait Parse: Sized {
    /// What a value must be, to go after "it must be".
    const WHAT: &'static str;
    /// Reads a value. The error may say more than [`Parse::WHAT`].
    fn parse(text: &str, origin: &Origin) -> Result<Self, Option<String>>;
    /// The value as playbooks see it (`lookup('config', ...)`).
    fn value(&self) -> Value;
}

fn texts<T>(items: &[T], text: impl Fn(&T) -> String) -> Value {
    Value::list(items.iter().map(|i| Value::from(text(i))).collect())
}

impl Parse for bool {
    const WHAT: &'static str = "yes or no";
    fn parse(text: &str, _: &Origin) -> Result<bool, Option<String>> {
        match text.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" | "on" | "1" | "true" | "t" => Ok(true),
            "n" | "no" | "off" | "0" | "false" | "f" | "" => Ok(false),
            _ => Err(None),
        }
    }
    fn value(&self) -> Value {
        Value::Bool(*self)
    }
}

impl Parse for u32 {
    const WHAT: &'static str = "a whole number";
    fn parse(text: &str, _: &Origin) -> Result<u32, Option<String>> {
        text.trim().parse().map_err(|_| None)
    }
    fn value(&self) -> Value {
        Value::Int(i64::from(*self))
    }
}

impl Parse for i64 {
    const WHAT: &'static str = "a whole number, which may be negative";
    fn parse(text: &str, _: &Origin) -> Result<i64, Option<String>> {
        text.trim().parse().map_err(|_| None)
    }
    fn value(&self) -> Value {
        Value::Int(*self)
    }
}

impl Parse for usize {
    const WHAT: &'static str = "a whole number of at least 1";
    fn parse(text: &str, _: &Origin) -> Result<usize, Option<String>> {
        text.trim().parse().ok().filter(|n| *n > 0).ok_or(None)
    }
    fn value(&self) -> Value {
        Value::Int(*self as i64)
    }
}

impl Parse for String {
    const WHAT: &'static str = "text";
    fn parse(text: &str, _: &Origin) -> Result<String, Option<String>> {
        Ok(unquote(text).to_string())
    }
    fn value(&self) -> Value {
        Value::str(self)
    }
}

/// Playbooks do not see it.
impl Parse for Secret {
    const WHAT: &'static str = "text, which is kept secret";
    fn parse(text: &str, _: &Origin) -> Result<Secret, Option<String>> {
        Ok(Secret::new(unquote(text)))
    }
    fn value(&self) -> Value {
        Value::Null
    }
}

/// Nothing where the value is empty.
impl<T: Parse> Parse for Option<T> {
    const WHAT: &'static str = T::WHAT;
    fn parse(text: &str, origin: &Origin) -> Result<Option<T>, Option<String>> {
        if text.is_empty() {
            return Ok(None);
        }
        T::parse(text, origin).map(Some)
    }
    fn value(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::value)
    }
}

impl Parse for Vec<String> {
    const WHAT: &'static str = "a list of words with commas between them";
    fn parse(text: &str, _: &Origin) -> Result<Vec<String>, Option<String>> {
        Ok(words(text))
    }
    fn value(&self) -> Value {
        texts(self, String::clone)
    }
}

fn words(text: &str) -> Vec<String> {
    text.split([',', '\n'])
        .map(|w| unquote(w.trim()).to_string())
        .filter(|w| !w.is_empty())
        .collect()
}

impl Parse for PathBuf {
    const WHAT: &'static str = "a path";
    fn parse(text: &str, origin: &Origin) -> Result<PathBuf, Option<String>> {
        Ok(origin.path(unquote(text)))
    }
    fn value(&self) -> Value {
        Value::from(self.display().to_string())
    }
}

/// Folders with colons between them.
#[derive(Clone, Debug, Default)]
pub struct PathList(pub Vec<PathBuf>);

impl Parse for PathList {
    const WHAT: &'static str = "a list of paths with colons between them";
    fn parse(text: &str, origin: &Origin) -> Result<PathList, Option<String>> {
        Ok(PathList(
            unquote(text)
                .split([':', '\n'])
                .map(str::trim)
                .filter(|p| !p.is_empty())
                .map(|p| origin.path(p))
                .collect(),
        ))
    }
    fn value(&self) -> Value {
        texts(&self.0, |p| p.display().to_string())
    }
}

/// Inventory sources: paths, or one list of host names that ends with a comma.
#[derive(Clone, Debug, Default)]
pub struct HostSources(pub Vec<String>);

impl Parse for HostSources {
    const WHAT: &'static str = "a list of inventory paths with commas between them";
    fn parse(text: &str, origin: &Origin) -> Result<HostSources, Option<String>> {
        let text = unquote(text.trim());
        if text.ends_with(',') && !text.contains('\n') {
            return Ok(HostSources(vec![text.to_string()]));
        }
        let source = |word: String| {
            // the name of an inventory plugin is no path
            if word == "ec2" && !origin.path(&word).exists() {
                word
            } else {
                origin.path(&word).display().to_string()
            }
        };
        Ok(HostSources(words(text).into_iter().map(source).collect()))
    }
    fn value(&self) -> Value {
        texts(&self.0, String::clone)
    }
}

/// A colour's name as the terminal report understands it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Color(pub String);

const COLORS: &[&str] = &[
    "black",
    "bright gray",
    "blue",
    "white",
    "green",
    "bright blue",
    "cyan",
    "bright green",
    "red",
    "bright cyan",
    "purple",
    "bright red",
    "yellow",
    "bright purple",
    "dark gray",
    "bright yellow",
    "magenta",
    "bright magenta",
    "normal",
];

impl Parse for Color {
    const WHAT: &'static str =
        "the name of a colour, such as `green`, `bright blue`, `rgb135` or `color208`";
    fn parse(text: &str, _: &Origin) -> Result<Color, Option<String>> {
        let name = unquote(text).to_lowercase();
        let digits =
            |prefix: &str, valid: fn(&str) -> bool| name.strip_prefix(prefix).is_some_and(valid);
        let known = COLORS.contains(&name.as_str())
            || digits("color", |d| d.parse::<u8>().is_ok())
            || digits("gray", |d| d.parse::<u8>().is_ok_and(|n| n < 24))
            || digits("rgb", |d| {
                d.len() == 3 && d.bytes().all(|b| (b'0'..=b'5').contains(&b))
            });
        known.then_some(Color(name)).ok_or(None)
    }
    fn value(&self) -> Value {
        Value::str(&self.0)
    }
}

/// An enum of which a setting names one.
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$variant_meta])* $variant),* }
        choice!(words $name { $($variant = $word),* });
    };
    (words $name:ident { $($variant:ident = $word:literal),* }) => {
        impl Parse for $name {
            const WHAT: &'static str = choice!(list $($word)*);
            fn parse(text: &str, _: &Origin) -> Result<Self, Option<String>> {
                match unquote(text) {
                    $($word => Ok($name::$variant),)*
                    _ => Err(None),
                }
            }
            fn value(&self) -> Value {
                Value::str(match self {
                    $($name::$variant => $word,)*
                })
            }
        }
    };
    (list $first:literal $($more:literal)*) => {
        concat!("one of ", $first $(, ", ", $more)*)
    };
}

choice! {
    /// Whether the lines of commands are shown while they run.
    #[derive(Default)]
    Live {
        /// In passing, at a terminal.
        #[default]
        Auto = "auto",
        /// All of them, to stay.
        Lines = "lines",
        No = "no",
    }
}
choice! {
    /// Whether plays that do not say gather facts.
    Gathering {
        Implicit = "implicit",
        Explicit = "explicit",
        /// Only from hosts whose facts are not known yet.
        Smart = "smart",
    }
}
choice! {
    /// What happens where a dictionary is defined in several places.
    HashBehaviour { Replace = "replace", Merge = "merge" }
}
choice! {
    /// What happens where a host pattern matches nothing.
    OnMismatch { Warning = "warning", Error = "error", Ignore = "ignore" }
}
choice! {
    /// Beside which playbooks `group_vars` and `host_vars` are looked for.
    VarsRoot { Top = "top", Bottom = "bottom", All = "all" }
}
choice!(words Duplicates { Warn = "warn", Error = "error", Ignore = "ignore" });
