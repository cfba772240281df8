//! What differs from run to run, taken out of a text: times, temporary names, process ids.

use fancy_regex::Regex;
use std::path::Path;
use std::sync::LazyLock;

/// Pattern and what is put in its place.
static RULES: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    [
        (r#""(delta|start|end)": "[^"]*""#, r#""$1": "<time>""#),
        (r"(?m)\b(delta): '[^']*'$", "$1: '<time>'"),
        (r#""(mtime|ctime|atime|birthtime)": [\d.]+"#, r#""$1": 0"#),
        (
            r#""(inode|ino|dev|version|device_type)": (?:null|"?-?\d+"?)"#,
            r#""$1": 0"#,
        ),
        (r#""(attr_flags)": "[^"]*""#, r#""$1": """#),
        (r#""attributes": \[[^\]]*\]"#, r#""attributes": []"#),
        // the controller's and the hosts' temporary files
        (r"[^\s\x22']*ansible-tmp-[\d.]+-\d+-\d+/", "<tmp>/"),
        (r"[^\s\x22']*ansible-local-\w+/tmp\w+", "<tmp>"),
        (
            r"/[^\s\x22']*/\.(?:ansible|rplay)/tmp/[^\s\x22'/]+",
            "<tmp>",
        ),
        (r"<tmp>/\.[\w.]+", "<tmp>/.source"),
        (r"/ansible\.[A-Za-z0-9_]{8}'", "/ansible.<random>'"),
        (r"\.ansible_tmp[a-z0-9_]{8}", ".ansible_tmp<random>"),
        (r"/tmp/(?:ansible|rplay|tmp|\.tmp|ansible\.)[\w.]+", "<tmp>"),
        // the controller's copy of a file has a temporary name in Ansible only
        (
            r#"("size": \d+), "src": "[^"]*", ("state": "file")"#,
            "$1, $2",
        ),
        (r"(?m)^(\+\+\+ after: )\S*/", "$1"),
        (r"<tmp>/tmp\w+|/tmp/rplay-\w+", "<tmp>/tmp"),
        // copy with force: no, get_url
        (r#", "src": "(?:<root>)?<tmp>/[^"]*""#, ""),
        // a set, whose order is another in each run
        (
            r#"Valid booleans include: [^"\n]*"#,
            "Valid booleans include: <list>",
        ),
        // jobs of `async`; how often one is asked how it stands is up to the machine
        (r"\bj\d+\.\d+\b", "<job>"),
        (r"(?m)^ASYNC POLL .*\n", ""),
        // apt says this one when it takes a moment
        (r#"(?:\\n|\n|", ")Reading state information\.\.\."#, ""),
        // backups: name.pid.date@time~
        (r"\.\d+\.\d{4}-\d\d-\d\d@\d\d:\d\d:\d\d~", ".<backup>~"),
        // the callback junit
        (r#" time="[\d.e-]+""#, r#" time="<time>""#),
        (r"(?m)-\d{10}(?:\.\d+)?(\.xml \d{4})$", "-<time>$1"),
        (
            r"&quot;(delta|start|end)&quot;: &quot;[^&]*&quot;",
            "&quot;$1&quot;: &quot;<time>&quot;",
        ),
        // the callback json
        (
            r#""id": "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}""#,
            r#""id": "<id>""#,
        ),
        // the log file
        (
            r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} p=\d+ u=",
            "<time> u=",
        ),
        (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?", "<time>"),
        // profile_tasks, profile_roles, timer
        (
            r"(?m)^\w+ \d\d \w+ \d{4}  [\d:]+ [+-]\d{4} \([\d:.]+\)( +)[\d:.]+ (\*+)",
            "<now>$1<time> $2",
        ),
        (r"(?m)-- \d+\.\d\ds$", "-- <time>"),
        (r"(?m)^(Playbook run took) .*", "$1 <time>"),
        // the steps of the engine
        (r"(?m)^ *\d+ \d{10}\.\d{5}: ", "<process> <time>: "),
        // what -vv says of the program itself
        (r"(?m)^(?:ansible-playbook \[|rplay \d).*\n(?:  .*\n)*", ""),
        (
            r"(?m)^(?:No config file found; using defaults|Using .* as config file)\n",
            "",
        ),
        (r"(?m)^Skipping callback .*\n", ""),
        (r"(?m)^redirecting \(type: .*\n", ""),
    ]
    .map(|(pattern, to)| (Regex::new(pattern).expect("a pattern"), to))
    .into()
});

/// `text` as it would be on any other day, and in any other folder.
pub fn normal(text: &str, work: &Path) -> String {
    let work = work.display().to_string();
    let parent = work.trim_end_matches("/work").to_string();
    let mut out = text.replace(&work, "<work>").replace(&parent, "<root>");
    for (pattern, to) in RULES.iter() {
        out = pattern.replace_all(&out, *to).into_owned();
    }
    out
}
