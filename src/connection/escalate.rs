//! `become`: a command run as another user, whose password goes through the prompt and nowhere else.
//!
//! See <https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_privilege_escalation.html>.

use super::{Become, Channel, Event, Target, Transport, Trouble, Unreachable};
use std::time::{Duration, Instant};

/// The values of `become_method` that rplay has.
pub const METHODS: &[&str] = &["sudo", "su", "doas"];

/// A command that runs as the wanted user, and what it has said so far.
pub struct Started {
    pub channel: Box<dyn Channel>,
    pub output: Vec<u8>,
    pub error: Vec<u8>,
    /// Whether it has a terminal because of how it was started, and not because that was asked for.
    pub tty: bool,
}

/// Starts a script of the shell at the host, as the user that the target says.
pub fn start(
    transport: &mut dyn Transport,
    target: &Target,
    become_: Option<&Become>,
    script: &str,
    tty: bool,
) -> Result<Started, Trouble> {
    let Some(become_) = become_ else {
        let command = format!("{} -c {}", target.shell, quote(script));
        return Ok(Started {
            channel: transport.start(&command, tty)?,
            output: Vec::new(),
            error: Vec::new(),
            tty,
        });
    };
    let marks = Marks::new();
    let script = format!("echo {}; {script}", marks.success);
    let script = match loses_lines(become_) {
        true => in_one_line(&script),
        false => script,
    };
    let inner = format!("{} -c {}", target.shell, quote(&script));
    let Some(command) = command(become_, &inner, &marks.prompt) else {
        return Err(Trouble::Failed(format!(
            "Invalid become method specified, could not find matching plugin: '{}'. rplay has {}.",
            become_.method,
            METHODS.join(", ")
        )));
    };
    crate::notice::verbose(3, format!("<{}> EXEC {command}", target.address));
    let tty = tty || needs_tty(&become_.method);
    let channel = transport.start(&command, tty)?;
    Conversation {
        channel,
        become_,
        marks,
        output: Vec::new(),
        error: Vec::new(),
        answered: 0,
    }
    .run(&Patience::with(target), tty)
}

/// How long nothing may come of it, and what is said then.
struct Patience {
    time: Duration,
    local: bool,
}

impl Patience {
    fn with(target: &Target) -> Patience {
        let local = target.connection == "local";
        // other connections need some of the time for themselves
        let reserve = if local { 0 } else { 2 };
        Patience {
            time: Duration::from_secs(target.timeout.max(1) + reserve),
            local,
        }
    }

    fn words(&self, said: &Conversation<'_>) -> String {
        if !self.local {
            return format!(
                "Timeout ({}s) waiting for privilege escalation prompt: {}",
                self.time.as_secs(),
                said.said()
            );
        }
        let mut words =
            "Timed out waiting for become success or become password prompt.".to_string();
        for (name, bytes) in [("Output", &said.output), ("Error", &said.error)] {
            let text = String::from_utf8_lossy(bytes);
            if !text.trim().is_empty() {
                words.push_str(&format!("\n>>> Standard {name}\n{}", text.trim()));
            }
        }
        words
    }
}

/// In single quotes, for a shell.
pub fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r#"'"'"'"#))
}

/// What is said at the prompt and after success: new for every start, so that no file can say it too.
struct Marks {
    success: String,
    prompt: String,
}

impl Marks {
    fn new() -> Marks {
        let key = crate::secret::random_name();
        Marks {
            success: format!("BECOME-SUCCESS-{key}"),
            prompt: format!("[{key}] password:"),
        }
    }
}

/// These read the password from a terminal only.
fn needs_tty(method: &str) -> bool {
    matches!(method, "su" | "doas")
}

/// The command line that runs `inner` as the other user; none if there is no such method.
fn command(become_: &Become, inner: &str, prompt: &str) -> Option<String> {
    let user = quote(&become_.user);
    // without a name it is the program's own choice
    let named = match become_.user.is_empty() {
        true => String::new(),
        false => format!("-u {user} "),
    };
    let enter = match &become_.folder {
        Some(folder) => format!("cd {} && ", quote(folder)),
        None => String::new(),
    };
    let exe = |default: &str| become_.exe.clone().unwrap_or_else(|| default.to_string());
    let flags = |default: &str| become_.flags.clone().unwrap_or_else(|| default.to_string());
    let line = match become_.method.as_str() {
        "sudo" => {
            let mut flags = flags("-H -S -n");
            if become_.password.is_some() {
                let kept = flags
                    .split_whitespace()
                    .filter(|f| *f != "-n" && *f != "--non-interactive");
                flags = kept.collect::<Vec<_>>().join(" ");
                flags.push_str(&format!(" -p {}", quote(prompt)));
            }
            format!("{} {flags} {named}{inner}", exe("sudo"))
        }
        "su" => format!("{} {} {user} -c {}", exe("su"), flags(""), quote(inner)),
        "doas" => {
            let mut flags = flags("");
            if become_.password.is_none() {
                flags.push_str(" -n");
            }
            format!("{} {flags} {named}{inner}", exe("doas"))
        }
        _ => return None,
    };
    Some(enter + &line)
}

/// Whether the command goes through a login shell that loses line breaks and replaces `$`: `sudo -i` puts a backslash
/// before everything else.
fn loses_lines(become_: &Become) -> bool {
    let login = |flag: &str| match flag.strip_prefix("--") {
        Some(long) => long == "login",
        None => flag.starts_with('-') && flag.contains('i'),
    };
    let flags = become_.flags.as_deref().unwrap_or_default();
    become_.method == "sudo" && flags.split_whitespace().any(login)
}

/// The script in a form that has neither line breaks nor `$`.
fn in_one_line(script: &str) -> String {
    let mut out = String::from("eval \"`printf %b '");
    for byte in script.bytes() {
        match byte {
            // a backslash is read twice: by the backquotes, and by printf
            b'$' | b'\\' | b'\'' | b'"' | b'`' | b'%' | ..b' ' | 0x7f.. => {
                out.push_str(&format!("\\\\0{byte:03o}"));
            }
            plain => out.push(char::from(plain)),
        }
    }
    out + "'`\""
}

/// What is said until the command runs.
struct Conversation<'a> {
    channel: Box<dyn Channel>,
    become_: &'a Become,
    marks: Marks,
    output: Vec<u8>,
    error: Vec<u8>,
    answered: u32,
}

impl Conversation<'_> {
    fn run(mut self, patience: &Patience, tty: bool) -> Result<Started, Trouble> {
        let mut end = Instant::now() + patience.time;
        loop {
            if let Some(rest) = after_line(&self.output, &self.marks.success) {
                return Ok(Started {
                    output: rest,
                    error: Vec::new(),
                    channel: self.channel,
                    tty,
                });
            }
            if self.asks() {
                self.answer()?;
                end = Instant::now() + patience.time;
                continue;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Unreachable::new(patience.words(&self)).into());
            }
            match self.channel.receive(Some(left)) {
                Ok(Event::Output(bytes)) => self.output.extend(bytes),
                Ok(Event::Error(bytes)) => self.error.extend(bytes),
                Ok(Event::Nothing) => {}
                Ok(Event::Ended(_)) => return Err(Trouble::Failed(self.why())),
                Err(e) => {
                    return Err(Trouble::Unreachable(Unreachable::new(format!(
                        "the connection was lost: {}",
                        crate::machine::reason(&e)
                    ))));
                }
            }
        }
    }

    /// Whether a password is asked for now.
    fn asks(&self) -> bool {
        let asked = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes);
            let last = text.rsplit('\n').next().unwrap_or_default().trim_end();
            let lower = last.to_lowercase();
            if !self.become_.prompts.is_empty() {
                let mut given = self.become_.prompts.iter().map(|p| p.to_lowercase());
                return given.any(|prompt| lower.contains(&prompt));
            }
            match self.become_.method.as_str() {
                // its own prompt where other flags than the usual ones let it ask
                "sudo" if self.become_.password.is_none() => {
                    last.starts_with("[sudo]") && last.ends_with(':')
                }
                "sudo" => last.ends_with(&self.marks.prompt),
                // without a password it is told not to ask; its errors begin with its name
                "doas" => {
                    self.become_.password.is_some()
                        && last.trim_end() != "doas:"
                        && last.ends_with([':', '：'])
                }
                // their prompts are translated
                _ => last.ends_with([':', '：']),
            }
        };
        asked(&self.output) || asked(&self.error)
    }

    fn answer(&mut self) -> Result<(), Trouble> {
        let method = &self.become_.method;
        let Some(password) = &self.become_.password else {
            return Err(Trouble::Failed(format!("Missing {method} password")));
        };
        if self.answered > 0 {
            return Err(Trouble::Failed(format!("Incorrect {method} password")));
        }
        self.answered += 1;
        self.output.clear();
        self.error.clear();
        let line = format!("{}\n", password.reveal());
        // a method that has ended has said why: that is read next
        let _ = self.channel.send(line.as_bytes());
        Ok(())
    }

    /// Why it ended before the command ran.
    fn why(&self) -> String {
        let method = &self.become_.method;
        let said = self.said();
        let missing = [
            "a password is required",
            "a terminal is required",
            "no tty present",
            // doas
            "Authentication required",
        ];
        if missing.iter().any(|m| said.contains(m)) && self.answered == 0 {
            return format!("Missing {method} password");
        }
        let wrong = [
            "incorrect password",
            "Authentication fail",
            "Sorry, try again",
            "Permission denied",
        ];
        if self.answered > 0 && wrong.iter().any(|w| said.contains(w)) {
            return format!("Incorrect {method} password");
        }
        match said.is_empty() {
            true => format!("{method} refused to run a command as {}", self.become_.user),
            false => said,
        }
    }

    fn said(&self) -> String {
        let mut said = String::from_utf8_lossy(&self.error).trim().to_string();
        let output = String::from_utf8_lossy(&self.output);
        if !said.is_empty() && !output.trim().is_empty() {
            said.push('\n');
        }
        said.push_str(output.trim());
        said
    }
}

/// What follows a line that holds `mark`, if there is one. What comes before it is the login's chatter.
pub fn after_line(text: &[u8], mark: &str) -> Option<Vec<u8>> {
    let at = text
        .windows(mark.len())
        .position(|w| w == mark.as_bytes())?;
    let end = text[at..].iter().position(|b| *b == b'\n')?;
    Some(text[at + end + 1..].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn become_(method: &str, password: bool, flags: Option<&str>) -> Become {
        Become {
            method: method.to_string(),
            user: "al ice".to_string(),
            password: password.then(|| Secret::new("s3cret")),
            flags: flags.map(str::to_string),
            ..Become::default()
        }
    }

    #[test]
    fn command_lines_of_the_methods() {
        let cases = [
            (
                become_("sudo", false, None),
                "sudo -H -S -n -u 'al ice' sh -c 'x'",
            ),
            (
                become_("sudo", true, None),
                "sudo -H -S -p 'P:' -u 'al ice' sh -c 'x'",
            ),
            (
                become_("sudo", true, Some("-n -E")),
                "sudo -E -p 'P:' -u 'al ice' sh -c 'x'",
            ),
            (
                become_("su", true, Some("-l")),
                r#"su -l 'al ice' -c 'sh -c '"'"'x'"'"''"#,
            ),
            (
                become_("doas", false, None),
                "doas  -n -u 'al ice' sh -c 'x'",
            ),
        ];
        for (become_, expected) in cases {
            let line = command(&become_, "sh -c 'x'", "P:").unwrap();
            assert_eq!(line, expected);
            assert!(!line.contains("s3cret"));
        }
        assert!(command(&become_("runas", false, None), "x", "P:").is_none());
        let elsewhere = Become {
            folder: Some("/a b".to_string()),
            ..become_("sudo", false, None)
        };
        let line = command(&elsewhere, "x", "P:").unwrap();
        assert_eq!(line, "cd '/a b' && sudo -H -S -n -u 'al ice' x");
    }

    #[test]
    fn a_script_survives_a_login_shell() {
        assert!(loses_lines(&become_("sudo", false, Some("-H -i"))));
        assert!(loses_lines(&become_("sudo", false, Some("--login"))));
        assert!(!loses_lines(&become_("sudo", false, Some("-H -S -n"))));
        assert!(!loses_lines(&become_("su", false, Some("-i"))));
        let script = "x='a  b'\necho \"$x\" \\\\ `echo 1` 50%\n";
        let line = in_one_line(script);
        assert!(!line.contains(['$', '\n']), "{line}");
        let said = |script: &str| {
            let shell = std::process::Command::new("sh")
                .args(["-c", script])
                .output();
            String::from_utf8(shell.unwrap().stdout).unwrap()
        };
        assert_eq!(said(&line), said(script));
    }

    #[test]
    fn chatter_before_the_mark_is_dropped() {
        assert_eq!(
            after_line(b"motd\nMARK ok\nrest", "MARK"),
            Some(b"rest".to_vec())
        );
        assert_eq!(after_line(b"motd\nMARK", "MARK"), None);
    }
}
