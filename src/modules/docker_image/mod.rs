//! Pulls, loads, tags, pushes, archives and removes Docker's images.

use super::common::docker::{self, Connection, Name, Options, failure, trouble};
use super::{Failure, Module, args};
use crate::machine::docker::Docker;
use crate::machine::{Content, Machine};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::borrow::Cow;
use std::path::Path;

/// <https://docs.ansible.com/ansible/latest/collections/community/docker/docker_image_module.html>
pub struct DockerImage;

/// The options, as they are documented in [`Documented`].
pub struct Args(Options);

impl<'de> Deserialize<'de> for Args {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Args, D::Error> {
        args::Dict::deserialize(d).map(|options| Args(Options(options.0)))
    }
}

impl JsonSchema for Args {
    fn schema_name() -> Cow<'static, str> {
        "docker_image".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Documented::json_schema(generator)
    }
}

#[derive(JsonSchema)]
#[allow(dead_code, reason = "read by name")]
#[schemars(extend("required_if" = [
    ["state", "present", ["source"]],
    ["source", "build", ["build"]],
    ["source", "load", ["load_path"]],
]))]
struct Documented {
    /// The image, with its registry and its tag, or its number.
    name: String,
    /// The tag, where `name` has none.
    #[serde(default = "latest")]
    tag: String,
    #[serde(default)]
    state: State,
    source: Option<Source>,
    /// How it is built, which rplay does not do.
    build: Option<args::Dict>,
    /// The archive that it is loaded from.
    load_path: Option<args::Path>,
    /// Pulls, or loads, an image that is there.
    #[serde(default)]
    force_source: bool,
    /// Gives the image its further name even if another one has it.
    #[serde(default)]
    force_tag: bool,
    /// Removes the image with all its names.
    #[serde(default)]
    force_absent: bool,
    /// A further name of the image.
    repository: Option<String>,
    /// Pushes the image to its registry.
    #[serde(default)]
    push: bool,
    pull: Option<PullOptions>,
    /// An archive that the image is written to.
    archive_path: Option<args::Path>,
    #[serde(flatten)]
    connection: Connection,
}

fn latest() -> String {
    "latest".to_string()
}

#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code, reason = "read by name")]
enum State {
    Absent,
    #[default]
    Present,
}

/// Where the image comes from.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code, reason = "read by name")]
enum Source {
    /// From a Dockerfile, which rplay does not do.
    Build,
    /// From the archive `load_path`.
    Load,
    /// From its registry.
    Pull,
    /// It is there.
    Local,
}

/// How an image is pulled.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "read by name")]
struct PullOptions {
    /// The platform: `os/arch/variant`.
    platform: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub struct Returns {
    changed: bool,
    /// What was done.
    actions: Vec<String>,
    /// What the Engine says of the image.
    image: Json,
}

impl Module for DockerImage {
    const NAME: &'static str = "docker_image";
    const COLLECTIONS: &'static [&'static str] = &["community.docker", "community.general"];
    const EXAMPLES: &'static str = "
- name: An image, with a further name
  community.docker.docker_image:
    name: nginx:1.27
    source: pull
    repository: registry.example.com/web/nginx:1.27
    push: true
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        let options = &args.0;
        let engine = docker::connect(options, machine)?;
        let given = options.text("name").unwrap_or_default();
        let tag = options.text("tag").unwrap_or("latest");
        let mut steps = Steps {
            options,
            docker: &engine,
            name: Name::parse(given, tag),
            id: docker::is_id(given).then(|| given.to_string()),
            returns: Returns {
                changed: false,
                actions: Vec::new(),
                image: json!({}),
            },
            machine,
        };
        match options.text("state") {
            Some("absent") => steps.absent()?,
            _ => steps.present()?,
        }
        Ok(steps.returns)
    }
}

struct Steps<'a> {
    options: &'a Options,
    docker: &'a Docker,
    machine: &'a mut Machine,
    name: Name,
    /// The image's number, if it was named by that.
    id: Option<String>,
    returns: Returns,
}

impl Steps<'_> {
    /// The image's name as the Engine is told.
    fn full(&self) -> String {
        match &self.id {
            Some(id) => id.clone(),
            None => self.name.to_string(),
        }
    }

    fn find(&self) -> Result<Option<Json>, Failure> {
        docker::image(self.docker, &self.full())
    }

    fn acted(&mut self, action: String, changed: bool) {
        self.returns.actions.push(action);
        self.returns.changed = changed;
    }

    fn absent(&mut self) -> Result<(), Failure> {
        if self.find()?.is_none() {
            return Ok(());
        }
        let name = self.full();
        let force = match self.options.is("force_absent") {
            true => "True",
            false => "False",
        };
        self.docker
            .change(
                self.machine,
                "DELETE",
                &format!("/images/{name}"),
                &[("force", force)],
                None,
            )
            .map_err(|e| Failure::new(format!("Error removing image {name} - {e}")))?;
        self.acted(format!("Removed image {name}"), true);
        self.returns.image = json!({"state": "Deleted"});
        Ok(())
    }

    fn present(&mut self) -> Result<(), Failure> {
        let source = self.options.text("source").unwrap_or_default();
        if source == "build" {
            return Err(Failure::new(
                "source: build is not supported: rplay does not build images. Build them elsewhere and use source: pull or load",
            ));
        }
        let before = self.find()?;
        let full = self.full();
        if before.is_none() || self.options.is("force_source") {
            if self.id.is_some() && source == "pull" {
                return Err(Failure::new(
                    "Image name must not be an image ID for source=pull",
                ));
            }
            match source {
                "load" => self.load(&full)?,
                "local" if before.is_none() => {
                    let msg = format!("Cannot find the image {full} locally.");
                    return Err(Failure::new(msg));
                }
                "local" => {}
                _ => {
                    self.acted(format!("Pulled image {full}"), true);
                    if !self.machine.mode.check {
                        let pull = self.options.map("pull").cloned().map(Options);
                        let platform = pull.as_ref().and_then(|p| p.text("platform"));
                        docker::pull(self.docker, self.machine, &self.name, platform)?;
                    }
                }
            }
            let after = match self.machine.mode.check {
                true => before.clone().filter(|_| source == "local"),
                false => self.find()?,
            };
            // what was there already has not changed
            if let (Some(before), Some(after)) = (&before, &after)
                && before["Id"] == after["Id"]
            {
                self.returns.changed = false;
            }
            self.returns.image = after.unwrap_or_else(|| json!({}));
        } else {
            self.returns.image = before.unwrap_or_else(|| json!({}));
        }
        if let Some(path) = self.options.text("archive_path") {
            self.archive(path)?;
        }
        match (self.options.text("repository"), self.options.is("push")) {
            (Some(repository), push) => {
                // a tag in `name` counts for more than `tag`
                let to = Name::parse(repository, &self.name.tag);
                self.tag(&to)?;
                if push {
                    self.push(&to)?;
                }
            }
            (None, true) => {
                let to = self.name.clone();
                self.push(&to)?;
            }
            (None, false) => {}
        }
        Ok(())
    }

    fn load(&mut self, full: &str) -> Result<(), Failure> {
        let path = self.options.text("load_path").unwrap_or_default();
        self.acted(format!("Loaded image {full} from {path}"), true);
        let file = Path::new(path);
        if !self.machine.is_file(file) {
            return Err(Failure::new(format!(
                "Error loading image {}. Specified path {path} does not exist.",
                self.name.repository
            )));
        }
        if self.machine.mode.check {
            return Ok(());
        }
        let archive = self.machine.read(file).map_err(|e| {
            Failure::new(format!(
                "Error opening image {} - {}",
                self.name.repository,
                crate::machine::reason(&e)
            ))
        })?;
        let what = format!("Error loading image {}", self.name.repository);
        let body = Some(("application/x-tar", archive));
        let lines = self
            .docker
            .stream(self.machine, "/images/load", &[], body, None)
            .map_err(|e| Failure::new(format!("{what} - {e}")))?;
        let said: String = lines.iter().filter_map(|l| l["stream"].as_str()).collect();
        let said = said.trim_end().to_string();
        if let Some(why) = trouble(&lines) {
            return Err(Failure::new(format!("{what} - {why}")).with("stdout", said));
        }
        let mut loaded: Vec<String> = Vec::new();
        for line in said.lines() {
            if let Some(name) = line.strip_prefix("Loaded image: ") {
                loaded.push(name.trim().to_string());
            } else if let Some(id) = line.strip_prefix("Loaded image ID: ") {
                loaded.push(id.trim().to_string());
            }
        }
        if !loaded.iter().any(|name| name == full) {
            let found: Vec<String> = loaded.iter().map(|n| format!("'{n}'")).collect();
            let msg = match found.as_slice() {
                [] => "Detected no loaded images. Archive potentially corrupt?".to_string(),
                found => format!(
                    "The archive did not contain image '{full}'. Instead, found {}.",
                    found.join(", ")
                ),
            };
            return Err(Failure::new(msg).with("stdout", said));
        }
        Ok(())
    }

    fn archive(&mut self, path: &str) -> Result<(), Failure> {
        let full = self.full();
        let Some(image) = self.find()? else {
            let msg = format!("Error archiving image {full} - image does not exist");
            return Err(Failure::new(msg));
        };
        let id = image["Id"].as_str().unwrap_or_default();
        let file = Path::new(path);
        let why = match self.machine.exists(file) {
            false => "since none present".to_string(),
            true => match archived(self.machine, file) {
                Some((there, names)) if there == id && names.contains(&full) => return Ok(()),
                Some((there, names)) => format!(
                    "overwriting archive with image {} named {}",
                    there.trim_start_matches("sha256:"),
                    names.join(", ")
                ),
                None => "overwriting an unreadable archive file".to_string(),
            },
        };
        self.acted(format!("Archived image {full} to {path}, {why}"), true);
        self.returns.image = image;
        if self.machine.mode.check {
            return Ok(());
        }
        let bytes = self
            .docker
            .bytes(&format!("/images/{full}/get"), &[])
            .map_err(failure(&format!("Error getting image {full}")))?;
        self.machine
            .write(file, Content::Bytes(&bytes), None, false)
            .map(|_| ())
            .map_err(|e| {
                Failure::new(format!(
                    "Error writing image archive {path} - {}",
                    crate::machine::reason(&e)
                ))
            })
    }

    fn tag(&mut self, to: &Name) -> Result<(), Failure> {
        let full = self.full();
        let there = docker::image(self.docker, &to.to_string())?;
        if there.is_some() && !self.options.is("force_tag") {
            return Ok(());
        }
        let same = there.is_some_and(|t| t["Id"] == self.returns.image["Id"]);
        self.acted(format!("Tagged image {full} to {to}"), !same);
        if self.machine.mode.check {
            return Ok(());
        }
        let query = [
            ("tag", to.tag.as_str()),
            ("repo", to.repository.as_str()),
            ("force", "1"),
        ];
        self.docker
            .change(
                self.machine,
                "POST",
                &format!("/images/{full}/tag"),
                &query,
                None,
            )
            .map_err(|e| Failure::new(format!("Error: failed to tag image - {e}")))?;
        self.returns.image = docker::image(self.docker, &to.to_string())?.unwrap_or_default();
        Ok(())
    }

    fn push(&mut self, to: &Name) -> Result<(), Failure> {
        let name = match &self.id {
            Some(id) => id.clone(),
            None => self.name.repository.clone(),
        };
        self.acted(format!("Pushed image {name} to {to}"), false);
        if self.machine.mode.check {
            self.returns.changed = true;
            return Ok(());
        }
        let what = format!("Error pushing image {}", to.repository);
        // the Engine wants a login, if it is only an empty one
        let login = docker::login(self.machine, to).unwrap_or_else(|| "e30=".to_string());
        let lines = self
            .docker
            .stream(
                self.machine,
                &format!("/images/{}/push", to.repository),
                &[("tag", &to.tag)],
                None,
                Some(&login),
            )
            .map_err(|e| Failure::new(format!("{what}: {e}")))?;
        if let Some(why) = trouble(&lines) {
            return Err(Failure::new(format!("{what}: {why}")));
        }
        let status = |line: &Json| line["status"].as_str().map(String::from);
        let pushed = lines.iter().filter_map(status).any(|s| s == "Pushed");
        // as in the real module, a name that was given before does not count
        self.returns.changed = pushed;
        self.returns.image = docker::image(self.docker, &to.to_string())?.unwrap_or_default();
        self.returns.image["push_status"] = match pushed {
            true => json!("Pushed"),
            false => Json::Null,
        };
        Ok(())
    }
}

/// The number and the names of the one image in an archive; none if it is no archive of one image.
fn archived(machine: &Machine, file: &Path) -> Option<(String, Vec<String>)> {
    let bytes = machine.read(file).ok()?;
    let manifest = entry(&bytes, "manifest.json")?;
    let manifest: Json = serde_json::from_slice(manifest).ok()?;
    let [image] = manifest.as_array()?.as_slice() else {
        return None;
    };
    let config = image["Config"].as_str()?;
    // `HASH.json`, and since Docker 25 `blobs/sha256/HASH`
    let hash = config.rsplit('/').next()?.trim_end_matches(".json");
    let names = image["RepoTags"].as_array();
    let names = names.into_iter().flatten().filter_map(Json::as_str);
    Some((format!("sha256:{hash}"), names.map(String::from).collect()))
}

/// The content of a file in a tar archive.
fn entry<'a>(mut tar: &'a [u8], name: &str) -> Option<&'a [u8]> {
    const BLOCK: usize = 512;
    loop {
        let (head, rest) = tar.split_at_checked(BLOCK)?;
        let text = |from: usize, to: usize| {
            let field = head[from..to].split(|b| *b == 0).next().unwrap_or_default();
            String::from_utf8_lossy(field).trim().to_string()
        };
        if head.iter().all(|b| *b == 0) {
            return None;
        }
        let size = usize::from_str_radix(&text(124, 136), 8).ok()?;
        if text(0, 100) == name {
            return rest.get(..size);
        }
        tar = rest.get(size.div_ceil(BLOCK) * BLOCK..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::entry;

    #[test]
    fn files_are_found_in_archives() {
        let file = |name: &str, content: &str| {
            let mut block = vec![0; 512];
            block[..name.len()].copy_from_slice(name.as_bytes());
            block[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
            let mut content = content.as_bytes().to_vec();
            content.resize(512, 0);
            [block, content].concat()
        };
        let tar = [file("a", "x"), file("manifest.json", "[1]"), vec![0; 1024]].concat();
        assert_eq!(entry(&tar, "manifest.json"), Some(b"[1]".as_slice()));
        assert_eq!(entry(&tar, "b"), None);
    }
}
