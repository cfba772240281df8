//! `reboot` and `wait_for_connection`: hosts that go away and come back.
//!
//! See <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/reboot_module.html> and
//! <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/wait_for_connection_module.html>.

use super::{Context, Entry};
use crate::connection::quote;
use crate::result::TaskResult;
use crate::value::Map;
use std::time::{Duration, Instant};

pub const REBOOT: Entry = Entry {
    names: &["reboot"],
    run: reboot,
};

pub const WAIT: Entry = Entry {
    names: &["wait_for_connection"],
    run: wait,
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

/// Looks at what is another after every start.
const BOOT: &str = "cat /proc/sys/kernel/random/boot_id";

fn seconds(args: &Map, names: &[&str], default: u64) -> Duration {
    let value = names
        .iter()
        .find_map(|n| args.get(*n).filter(|v| !v.is_null()));
    let number = value.and_then(|v| crate::run::text_of(v).trim().parse::<f64>().ok());
    Duration::from_secs_f64(number.unwrap_or(default as f64).max(0.0))
}

fn text(args: &Map, name: &str) -> Option<String> {
    args.get(name)
        .filter(|v| !v.is_null())
        .map(crate::run::text_of)
}

fn reboot(args: Map, context: &mut Context<'_>) -> TaskResult {
    if let Err(refused) = super::only("reboot", &args, OPTIONS) {
        return refused;
    }
    if context.session.is_local() {
        let msg = "Running reboot with local connection would reboot the control node.";
        return TaskResult::failed(msg)
            .with("changed", false)
            .with("elapsed", 0)
            .with("rebooted", false);
    }
    let result = |rebooted: bool, start: Instant| {
        TaskResult::new()
            .with("changed", true)
            .with("elapsed", start.elapsed().as_secs() as i64)
            .with("rebooted", rebooted)
    };
    let start = Instant::now();
    if context.mode.check {
        return result(true, start);
    }
    let probe = text(&args, "boot_time_command").unwrap_or_else(|| BOOT.to_string());
    let before = match context.session.raw(&probe, b"", false) {
        Ok(Ok(output)) if output.rc == 0 => output.stdout,
        Ok(Ok(output)) => {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_string();
            return TaskResult::failed(format!(
                "{context_host}: failed to get host boot time info, rc: {}, {said}",
                output.rc,
                context_host = context.host
            ));
        }
        Ok(Err(msg)) => return TaskResult::failed(msg),
        Err(e) => return TaskResult::unreachable(e.msg),
    };
    let command = text(&args, "reboot_command").unwrap_or_else(|| {
        let msg = text(&args, "msg").unwrap_or_else(|| "Reboot initiated by Ansible".to_string());
        let paths = super::texts(args.get("search_paths"));
        let paths = match paths.is_empty() {
            true => "/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin".to_string(),
            false => paths.join(":"),
        };
        let delay = seconds(&args, &["pre_reboot_delay", "pre_reboot_delay_sec"], 0);
        // shutdown knows minutes only
        format!(
            "PATH={}:$PATH; shutdown -r {} {}",
            quote(&paths),
            delay.as_secs() / 60,
            quote(&msg)
        )
    });
    match context.session.raw(&command, b"", false) {
        Ok(Ok(output)) if output.rc != 0 => {
            let said = [&output.stdout, &output.stderr]
                .map(|b| String::from_utf8_lossy(b).trim().to_string());
            return TaskResult::failed(format!(
                "Reboot command failed. Error was: '{}, {}'",
                said[0], said[1]
            ))
            .with("changed", false)
            .with("rebooted", false)
            .with("elapsed", start.elapsed().as_secs() as i64);
        }
        Ok(Err(msg)) => return TaskResult::failed(msg),
        // it may go down before it has answered
        Ok(Ok(_)) | Err(_) => {}
    }
    context.session.reset();
    std::thread::sleep(seconds(
        &args,
        &["post_reboot_delay", "post_reboot_delay_sec"],
        0,
    ));
    let limit = seconds(&args, &["reboot_timeout", "reboot_timeout_sec"], 600);
    let test = text(&args, "test_command").unwrap_or_else(|| "whoami".to_string());
    let mut booted = false;
    let mut pause = Duration::from_millis(250);
    let end = Instant::now() + limit;
    while Instant::now() < end {
        let line = if booted { &test } else { &probe };
        match context.session.raw(line, b"", false) {
            Ok(Ok(output)) if booted && output.rc == 0 => return result(true, start),
            Ok(Ok(output)) if !booted && output.rc == 0 && output.stdout != before => {
                booted = true;
                continue;
            }
            _ => {}
        }
        // an open connection may be one to the host as it goes down
        context.session.reset();
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_secs(5));
    }
    let what = if booted {
        "post-reboot test command"
    } else {
        "last boot time check"
    };
    TaskResult::failed(format!(
        "Timed out waiting for {what} (timeout={})",
        limit.as_secs()
    ))
    .with("changed", true)
    .with("rebooted", true)
    .with("elapsed", start.elapsed().as_secs() as i64)
}

fn wait(args: Map, context: &mut Context<'_>) -> TaskResult {
    let options = ["connect_timeout", "delay", "sleep", "timeout"];
    if let Err(refused) = super::only("wait_for_connection", &args, &options) {
        return refused;
    }
    let start = Instant::now();
    if context.mode.check {
        return TaskResult::new()
            .with("changed", false)
            .with("skipped", true);
    }
    std::thread::sleep(seconds(&args, &["delay"], 0));
    context.session.reset();
    let end = Instant::now() + seconds(&args, &["timeout"], 600);
    let elapsed = |result: TaskResult| {
        let seconds = start.elapsed().as_secs() as i64;
        result.with("changed", false).with("elapsed", seconds)
    };
    loop {
        let answer = context.module("ping", Map::default());
        if !answer.is_unreachable() && !answer.is_failed() {
            return elapsed(TaskResult::new());
        }
        if Instant::now() >= end {
            let why = answer
                .get("msg")
                .map(crate::run::text_of)
                .unwrap_or_default();
            let msg = format!("timed out waiting for ping module test: {why}");
            return elapsed(TaskResult::failed(msg));
        }
        context.session.reset();
        std::thread::sleep(seconds(&args, &["sleep"], 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_have_two_names() {
        let args = Map::from_iter([("reboot_timeout_sec".into(), crate::Value::Int(7))]);
        let found = seconds(&args, &["reboot_timeout", "reboot_timeout_sec"], 600);
        assert_eq!(found, Duration::from_secs(7));
    }
}
