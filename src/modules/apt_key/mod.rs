//! Keys that apt trusts, by the host's `apt-key` and `gpg`.

mod id;

use super::args::Path;
use super::common::tool;
use super::{Failure, Module, yes};
use crate::machine::{Command, Machine, Output, http};
use crate::modules::apt::tool::{locale, quiet};
use crate::modules::args;
use crate::value::Value;
use id::Id;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::io::Read;

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/apt_key_module.html>
pub struct AptKey;

#[derive(Deserialize, JsonSchema)]
#[schemars(extend("mutually_exclusive" = [["data", "file", "keyserver", "url"]]))]
pub struct Args {
    /// The key's id: its fingerprint, or the last 16 or 8 digits of it.
    id: Option<String>,
    /// Where the key is downloaded from.
    url: Option<String>,
    /// The key itself.
    data: Option<String>,
    /// A file on the target that holds the key.
    file: Option<Path>,
    /// The keyring, a file in `/etc/apt/trusted.gpg.d`; apt's own without it.
    keyring: Option<Path>,
    /// Whether the certificate of the URL's server is checked.
    #[serde(default = "yes")]
    validate_certs: bool,
    /// A server to ask for the key with the `id`.
    keyserver: Option<String>,
    #[serde(default)]
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    Absent,
    #[default]
    Present,
}

#[derive(Serialize, JsonSchema)]
pub struct Returns {
    changed: bool,
    /// The id as it was given, or that of the key.
    id: String,
    /// The id without `0x`, in capitals.
    key_id: String,
    /// The last 8 digits of it.
    short_id: String,
    /// What the key is looked for by.
    fp: String,
    /// The ids of all keys before.
    before: Vec<String>,
    /// The ids of all keys after a change.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Vec<String>>,
}

impl Module for AptKey {
    const NAME: &'static str = "apt_key";
    const EXAMPLES: &'static str = "
- name: Trust a key of a key server
  ansible.builtin.apt_key:
    keyserver: keyserver.ubuntu.com
    id: 36A1D7869245C8950F966E92D8576A8BA88D21E9
  when: ansible_facts.pkg_mgr == 'apt'

- name: Trust a key from a site
  ansible.builtin.apt_key:
    url: https://apt.example.com/key.asc
    id: 9FED2BCBDCD29CDF762678CBAED4B06F473041FA
  when: ansible_facts.pkg_mgr == 'apt'
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        let call = Call {
            apt_key: tool::find(machine, "apt-key")?,
            gpg: tool::find(machine, "gpg")?,
            args,
        };
        call.run(machine)
    }
}

/// A key to add.
enum Key {
    /// Its content.
    Data(Vec<u8>),
    File(String),
    Server(String),
}

struct Call {
    args: Args,
    apt_key: String,
    gpg: String,
}

impl Call {
    fn run(&self, machine: &mut Machine) -> Result<Returns, Failure> {
        let args = &self.args;
        let mut key = None;
        let given = match (&args.id, args.state) {
            (None, _) if args.keyserver.is_some() => {
                return Err(Failure::new("Missing key_id, required with keyserver."));
            }
            (None, _) => {
                key = self.key(machine)?;
                self.id_of(machine, key.as_ref())?
            }
            (Some(id), _) => Some(id.clone()),
        };
        let id = Id::parse(given.as_deref())?;
        let before = self.keys(machine, &id)?;
        let mut returns = Returns {
            changed: false,
            id: given.unwrap_or_default(),
            key_id: id.full.clone(),
            short_id: id.short.clone(),
            fp: id.found_by.clone(),
            before,
            after: None,
        };
        let there = returns.before.contains(&id.found_by);
        if there == (args.state == State::Present) {
            return Ok(returns);
        }
        returns.changed = true;
        if machine.mode.check {
            return Ok(returns);
        }
        match args.state {
            State::Present => {
                if key.is_none() {
                    key = self.key(machine)?;
                }
                match key {
                    Some(key) => self.add(machine, &key, &id)?,
                    None => {
                        let failure = Failure::new("No key to add ... how did i get here?!?!");
                        return Err(with(failure, &returns));
                    }
                }
            }
            State::Absent => self.remove(machine, &id, &returns)?,
        }
        let after = self.keys(machine, &id)?;
        let there = after.contains(&id.found_by);
        returns.after = Some(after);
        match (args.state, there) {
            (State::Present, false) => Err(with(
                Failure::new(
                    "apt-key did not return an error, but failed to add the key \
                     (check that the id is correct and *not* a subkey)",
                ),
                &returns,
            )),
            (State::Absent, true) => Err(with(
                Failure::new(
                    "apt-key did not return an error, but the key was not removed \
                     (check that the id is correct and *not* a subkey)",
                ),
                &returns,
            )),
            _ => Ok(returns),
        }
    }

    /// The key that the options lead to; one of a URL is downloaded.
    fn key(&self, machine: &Machine) -> Result<Option<Key>, Failure> {
        let args = &self.args;
        if let Some(url) = &args.url {
            return self
                .download(machine, url)
                .map(|data| Some(Key::Data(data)));
        }
        if let Some(file) = &args.file {
            return Ok(Some(Key::File(file.0.clone())));
        }
        if let Some(data) = &args.data {
            return Ok(Some(Key::Data(data.clone().into_bytes())));
        }
        Ok(args.keyserver.clone().map(Key::Server))
    }

    fn download(&self, machine: &Machine, url: &str) -> Result<Vec<u8>, Failure> {
        let shown = http::shown(url);
        let fail = |why: String| Failure::new(format!("Failed to download key at {shown}: {why}"));
        let settings = http::Settings {
            validate_certs: self.args.validate_certs,
            ..http::Settings::new(machine)
        };
        let request = http::Request::new("GET", url);
        let mut response = http::fetch(request, &settings).map_err(|e| fail(e.to_string()))?;
        if response.status != 200 {
            return Err(fail(response.message()));
        }
        let mut data = Vec::new();
        let failed = |e| {
            let why = http::in_words(&e);
            Failure::new(format!("error getting key id from url: {shown}")).with("traceback", why)
        };
        response.body.read_to_end(&mut data).map_err(failed)?;
        Ok(data)
    }

    /// The id of the first key in what is to be added, for whom the user did not name one.
    fn id_of(&self, machine: &Machine, key: Option<&Key>) -> Result<Option<String>, Failure> {
        let (file, stdin) = match key {
            Some(Key::File(file)) => (file.as_str(), None),
            Some(Key::Data(data)) => ("-", Some(data.clone())),
            Some(Key::Server(_)) | None => return Ok(None),
        };
        let shown = match key {
            Some(Key::File(file)) => file.as_str(),
            _ => "inline data",
        };
        let mut command = quiet(
            machine,
            Command::new([self.gpg.as_str(), "--with-colons", file]),
        );
        command.stdin = stdin;
        let output = machine.probe(&command).map_err(cannot)?;
        let text = output.stdout_text();
        let id = text
            .lines()
            .filter(|l| l.starts_with("pub:"))
            .find_map(|l| l.split(':').nth(4));
        match id {
            Some(id) => Ok(Some(id.to_string())),
            None => Err(
                Failure::new(format!("Unable to extract key from '{shown}'"))
                    .with("stdout", text)
                    .with("stderr", output.stderr_text()),
            ),
        }
    }

    /// The words that all calls of `apt-key` begin with.
    fn words(&self) -> Vec<String> {
        let mut words = vec![self.apt_key.clone()];
        if let Some(keyring) = &self.args.keyring {
            words.extend(["--keyring".to_string(), keyring.0.clone()]);
        }
        words
    }

    /// The ids of all keys, short ones if the user's is.
    fn keys(&self, machine: &Machine, id: &Id) -> Result<Vec<String>, Failure> {
        let mut words = self.words();
        words.extend(["adv", "--list-public-keys", "--keyid-format=long"].map(String::from));
        let line = words.join(" ");
        let output = machine
            .probe(&quiet(machine, Command::new(words)))
            .map_err(cannot)?;
        if output.rc != 0 {
            let failure = Failure::new("Unable to list public keys");
            return Err(said(failure, &line, &output));
        }
        // pub   rsa4096/B7C5D7D6350947F8 2023-01-21 [SC]
        let key = |line: &str| {
            let mut words = line.split_whitespace();
            let kind = words.next()?;
            if !matches!(kind, "pub" | "sub") {
                return None;
            }
            let (_, key) = words.next()?.split_once('/')?;
            Some(match id.is_short() {
                true => key[key.len().saturating_sub(8)..].to_string(),
                false => key.to_string(),
            })
        };
        Ok(output.stdout_text().lines().filter_map(key).collect())
    }

    fn add(&self, machine: &mut Machine, key: &Key, id: &Id) -> Result<(), Failure> {
        let mut words = self.words();
        let mut attempts = 1;
        let mut stdin = None;
        match key {
            Key::Data(data) => {
                words.extend(["add", "-"].map(String::from));
                stdin = Some(data.clone());
            }
            Key::File(file) => words.extend(["add".to_string(), file.clone()]),
            Key::Server(server) => {
                words.extend(["adv", "--no-tty", "--keyserver"].map(String::from));
                words.extend([server.clone(), "--recv".to_string(), id.full.clone()]);
                // one of the machines behind a key server's name may be ill
                attempts = 5;
            }
        }
        let line = words.join(" ");
        let mut command = quiet(machine, Command::new(words));
        command.stdin = stdin;
        let mut output = Output::default();
        for _ in 0..attempts {
            output = machine
                .run(&command, &line)
                .map_err(cannot)?
                .unwrap_or_default();
            if output.rc == 0 {
                return Ok(());
            }
        }
        let failure = match key {
            Key::Data(_) => Failure::new("Unable to add a key from binary data"),
            Key::File(file) => Failure::new(format!("Unable to add a key from file {file}"))
                .with("keyfile", file.as_str()),
            Key::Server(server) => {
                let locale = locale(machine);
                let msg = format!("Error fetching key {} from keyserver: {server}", id.full);
                let forced = ["LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES"];
                let forced = args::map(forced.map(|name| (name, Value::str(locale))));
                Failure::new(msg).with("forced_environment", Value::map(forced))
            }
        };
        Err(said(failure, &line, &output))
    }

    fn remove(&self, machine: &mut Machine, id: &Id, so_far: &Returns) -> Result<(), Failure> {
        let mut words = self.words();
        words.extend(["del".to_string(), id.full.clone()]);
        let line = words.join(" ");
        let command = quiet(machine, Command::new(words));
        let output = machine.run(&command, &line).map_err(cannot)?;
        match output {
            Some(output) if output.rc != 0 => {
                let msg = format!("unable to remove key with id {}", id.full);
                Err(said(with(Failure::new(msg), so_far), &line, &output))
            }
            _ => Ok(()),
        }
    }
}

fn cannot(e: std::io::Error) -> Failure {
    let why = crate::machine::errno_text(&e);
    Failure::new(format!("apt-key cannot be started: {why}"))
}

/// With what a failed command said.
fn said(failure: Failure, line: &str, output: &Output) -> Failure {
    failure
        .with("cmd", line)
        .with("rc", output.rc)
        .with("stdout", output.stdout_text())
        .with("stderr", output.stderr_text())
}

/// With what is known of the keys.
fn with(failure: Failure, returns: &Returns) -> Failure {
    let known = serde_json::to_value(returns).map(Value::from_json);
    let mut failure = failure;
    if let Ok(Value::Map(fields)) = known {
        failure
            .fields
            .extend(fields.iter().map(|(k, v)| (k.clone(), v.clone())));
    }
    failure
}
