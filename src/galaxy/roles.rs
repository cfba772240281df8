//! Roles: installing them with their dependencies, listing and removing them.

use super::requirements::RoleSpec;
use super::{Wishes, source};
use crate::yaml::Node;
use crate::{Error, Result, notice, yaml};
use std::path::{Path, PathBuf};

/// What says which version of a role is installed.
const INFO: &str = "meta/.galaxy_install_info";

/// Installs roles into a folder and says what it does; the error is that of the first one that failed.
///
/// # Errors
/// A role that cannot be had, unless errors are ignored: then it is warned about.
pub fn install(specs: &[RoleSpec], folder: &Path, wishes: &Wishes) -> Result<()> {
    let mut queue: Vec<(RoleSpec, bool)> = specs.iter().map(|s| (s.clone(), false)).collect();
    let mut at = 0;
    while at < queue.len() {
        let (spec, dependency) = queue[at].clone();
        at += 1;
        let target = target(folder, &spec.name)?;
        let force = match dependency {
            true => wishes.force_dependencies,
            false => wishes.force || wishes.force_dependencies,
        };
        if target.exists() {
            let there = version(&target).unwrap_or_default();
            if !force {
                skip(&spec, &there, dependency);
                continue;
            }
            println!(
                "- changing role {} from {there} to {}",
                spec.name,
                or(&spec.version, "unspecified")
            );
        }
        match install_one(&spec, &target, wishes) {
            Ok(()) => {}
            Err(error) if wishes.ignore_errors => {
                notice::warning(format!(
                    "- {} was NOT installed successfully: {}",
                    spec.name,
                    error.report()
                ));
                continue;
            }
            Err(error) => {
                notice::warning(format!("- {} was NOT installed successfully.", spec.name));
                return Err(match error.hint_text() {
                    Some(_) => error,
                    None => error
                        .hint("--ignore-errors skips roles that fail and goes on with the others"),
                });
            }
        }
        if wishes.no_dependencies {
            continue;
        }
        for wanted in dependencies(&target)? {
            let known = queue.iter().any(|(s, _)| s.name == wanted.name);
            let there = folder.join(&wanted.name).exists();
            if known || (there && !wishes.force_dependencies) {
                println!(
                    "- dependency {} is already {}, skipping.",
                    wanted.name,
                    if there {
                        "installed"
                    } else {
                        "pending installation"
                    }
                );
            } else {
                println!(
                    "- adding dependency: {}",
                    shown(&wanted.name, &wanted.version)
                );
                queue.push((wanted, true));
            }
        }
    }
    Ok(())
}

fn skip(spec: &RoleSpec, there: &str, dependency: bool) {
    let name = shown(&spec.name, there);
    if !spec.version.is_empty() && spec.version != there {
        notice::warning(format!(
            "- {name} is already installed - use --force to change version to {}",
            or(&spec.version, "unspecified")
        ));
    } else if dependency {
        println!("- dependency {name} is already installed, skipping.");
    } else {
        println!("- {name} is already installed, skipping.");
    }
}

fn or<'a>(text: &'a str, instead: &'a str) -> &'a str {
    if text.is_empty() { instead } else { text }
}

fn shown(name: &str, version: &str) -> String {
    match version {
        "" => name.to_string(),
        version => format!("{name} ({version})"),
    }
}

/// Where a role of that name goes. Fails for a name that would lead out of the folder.
fn target(folder: &Path, name: &str) -> Result<PathBuf> {
    let plain = !name.is_empty() && !name.contains('/') && name != "." && name != "..";
    match plain {
        true => Ok(folder.join(name)),
        false => Err(Error::general(format!("'{name}' is no name of a role"))),
    }
}

fn install_one(spec: &RoleSpec, target: &Path, wishes: &Wishes) -> Result<()> {
    let work = source::beside(target)?;
    let content = work.path().join("content");
    let root = match (spec.git, source::local(&spec.src)) {
        (true, _) => {
            source::clone(&spec.src, &spec.version, &content)?;
            if !wishes.keep_history {
                std::fs::remove_dir_all(content.join(".git"))?;
            }
            content
        }
        (false, Some(archive)) => {
            println!("- downloading role from {}", spec.src);
            source::unpack(&archive, &content)?;
            let marks = ["meta/main.yml", "meta/main.yaml", "tasks/main.yml"];
            source::find_root(&content, &marks).ok_or_else(|| {
                Error::general("this role does not appear to have a meta/main.yml file.")
            })?
        }
        (false, None) if spec.src.contains("://") => {
            return Err(Error::general(format!(
                "{} is no git repository and no local archive, and rplay downloads no others",
                spec.src
            ))
            .hint("write `scm: git` if it is a repository"));
        }
        (false, None) => {
            return Err(Error::general(format!(
                "'{}' is a name of Galaxy's server, which rplay does not ask",
                spec.src
            ))
            .hint("name its git repository (git+https://..., or `src` and `scm: git`) or a local archive"));
        }
    };
    println!("- extracting {} to {}", spec.name, target.display());
    std::fs::create_dir_all(root.join("meta"))?;
    let now = jiff::Zoned::now().with_time_zone(jiff::tz::TimeZone::UTC);
    let info = format!(
        "install_date: {}\nversion: {}\n",
        now.strftime("%a %b %e %H:%M:%S %Y"),
        match spec.version.as_str() {
            "" => "''",
            version => version,
        }
    );
    std::fs::write(root.join(INFO), info)?;
    source::put(&root, target)?;
    println!(
        "- {} was installed successfully",
        shown(&spec.name, &spec.version)
    );
    Ok(())
}

/// The version of an installed role.
fn version(role: &Path) -> Option<String> {
    let info = yaml::load_file(&role.join(INFO)).ok()?;
    let version = info.get("version")?.to_value();
    Some(crate::template::python::str(&version)).filter(|v| !v.is_empty() && v != "None")
}

/// Roles that a role depends on and that come from somewhere; others are the user's own.
fn dependencies(role: &Path) -> Result<Vec<RoleSpec>> {
    let mut found = Vec::new();
    for file in [
        "main.yml",
        "main.yaml",
        "requirements.yml",
        "requirements.yaml",
    ] {
        let path = role.join("meta").join(file);
        if !path.is_file() {
            continue;
        }
        let root = yaml::load_file(&path)?;
        let entries = root.get("dependencies").or_else(|| root.get("roles"));
        let entries = entries.and_then(Node::as_seq).or_else(|| root.as_seq());
        for entry in entries.unwrap_or_default() {
            let spec = RoleSpec::read(entry)?;
            if spec.git || spec.src.contains('.') || spec.src.contains('/') {
                found.push(spec);
            }
        }
    }
    Ok(found)
}

/// Prints the roles of each folder that is there, and says which are not.
///
/// Fails if none is there.
pub fn list(folders: &[PathBuf], only: Option<&str>) -> Result<()> {
    let mut seen = false;
    for folder in folders {
        if !folder.is_dir() {
            notice::warning(format!(
                "- the configured path {} does not exist.",
                folder.display()
            ));
            continue;
        }
        seen = true;
        println!("# {}", folder.display());
        let mut roles = source::folders(folder);
        roles.sort();
        for role in roles {
            let name = role.file_name().unwrap_or_default().to_string_lossy();
            let is_role = role.join("meta").is_dir() || role.join("tasks").is_dir();
            if is_role && only.is_none_or(|only| only == name) {
                let version = version(&role);
                println!(
                    "- {name}, {}",
                    version.as_deref().unwrap_or("(unknown version)")
                );
            }
        }
    }
    match seen {
        true => Ok(()),
        false => Err(Error::general(
            "None of the provided paths were usable. Please specify a valid path with --roles-path.",
        )),
    }
}

/// Deletes installed roles.
pub fn remove(names: &[String], folders: &[PathBuf]) -> Result<()> {
    for name in names {
        let mut found = None;
        for folder in folders {
            let role = target(folder, name)?;
            if role.join(INFO).exists() || role.join("meta").is_dir() {
                found = Some(role);
                break;
            }
        }
        match found {
            Some(role) => {
                std::fs::remove_dir_all(&role).map_err(|e| {
                    Error::from(e).context(format!("cannot remove {}", role.display()))
                })?;
                println!("- successfully removed {name}");
            }
            None => println!("- {name} is not installed, skipping."),
        }
    }
    Ok(())
}
