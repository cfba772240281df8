//! A command at a terminal, and answers to what it asks there.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long a question may take to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a command at a terminal of its own. Each answer is given, with a line's end, once its question is seen after
/// the one before. Returns the exit code and all that was shown.
pub fn run(command: &Command, answers: &[(&str, &str)]) -> (i32, String) {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let line = shell_words::join(words.map(|w| w.to_str().expect("a word")));
    // of util-linux
    let mut script = Command::new("script");
    script
        .args(["-qec", &line, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    if let Some(folder) = command.get_current_dir() {
        script.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => script.env(name, value),
            None => script.env_remove(name),
        };
    }
    let mut child = script.spawn().expect("script");
    let mut output = child.stdout.take().expect("its output");
    let mut input = child.stdin.take().expect("its input");
    let (sender, shown) = mpsc::channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(n @ 1..) = output.read(&mut buffer) {
            let _ = sender.send(buffer[..n].to_vec());
        }
    });
    let (mut all, mut seen) = (Vec::new(), 0);
    let mut answers = answers.iter();
    let mut next = answers.next();
    let end = Instant::now() + PATIENCE;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        match shown.recv_timeout(left) {
            Ok(bytes) => all.extend(bytes),
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                let _ = child.kill();
                panic!("{line}: {}", String::from_utf8_lossy(&all));
            }
        }
        let text = String::from_utf8_lossy(&all[seen..]).into_owned();
        if let Some((question, answer)) = next
            && text.contains(question)
        {
            seen = all.len();
            input
                .write_all(format!("{answer}\n").as_bytes())
                .expect("its input");
            next = answers.next();
        }
    }
    let status = child.wait().expect("its end");
    let text = String::from_utf8_lossy(&all).into_owned();
    assert!(next.is_none(), "not asked: {next:?}: {text}");
    (status.code().unwrap_or(-1), text)
}
