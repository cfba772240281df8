//! Tells which packages are installed.

use super::common::tool;
use super::{Failure, Module};
use crate::machine::Machine;
use crate::modules::args::map;
use crate::python;
use crate::value::{Map, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/package_facts_module.html>
pub struct PackageFacts;

#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The package managers that are asked; `auto` means those that are there.
    #[serde(default = "auto")]
    manager: Vec<String>,
    /// Whether the first that is there is asked, or all.
    #[serde(default)]
    strategy: Strategy,
}

fn auto() -> Vec<String> {
    vec!["auto".to_string()]
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(extend("order" = ["first", "all"]))]
enum Strategy {
    #[default]
    First,
    All,
}

#[derive(Serialize, JsonSchema)]
pub struct Returns {
    changed: bool,
    /// `packages`: each name with all that is installed of it.
    ansible_facts: Value,
}

/// What a manager knows; each package has its name first.
type Listing = fn(&Machine, &str) -> Result<Vec<Map>, Failure>;

/// The managers that are known, each with its program.
const MANAGERS: &[(&str, &str, Listing)] = &[
    ("apk", "apk", apk),
    ("apt", "dpkg-query", apt),
    ("pacman", "pacman", pacman),
    ("pkg", "pkg", pkg),
    ("pkg_info", "pkg_info", pkg_info),
    ("portage", "qlist", portage),
    ("rpm", "rpm", rpm),
];

/// Other names of managers.
const ALIASES: &[(&str, &str)] = &[
    ("dnf", "rpm"),
    ("dnf5", "rpm"),
    ("openbsd_pkg", "pkg_info"),
    ("pkg5", "pkg"),
    ("pkgng", "pkg"),
    ("yum", "rpm"),
    ("zypper", "rpm"),
];

impl Module for PackageFacts {
    const NAME: &'static str = "package_facts";
    const EXAMPLES: &'static str = "
- name: See what is installed
  ansible.builtin.package_facts:
  when: ansible_pkg_mgr in ['apt', 'dnf', 'apk']
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        let real = |name: &str| {
            let alias = ALIASES.iter().find(|(alias, _)| *alias == name);
            alias.map_or(name.to_string(), |(_, real)| real.to_string())
        };
        let mut names: Vec<String> = Vec::new();
        let mut asked: Vec<String> = Vec::new();
        for name in args.manager.iter().map(|n| real(&n.to_lowercase())) {
            match name.as_str() {
                "auto" => names.extend(MANAGERS.iter().map(|m| m.0.to_string())),
                _ => {
                    asked.push(name.clone());
                    names.push(name);
                }
            }
        }
        let known = |name: &String| MANAGERS.iter().any(|m| m.0 == name);
        let unknown: Vec<&str> = asked
            .iter()
            .filter(|n| !known(n))
            .map(String::as_str)
            .collect();
        if !unknown.is_empty() {
            return Err(Failure::new(format!(
                "Unsupported package managers requested: {}",
                unknown.join(", ")
            )));
        }
        let mut packages = Map::default();
        let mut found = 0;
        let mut done: Vec<&str> = Vec::new();
        for name in &names {
            if found > 0 && args.strategy == Strategy::First {
                break;
            }
            let Some((name, program, list)) = MANAGERS.iter().find(|m| m.0 == name) else {
                continue;
            };
            if done.contains(name) {
                continue;
            }
            done.push(name);
            let path = match find(machine, program) {
                Ok(path) => path,
                Err(failure) => {
                    if asked.iter().any(|a| a == name) {
                        machine.warnings.push(format!(
                            "Requested package manager {name} was not usable by this module: {}",
                            failure.msg
                        ));
                    }
                    continue;
                }
            };
            let listed = list(machine, &path).unwrap_or_else(|failure| {
                let why = failure.msg;
                machine
                    .warnings
                    .push(format!("Failed to retrieve packages with {name}: {why}"));
                Vec::new()
            });
            if listed.is_empty() {
                machine
                    .warnings
                    .push(format!("Found \"{name}\" but no associated packages"));
                continue;
            }
            found += 1;
            gather(listed, name, &mut packages);
        }
        if found == 0 {
            let list = Value::list(names.iter().map(Value::str).collect());
            return Err(Failure::new(format!(
                "Could not detect a supported package manager from the following list: {}, or the required \
                 Python library is not installed. Check warnings for details.",
                python::repr(&list)
            )));
        }
        Ok(Returns {
            changed: false,
            ansible_facts: Value::map(map([("packages", Value::map(packages))])),
        })
    }
}

/// A program, which is at its usual place whatever the task's `PATH` is.
fn find(machine: &Machine, program: &str) -> Result<String, Failure> {
    let usual = format!("/usr/bin/{program}");
    match machine.is_file(std::path::Path::new(&usual)) {
        true => Ok(usual),
        false => tool::find(machine, program),
    }
}

/// Puts packages under their names.
fn gather(listed: Vec<Map>, source: &str, packages: &mut Map) {
    for mut package in listed {
        let Some(name) = package.get("name").map(python::str) else {
            continue;
        };
        package.insert("source".into(), source.into());
        let package = Value::map(package);
        match packages.get_mut(name.as_str()) {
            Some(Value::List(all)) => std::sync::Arc::make_mut(all).push(package),
            _ => {
                packages.insert(name.as_str().into(), Value::list(vec![package]));
            }
        }
    }
}

/// What a program says. Fails as Ansible's module does if it cannot.
fn said(machine: &Machine, words: &[&str]) -> Result<String, Failure> {
    let output = tool::probe(machine, words.iter().copied())?;
    match output.rc {
        0 => Ok(output.stdout_text()),
        rc => Err(Failure::new(format!(
            "Unable to list packages rc={rc} : {}",
            output.stderr_text()
        ))),
    }
}

/// A package from the fields of a line.
fn package<const N: usize>(keys: [&str; N], line: &str) -> Option<Map> {
    let fields: Vec<&str> = line.split('\t').collect();
    (fields.len() == N).then(|| {
        let pairs = keys.iter().zip(fields);
        pairs.map(|(k, v)| ((*k).into(), Value::str(v))).collect()
    })
}

fn apt(machine: &Machine, program: &str) -> Result<Vec<Map>, Failure> {
    let format = "-f=${db:Status-Status}\t${binary:Package}\t${Package}\t${Version}\t${Architecture}\t${Section}\n";
    let text = said(machine, &[program, "-W", format])?;
    let mut names: Vec<&str> = Vec::new();
    let mut packages = Vec::new();
    for line in text.lines() {
        let mut fields = line.splitn(3, '\t');
        let (Some(status), Some(full), Some(rest)) = (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        if matches!(status, "not-installed" | "config-files" | "half-installed") {
            continue;
        }
        if let Some(package) = package(["name", "version", "arch", "category"], rest) {
            names.push(full);
            packages.push(package);
        }
    }
    let origins = origins(machine, &names).unwrap_or_default();
    for (package, name) in packages.iter_mut().zip(names) {
        let origin = origins.get(name).cloned().unwrap_or_default();
        package.insert("origin".into(), origin.into());
    }
    Ok(packages)
}

/// Who made each package that is installed, as far as apt's lists know.
fn origins(machine: &Machine, names: &[&str]) -> Option<HashMap<String, String>> {
    let cache = find(machine, "apt-cache").ok()?;
    let files = said(machine, &[&cache, "policy"]).ok()?;
    let mut of_file: HashMap<&str, &str> = HashMap::new();
    let mut file = "";
    for line in files.lines().map(str::trim) {
        match line.strip_prefix("release ") {
            Some(release) => {
                let origin = release.split(',').find_map(|f| f.strip_prefix("o="));
                of_file.insert(file, origin.unwrap_or_default());
            }
            None => file = line.split_once(' ').map_or("", |(_, f)| f),
        }
    }
    let words: Vec<&str> = [cache.as_str(), "policy"]
        .into_iter()
        .chain(names.iter().copied())
        .collect();
    let text = said(machine, &words).ok()?;
    let mut out = HashMap::new();
    let (mut name, mut current) = ("", false);
    for line in text.lines() {
        let words = line.trim_start();
        match line.len() - words.len() {
            0 => (name, current) = (line.trim_end_matches(':'), false),
            // `*** 1.0 500` is the version that is installed; its files are indented further
            1 => current = true,
            5 => current = false,
            8 if current => {
                let file = words.split_once(' ').map_or("", |(_, f)| f);
                let origin = of_file.get(file).copied().unwrap_or_default();
                out.insert(name.to_string(), origin.to_string());
                current = false;
            }
            _ => {}
        }
    }
    Some(out)
}

fn rpm(machine: &Machine, program: &str) -> Result<Vec<Map>, Failure> {
    let format = "%{NAME}\t%{VERSION}\t%{RELEASE}\t%{EPOCH}\t%{ARCH}\n";
    let text = said(machine, &[program, "-qa", "--queryformat", format])?;
    let keys = ["name", "version", "release", "epoch", "arch"];
    let packages = text.lines().filter_map(|line| package(keys, line));
    Ok(packages
        .map(|mut package| {
            let (epoch, arch) = (text_of(&package, "epoch"), text_of(&package, "arch"));
            let epoch = epoch.parse().map_or(Value::Null, Value::Int);
            package.insert("epoch".into(), epoch);
            if arch == "(none)" {
                package.insert("arch".into(), Value::Null);
            }
            package
        })
        .collect())
}

fn text_of(package: &Map, key: &str) -> String {
    package.get(key).map(python::str).unwrap_or_default()
}

fn apk(machine: &Machine, program: &str) -> Result<Vec<Map>, Failure> {
    let text = said(machine, &[program, "info", "-v"])?;
    let names = text.lines().filter_map(|line| {
        let (rest, release) = line.trim().rsplit_once('-')?;
        let (name, version) = rest.rsplit_once('-')?;
        package(
            ["name", "version", "release"],
            &[name, version, release].join("\t"),
        )
    });
    Ok(names.collect())
}

fn pacman(machine: &Machine, program: &str) -> Result<Vec<Map>, Failure> {
    let text = said(machine, &[program, "-Qi"])?;
    let (mut packages, mut name) = (Vec::new(), "");
    for (key, value) in text.lines().filter_map(|l| l.split_once(':')) {
        match key.trim() {
            "Name" => name = value.trim(),
            "Version" => packages.extend(package(
                ["name", "version"],
                &[name, value.trim()].join("\t"),
            )),
            _ => {}
        }
    }
    Ok(packages)
}

fn portage(machine: &Machine, program: &str) -> Result<Vec<Map>, Failure> {
    let format = "%{CATEGORY}\t%{PN}\t%{PV}\t%{PR}\t%{SLOT}";
    let text = said(machine, &[program, "-Iv", "-F", format])?;
    let keys = ["category", "name", "version", "ebuild_revision", "slots"];
    Ok(text
        .lines()
        .filter_map(|line| package(keys, line))
        .collect())
}

fn pkg(machine: &Machine, program: &str) -> Result<Vec<Map>, Failure> {
    let text = said(machine, &[program, "query", "%n\t%v\t%o\t%R\t%q"])?;
    let keys = ["name", "version", "port_name", "repository", "arch"];
    Ok(text
        .lines()
        .filter_map(|line| package(keys, line))
        .collect())
}

fn pkg_info(machine: &Machine, program: &str) -> Result<Vec<Map>, Failure> {
    let text = said(machine, &[program, "-a"])?;
    let names = text.lines().filter_map(|line| {
        let (name, version) = line.split_whitespace().next()?.rsplit_once('-')?;
        package(["name", "version"], &[name, version].join("\t"))
    });
    Ok(names.collect())
}
