//! From what `-i` says to hosts and groups: which kind of source it is, and what happens if it
//! cannot be read.

use super::Inventory;
use super::builtin::{self, BuiltinRequest};
use super::data::{Data, Origin};
use super::{address, ini, plugins, script, toml, yaml};
use crate::search::expand_home;
use crate::source::Source;
use crate::yaml::Node;
use crate::{Error, Result, notice};
use fancy_regex::Regex;
use std::path::{Path, PathBuf, absolute};
use std::sync::Arc;

/// Names of folder entries that are never inventories.
const NEVER: [&str; 3] = ["host_vars", "group_vars", "vars_plugins"];

/// The source that is read where none is named.
const DEFAULT_SOURCE: &str = "/etc/ansible/hosts";

/// Reads all sources of the inventory anew. Later ones win.
pub(super) fn read_all(inventory: &mut Inventory, refresh: bool) -> Result<()> {
    let mut parsed = false;
    for source in inventory.sources.clone() {
        if source.is_empty() {
            continue;
        }
        // that nobody has written the default inventory is no news
        if source == DEFAULT_SOURCE && !Path::new(&source).exists() {
            continue;
        }
        parsed |= read(inventory, &source, refresh)?;
    }
    inventory.data.reconcile();
    let options = &inventory.options;
    if !parsed {
        if options.unparsed_is_failed {
            return Err(Error::general(
                "No inventory was parsed, please check your configuration and options.",
            ));
        }
        if options.unparsed_warning {
            notice::warning("No inventory was parsed, only implicit localhost is available");
        }
    }
    Ok(())
}

/// Reads one source; `false` if it could not be read, which was said then.
fn read(inventory: &mut Inventory, source: &str, refresh: bool) -> Result<bool> {
    if let Some(name) = builtin::name_of(source) {
        return read_builtin(inventory, name, source, refresh).map(|()| true);
    }
    if source.contains(',') && !Path::new(source).exists() {
        return read_list(inventory, source);
    }
    let path = full_path(source);
    if path.is_dir() {
        return read_folder(inventory, &path);
    }
    let mut failures = Vec::new();
    // a source that fails half-way must leave nothing behind
    let before = inventory.data.clone();
    inventory.data.origin = Some(Origin::file(&path));
    if path.exists() {
        match read_file(&path, inventory)? {
            Ok(()) => {
                inventory.data.origin = None;
                return Ok(true);
            }
            Err(errors) => failures = errors,
        }
    }
    inventory.data = before;
    failed(inventory, &path, failures)
}

/// A path as messages and `inventory_file` have it.
fn full_path(source: &str) -> PathBuf {
    let path = expand_home(source);
    let path = absolute(&path).unwrap_or(path);
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

/// Says why a source could not be read, and that it is left out.
fn failed(inventory: &Inventory, path: &Path, failures: Failures) -> Result<bool> {
    for (plugin, error) in failures {
        notice::warning(format!(
            "Failed to parse inventory with '{plugin}' plugin: {}",
            error.report()
        ));
    }
    let message = format!("Unable to parse {} as an inventory source", path.display());
    if inventory.options.any_unparsed_is_failed {
        return Err(Error::general(message));
    }
    notice::warning(message);
    Ok(false)
}

fn read_builtin(
    inventory: &mut Inventory,
    name: &'static str,
    source: &str,
    refresh: bool,
) -> Result<()> {
    let path = full_path(source);
    let mut config_dirs: Vec<PathBuf> = Vec::new();
    if source.contains('/') || path.exists() {
        config_dirs.extend(path.parent().map(Path::to_path_buf));
    }
    config_dirs.extend(inventory.playbook_dir.clone());
    config_dirs.dedup();
    let request = BuiltinRequest {
        source,
        config_dirs,
        refresh,
    };
    inventory.data.origin = Some(Origin::file(&path));
    let result = builtin::parse(name, &request, &mut inventory.data);
    inventory.data.origin = None;
    result
}

/// `host1,host2:2222`. Ranges are expanded where `advanced_host_list` is enabled.
fn read_list(inventory: &mut Inventory, source: &str) -> Result<bool> {
    let enabled = &inventory.options.enabled;
    let is_on = |name: &str| enabled.iter().any(|e| short_name(e) == name);
    let ranges = is_on("advanced_host_list");
    if !ranges && !is_on("host_list") {
        return failed(inventory, Path::new(source), Vec::new());
    }
    let before = inventory.data.clone();
    let data = &mut inventory.data;
    data.origin = Some(Origin::list(source));
    let result = (|| {
        for word in source.split(',').map(str::trim).filter(|w| !w.is_empty()) {
            let (hosts, port) = if ranges {
                address::expand(word)?
            } else {
                let (host, port) = address::split_port(word, false).unwrap_or((word, None));
                (vec![host.to_string()], port)
            };
            for host in hosts {
                if !data.hosts.contains_key(host.as_str()) {
                    data.add_host(&host, Some("ungrouped"), port)?;
                }
            }
        }
        Ok(())
    })();
    data.origin = None;
    match result {
        Ok(()) => Ok(true),
        Err(error) => {
            inventory.data = before;
            failed(
                inventory,
                Path::new(source),
                vec![("advanced_host_list".into(), error)],
            )
        }
    }
}

/// All sources in a folder, by name; `group_vars`, hidden files and configured endings left out.
fn read_folder(inventory: &mut Inventory, dir: &Path) -> Result<bool> {
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .map_err(|e| Error::from(e).context(format!("cannot read {}", dir.display())))?
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .collect();
    names.sort();
    let patterns: Vec<Regex> = inventory
        .options
        .ignore_patterns
        .iter()
        .map(|p| {
            Regex::new(p).map_err(|e| {
                Error::general(format!("ignore_patterns: '{p}' is no regular expression"))
                    .hint(e.to_string())
            })
        })
        .collect::<Result<_>>()?;
    let mut parsed = false;
    for name in names {
        let ignored = name.starts_with('.')
            || NEVER.contains(&name.as_str())
            || inventory
                .options
                .ignore_extensions
                .iter()
                .any(|e| name.ends_with(e.as_str()))
            || patterns.iter().any(|p| p.is_match(&name).unwrap_or(false));
        if !ignored && let Some(path) = dir.join(&name).to_str() {
            parsed |= read(inventory, path, false)?;
        }
    }
    if !parsed {
        failed(inventory, dir, Vec::new())?;
    }
    Ok(parsed)
}

/// `ansible.builtin.ini` is `ini`.
pub(super) fn short_name(plugin: &str) -> &str {
    plugin
        .strip_prefix("ansible.builtin.")
        .or_else(|| plugin.strip_prefix("ansible.legacy."))
        .unwrap_or(plugin)
}

/// Why a file could not be read, by the kinds of source that it may have been meant as.
type Failures = Vec<(String, Error)>;

/// Tries the enabled kinds in their order.
///
/// Fails where rplay lacks what the file needs: that is no mistake in the file, and to go on without
/// its hosts would do something else than what was asked for.
fn read_file(path: &Path, inventory: &mut Inventory) -> Result<Result<(), Failures>> {
    let mut bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) => {
            let error = Error::from(e).context(path.display());
            return Ok(Err(vec![("file".into(), error)]));
        }
    };
    if crate::vault::is_encrypted(&bytes) {
        bytes = match crate::vault::secrets().decrypt(&bytes) {
            Ok(plain) => plain,
            Err(e) => return Ok(Err(vec![("file".into(), e.context(path.display()))])),
        };
    }
    let extension = path
        .extension()
        .map(|e| e.to_string_lossy().into_owned())
        .unwrap_or_default();
    let is_yaml = matches!(extension.as_str(), "yml" | "yaml" | "json");
    let may_configure = is_yaml || matches!(extension.as_str(), "" | "config");
    let options = Arc::clone(&inventory.options);
    let auto = options.enabled.iter().any(|e| short_name(e) == "auto");
    let before = inventory.data.clone();
    let mut failures: Failures = Vec::new();
    for kind in options.enabled.iter().map(|e| short_name(e)) {
        let data = &mut inventory.data;
        let result = match kind {
            "script" if script::is_script(path, &bytes) => script::parse(path, data),
            "yaml" if is_yaml || extension.is_empty() => match crate::yaml::load_file(path) {
                Ok(root) => match yaml::plugin(&root) {
                    Some(plugin) if auto => {
                        return configured(path, plugin, &root, inventory);
                    }
                    _ => yaml::parse(&root, data),
                },
                Err(error) => Err(error),
            },
            "ini" => read_ini(path, &bytes, data),
            "toml" if extension == "toml" => toml::parse(path, &bytes, data),
            // `auto` is part of how YAML is read; the others are no files
            "script" | "yaml" | "toml" | "auto" | "host_list" | "advanced_host_list" => continue,
            plugin if plugins::exists(plugin) => {
                let root = may_configure.then(|| crate::yaml::load_file(path));
                match root {
                    Some(Ok(root)) if names(&root, plugin) => {
                        plugins::parse(plugin, inventory, path, &root)
                    }
                    _ => continue,
                }
            }
            other => {
                notice::warning(format!("Failed to load inventory plugin, skipping {other}"));
                continue;
            }
        };
        match result {
            Ok(()) => return Ok(Ok(())),
            Err(error) => {
                inventory.data = before.clone();
                failures.push((kind.to_string(), error));
            }
        }
    }
    // that a script is no YAML and a YAML file no INI file helps nobody
    let has_interpreter = bytes.starts_with(b"#!");
    let meant = |plugin: &str| match plugin {
        "script" => true,
        "yaml" => !has_interpreter,
        "toml" => true,
        "ini" => !has_interpreter && !is_yaml && extension != "toml",
        _ => !has_interpreter,
    };
    if failures.iter().any(|(plugin, _)| meant(plugin)) {
        failures.retain(|(plugin, _)| meant(plugin));
    }
    Ok(Err(failures))
}

/// Whether a file is the configuration of this plugin.
fn names(root: &Node, plugin: &str) -> bool {
    let named = yaml::plugin(root).and_then(Node::as_str);
    named.is_some_and(|named| short_name(named) == plugin)
}

/// Reads the configuration of an inventory plugin. Fails if rplay does not have the plugin.
fn configured(
    path: &Path,
    plugin: &Node,
    root: &Node,
    inventory: &mut Inventory,
) -> Result<Result<(), Failures>> {
    let name = plugin.as_str().unwrap_or_default();
    if !plugins::exists(name) {
        return Err(
            Error::general(format!("inventory plugin '{name}' is not supported"))
                .at(&plugin.at)
                .hint("rplay reads INI, YAML, JSON and TOML inventories, scripts, the plugins constructed and generator, and EC2 as `-i ec2`"),
        );
    }
    let result = plugins::parse(name, inventory, path, root);
    Ok(result.map_err(|error| vec![("auto".into(), error)]))
}

fn read_ini(path: &Path, bytes: &[u8], data: &mut Data) -> Result<()> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Error::parse(format!("{} is not UTF-8", path.display())))?;
    let source = Source::new(path.to_string_lossy(), text);
    ini::parse(&source, data)
}

/// The folder whose `group_vars/` and `host_vars/` belong to a source; none for lists of hosts.
pub(super) fn dir_of(source: &str) -> Option<PathBuf> {
    if source.is_empty() || (source.contains(',') && !Path::new(source).exists()) {
        return None;
    }
    let path = full_path(source);
    if path.is_dir() {
        Some(path)
    } else {
        path.parent().map(Path::to_path_buf)
    }
}
