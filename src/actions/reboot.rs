//! `reboot`: restarts the host and waits until it is back.
//!
//! Needs nothing at the host but a shell. That it has restarted is known by its boot id, which the kernel makes
//! anew.
//! See <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/reboot_module.html>.

use super::wait_for_connection::{retry, seconds};
use super::{Context, Entry, raw, refused};
use crate::connection::{RawCommand, Trouble, quote};
use crate::modules::args;
use crate::result::TaskResult;
use crate::value::{Map, Value};
use std::time::{Duration, Instant};

pub const ENTRY: Entry = Entry {
    names: &["reboot"],
    run,
};

const OPTIONS: &[&str] = &[
    "boot_time_command",
    "connect_timeout",
    "connect_timeout_sec",
    "msg",
    "post_reboot_delay",
    "post_reboot_delay_sec",
    "pre_reboot_delay",
    "pre_reboot_delay_sec",
    "reboot_command",
    "reboot_timeout",
    "reboot_timeout_sec",
    "search_paths",
    "test_command",
];

/// Between two attempts to reach it.
const PAUSE: Duration = Duration::from_secs(1);

fn run(args: Map, context: &mut Context<'_>) -> TaskResult {
    let strange: Vec<String> = args
        .keys()
        .map(|k| k.to_string())
        .filter(|k| !OPTIONS.contains(&k.as_str()))
        .collect();
    if !strange.is_empty() {
        let msg = format!("Invalid options for reboot: {}", strange.join(","));
        return refused("", &msg);
    }
    let start = Instant::now();
    let mut done = match Reboot::new(&args, context) {
        Ok(mut reboot) => match reboot.run(start) {
            Ok(()) => TaskResult::changed().with("rebooted", true),
            Err(failure) => *failure,
        },
        Err(msg) => not_done(&msg),
    };
    // what Ansible does not catch has nothing beside its message
    let uncaught = |r: &TaskResult| {
        let msg = r.get("msg").and_then(Value::as_str);
        r.is_failed() && msg.is_some_and(|m| m.starts_with("Task failed: "))
    };
    if uncaught(&done) {
        done.fields.shift_remove("rebooted");
        return done;
    }
    done.set("elapsed", start.elapsed().as_secs() as i64);
    if context.mode.check && !done.is_failed() {
        done.set("elapsed", 0);
    }
    done
}

/// A failure before anything was done to the host.
fn not_done(msg: &str) -> TaskResult {
    refused("Action failed: ", msg).with("rebooted", false)
}

struct Reboot<'a, 'c> {
    context: &'a mut Context<'c>,
    /// The given command, or none: the usual one is looked for.
    command: Option<String>,
    search: Vec<String>,
    message: String,
    boot_time: String,
    test: String,
    before: Duration,
    after: Duration,
    limit: Duration,
    connect: Option<Duration>,
}

impl<'a, 'c> Reboot<'a, 'c> {
    fn new(args: &Map, context: &'a mut Context<'c>) -> Result<Reboot<'a, 'c>, String> {
        if context.session.is_local_connection() {
            return Err(
                "Running reboot with local connection would reboot the control node.".to_string(),
            );
        }
        let text = |name: &str| {
            let value = args.get(name).filter(|v| !v.is_null());
            value.map(args::text).filter(|t| !t.is_empty())
        };
        let time = |name: &str, default: u64| {
            let old = format!("{name}_sec");
            let name = if args.contains_key(name) { name } else { &old };
            seconds(args, name, default)
        };
        let given = |name: &str| {
            [name.to_string(), format!("{name}_sec")]
                .iter()
                .any(|n| args.get(n.as_str()).is_some_and(|v| !v.is_null()))
        };
        let search = match args.get("search_paths").filter(|v| !v.is_null()) {
            Some(paths) => super::texts(Some(paths)),
            None => ["/sbin", "/bin", "/usr/sbin", "/usr/bin", "/usr/local/sbin"]
                .map(String::from)
                .to_vec(),
        };
        Ok(Reboot {
            command: text("reboot_command"),
            search,
            message: text("msg").unwrap_or_else(|| "Reboot initiated by Ansible".to_string()),
            boot_time: text("boot_time_command")
                .unwrap_or_else(|| "cat /proc/sys/kernel/random/boot_id".to_string()),
            test: text("test_command").unwrap_or_else(|| "whoami".to_string()),
            before: time("pre_reboot_delay", 0)?,
            after: time("post_reboot_delay", 0)?,
            limit: time("reboot_timeout", 600)?,
            connect: match given("connect_timeout") {
                true => Some(time("connect_timeout", 0)?),
                false => None,
            },
            context,
        })
    }

    fn run(&mut self, start: Instant) -> Result<(), Box<TaskResult>> {
        if self.context.mode.check {
            return Ok(());
        }
        let boot_time = self.boot_time.clone();
        let booted = self.line(&boot_time).map_err(|e| {
            Box::new(match e {
                Said::Trouble(e) => e.result(),
                Said::Refused(msg) => not_done(&format!(
                    "{}: host boot time info: {msg}",
                    self.failed_command(&boot_time)
                )),
            })
        })?;
        let command = self.shutdown().map_err(|e| Box::new(e.result()))?;
        match self.line(&command) {
            // a host that goes at once takes the connection with it
            Ok(_) | Err(Said::Trouble(Trouble::Unreachable(_))) => {}
            Err(Said::Trouble(e)) => return Err(Box::new(e.result())),
            Err(Said::Refused(msg)) => {
                // on a terminal both outputs are one
                let failed = not_done(&format!("Reboot command failed. Error was: '{msg}, '"));
                let now = jiff::Timestamp::now();
                let now = now.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string();
                return Err(Box::new(failed.with("start", now)));
            }
        }
        self.context.session.reset();
        crate::deadline::sleep(self.after);
        let end = start.max(Instant::now()) + self.limit;
        let patience = self.connect.unwrap_or(Duration::from_secs(10));
        let back = retry(end, PAUSE, || {
            self.context.session.hurry(patience);
            match self.line(&boot_time) {
                Ok(now) if now != booted => Ok(()),
                Ok(_) => Err("Timed out waiting for last boot time check".to_string()),
                Err(e) => Err(e.words()),
            }
        });
        let test = self.test.clone();
        let end = Instant::now() + self.limit;
        let ready = back
            .map_err(|why| (why, "last boot time check"))
            .and_then(|()| {
                retry(end, PAUSE, || {
                    self.line(&test).map(|_| ()).map_err(|e| {
                        self.context.session.hurry(patience);
                        e.words()
                    })
                })
                .map_err(|why| (why, "post-reboot test command"))
            });
        ready.map_err(|(why, what)| {
            crate::notice::verbose(2, format!("{}: {why}", self.context.host));
            Box::new(
                refused(
                    "Action failed: ",
                    &format!(
                        "Timed out waiting for {what} (timeout={})",
                        self.limit.as_secs()
                    ),
                )
                .with("rebooted", true)
                .with("changed", true),
            )
        })
    }

    fn failed_command(&self, command: &str) -> String {
        format!("Command '{command}' failed")
    }

    /// The command that restarts the host.
    fn shutdown(&mut self) -> Result<String, Said> {
        let delay = self.before.as_secs() / 60;
        let (name, arguments) = match &self.command {
            Some(line) if line.starts_with('/') => return Ok(line.clone()),
            Some(line) => match line.split_once(' ') {
                Some((name, arguments)) => (name.to_string(), arguments.to_string()),
                None => (line.clone(), String::new()),
            },
            None => (
                "shutdown".to_string(),
                format!("-r {delay} {}", double_quoted(&self.message)),
            ),
        };
        let looked = match self.find(&name)? {
            Some(path) => Some(format!("{path} {arguments}").trim().to_string()),
            // where there is no `shutdown` (Alpine), `reboot` has neither delay nor message
            None if self.command.is_none() => self.find("reboot")?,
            None => None,
        };
        looked.ok_or_else(|| {
            let searched = Value::list(self.search.iter().map(Value::str).collect());
            Said::Refused(format!(
                "Task failed: Unable to find command \"{name}\" in search paths: {}",
                crate::python::str(&searched)
            ))
        })
    }

    fn find(&mut self, name: &str) -> Result<Option<String>, Said> {
        let paths: Vec<String> = self
            .search
            .iter()
            .map(|dir| quote(&format!("{}/{name}", dir.trim_end_matches('/'))))
            .collect();
        let line = format!(
            "for f in {}; do if [ -x \"$f\" ]; then echo \"$f\"; exit 0; fi; done; echo none",
            paths.join(" ")
        );
        let said = self.line(&line)?;
        let last = said.lines().last().unwrap_or_default().trim().to_string();
        Ok(last.starts_with('/').then_some(last))
    }

    /// What a line says on its standard output.
    fn line(&mut self, line: &str) -> Result<String, Said> {
        let command = format!("/bin/sh -c {}", quote(line));
        let command = RawCommand {
            line: &command,
            ..RawCommand::default()
        };
        match self.context.session.raw(command) {
            Ok(output) if output.rc == 0 => Ok(raw::text(&output.stdout).trim().to_string()),
            Ok(output) => {
                let all = format!("{}{}", raw::text(&output.stdout), raw::text(&output.stderr));
                Err(Said::Refused(all.trim().to_string()))
            }
            Err(e) => Err(Said::Trouble(e)),
        }
    }
}

/// Why a line at the host came to nothing.
enum Said {
    Trouble(Trouble),
    Refused(String),
}

impl Said {
    fn words(self) -> String {
        match self {
            Said::Trouble(e) => e.words(),
            Said::Refused(msg) => msg,
        }
    }

    fn result(self) -> TaskResult {
        match self {
            Said::Trouble(e) => e.result(),
            Said::Refused(msg) => not_done(&msg),
        }
    }
}

/// For a shell, in double quotes.
fn double_quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '$' | '`') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}
