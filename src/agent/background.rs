//! Jobs that go on after their call has returned (`async`).
//!
//! A job is a process of its own: this program again, with [`ARGUMENT`], in a session of its own, so that it
//! outlives the connection and whoever started it. What it is to do comes through its standard input, since
//! arguments can be read by anybody. Its result is a file that holds what Ansible's holds, so that either
//! program can ask for the other's jobs.
//! See <https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_async.html>.

use super::Background;
use crate::machine::{Machine, Mode, reason};
use crate::modules::{self, args::Spec};
use crate::result::TaskResult;
use crate::value::{Map, Value};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// The only argument of a process that is a job.
const ARGUMENT: &str = "--rplay-job";

/// A job that is over its time is ended this much later: whoever waits for it has said so by then.
const GRACE: Duration = Duration::from_secs(2);

/// What a job is to do.
#[derive(Serialize, Deserialize)]
struct Job {
    module: String,
    /// The options of the module.
    schema: Arc<Json>,
    args: Value,
    mode: Mode,
    environment: Vec<(String, String)>,
    /// Its full id, as `ansible_job_id` says it.
    id: String,
    file: PathBuf,
    seconds: u64,
}

/// Starts a module, which has the options of this schema, as a job and says where its result will be.
pub fn start(
    module: &str,
    schema: &Arc<Json>,
    args: Map,
    machine: Machine,
    job: &Background,
) -> TaskResult {
    match try_start(module, schema, args, machine, job) {
        Ok(result) => result,
        Err(e) => TaskResult::failed(format!("could not start the job: {}", reason(&e)))
            .with("changed", false),
    }
}

fn try_start(
    module: &str,
    schema: &Arc<Json>,
    args: Map,
    machine: Machine,
    job: &Background,
) -> io::Result<TaskResult> {
    let dir = PathBuf::from(crate::expand::path_with(&job.dir, &|name| {
        machine.variable(name)
    }));
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&dir)?;
    let mut command = Command::new("/proc/self/exe");
    command
        .arg(ARGUMENT)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // SAFETY: between fork and exec only this system call is made, which does not allocate.
    unsafe {
        command.pre_exec(|| {
            rustix::process::setsid()?;
            Ok(())
        });
    }
    let mut child = command.spawn()?;
    let id = format!("{}.{}", job.job, child.id());
    let file = dir.join(&id);
    let what = Job {
        module: module.to_string(),
        schema: Arc::clone(schema),
        args: Value::map(args),
        mode: machine.mode,
        environment: machine.environment,
        id: id.clone(),
        file: file.clone(),
        seconds: job.seconds,
    };
    // the job's file is there before the job runs
    let begun = keep(&file, &state(&id, false)).and_then(|()| {
        let input = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
        serde_json::to_writer(&input, &what)?;
        Ok(())
    });
    if let Err(e) = begun {
        // it has been told nothing, or not all: it ends by itself
        let _ = child.kill();
        let _ = child.wait();
        let _ = std::fs::remove_file(&file);
        return Err(e);
    }
    // for as long as this process lives, somebody must take note of its end
    std::thread::spawn(move || child.wait());
    Ok(TaskResult::changed()
        .with("ansible_job_id", id)
        .with("started", true)
        .with("finished", false)
        .with("results_file", file.to_string_lossy().as_ref()))
}

/// Runs a job and does not return, if that is what this process was started for.
pub fn run_if_job(mut args: impl Iterator<Item = impl AsRef<OsStr>>) {
    let wanted = args.nth(1).is_some_and(|a| a.as_ref() == ARGUMENT) && args.next().is_none();
    if wanted {
        std::process::exit(i32::from(run().is_err()));
    }
}

fn run() -> io::Result<()> {
    let mut told = Vec::new();
    io::stdin().read_to_end(&mut told)?;
    let job: Job = serde_json::from_slice(&told)?;
    drop(told);
    let (id, file) = (job.id.clone(), job.file.clone());
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(job.seconds) + GRACE);
        let mut late = state(&job.id, true);
        late.insert("failed".into(), true.into());
        late.insert("msg".into(), "Timeout exceeded".into());
        late.insert("child_pid".into(), i64::from(std::process::id()).into());
        let _ = keep(&job.file, &late);
        // this process leads the group of all that the job has started, itself included
        let _ = rustix::process::kill_current_process_group(rustix::process::Signal::KILL);
    });
    let mut machine = Machine::new(job.mode, job.environment);
    let args = match job.args {
        Value::Map(args) => (*args).clone(),
        _ => Map::default(),
    };
    let ended = modules::run_with(
        &job.module,
        &Spec::from_schema(&job.schema),
        args,
        &mut machine,
    );
    let mut result = ended.fields;
    if let Some(words) = ended.error {
        result.insert("_ansible_words".into(), words.words().into());
    }
    result.extend(state(&id, true));
    keep(&file, &result)
}

/// What the file says besides the result.
fn state(id: &str, finished: bool) -> Map {
    [
        ("started", Value::Int(1)),
        ("finished", Value::Int(finished.into())),
        ("ansible_job_id", id.into()),
    ]
    .into_iter()
    .map(|(k, v)| (k.into(), v))
    .collect()
}

/// Writes a job's file as a whole: whoever reads it sees what was there before, or all of this.
fn keep(file: &Path, contents: &Map) -> io::Result<()> {
    let mut new = file.as_os_str().to_owned();
    new.push(".tmp");
    let mut open = std::fs::File::options();
    open.mode(0o600).write(true).create(true).truncate(true);
    let mut writer = open.open(&new)?;
    serde_json::to_writer(&mut writer, &Value::map(contents.clone()))?;
    writer.flush()?;
    std::fs::rename(&new, file)
}
