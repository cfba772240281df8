//! `pause`: <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/pause_module.html>

use super::{Context, Entry, only, refused};
use crate::playbook::boolean;
use crate::result::TaskResult;
use crate::run::text_of;
use crate::value::{Map, Value};
use std::io::{BufRead, IsTerminal, Write};
use std::time::{Duration, Instant};

pub const ENTRY: Entry = Entry {
    names: &["pause"],
    run,
};

fn run(args: Map, context: &mut Context<'_>) -> TaskResult {
    if let Err(e) = only("pause", &args, &["echo", "minutes", "prompt", "seconds"]) {
        return e
            .get("msg")
            .map_or(e.clone(), |msg| refused("", &text_of(msg)));
    }
    let wrong = |name: &str, value: &Value, wanted: &str, why: &str| {
        refused(
            "",
            &format!(
                "argument '{name}' is of type {} and we were unable to convert to {wanted}: {why}",
                value.type_name()
            ),
        )
    };
    let number = |name: &str| match args.get(name).filter(|v| !v.is_null()) {
        None => Ok(None),
        Some(value) => match crate::run::whole_number(value) {
            Ok(number) => Ok(Some(number)),
            Err(e) => Err(wrong(name, value, "int", e.message())),
        },
    };
    let (minutes, seconds) = match (number("minutes"), number("seconds")) {
        (Ok(m), Ok(s)) => (m, s),
        (Err(e), _) | (_, Err(e)) => return e,
    };
    if minutes.is_some() && seconds.is_some() {
        return refused("", "parameters are mutually exclusive: minutes|seconds");
    }
    let echo = match args.get("echo") {
        None => true,
        Some(Value::Null) => {
            let why = "<class 'NoneType'> cannot be converted to a bool";
            return wrong("echo", &Value::Null, "bool", why);
        }
        Some(value) => match boolean(value) {
            Some(echo) => echo,
            None => {
                let why = format!(
                    "The value {} is not a valid boolean. Valid booleans include: 0, 1, '0', '1', 'f', 'false', 'n', 'no', 'off', 'on', 't', 'true', 'y', 'yes'",
                    crate::python::repr(value)
                );
                return wrong("echo", value, "bool", &why);
            }
        },
    };
    let prompt = args.get("prompt").filter(|v| !v.is_null()).map(text_of);
    let began = jiff::Zoned::now();
    let clock = Instant::now();
    let mut input = String::new();
    let wait = minutes
        .map(|m| (m.saturating_mul(60), "minutes"))
        .or(seconds.map(|s| (s, "seconds")))
        .map(|(total, unit)| (total.max(1), unit));
    match (&prompt, wait) {
        (_, Some((total, _))) => {
            println!(
                "Pausing for {total} seconds{}",
                if echo { "" } else { " (output is hidden)" }
            );
            if let Some(prompt) = &prompt {
                println!("(ctrl+C then 'C' = continue early, ctrl+C then 'A' = abort)\r");
                if std::io::stdin().is_terminal() {
                    println!(
                        "[{}]\n{prompt}:",
                        context
                            .task
                            .name()
                            .map(|n| crate::run::text_of(&n))
                            .unwrap_or_else(|| "pause".into())
                    );
                }
            }
            crate::deadline::sleep(Duration::from_secs(total.unsigned_abs()));
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
    let unit = wait.map_or("seconds", |(_, unit)| unit);
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
