//! Collections: installing and listing them.

use super::manifest::Identity;
use super::requirements::CollectionSpec;
use super::{Wishes, source};
use crate::{Error, Result, notice};
use std::path::{Path, PathBuf};

/// A collection that has been fetched.
struct Fetched {
    identity: Identity,
    folder: PathBuf,
    /// Whether the folder is a repository, which is not all of the collection.
    sources: bool,
    /// What keeps the folder.
    _work: Option<tempfile::TempDir>,
}

/// Installs collections into `folder/ansible_collections` and says what it does. `places` are where others may be.
///
/// # Errors
/// One that cannot be had, or a dependency that nothing brings.
pub fn install(
    specs: &[CollectionSpec],
    folder: &Path,
    places: &[PathBuf],
    wishes: &Wishes,
) -> Result<()> {
    println!("Process install dependency map");
    let root = match folder.file_name() {
        Some(name) if name == "ansible_collections" => folder.to_path_buf(),
        _ => folder.join("ansible_collections"),
    };
    let mut fetched: Vec<Fetched> = Vec::new();
    for spec in specs {
        if let Some(there) = installed(spec, places)
            && !wishes.force
        {
            notice::verbose(1, format!("{there} is already installed"));
            continue;
        }
        match fetch(spec, &root) {
            Ok(found) => fetched.extend(found),
            Err(error) if wishes.ignore_errors => {
                notice::warning(format!(
                    "Failed to install collection {}: {}",
                    spec.source,
                    error.report()
                ));
            }
            Err(error) => return Err(error),
        }
    }
    if !wishes.no_dependencies {
        dependencies_are_there(&fetched, places)?;
    }
    if fetched.is_empty() {
        println!(
            "Nothing to do. All requested collections are already installed. If you want to reinstall them, consider using `--force`."
        );
        return Ok(());
    }
    println!("Starting collection install process");
    for one in &fetched {
        let Identity {
            namespace,
            name,
            version,
            ..
        } = &one.identity;
        let target = root.join(namespace).join(name);
        println!(
            "Installing '{namespace}.{name}:{version}' to '{}'",
            target.display()
        );
        let work = source::beside(&target)?;
        let content = match one.sources {
            true => {
                let built = work.path().join("built");
                one.identity.build(&one.folder, &built)?;
                println!(
                    "Created collection for {namespace}.{name}:{version} at {}",
                    target.display()
                );
                built
            }
            false => one.folder.clone(),
        };
        source::put(&content, &target)?;
        println!("{namespace}.{name}:{version} was installed successfully");
    }
    Ok(())
}

/// The collection of that name, if it is installed somewhere.
fn installed(spec: &CollectionSpec, places: &[PathBuf]) -> Option<String> {
    let (namespace, name) = spec.source.split_once('.')?;
    let is_name = crate::playbook::keywords::is_variable_name;
    if !is_name(namespace) || !is_name(name) {
        return None;
    }
    let there = |place: &PathBuf| {
        place
            .join("ansible_collections")
            .join(namespace)
            .join(name)
            .is_dir()
    };
    places.iter().any(there).then(|| spec.source.clone())
}

fn fetch(spec: &CollectionSpec, root: &Path) -> Result<Vec<Fetched>> {
    let kind = spec.kind.as_deref();
    let source_text = spec.source.as_str();
    if kind == Some("git") {
        let work = source::beside(&root.join("x"))?;
        let url = source_text.strip_prefix("git+").unwrap_or(source_text);
        let (url, below) = url.split_once('#').unwrap_or((url, ""));
        let clone = work.path().join("clone");
        source::clone(url, &spec.version, &clone)?;
        return in_folder(
            &clone.join(below.trim_matches('/')),
            source_text,
            Some(work),
        );
    }
    match (kind, source::local(source_text)) {
        (None | Some("dir" | "subdirs"), Some(path)) if path.is_dir() => {
            in_folder(&path, source_text, None)
        }
        (None | Some("file"), Some(path)) if path.is_file() => {
            let work = source::beside(&root.join("x"))?;
            let folder = work.path().join("content");
            source::unpack(&path, &folder)?;
            if !folder.join("MANIFEST.json").is_file() {
                return Err(Error::general(format!(
                    "Collection at '{}' does not contain the required file MANIFEST.json.",
                    path.display()
                )));
            }
            Ok(vec![Fetched {
                identity: Identity::of(&folder)?,
                folder,
                sources: false,
                _work: Some(work),
            }])
        }
        (Some("file" | "dir" | "subdirs"), _) => Err(Error::general(format!(
            "there is no collection at '{source_text}'"
        ))),
        _ if source_text.contains("://") => Err(Error::general(format!(
            "{source_text} is no git repository and no local archive, and rplay downloads no others"
        ))
        .hint("write `type: git` if it is a repository")),
        _ => Err(Error::general(format!(
            "'{source_text}' is a name of Galaxy's server, which rplay does not ask"
        ))
        .hint("name its git repository (git+https://..., or `type: git`) or a local archive")),
    }
}

/// The collection in a folder, or those one level below it.
fn in_folder(folder: &Path, name: &str, work: Option<tempfile::TempDir>) -> Result<Vec<Fetched>> {
    let mut work = work;
    let is_one = |f: &Path| f.join("galaxy.yml").is_file() || f.join("MANIFEST.json").is_file();
    let mut folders = match is_one(folder) {
        true => vec![folder.to_path_buf()],
        false => source::folders(folder),
    };
    folders.retain(|f| is_one(f));
    folders.sort();
    if folders.is_empty() {
        return Err(Error::general(format!(
            "there is no collection in {name}: neither it nor a folder in it has a galaxy.yml or MANIFEST.json"
        )));
    }
    let count = folders.len();
    let mut found = Vec::new();
    for (i, folder) in folders.into_iter().enumerate() {
        found.push(Fetched {
            identity: Identity::of(&folder)?,
            sources: true,
            folder,
            // the last one keeps the clone: all are used before any is dropped
            _work: if i + 1 == count { work.take() } else { None },
        });
    }
    Ok(found)
}

fn dependencies_are_there(fetched: &[Fetched], places: &[PathBuf]) -> Result<()> {
    for one in fetched {
        for (needed, version) in &one.identity.dependencies {
            let coming = fetched.iter().any(|f| f.identity.full_name() == *needed);
            let spec = CollectionSpec {
                source: needed.clone(),
                kind: None,
                version: version.clone(),
            };
            if !coming && installed(&spec, places).is_none() {
                return Err(Error::general(format!(
                    "{} needs the collection {needed}:{version}, which is neither installed nor asked for",
                    one.identity.full_name()
                ))
                .hint("ask for it too, from a git repository or an archive, or use --no-deps"));
            }
        }
    }
    Ok(())
}

/// Prints the collections of each place.
pub fn list(places: &[PathBuf]) -> Result<()> {
    for place in places {
        let root = place.join("ansible_collections");
        let mut found: Vec<(String, String)> = Vec::new();
        for namespace in source::folders(&root) {
            for folder in source::folders(&namespace) {
                let part = |p: &Path| {
                    p.file_name()
                        .unwrap_or_default()
                        .to_string_lossy()
                        .into_owned()
                };
                let name = format!("{}.{}", part(&namespace), part(&folder));
                let version = Identity::of(&folder).map_or("*".into(), |i| i.version);
                found.push((name, version));
            }
        }
        if found.is_empty() {
            continue;
        }
        found.sort();
        let wide = |title: &str, of: &dyn Fn(&(String, String)) -> usize| {
            found.iter().map(of).max().unwrap_or(0).max(title.len())
        };
        let (names, versions) = (
            wide("Collection", &|f| f.0.len()),
            wide("Version", &|f| f.1.len()),
        );
        println!("\n# {}", root.display());
        println!("{:names$} {:versions$}", "Collection", "Version");
        println!("{} {}", "-".repeat(names), "-".repeat(versions));
        for (name, version) in &found {
            println!("{name:names$} {version:versions$}");
        }
    }
    Ok(())
}
