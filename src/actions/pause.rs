//! `pause`: <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/pause_module.html>

use super::{Context, Entry, only};
use crate::playbook::boolean;
use crate::result::TaskResult;
use crate::value::Map;
use std::io::{BufRead, IsTerminal, Write};
use std::time::{Duration, Instant};

pub const ENTRY: Entry = Entry {
    names: &["pause"],
    run,
};

fn run(mut args: Map, context: &mut Context<'_>) -> TaskResult {
    args.shift_remove("_raw_params");
    if let Err(e) = only("pause", &args, &["echo", "minutes", "prompt", "seconds"]) {
        return e;
    }
    let number = |name: &str| match args.get(name) {
        None => Ok(None),
        Some(v) => crate::run::number_of(v).map(Some).ok_or_else(|| {
            TaskResult::failed(format!(
                "argument '{name}' is of type {} and we were unable to convert to int",
                v.type_name()
            ))
        }),
    };
    let (minutes, seconds) = match (number("minutes"), number("seconds")) {
        (Ok(m), Ok(s)) => (m, s),
        (Err(e), _) | (_, Err(e)) => return e,
    };
    if minutes.is_some() && seconds.is_some() {
        return TaskResult::failed("parameters are mutually exclusive: minutes|seconds");
    }
    let echo = args.get("echo").is_none_or(|v| boolean(v).unwrap_or(true));
    let prompt = args.get("prompt").map(crate::run::text_of);
    let began = jiff::Zoned::now();
    let clock = Instant::now();
    let mut input = String::new();
    let wait = minutes
        .map(|m| (m * 60.0, m, "minutes"))
        .or(seconds.map(|s| (s, s, "seconds")))
        .map(|(total, shown, unit)| (total.max(1.0), shown, unit));
    match (&prompt, wait) {
        (_, Some((total, _, _))) => {
            println!(
                "Pausing for {total} seconds{}",
                if echo { "" } else { " (output is hidden)" }
            );
            if let Some(prompt) = &prompt {
                println!(
                    "[{}]\n{prompt}:",
                    context
                        .task
                        .name()
                        .map(|n| crate::run::text_of(&n))
                        .unwrap_or_else(|| "pause".into())
                );
            }
            crate::deadline::sleep(Duration::from_secs_f64(total));
        }
        (prompt, None) => {
            let text = prompt
                .clone()
                .unwrap_or_else(|| "Press enter to continue, Ctrl+C to interrupt".into());
            if std::io::stdin().is_terminal() {
                let name = context
                    .task
                    .name()
                    .map(|n| crate::run::text_of(&n))
                    .unwrap_or_else(|| "pause".into());
                print!(
                    "[{name}]\n{text}{}:\n",
                    if echo { "" } else { " (output is hidden)" }
                );
                let _ = std::io::stdout().flush();
                if echo && !typed_in_time() {
                    return TaskResult::ok();
                }
                let read = match echo {
                    true => {
                        let mut line = String::new();
                        std::io::stdin().lock().read_line(&mut line).map(|_| line)
                    }
                    false => rpassword::read_password(),
                };
                match read {
                    Ok(line) => input = line.trim_end_matches(['\n', '\r']).to_string(),
                    Err(e) => return TaskResult::failed(format!("cannot read the answer: {e}")),
                }
            } else {
                crate::notice::warning(
                    "Not waiting for response to prompt as stdin is not interactive",
                );
            }
        }
    }
    let delta = clock.elapsed().as_secs();
    let stamp = |t: &jiff::Zoned| t.strftime("%Y-%m-%d %H:%M:%S%.6f").to_string();
    let unit = wait.map_or("seconds", |(_, _, unit)| unit);
    let spent = match unit {
        "minutes" => round2(clock.elapsed().as_secs_f64() / 60.0),
        _ => round2(clock.elapsed().as_secs_f64()),
    };
    TaskResult::new()
        .with("changed", false)
        .with("rc", 0)
        .with("stderr", "")
        .with(
            "stdout",
            format!(
                "Paused for {} {unit}",
                crate::template::python::str(&spent.into())
            ),
        )
        .with("start", stamp(&began))
        .with("stop", stamp(&jiff::Zoned::now()))
        .with("delta", delta as i64)
        .with("echo", echo)
        .with("user_input", input)
}

/// Waits for a line until the task's deadline. False if none came.
fn typed_in_time() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let stdin = std::io::stdin();
    loop {
        let Some(left) = crate::deadline::left() else {
            return true;
        };
        let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
        match poll(&mut fds, Timespec::try_from(left).ok().as_ref()) {
            Ok(0) => return false,
            Err(rustix::io::Errno::INTR) => {}
            _ => return true,
        }
    }
}

fn round2(x: f64) -> f64 {
    (x * 100.0).round() / 100.0
}
