//! From what is there to what is wanted, step by step.

use super::super::Failure;
use super::super::common::docker::{self, Name, Options, failure};
use super::Returns;
use super::compare::{Mode, Modes, fits, shown};
use super::networks;
use super::wishes::{OWN_IMAGE, Source, Wish, Wishes};
use crate::machine::Machine;
use crate::machine::docker::Docker;
use serde_json::{Map, Value as Json, json};
use std::time::{Duration, Instant};

/// A run of the module.
pub struct Steps<'a> {
    options: &'a Options,
    docker: &'a Docker,
    modes: &'a Modes,
    machine: &'a mut Machine,
    name: String,
    networks: Vec<networks::Wanted>,
    /// What the Engine says of the container, if it is there.
    container: Option<Json>,
    actions: Vec<Json>,
    before: Map<String, Json>,
    after: Map<String, Json>,
    /// Why the container was made anew: for `debug`.
    differences: Option<Vec<Json>>,
    image_different: bool,
    changed: bool,
    status: Option<i64>,
    warnings: Vec<String>,
}

impl<'a> Steps<'a> {
    pub fn new(
        options: &'a Options,
        docker: &'a Docker,
        modes: &'a Modes,
        machine: &'a mut Machine,
    ) -> Result<Steps<'a>, Failure> {
        let name = options.text("name").unwrap_or_default();
        let mut steps = Steps {
            options,
            docker,
            modes,
            machine,
            name: name.trim_start_matches('/').to_string(),
            networks: Vec::new(),
            container: None,
            actions: Vec::new(),
            before: Map::new(),
            after: Map::new(),
            differences: None,
            image_different: false,
            changed: false,
            status: None,
            warnings: Vec::new(),
        };
        steps.container = steps.find()?;
        Ok(steps)
    }

    pub fn run(mut self, state: &str) -> Result<Returns, Failure> {
        let done = match state {
            "absent" => self.absent(),
            state => {
                self.networks = networks::wanted(self.options, self.docker)?;
                self.there(state)
            }
        };
        let show = self.machine.mode.check || self.options.is("debug");
        let diff = self.machine.mode.diff.then(|| {
            let mut diff = Map::new();
            if let Some(differences) = self.differences.take() {
                diff.insert("differences".into(), Json::Array(differences));
            }
            if self.image_different {
                diff.insert("image_different".into(), json!(true));
            }
            diff.insert("before".into(), Json::Object(self.before));
            diff.insert("after".into(), Json::Object(self.after));
            Json::Object(diff)
        });
        if let Some(container) = self.container.as_mut().and_then(Json::as_object_mut) {
            container.shift_remove(OWN_IMAGE);
        }
        let returns = Returns {
            changed: self.changed,
            container: self.container.filter(|_| state != "absent"),
            status: self.status,
            actions: show.then_some(self.actions),
            diff,
            warnings: self.warnings,
        };
        match done {
            Ok(()) => Ok(returns),
            // a container that ran and failed, or that is not well, is shown
            Err(failure) if failure.fields.contains_key("ran") => {
                Err(with(Failure::new(failure.msg), &returns))
            }
            Err(failure) if failure.fields.contains_key("unwell") => Err(with(
                Failure::new(failure.msg),
                &Returns {
                    container: returns.container,
                    warnings: returns.warnings,
                    ..Returns::default()
                },
            )),
            Err(failure) => Err(failure),
        }
    }

    /// The container of this name or number. One that is being removed is waited for, and is not there.
    fn find(&self) -> Result<Option<Json>, Failure> {
        let query = [
            ("limit", "-1"),
            ("all", "1"),
            ("size", "0"),
            ("trunc_cmd", "0"),
        ];
        let all = self
            .docker
            .get("/containers/json", &query)
            .map_err(failure("Error retrieving container list"))?;
        let all = all.unwrap_or_default();
        let all = all.as_array().map_or(&[] as &[Json], Vec::as_slice);
        let slashed = format!("/{}", self.name);
        let named = |c: &&Json| {
            let names = c["Names"].as_array();
            names.is_some_and(|names| names.iter().any(|n| n.as_str() == Some(slashed.as_str())))
        };
        let numbered = |c: &&Json| {
            let id = c["Id"].as_str().unwrap_or_default();
            id == self.name || (self.name.len() >= 12 && id.starts_with(&self.name))
        };
        let found = all.iter().find(named).or_else(|| all.iter().find(numbered));
        let Some(id) = found.and_then(|c| c["Id"].as_str()) else {
            return Ok(None);
        };
        let container = self.inspect(id)?;
        let state = container
            .as_ref()
            .and_then(|c| c["State"]["Status"].as_str());
        if state == Some("removing") {
            if !self.machine.mode.check {
                self.gone(id)?;
            }
            return Ok(None);
        }
        Ok(container)
    }

    fn inspect(&self, id: &str) -> Result<Option<Json>, Failure> {
        self.docker
            .get(&format!("/containers/{id}/json"), &[])
            .map_err(failure("Error inspecting container"))
    }

    fn id(&self) -> String {
        let id = self.container.as_ref().and_then(|c| c["Id"].as_str());
        id.unwrap_or_default().to_string()
    }

    fn running(&self) -> bool {
        let container = self.container.as_ref();
        container.is_some_and(|c| {
            c["State"]["Running"].as_bool() == Some(true)
                && c["State"]["Ghost"].as_bool() != Some(true)
        })
    }

    fn refresh(&mut self) -> Result<(), Failure> {
        if !self.machine.mode.check {
            self.container = self.inspect(&self.id())?;
        }
        Ok(())
    }

    /// Notes something that is done, or in check mode would be.
    fn act(&mut self, action: Json) {
        self.actions.push(action);
        self.changed = true;
    }

    fn differs(&mut self, name: &str, before: impl Into<Json>, after: impl Into<Json>) {
        self.before.insert(name.into(), before.into());
        self.after.insert(name.into(), after.into());
    }

    fn change(
        &mut self,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Json>,
        what: &str,
    ) -> Result<Json, Failure> {
        let answer = self
            .docker
            .change(self.machine, method, path, query, body)
            .map_err(failure(what))?;
        for warning in answer["Warnings"].as_array().into_iter().flatten() {
            let text = warning.as_str().unwrap_or_default();
            self.warnings.push(format!("Docker warning: {text}"));
        }
        Ok(answer)
    }

    fn absent(&mut self) -> Result<(), Failure> {
        if self.container.is_none() {
            return Ok(());
        }
        if self.running() {
            self.differs("running", true, false);
            self.stop()?;
        }
        self.differs("exists", true, false);
        self.remove(false)
    }

    fn there(&mut self, state: &str) -> Result<(), Failure> {
        let was_running = self.running();
        let was_paused = self
            .container
            .as_ref()
            .is_some_and(|c| c["State"]["Paused"].as_bool() == Some(true));
        let starts = matches!(state, "started" | "healthy");
        let (image, name) = self.image()?;
        let compared = self.compared(&image)?;
        let mut warnings = Vec::new();
        let address = networks::address(self.options, self.docker)?;
        let wishes = Wishes::of(
            &Source {
                options: self.options,
                name: &self.name,
                docker: self.docker,
                machine: self.machine,
                image: &compared,
                address: &address,
            },
            &mut warnings,
        )?;
        self.warnings.append(&mut warnings);
        match self.container.clone() {
            None => {
                self.differs("exists", false, true);
                let image = self.options.json("image").filter(|_| name.is_some());
                self.create(&wishes, image)?;
            }
            Some(container) => {
                let changes = self.changes(&wishes, &container, |w| !w.update);
                let labels = self.label_mismatch(&compared);
                labels?;
                let different = self.image_differs(&image, name.as_deref(), &container);
                if !changes.is_empty() || different || self.options.is("recreate") {
                    self.anew(&wishes, &container)?;
                }
            }
        }
        self.update(&wishes)?;
        self.connect()?;
        if starts {
            self.start(was_running)?;
        } else if state == "stopped" && self.running() {
            self.differs("running", true, false);
            self.stop()?;
            self.refresh()?;
        }
        if let Some(paused) = self.options.flag("paused")
            && state != "stopped"
        {
            self.pause(was_paused, paused)?;
        }
        if state == "healthy" {
            self.healthy()?;
        }
        Ok(())
    }

    /// What the Engine knows of the image, pulled if need be, and its name. Without the option, that of the
    /// container.
    fn image(&mut self) -> Result<(Json, Option<String>), Failure> {
        let Some(given) = self.options.text("image").map(String::from) else {
            let Some(container) = &self.container else {
                let msg = "Cannot create container when image is not specified!";
                return Err(Failure::new(msg));
            };
            let id = container["Image"].as_str().unwrap_or_default();
            let image = docker::image(self.docker, id)?;
            return Ok((image.unwrap_or_default(), None));
        };
        if docker::is_id(&given) {
            let image = docker::image(self.docker, &given)?;
            return match image {
                Some(image) => Ok((image, Some(given))),
                None => Err(Failure::new(format!("Cannot find image with ID {given}"))),
            };
        }
        let name = Name::parse(&given, "latest");
        let mut image = docker::image(self.docker, &name.to_string())?;
        let pull = self.options.get("pull");
        let always = match pull {
            Some(crate::Value::Bool(always)) => *always,
            Some(word) => word.as_str() == Some("always"),
            None => false,
        };
        let never = pull.and_then(crate::Value::as_str) == Some("never");
        if never && image.is_none() {
            return Err(Failure::new(format!(
                "Cannot find image with name {name}, and pull=never"
            )));
        }
        if image.is_none() || always {
            if !self.machine.mode.check {
                docker::pull(
                    self.docker,
                    self.machine,
                    &name,
                    self.options.text("platform"),
                )?;
                let new = docker::image(self.docker, &name.to_string())?;
                let changed = new.as_ref().map(|i| &i["Id"]) != image.as_ref().map(|i| &i["Id"]);
                self.pulled(&name, Some(changed));
                image = new;
            } else if image.is_none() {
                self.pulled(&name, Some(true));
            } else if self.options.text("pull_check_mode_behavior") == Some("always") {
                self.pulled(&name, None);
            }
        }
        Ok((image.unwrap_or_default(), Some(given)))
    }

    fn pulled(&mut self, name: &Name, changed: Option<bool>) {
        let mut action = json!({"pulled_image": name.to_string()});
        if let Some(changed) = changed {
            action["changed"] = json!(changed);
        }
        self.actions.push(action);
        self.changed |= changed.unwrap_or(true);
    }

    /// The image that a container is compared with.
    fn compared(&mut self, image: &Json) -> Result<Json, Failure> {
        let own = self.container.as_ref().map(|c| c["Image"].clone());
        let Some(own) = own else {
            return Ok(image.clone());
        };
        let current = self.options.text("image_comparison") == Some("current-image");
        if !current && self.options.get("platform").is_none() {
            return Ok(image.clone());
        }
        let found = docker::image(self.docker, own.as_str().unwrap_or_default())?;
        let found = found.unwrap_or_default();
        if let Some(container) = &mut self.container
            && self.options.get("platform").is_some()
        {
            container[OWN_IMAGE] = found.clone();
        }
        Ok(if current { found } else { image.clone() })
    }

    fn label_mismatch(&self, image: &Json) -> Result<(), Failure> {
        let strict = self.modes.of("labels", super::compare::Kind::Dict) == Mode::Strict;
        let fails = self.options.text("image_label_mismatch") == Some("fail");
        let Some(own) = self.options.map("labels").filter(|_| strict && fails) else {
            return Ok(());
        };
        let labels = image["Config"]["Labels"].as_object();
        let extra: Vec<String> = labels
            .into_iter()
            .flatten()
            .filter(|(name, _)| !own.contains_key(name.as_str()))
            .map(|(name, _)| format!("\"{name}\""))
            .collect();
        match extra.is_empty() {
            true => Ok(()),
            false => Err(Failure::new(format!(
                "Some labels should be removed but are present in the base image. You can set image_label_mismatch \
                 to 'ignore' to ignore this error. Labels: {}",
                extra.join(", ")
            ))),
        }
    }

    fn image_differs(&mut self, image: &Json, name: Option<&str>, container: &Json) -> bool {
        let Some(name) = name else {
            return false;
        };
        if self.modes.of("image", super::compare::Kind::Value) == Mode::Ignore {
            return false;
        }
        let (new, old) = (&image["Id"], &container["Image"]);
        // one that would have to be pulled is unknown in check mode
        let other = !image.is_null() && new != old;
        let renamed = self.options.text("image_name_mismatch") != Some("ignore")
            && container["Config"]["Image"].as_str() != Some(name);
        if other {
            self.differs("image", old.clone(), new.clone());
            self.image_different = true;
        }
        if other || renamed {
            self.differs("image_name", container["Config"]["Image"].clone(), name);
        }
        other || renamed
    }

    /// The wishes that a container does not fulfil; they are noted.
    fn changes<'w>(
        &mut self,
        wishes: &'w Wishes,
        container: &Json,
        which: impl Fn(&Wish) -> bool,
    ) -> Vec<&'w Wish> {
        let mut out = Vec::new();
        for wish in wishes.all.iter().filter(|w| which(w)) {
            let have = (wish.have)(container, wish.path);
            if !fits(
                &wish.want,
                &have,
                wish.kind,
                self.modes.of(wish.option, wish.kind),
            ) {
                let (want, have) = (shown(&wish.want, wish.kind), shown(&have, wish.kind));
                self.differs(wish.name, have, want);
                out.push(wish);
            }
        }
        out
    }

    /// Removes the container and makes it again.
    fn anew(&mut self, wishes: &Wishes, container: &Json) -> Result<(), Failure> {
        // what could have been changed is told too
        self.changes(wishes, container, |w| w.update);
        let differences = wishes.all.iter().filter_map(|wish| {
            let (want, have) = (self.after.get(wish.name)?, self.before.get(wish.name)?);
            Some(json!({wish.name: {"parameter": want, "container": have}}))
        });
        self.differences = Some(differences.collect());
        if self.running() {
            self.stop()?;
        }
        self.remove(false)?;
        if !self.machine.mode.check {
            self.gone(&self.id())?;
        }
        // without the option, it is the image that the container had
        let image = match self.options.json("image") {
            Some(image) if self.modes.of("image", super::compare::Kind::Value) != Mode::Ignore => {
                image
            }
            Some(image) => image,
            None => container["Image"].clone(),
        };
        self.create(wishes, Some(image))
    }

    /// Waits until a container that is being removed is gone.
    fn gone(&self, id: &str) -> Result<(), Failure> {
        let most = self.options.float("removal_wait_timeout");
        let start = Instant::now();
        let mut pause = Duration::from_millis(10);
        while self.inspect(id)?.is_some() {
            if most.is_some_and(|most| start.elapsed().as_secs_f64() > most) {
                return Err(Failure::new(format!(
                    "Timeout of {} seconds exceeded while waiting for container \"{id}\"",
                    crate::python::float(most.unwrap_or_default())
                )));
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_secs(1));
        }
        Ok(())
    }

    fn create(&mut self, wishes: &Wishes, image: Option<Json>) -> Result<(), Failure> {
        let mut body = wishes.create.clone();
        if let Some(image) = image {
            body["Image"] = image;
        }
        let (networking, shown) = networks::at_creation(self.options, self.docker);
        self.act(json!({
            "created": "Created container",
            "create_parameters": body,
            "networks": shown,
        }));
        if self.machine.mode.check {
            return Ok(());
        }
        body["NetworkingConfig"] = networking;
        let name = self.name.clone();
        let mut query = vec![("name", name.as_str())];
        let platform = body["platform"].as_str().map(String::from);
        if let Some(platform) = &platform {
            query.push(("platform", platform));
        }
        let made = self.change(
            "POST",
            "/containers/create",
            &query,
            Some(&body),
            "Error creating container",
        )?;
        self.container = self.inspect(made["Id"].as_str().unwrap_or_default())?;
        Ok(())
    }

    /// Changes what can be changed while the container is there.
    fn update(&mut self, wishes: &Wishes) -> Result<(), Failure> {
        let Some(container) = self.container.clone().filter(|_| {
            // one that check mode would have made anew is as it should be
            !(self.machine.mode.check && self.differences.is_some())
        }) else {
            return Ok(());
        };
        if self.changes(wishes, &container, |w| w.update).is_empty() {
            return Ok(());
        }
        // as in the real module, check mode shows the difference and does not count it
        if self.machine.mode.check {
            return Ok(());
        }
        let mut body = Map::new();
        for wish in wishes.all.iter().filter(|w| w.update) {
            let key = wish.path.trim_start_matches("HostConfig.");
            let key = key.split('.').next().unwrap_or(key);
            let value = &wishes.create["HostConfig"][key];
            body.insert(key.into(), value.clone());
        }
        let id = self.id();
        let body = Json::Object(body);
        self.act(json!({"updated": id, "update_parameters": body}));
        let path = format!("/containers/{id}/update");
        let what = format!("Error updating container {id}");
        self.change("POST", &path, &[], Some(&body), &what)?;
        self.refresh()
    }

    /// Has the container be in its networks.
    fn connect(&mut self) -> Result<(), Failure> {
        let Some(container) = self.container.clone() else {
            return Ok(());
        };
        let id = self.id();
        let differences = networks::differences(&self.networks, &container);
        let extra = networks::extra(self.options, self.modes, &container);
        if differences.is_empty() && extra.is_empty() {
            return Ok(());
        }
        let mut told = self.differences.take().unwrap_or_default();
        if !differences.is_empty() {
            let each = differences
                .iter()
                .map(|d| json!({"parameter": d.wanted, "container": d.there}));
            told.push(json!({"network_differences": each.collect::<Vec<_>>()}));
        }
        if !extra.is_empty() {
            told.push(json!({"purge_networks": extra}));
        }
        self.differences = Some(told);
        for difference in &differences {
            let name = difference.name().to_string();
            self.differs(
                &format!("network.{name}"),
                difference.there.clone(),
                difference.wanted.clone(),
            );
            if !difference.there.is_null() {
                self.disconnect(&id, &name)?;
            }
            self.act(json!({"added_to_network": name, "network_parameters": difference.wanted}));
            let path = format!("/networks/{}/connect", difference.id());
            let body = difference.connection(&id);
            let what = format!("Error connecting container to network {name}");
            self.change("POST", &path, &[], Some(&body), &what)?;
        }
        for network in &extra {
            let name = network["name"].as_str().unwrap_or_default();
            self.differs(&format!("network.{name}"), network.clone(), Json::Null);
            self.disconnect(&id, name)?;
        }
        self.refresh()
    }

    fn disconnect(&mut self, id: &str, name: &str) -> Result<(), Failure> {
        self.act(json!({"removed_from_network": name}));
        let path = format!("/networks/{name}/disconnect");
        let body = json!({"Container": id});
        let what = format!("Error disconnecting container from network {name}");
        self.change("POST", &path, &[], Some(&body), &what)
            .map(|_| ())
    }

    fn start(&mut self, was_running: bool) -> Result<(), Failure> {
        // what check mode would have made cannot be started
        if self.container.is_none() {
            return Ok(());
        }
        let id = self.id();
        if !self.running() {
            self.differs("running", was_running, true);
            self.act(json!({"started": id}));
            let path = format!("/containers/{id}/start");
            let what = format!("Error starting container {id}");
            self.change("POST", &path, &[], None, &what)?;
            if self.options.flag("detach") == Some(false) && !self.machine.mode.check {
                return self.finish(&id);
            }
            return self.refresh();
        }
        if self.options.is("restart") {
            self.differs("running", was_running, true);
            self.differs("restarted", false, true);
            let timeout = self.options.int("stop_timeout");
            self.act(json!({"restarted": id, "timeout": timeout}));
            let timeout = timeout.unwrap_or(10).to_string();
            let path = format!("/containers/{id}/restart");
            let what = format!("Error restarting container {id}");
            self.change("POST", &path, &[("t", &timeout)], None, &what)?;
            return self.refresh();
        }
        Ok(())
    }

    /// Waits for a container's end and tells what it printed.
    fn finish(&mut self, id: &str) -> Result<(), Failure> {
        let removed = self
            .container
            .as_ref()
            .is_some_and(|c| c["HostConfig"]["AutoRemove"].as_bool() == Some(true));
        let before = self.container.clone();
        let waited = self
            .docker
            .wait(&format!("/containers/{id}/wait"))
            .map_err(failure(&format!("Error waiting for container {id}")))?;
        let status = waited["StatusCode"].as_i64().unwrap_or_default();
        let driver = before
            .as_ref()
            .map(|c| c["HostConfig"]["LogConfig"]["Type"].clone());
        let driver = driver.as_ref().and_then(Json::as_str).unwrap_or_default();
        let output = if removed {
            "Cannot retrieve result as auto_remove is enabled".to_string()
        } else if matches!(driver, "json-file" | "journald" | "local") {
            self.output(id, before.as_ref())?
        } else {
            format!("Result logged using `{driver}` driver")
        };
        if self.options.is("output_logs")
            && let Some(lines) = &self.machine.lines
        {
            for line in output.lines() {
                lines(crate::machine::Stream::Output, line);
            }
        }
        if self.options.is("cleanup") {
            self.remove(true)?;
            self.container = Some(json!({}));
        } else {
            self.container = self.inspect(id)?.or(before);
        }
        if let Some(container) = &mut self.container {
            container["Output"] = json!(output);
        }
        self.status = Some(status);
        match status {
            0 => Ok(()),
            _ => Err(Failure::new(output).with("ran", true)),
        }
    }

    fn output(&self, id: &str, container: Option<&Json>) -> Result<String, Failure> {
        let query = [
            ("stderr", "1"),
            ("stdout", "1"),
            ("timestamps", "0"),
            ("follow", "0"),
            ("tail", "all"),
        ];
        let bytes = self
            .docker
            .bytes(&format!("/containers/{id}/logs"), &query)
            .map_err(failure(&format!(
                "Error getting the output of container {id}"
            )))?;
        let tty = container.is_some_and(|c| c["Config"]["Tty"].as_bool() == Some(true));
        let text = if tty { bytes } else { frames(&bytes) };
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    fn stop(&mut self) -> Result<(), Failure> {
        let id = self.id();
        if self.options.is("force_kill") {
            let signal = self.options.text("kill_signal");
            self.act(json!({"killed": id, "signal": signal}));
            let path = format!("/containers/{id}/kill");
            let what = format!("Error killing container {id}");
            let query = signal.map(|s| ("signal", s));
            self.change("POST", &path, query.as_slice(), None, &what)?;
            return self.stopped(&id);
        }
        let timeout = self.options.int("stop_timeout");
        self.act(json!({"stopped": id, "timeout": timeout}));
        // processes that are held do not hear the signal
        let held = self.container.as_ref();
        if held.is_some_and(|c| c["State"]["Paused"].as_bool() == Some(true)) {
            let path = format!("/containers/{id}/unpause");
            let what = format!("Error unpausing container {id} for stopping");
            self.change("POST", &path, &[], None, &what)?;
        }
        let seconds = timeout.map(|t| t.to_string());
        let query = seconds.as_deref().map(|t| ("t", t));
        let path = format!("/containers/{id}/stop");
        let what = format!("Error stopping container {id}");
        self.change("POST", &path, query.as_slice(), None, &what)?;
        Ok(())
    }

    /// A container that was killed takes a moment to end, and is not removed before.
    fn stopped(&mut self, id: &str) -> Result<(), Failure> {
        if !self.machine.mode.check {
            self.docker
                .wait(&format!("/containers/{id}/wait"))
                .map_err(failure(&format!("Error waiting for container {id}")))
                .or_else(|e| match self.inspect(id)? {
                    None => Ok(Json::Null),
                    Some(_) => Err(e),
                })?;
        }
        Ok(())
    }

    fn remove(&mut self, force: bool) -> Result<(), Failure> {
        let id = self.id();
        let volumes = !self.options.is("keep_volumes");
        self.act(json!({"removed": id, "volume_state": volumes, "link": false, "force": force}));
        // one that removes itself may be gone already
        if !self.machine.mode.check && self.inspect(&id)?.is_none() {
            return Ok(());
        }
        let word = |flag: bool| if flag { "True" } else { "False" };
        let query = [
            ("v", word(volumes)),
            ("link", "False"),
            ("force", word(force)),
        ];
        let what = format!("Error removing container {id}");
        let path = format!("/containers/{id}");
        let removed = self.change("DELETE", &path, &query, None, &what);
        match removed {
            // it has begun to remove itself
            Err(e) if e.msg.contains("is already in progress") => self.gone(&id),
            done => done.map(|_| ()),
        }
    }

    fn pause(&mut self, was: bool, paused: bool) -> Result<(), Failure> {
        let now = match self.machine.mode.check {
            true => was,
            false => self
                .container
                .as_ref()
                .is_some_and(|c| c["State"]["Paused"].as_bool() == Some(true)),
        };
        if now == paused || self.container.is_none() {
            return Ok(());
        }
        self.differs("paused", was, paused);
        self.act(json!({"set_paused": paused}));
        let id = self.id();
        let (verb, doing) = if paused {
            ("pause", "pausing")
        } else {
            ("unpause", "unpausing")
        };
        let what = format!("Error {doing} container {id}");
        self.change(
            "POST",
            &format!("/containers/{id}/{verb}"),
            &[],
            None,
            &what,
        )?;
        self.refresh()
    }

    /// Waits until the container's health check says that it is well.
    fn healthy(&mut self) -> Result<(), Failure> {
        if self.machine.mode.check {
            return Ok(());
        }
        let id = self.id();
        let most = self.options.float("healthy_wait_timeout").unwrap_or(300.0);
        let start = Instant::now();
        loop {
            self.refresh()?;
            let status = self
                .container
                .as_ref()
                .map(|c| c["State"]["Health"]["Status"].clone());
            match status.as_ref().and_then(Json::as_str) {
                // without a check there is nothing to wait for
                Some("healthy") | None => return Ok(()),
                _ => {}
            }
            if most > 0.0 && start.elapsed().as_secs_f64() > most {
                return Err(Failure::new(format!(
                    "Timeout of {} seconds exceeded while waiting for container \"{id}\"",
                    crate::python::float(most)
                ))
                .with("unwell", true));
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// A failure with what there is to show of the container.
fn with(mut failure: Failure, returns: &Returns) -> Failure {
    let shown = serde_json::to_value(returns).unwrap_or_default();
    for (key, value) in shown.as_object().into_iter().flatten() {
        failure
            .fields
            .insert(key.as_str().into(), crate::Value::from_json(value.clone()));
    }
    failure
}

/// The content of frames: each has a head of 8 bytes, whose last four say how long it is.
fn frames(mut bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some((head, rest)) = bytes.split_first_chunk::<8>() {
        let [_, _, _, _, a, b, c, d] = *head;
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        let (content, rest) = rest.split_at(length.min(rest.len()));
        out.extend_from_slice(content);
        bytes = rest;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::frames;

    #[test]
    fn frames_are_joined() {
        let bytes = b"\x01\0\0\0\0\0\0\x02hi\x02\0\0\0\0\0\0\x01!\x01\0\0";
        assert_eq!(frames(bytes), b"hi!");
    }
}
