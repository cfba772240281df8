//! apt's lists: how old they are, and `apt-get update`.

use super::tool;
use crate::machine::{Command, Machine, Output, Time};
use crate::modules::Failure;
use crate::value::Value;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// When the lists were last updated; `None` if that is not known.
pub fn time(machine: &Machine) -> Option<Time> {
    [
        "/var/lib/apt/periodic/update-success-stamp",
        "/var/lib/apt/lists",
    ]
    .into_iter()
    .find_map(|path| machine.actual(Path::new(path)))
    .map(|stat| stat.mtime)
}

/// Whether the lists are older than this many seconds.
pub fn is_stale(machine: &Machine, valid: i64) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(i64::MAX));
    // to the second: lists of this very second are not new enough for `cache_valid_time: 0`
    let time = time(machine).map_or(0, |time| time.secs);
    time.saturating_add(valid) < now || valid == 0
}

/// How `apt-get update` is tried.
pub struct Attempts {
    pub retries: i64,
    /// Seconds between two, at most.
    pub max_delay: i64,
    /// Seconds to wait for another apt.
    pub lock_timeout: i64,
}

/// Updates the lists, with the warnings that this gave. Only outside check mode.
///
/// Fails if it does not succeed in any of the attempts.
pub fn update(machine: &mut Machine, attempts: &Attempts) -> Result<Vec<String>, Failure> {
    let mut warnings = Vec::new();
    let mut problem = "unknown reason".to_string();
    let deadline = Instant::now() + Duration::from_secs(attempts.lock_timeout.max(0) as u64);
    let mut tried = 0;
    while tried < attempts.retries {
        problem = match once(machine)? {
            None => return Ok(warnings),
            Some(problem) => problem,
        };
        if problem.contains("Could not get lock") {
            if Instant::now() >= deadline {
                let msg = format!("Failed to lock apt for exclusive operation: {problem}");
                return Err(Failure::new(msg));
            }
            std::thread::sleep(Duration::from_secs(1));
            continue;
        }
        tried += 1;
        warnings.push(format!(
            "Failed to update cache after {tried} retries due to {problem}, retrying"
        ));
        if tried < attempts.retries {
            let exponent = u32::try_from(tried - 1).unwrap_or(30).min(30);
            let delay = 2_i64.pow(exponent).min(attempts.max_delay).max(0);
            warnings.push(format!(
                "Sleeping for {delay} seconds, before attempting to refresh the cache again"
            ));
            std::thread::sleep(Duration::from_secs(delay as u64));
        }
    }
    let msg = format!(
        "Failed to update apt cache after {} retries: {problem}",
        attempts.retries
    );
    let warnings = warnings.into_iter().map(Value::from).collect();
    Err(Failure::new(msg).with("warnings", Value::list(warnings)))
}

/// One `apt-get update`; what went wrong, if anything did, as libapt's users are told it: `E:...` and `W:...`.
pub fn all_or_nothing(machine: &mut Machine) -> Result<Option<String>, Failure> {
    let Some(output) = get_lists(machine)? else {
        return Ok(None);
    };
    let errors = output.stderr_text();
    let not_fetched = |l: &str| l.contains("Failed to fetch") || l.contains("Some index files");
    let problems: Vec<String> = errors
        .lines()
        .filter_map(|line| {
            let kind = match line.get(..3)? {
                "E: " => "E",
                "W: " | "N: " => "W",
                _ => return None,
            };
            let text = line.get(3..)?;
            (!not_fetched(text)).then(|| format!("{kind}:{text}"))
        })
        .collect();
    let failed = output.rc != 0 || errors.lines().any(not_fetched);
    let problems = match problems.is_empty() {
        true => errors.lines().collect::<Vec<_>>().join(", "),
        false => problems.join(", "),
    };
    Ok(failed.then_some(problems))
}

/// One `apt-get update`; what went wrong, if anything did.
fn once(machine: &mut Machine) -> Result<Option<String>, Failure> {
    let output = get_lists(machine)?;
    Ok(output.and_then(|output| {
        let problems: Vec<String> = output
            .stderr_text()
            .lines()
            .filter(|l| l.starts_with("E: ") || l.starts_with("W: Failed to fetch"))
            .map(String::from)
            .collect();
        let failed = output.rc != 0 || problems.iter().any(|p| p.contains("Failed to fetch"));
        failed.then(|| problems.join(", "))
    }))
}

fn get_lists(machine: &mut Machine) -> Result<Option<Output>, Failure> {
    // apt takes lists that it could not fetch for a success unless it is told otherwise
    let words = [
        "apt-get",
        "-q",
        "-o",
        "APT::Update::Error-Mode=any",
        "update",
    ];
    let command = tool::quiet(machine, Command::new(words));
    machine
        .run(&command, "apt-get update")
        .map_err(tool::not_there)
}
