//! Looks after a job that a task with `async` has started.

use super::{Failure, Module};
use crate::machine::Machine;
use crate::modules::args::Path;
use crate::value::{Map, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/async_status_module.html>
pub struct AsyncStatus;

#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The job: `ansible_job_id` of the task that started it.
    jid: String,
    /// What to do with it.
    #[serde(default)]
    mode: Task,
    /// The folder of the jobs' files.
    #[schemars(extend("hidden" = true))]
    #[serde(rename = "_async_dir", default = "usual_dir")]
    dir: Path,
}

fn usual_dir() -> Path {
    Path("~/.ansible_async".to_string())
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Task {
    /// Say how it stands, and its result if there is one.
    #[default]
    Status,
    /// Remove its file.
    Cleanup,
}

/// The job's own result, and how it stands.
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Returns(Value);

impl Module for AsyncStatus {
    const NAME: &'static str = "async_status";
    const EXAMPLES: &'static str = "
- name: Wait for a job that runs in the background
  ansible.builtin.async_status:
    jid: '{{ job.ansible_job_id }}'
  register: job_result
  until: job_result is finished
  retries: 100
  delay: 10
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        let dir = crate::expand::path_with(args.dir.as_str(), &|name| machine.variable(name));
        // a job's id is the name of its file, and no way to others
        let name = std::path::Path::new(&args.jid).file_name();
        let file = std::path::Path::new(&dir).join(name.unwrap_or_default());
        let shown = file.to_string_lossy().into_owned();
        let mut about = [
            ("ansible_job_id", Value::from(args.jid.as_str())),
            ("results_file", shown.as_str().into()),
            ("started", true.into()),
            ("finished", true.into()),
            ("stdout", "".into()),
            ("stderr", "".into()),
        ]
        .into_iter()
        .map(|(k, v)| (k.into(), v))
        .collect::<Map>();
        let refuse = |msg: String, about: Map| Failure {
            fields: about,
            ..Failure::new(msg)
        };
        let Ok(contents) = machine.read(&file) else {
            about.shift_remove("results_file");
            if args.mode == Task::Cleanup {
                about.insert("erased".into(), shown.into());
            } else {
                about.insert("results_file".into(), shown.into());
            }
            return Err(refuse("could not find job".to_string(), about));
        };
        if args.mode == Task::Cleanup {
            machine
                .remove(&file)
                .map_err(|e| Failure::new(crate::machine::reason(&e)))?;
            about.shift_remove("results_file");
            about.insert("erased".into(), shown.into());
            about.insert("started".into(), false.into());
            about.insert("finished".into(), false.into());
            about.insert("changed".into(), false.into());
            return Ok(Returns(Value::map(about)));
        }
        let data = serde_json::from_slice(&contents).map(Value::from_json);
        let Ok(Value::Map(mut data)) = data else {
            let text = String::from_utf8_lossy(&contents);
            // it is being written, by a program that does not write files as a whole
            if text.trim().is_empty() {
                about.insert("finished".into(), false.into());
                return Ok(Returns(Value::map(about)));
            }
            return Err(refuse(format!("Could not parse job output: {text}"), about));
        };
        let job = std::sync::Arc::make_mut(&mut data);
        let truth = |key: &str, otherwise: bool| -> Value {
            job.get(key).map_or(otherwise, Value::is_truthy).into()
        };
        // Ansible's file has neither once the module has ended
        let finished = truth("finished", !job.contains_key("started"));
        about.insert("started".into(), truth("started", true));
        about.insert("finished".into(), finished);
        for (key, value) in about {
            let given = matches!(key.as_str(), Some("stdout" | "stderr")) && job.contains_key(&key);
            if !given {
                job.insert(key, value);
            }
        }
        Ok(Returns(Value::Map(data)))
    }
}
