//! `wait_for_connection`: waits until modules can run at the host.
//!
//! See <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/wait_for_connection_module.html>.

use super::{Context, Entry, refused};
use crate::connection::Request;
use crate::result::TaskResult;
use crate::value::Map;
use std::time::{Duration, Instant};

pub const ENTRY: Entry = Entry {
    names: &["wait_for_connection"],
    run,
};

fn run(args: Map, context: &mut Context<'_>) -> TaskResult {
    let known = ["connect_timeout", "delay", "sleep", "timeout"];
    let unknown: Vec<String> = args
        .keys()
        .map(ToString::to_string)
        .filter(|k| !known.contains(&k.as_str()))
        .collect();
    if !unknown.is_empty() {
        return refused(
            "",
            &format!(
                "Invalid options for wait_for_connection: {}",
                unknown.join(",")
            ),
        );
    }
    let seconds = |name: &str, default: u64| seconds(&args, name, default);
    let (delay, pause, limit, connect) = match (
        seconds("delay", 0),
        seconds("sleep", 1),
        seconds("timeout", 600),
        seconds("connect_timeout", 5),
    ) {
        (Ok(delay), Ok(pause), Ok(limit), Ok(connect)) => (delay, pause, limit, connect),
        (Err(e), ..) | (_, Err(e), ..) | (_, _, Err(e), _) | (_, _, _, Err(e)) => {
            return refused("", &e);
        }
    };
    if context.mode.check {
        return TaskResult::ok().with("skipped", true);
    }
    let start = Instant::now();
    crate::deadline::sleep(delay);
    let answer = retry(start + limit.max(delay), pause, || {
        context.session.hurry(connect);
        let request = Request {
            module: "ping".to_string(),
            environment: context.environment.clone(),
            ..Request::default()
        };
        match context.session.call(request) {
            Ok(result) if result.is_failed() => Err(result
                .get("msg")
                .map(crate::run::text_of)
                .unwrap_or_default()),
            Ok(_) => Ok(()),
            Err(e) => Err(e.words()),
        }
    });
    let elapsed = start.elapsed().as_secs() as i64;
    match answer {
        Ok(()) => TaskResult::ok().with("elapsed", elapsed),
        Err(why) => refused(
            "Action failed: ",
            &format!("timed out waiting for ping module test: {why}"),
        )
        .with("elapsed", elapsed),
    }
}

/// An option that is a number of seconds. The error is words.
pub(super) fn seconds(args: &Map, name: &str, default: u64) -> Result<Duration, String> {
    match args.get(name).filter(|v| !v.is_null()) {
        None => Ok(Duration::from_secs(default)),
        Some(value) => match crate::run::number_of(value) {
            Some(number) => Ok(Duration::from_secs_f64(number.clamp(0.0, 1e9))),
            None => Err(format!(
                "Task failed: invalid literal for int() with base 10: {}",
                crate::python::repr(value)
            )),
        },
    }
}

/// Tries until it works or the time has come; then the error is the last one.
pub(super) fn retry<T>(
    end: Instant,
    pause: Duration,
    mut attempt: impl FnMut() -> Result<T, String>,
) -> Result<T, String> {
    loop {
        match attempt() {
            Ok(value) => return Ok(value),
            Err(e) if Instant::now() + pause >= end || crate::deadline::has_passed() => {
                return Err(e);
            }
            Err(_) => crate::deadline::sleep(pause),
        }
    }
}
