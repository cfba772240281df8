//! The one error type: what went wrong, where, and what would be right.

use crate::source::Location;
use std::fmt;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of failure it is; decides the exit code, which is ansible-playbook's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Anything that stops the run and has no kind of its own: exit code 1.
    General,
    /// The command line is wrong: exit code 2.
    Usage,
    /// A playbook, role or vars file cannot be understood: exit code 4.
    Parse,
    /// An option's value is not acceptable: exit code 5.
    Options,
    /// A template names something that does not exist. Fails the task, not the run.
    Undefined,
    /// A template cannot be rendered for another reason. Fails the task, not the run.
    Template,
    /// Interrupted by the user: exit code 99.
    Interrupted,
    /// A bug in rplay: exit code 250.
    Unexpected,
}

impl Kind {
    /// The process exit code for an error of this kind that ends the run.
    pub fn exit_code(self) -> i32 {
        match self {
            Kind::General | Kind::Undefined | Kind::Template => 1,
            Kind::Usage => 2,
            Kind::Parse => 4,
            Kind::Options => 5,
            Kind::Interrupted => 99,
            Kind::Unexpected => 250,
        }
    }
}

/// An error for the user: a message, and where known a place and a hint.
#[derive(Debug, Clone)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    kind: Kind,
    message: String,
    at: Option<Location>,
    hint: Option<String>,
    /// Whether the cause is told as a step of its own though it has no place.
    apart: bool,
    /// The error as it was before the first [`Error::within`], and then each frame put around it.
    frames: Vec<(String, Option<Location>)>,
}

impl Error {
    pub fn new(kind: Kind, message: impl Into<String>) -> Error {
        Error(Box::new(Inner {
            kind,
            message: message.into(),
            at: None,
            hint: None,
            apart: false,
            frames: Vec::new(),
        }))
    }
    pub fn general(message: impl Into<String>) -> Error {
        Error::new(Kind::General, message)
    }
    pub fn parse(message: impl Into<String>) -> Error {
        Error::new(Kind::Parse, message)
    }
    /// Adds the place, unless a more exact one is known already.
    pub fn at(mut self, at: &Location) -> Error {
        self.0.at.get_or_insert_with(|| at.clone());
        self
    }
    /// As [`Error::at`], for a place that may be unknown.
    pub fn at_opt(self, at: Option<&Location>) -> Error {
        match at {
            Some(at) => self.at(at),
            None => self,
        }
    }
    /// Adds what the user could do about it, unless something more exact is said already.
    pub fn hint(mut self, hint: impl Into<String>) -> Error {
        self.0.hint.get_or_insert_with(|| hint.into());
        self
    }
    /// Puts words before the message: `context: message`.
    pub fn context(mut self, context: impl fmt::Display) -> Error {
        self.0.message = format!("{context}: {}", self.0.message);
        if let Some((outermost, _)) = self.0.frames.last_mut() {
            *outermost = format!("{context}: {outermost}");
        }
        self
    }
    /// As [`Error::context`], for words that have a place of their own: what was being done, and where.
    pub fn within(mut self, context: impl fmt::Display, at: Option<&Location>) -> Error {
        if self.0.frames.is_empty() {
            self.0.frames.push((self.0.message.clone(), None));
        }
        self.0.message = format!("{context}: {}", self.0.message);
        self.0.frames.push((context.to_string(), at.cloned()));
        self
    }
    /// An error of [`Error::words`].
    pub fn of_words(words: &str) -> Error {
        match words.split_once(APART) {
            Some((outer, cause)) => Error::general(cause).within(outer, None).apart(),
            None => Error::general(words),
        }
    }
    /// The message; a cause that is told apart is behind [`APART`].
    pub fn words(&self) -> String {
        match (self.0.apart, &self.0.frames[..]) {
            (true, [(cause, _), (outer, _)]) => format!("{outer}{APART}{cause}"),
            _ => self.message().to_string(),
        }
    }
    /// Has the cause told as a step of its own, though it has no place.
    pub fn apart(mut self) -> Error {
        self.0.apart = true;
        self
    }
    pub fn is_apart(&self) -> bool {
        self.0.apart
    }
    /// The error from the outermost words to the cause, each with its place.
    pub fn causes(&self) -> Vec<(&str, Option<&Location>)> {
        match self.0.frames.split_first() {
            None => vec![(self.message(), self.location())],
            Some(((cause, _), outer)) => outer
                .iter()
                .rev()
                .map(|(words, at)| (words.as_str(), at.as_ref()))
                .chain([(cause.as_str(), self.location())])
                .collect(),
        }
    }
    pub fn with_kind(mut self, kind: Kind) -> Error {
        self.0.kind = kind;
        self
    }
    pub fn kind(&self) -> Kind {
        self.0.kind
    }
    pub fn message(&self) -> &str {
        &self.0.message
    }
    pub fn location(&self) -> Option<&Location> {
        self.0.at.as_ref()
    }
    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The whole message for a terminal: words, place, source lines with a caret, hint.
    pub fn report(&self) -> String {
        let mut out = self.0.message.clone();
        if let Some(at) = &self.0.at {
            out.push_str(&format!("\n  --> {at}\n"));
            out.push_str(&at.snippet());
        }
        if let Some(hint) = &self.0.hint {
            if !out.ends_with('\n') {
                out.push('\n');
            }
            out.push_str(&format!("hint: {hint}"));
        }
        out.trim_end().to_string()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}

impl From<std::io::Error> for Error {
    fn from(e: std::io::Error) -> Error {
        Error::general(e.to_string())
    }
}

/// Parts an error's words from those of the cause that is told apart.
pub const APART: char = '\u{1e}';

/// The candidate that a mistyped `word` most likely meant, if any is near enough.
pub fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|c| (distance(word, c), c))
        .filter(|(d, _)| *d <= limit)
        .min_by_key(|(d, _)| *d)
        .map(|(_, c)| c)
}

/// Edit distance where exchanging two neighbours counts once.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().flat_map(char::to_lowercase).collect();
    let b: Vec<char> = b.chars().flat_map(char::to_lowercase).collect();
    let mut rows = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1)
                .min(rows[i][j - 1] + 1)
                .min(rows[i - 1][j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_have_places_of_their_own() {
        let source = crate::source::Source::new("p.yml", "a\nb\n");
        let (inner, outer) = (Location::new(&source, 2, 1), Location::new(&source, 1, 1));
        let error = Error::general("x is undefined")
            .at(&inner)
            .context("resolving 'msg'")
            .within("task failed", Some(&outer))
            .context("really");
        assert_eq!(
            error.message(),
            "really: task failed: resolving 'msg': x is undefined"
        );
        let causes = error.causes();
        assert_eq!(causes[0].0, "really: task failed");
        assert_eq!(causes[0].1.map(|l| l.line), Some(1));
        assert_eq!(causes[1].0, "resolving 'msg': x is undefined");
        assert_eq!(causes[1].1.map(|l| l.line), Some(2));
    }

    #[test]
    fn words_keep_the_cause_apart() {
        let error = Error::general("why").within("what", None).apart();
        let again = Error::of_words(&error.words());
        assert_eq!(again.message(), "what: why");
        assert!(again.is_apart());
        assert_eq!(again.causes().len(), 2);
        assert_eq!(Error::of_words("plain").words(), "plain");
    }

    #[test]
    fn suggests_the_near_word_only() {
        assert_eq!(
            did_you_mean("templte", ["template", "copy"]),
            Some("template")
        );
        assert_eq!(did_you_mean("hots", ["hosts", "roles"]), Some("hosts"));
        assert_eq!(did_you_mean("xyzzy", ["template", "copy"]), None);
    }
}
