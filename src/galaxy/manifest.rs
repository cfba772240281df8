//! The papers of a collection: `galaxy.yml` in its repository, `MANIFEST.json` and `FILES.json` where it is installed.
//!
//! <https://docs.ansible.com/ansible/latest/dev_guide/collections_galaxy_meta.html>

use crate::template::filters::paths::fnmatch;
use crate::{Error, Result, yaml};
use serde::Serialize;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use std::path::Path;

/// Who a collection is.
#[derive(Clone, Debug)]
pub struct Identity {
    pub namespace: String,
    pub name: String,
    pub version: String,
    /// Collections that it needs, with the versions that will do.
    pub dependencies: Vec<(String, String)>,
    /// Everything that was said of it.
    info: Json,
    /// Files that do not belong to it.
    ignored: Vec<String>,
}

/// Files that never belong to a collection.
const NEVER: &[&str] = &[
    "galaxy.yml",
    "galaxy.yaml",
    ".git",
    "*.pyc",
    "*.retry",
    "tests/output",
];

impl Identity {
    /// Of a folder with a `MANIFEST.json` or a `galaxy.yml`.
    pub fn of(folder: &Path) -> Result<Identity> {
        let manifest = folder.join("MANIFEST.json");
        let (info, file) = match std::fs::read_to_string(&manifest) {
            Ok(text) => {
                let json: Json = serde_json::from_str(&text)
                    .map_err(|e| Error::parse(format!("{}: {e}", manifest.display())))?;
                (json["collection_info"].clone(), manifest)
            }
            Err(_) => {
                let file = folder.join("galaxy.yml");
                (yaml::load_file(&file)?.to_value().to_json(), file)
            }
        };
        let text = |key: &str| match &info[key] {
            Json::String(s) => Some(s.clone()),
            Json::Number(n) => Some(n.to_string()),
            _ => None,
        };
        let needed = |key: &str| {
            text(key).filter(|t| !t.is_empty()).ok_or_else(|| {
                Error::parse(format!(
                    "The collection galaxy.yml at '{}' is missing the following mandatory keys: {key}",
                    file.display()
                ))
            })
        };
        let dependencies = info["dependencies"]
            .as_object()
            .cloned()
            .unwrap_or_default();
        let ignored = info["build_ignore"].as_array().cloned().unwrap_or_default();
        let identity = Identity {
            namespace: needed("namespace")?,
            name: needed("name")?,
            version: text("version").unwrap_or_else(|| "*".into()),
            dependencies: dependencies
                .iter()
                .map(|(k, v)| (k.clone(), v.as_str().unwrap_or("*").to_string()))
                .collect(),
            ignored: ignored
                .iter()
                .filter_map(|i| Some(i.as_str()?.to_string()))
                .collect(),
            info,
        };
        for part in [&identity.namespace, &identity.name] {
            if !crate::playbook::keywords::is_variable_name(part) {
                return Err(Error::parse(format!(
                    "'{part}' in {} can be no part of a collection's name",
                    file.display()
                ))
                .hint("letters, digits and underscores can"));
            }
        }
        Ok(identity)
    }

    pub fn full_name(&self) -> String {
        format!("{}.{}", self.namespace, self.name)
    }

    /// Copies what belongs to the collection from its repository, and writes its papers.
    pub fn build(&self, from: &Path, to: &Path) -> Result<()> {
        let mut files = vec![json!({
            "name": ".", "ftype": "dir", "chksum_type": null, "chksum_sha256": null, "format": 1,
        })];
        std::fs::create_dir_all(to)?;
        self.copy(from, to, Path::new(""), &mut files)?;
        let files = json!({"files": files, "format": 1});
        let files = indented(&files);
        let get = |key: &str, default: Json| match &self.info[key] {
            Json::Null => default,
            value => value.clone(),
        };
        let manifest = json!({
            "collection_info": {
                "namespace": self.namespace,
                "name": self.name,
                "version": self.version,
                "authors": get("authors", json!([])),
                "readme": get("readme", Json::Null),
                "tags": get("tags", json!([])),
                "description": get("description", Json::Null),
                "license": get("license", json!([])),
                "license_file": get("license_file", Json::Null),
                "dependencies": get("dependencies", json!({})),
                "repository": get("repository", Json::Null),
                "documentation": get("documentation", Json::Null),
                "homepage": get("homepage", Json::Null),
                "issues": get("issues", Json::Null),
            },
            "file_manifest_file": {
                "name": "FILES.json",
                "ftype": "file",
                "chksum_type": "sha256",
                "chksum_sha256": hex(files.as_bytes()),
                "format": 1,
            },
            "format": 1,
        });
        let manifest = indented(&manifest);
        std::fs::write(to.join("FILES.json"), files)?;
        std::fs::write(to.join("MANIFEST.json"), manifest)?;
        Ok(())
    }

    fn copy(&self, from: &Path, to: &Path, below: &Path, files: &mut Vec<Json>) -> Result<()> {
        let folder = from.join(below);
        let mut entries: Vec<_> = std::fs::read_dir(&folder)?.collect::<Result<_, _>>()?;
        entries.sort_by_key(|e| e.file_name());
        for entry in entries {
            let path = below.join(entry.file_name());
            let shown = path.display().to_string();
            let patterns = NEVER
                .iter()
                .copied()
                .chain(self.ignored.iter().map(String::as_str));
            if patterns.into_iter().any(|p| fnmatch(p, &shown)) {
                continue;
            }
            let kind = entry.file_type()?;
            if kind.is_dir() {
                std::fs::create_dir(to.join(&path))?;
                files.push(json!({
                    "name": shown, "ftype": "dir", "chksum_type": null, "chksum_sha256": null, "format": 1,
                }));
                self.copy(from, to, &path, files)?;
            } else if kind.is_symlink() {
                // one that leads out of the collection is left out, as ansible-galaxy does
                let real = from.join(&path).canonicalize();
                if real.is_ok_and(|r| from.canonicalize().is_ok_and(|f| r.starts_with(f))) {
                    std::os::unix::fs::symlink(std::fs::read_link(entry.path())?, to.join(&path))?;
                }
            } else {
                let content = std::fs::read(entry.path())?;
                std::fs::copy(entry.path(), to.join(&path))?;
                files.push(json!({
                    "name": shown, "ftype": "file", "chksum_type": "sha256",
                    "chksum_sha256": hex(&content), "format": 1,
                }));
            }
        }
        Ok(())
    }
}

fn hex(content: &[u8]) -> String {
    Sha256::digest(content)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

/// JSON with one blank for each level, as ansible-galaxy writes it.
fn indented(json: &Json) -> String {
    let mut text = Vec::new();
    let form = serde_json::ser::PrettyFormatter::with_indent(b" ");
    let mut writer = serde_json::Serializer::with_formatter(&mut text, form);
    // writing to memory does not fail
    let _ = json.serialize(&mut writer);
    String::from_utf8(text).unwrap_or_default()
}
