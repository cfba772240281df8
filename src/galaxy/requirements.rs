//! What is to be installed: `requirements.yml`, and names as the command line has them.

use crate::yaml::Node;
use crate::{Error, Result, yaml};
use std::path::Path;

/// A role that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleSpec {
    pub name: String,
    /// A repository, an archive, or a name of Galaxy's.
    pub src: String,
    /// Whether `src` is a git repository.
    pub git: bool,
    pub version: String,
}

/// A collection that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectionSpec {
    /// A repository, an archive, a folder, or a name of Galaxy's.
    pub source: String,
    /// `git`, `file`, `dir`, `subdirs`, `url` or `galaxy`, if it is said.
    pub kind: Option<String>,
    pub version: String,
}

/// All that a file asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirements {
    pub roles: Vec<RoleSpec>,
    pub collections: Vec<CollectionSpec>,
}

impl Requirements {
    /// Reads a file, and those that it includes. A list is the old form, which has roles only.
    pub fn read(path: &Path) -> Result<Requirements> {
        let mut found = Requirements::default();
        found.add(path, 0)?;
        Ok(found)
    }

    fn add(&mut self, path: &Path, depth: u32) -> Result<()> {
        if depth > 20 {
            return Err(Error::parse(format!("{} includes itself", path.display())));
        }
        if !path.exists() {
            return Err(Error::general(format!(
                "The requirements file '{}' does not exist.",
                path.display()
            )));
        }
        let root = yaml::load_file(path)?;
        if root.is_null() {
            return Err(Error::parse(format!(
                "No requirements found in file '{}'",
                path.display()
            )));
        }
        let (roles, collections) = match root.as_map() {
            None => (Some(&root), None),
            Some(entries) => {
                for (key, _) in entries {
                    let key_text = key.as_str().unwrap_or_default();
                    if !matches!(key_text, "roles" | "collections") {
                        return Err(Error::parse(format!(
                            "Expecting only 'roles' and/or 'collections' as base keys in the requirements file. Found: {key_text}"
                        ))
                        .at(&key.at));
                    }
                }
                (root.get("roles"), root.get("collections"))
            }
        };
        for entry in sequence(roles)? {
            match entry.get("include") {
                Some(file) => {
                    let name = file.as_str().unwrap_or_default();
                    let folder = path.parent().unwrap_or(Path::new("."));
                    self.add(&folder.join(name), depth + 1)?;
                }
                None => self.roles.push(RoleSpec::read(entry)?),
            }
        }
        for entry in sequence(collections)? {
            self.collections.push(CollectionSpec::read(entry)?);
        }
        Ok(())
    }
}

fn sequence(node: Option<&Node>) -> Result<&[Node]> {
    match node {
        None => Ok(&[]),
        Some(node) if node.is_null() => Ok(&[]),
        Some(node) => node.as_seq().ok_or_else(|| {
            Error::parse("this must be a list of what is to be installed").at(&node.at)
        }),
    }
}

/// A field's text; numbers as they were written, such as a version `1.0`.
fn text(node: &Node, key: &str) -> Option<String> {
    let value = node.get(key)?.to_value();
    (!value.is_null()).then(|| crate::template::python::str(&value))
}

impl RoleSpec {
    /// An entry of a list of roles: text, or a dictionary with `src`, `scm`, `version` and `name`.
    pub fn read(entry: &Node) -> Result<RoleSpec> {
        if let Some(words) = entry.as_str() {
            return RoleSpec::parse(words).map_err(|e| e.at(&entry.at));
        }
        let named = |key| text(entry, key);
        let Some(src) = named("src")
            .or_else(|| named("role"))
            .or_else(|| named("name"))
        else {
            return Err(Error::parse("Must specify name or src for role").at(&entry.at));
        };
        let mut spec = RoleSpec::parse(&src).map_err(|e| e.at(&entry.at))?;
        match named("scm").as_deref() {
            None => {}
            Some("git") => spec.git = true,
            Some(other) => {
                return Err(
                    Error::parse(format!("scm '{other}' is not supported: only git is"))
                        .at(&entry.at),
                );
            }
        }
        if let Some(version) = named("version") {
            spec.version = version;
        }
        if let Some(name) = named("name") {
            spec.name = name;
        }
        Ok(spec)
    }

    /// `SRC[,VERSION[,NAME]]`, with `git+` before a repository.
    pub fn parse(words: &str) -> Result<RoleSpec> {
        let mut parts = words.split(',').map(str::trim);
        let src = parts.next().unwrap_or_default();
        let version = parts.next().unwrap_or_default().to_string();
        let name = parts.next();
        if parts.next().is_some() {
            return Err(Error::parse(format!("Invalid role line ({words})"))
                .hint("write SOURCE,VERSION,NAME; version and name may be left out"));
        }
        let hub = src.contains("github.com")
            && src.contains("http")
            && !src.contains('+')
            && !src.ends_with(".tar.gz");
        let (git, src) = match src.strip_prefix("git+") {
            Some(rest) => (true, rest),
            None if src.starts_with("hg+") => {
                return Err(Error::parse("Mercurial is not supported: only git is"));
            }
            None => (hub || src.starts_with("git@"), src),
        };
        Ok(RoleSpec {
            name: name.map_or_else(|| name_of(src), String::from),
            src: src.to_string(),
            git,
            version,
        })
    }
}

/// The name that a role has by where it comes from: the last part without `.git` or `.tar.gz`.
fn name_of(src: &str) -> String {
    if !src.contains("://") && !src.contains('@') && !src.contains('/') {
        return src.trim_end_matches(".tar.gz").to_string();
    }
    let last = src.rsplit('/').next().unwrap_or(src);
    let last = last.strip_suffix(".git").unwrap_or(last);
    last.strip_suffix(".tar.gz").unwrap_or(last).to_string()
}

impl CollectionSpec {
    fn read(entry: &Node) -> Result<CollectionSpec> {
        if let Some(words) = entry.as_str() {
            return Ok(CollectionSpec::parse(words));
        }
        let Some(name) = text(entry, "name") else {
            return Err(
                Error::parse("Collections requirement entry should contain the key name.")
                    .at(&entry.at),
            );
        };
        // the source of a named collection is a repository or an archive too
        let source = match text(entry, "source") {
            Some(source) if text(entry, "type").is_some_and(|t| t != "galaxy") => source,
            _ => name,
        };
        let mut spec = CollectionSpec::parse(&source);
        spec.kind = text(entry, "type").or(spec.kind);
        if let Some(version) = text(entry, "version") {
            spec.version = version;
        }
        Ok(spec)
    }

    /// `NAME[:VERSION]`, `git+URL[,VERSION]`, or a path.
    pub fn parse(words: &str) -> CollectionSpec {
        let git = words.starts_with("git+") || words.starts_with("git@");
        if git || words.contains(".git,") || words.ends_with(".git") {
            let (source, version) = words.split_once(',').unwrap_or((words, ""));
            return CollectionSpec {
                source: source.to_string(),
                kind: Some("git".into()),
                version: version.to_string(),
            };
        }
        let path = Path::new(words);
        let (source, version) = match words.split_once(':') {
            Some((name, version)) if !path.exists() && !words.contains("://") => (name, version),
            _ => (words, ""),
        };
        CollectionSpec {
            source: source.to_string(),
            kind: None,
            version: version.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_as_the_command_line_has_them() {
        for (words, name, src, git, version) in [
            (
                "geerlingguy.docker",
                "geerlingguy.docker",
                "geerlingguy.docker",
                false,
                "",
            ),
            (
                "geerlingguy.docker,6.0",
                "geerlingguy.docker",
                "geerlingguy.docker",
                false,
                "6.0",
            ),
            ("git+file:///a/b", "b", "file:///a/b", true, ""),
            (
                "git+https://h/a/b.git,v1,c",
                "c",
                "https://h/a/b.git",
                true,
                "v1",
            ),
            (
                "https://github.com/a/b",
                "b",
                "https://github.com/a/b",
                true,
                "",
            ),
            ("git@h:a/b.git", "b", "git@h:a/b.git", true, ""),
            (
                "file:///a/b-1.0.tar.gz",
                "b-1.0",
                "file:///a/b-1.0.tar.gz",
                false,
                "",
            ),
            ("./b.tar.gz,,x", "x", "./b.tar.gz", false, ""),
        ] {
            let expected = RoleSpec {
                name: name.into(),
                src: src.into(),
                git,
                version: version.into(),
            };
            assert_eq!(RoleSpec::parse(words).unwrap(), expected, "{words}");
        }
        assert!(RoleSpec::parse("a,b,c,d").is_err());
        assert!(RoleSpec::parse("hg+https://h/a").is_err());
    }

    #[test]
    fn collections_as_the_command_line_has_them() {
        for (words, source, kind, version) in [
            ("ns.name", "ns.name", None, ""),
            ("ns.name:>=1.0", "ns.name", None, ">=1.0"),
            (
                "git+https://h/c.git,main",
                "git+https://h/c.git",
                Some("git"),
                "main",
            ),
            ("https://h/c.git", "https://h/c.git", Some("git"), ""),
            ("./ns-name-1.0.0.tar.gz", "./ns-name-1.0.0.tar.gz", None, ""),
        ] {
            let expected = CollectionSpec {
                source: source.into(),
                kind: kind.map(String::from),
                version: version.into(),
            };
            assert_eq!(CollectionSpec::parse(words), expected, "{words}");
        }
    }
}
