//! The agent's side: takes orders until the controller has gone.

use super::frame::{CHUNK, Frame, read_frame, write_bytes, write_message};
use super::message::{Call, Hello, Order, Reply};
use super::spool::Spool;
use crate::machine::{Machine, Stream, running};
use crate::modules::{self, args::Spec};
use crate::result::TaskResult;
use crate::value::{Map, Value};
use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long what runs may take to end after the controller has gone.
const GRACE: Duration = Duration::from_secs(5);

/// Where replies go. Modules' lines and results come from the same thread, one at a time.
type Out<W> = Arc<Mutex<W>>;

/// Serves orders until the other side closes or says [`Order::Quit`].
///
/// Fails if a frame is malformed or too large, or the other side is another version.
pub fn serve(
    mut input: impl Read + Send + 'static,
    output: impl Write + Send + 'static,
) -> io::Result<()> {
    let output = Arc::new(Mutex::new(output));
    write(&output, &Hello::own())?;
    let hello: Hello = match read_frame(&mut input)? {
        Some(frame) => frame.message()?,
        None => return Ok(()),
    };
    hello.check()?;
    let spool = Arc::new(Mutex::new(Spool::new(hello.tmp)));
    let frames = listen(input, Arc::clone(&spool));
    let done = attend(&frames, &output, &spool);
    lock(&spool).clear();
    done
}

/// Reads frames while orders are carried out, so that the end of the input is seen at once.
fn listen(
    mut input: impl Read + Send + 'static,
    spool: Arc<Mutex<Spool>>,
) -> Receiver<io::Result<Frame>> {
    // few, so that a file that comes faster than it can be written waits at the controller
    let (sender, frames) = sync_channel(4);
    std::thread::spawn(move || {
        loop {
            match read_frame(&mut input) {
                Ok(Some(frame)) => match sender.send(Ok(frame)) {
                    Ok(()) => {}
                    Err(_) => return,
                },
                Ok(None) => break,
                Err(e) => {
                    let _ = sender.send(Err(e));
                    break;
                }
            }
        }
        drop(sender);
        running::stop_all();
        // what is no command (waiting, a download) cannot be stopped from here
        std::thread::sleep(GRACE);
        if running::in_agent() {
            lock(&spool).clear();
            running::remove_unfinished();
            std::process::exit(1);
        }
    });
    frames
}

fn attend<W: Write + Send + 'static>(
    frames: &Receiver<io::Result<Frame>>,
    output: &Out<W>,
    spool: &Mutex<Spool>,
) -> io::Result<()> {
    let mut known = Known::default();
    while let Ok(frame) = frames.recv() {
        match frame?.message::<Order>()? {
            Order::Run {
                calls,
                stop_at_failure,
            } => {
                run(calls, stop_at_failure, &mut known, output)?;
                write(output, &Reply::Done)?;
            }
            Order::Put { name } => {
                let reply = match put(&name, frames, spool)? {
                    Ok(path) => Reply::Placed { path },
                    Err(e) => Reply::Refused {
                        msg: crate::machine::reason(&e),
                    },
                };
                write(output, &reply)?;
            }
            Order::Discard { path } => lock(spool).discard(Path::new(&path)),
            Order::Get { path } => {
                let reply = match get(&path, output)? {
                    Ok(()) => Reply::Done,
                    Err(e) => Reply::Refused {
                        msg: crate::machine::reason(&e),
                    },
                };
                write(output, &reply)?;
            }
            Order::Quit => break,
        }
    }
    Ok(())
}

/// The options of the modules that were called, in both forms.
type Known = HashMap<String, (Arc<serde_json::Value>, Spec)>;

fn run<W: Write + Send + 'static>(
    calls: Vec<Call>,
    stop_at_failure: bool,
    known: &mut Known,
    output: &Out<W>,
) -> io::Result<()> {
    for (number, call) in calls.into_iter().enumerate() {
        // under its own name, whatever it is called
        let name = modules::find(&call.module).map_or("", |module| module.name);
        if let Some(schema) = call.schema {
            let spec = Spec::from_schema(&schema);
            known.insert(name.to_string(), (schema, spec));
        }
        let args = match call.args {
            Value::Map(map) => (*map).clone(),
            _ => Map::default(),
        };
        let mut machine = Machine::new(call.mode, call.environment);
        if call.lines {
            let output = Arc::clone(output);
            machine.lines = Some(Arc::new(move |stream: Stream, text: &str| {
                let text = text.to_string();
                // the controller has gone if this fails: the result's write says so
                let _ = write(&output, &Reply::Line { stream, text });
            }));
        }
        let result = match (known.get(name), &call.background) {
            (Some((schema, _)), Some(background)) => {
                super::background::start(&call.module, schema, args, machine, background)
            }
            (Some((_, spec)), None) => modules::run_with(&call.module, spec, args, &mut machine),
            (None, _) => TaskResult::failed(format!(
                "the agent was not told the options of {}",
                call.module
            )),
        };
        let failed = result.is_failed();
        let reply = Reply::Result {
            call: number,
            fields: result.to_value(),
            words: result.error.map(|e| e.words()),
        };
        write(output, &reply)?;
        if failed && stop_at_failure {
            break;
        }
    }
    Ok(())
}

/// Keeps the pieces that follow. The inner error is about the file, the outer one about the connection.
fn put(
    name: &str,
    frames: &Receiver<io::Result<Frame>>,
    spool: &Mutex<Spool>,
) -> io::Result<io::Result<String>> {
    let mut file = lock(spool).create(name);
    let mut failed = None;
    loop {
        let piece = match frames.recv() {
            Ok(frame) => match frame? {
                Frame::Bytes(piece) => piece,
                Frame::Message(_) => return Err(unexpected("a message inside a file")),
            },
            Err(_) => return Err(io::ErrorKind::UnexpectedEof.into()),
        };
        if piece.is_empty() {
            break;
        }
        // the rest is read and dropped after a failure, for what follows it to be understood
        if let (Ok((_, file)), None) = (&mut file, &failed) {
            failed = file.write_all(&piece).err();
        }
    }
    Ok(match (file, failed) {
        (Err(e), _) => Err(e),
        (Ok((path, _)), Some(e)) => {
            lock(spool).discard(&path);
            Err(e)
        }
        (Ok((path, _)), None) => Ok(path.to_string_lossy().into_owned()),
    })
}

/// Sends a file in pieces. The inner error is about the file, the outer one about the connection.
fn get<W: Write>(path: &str, output: &Out<W>) -> io::Result<io::Result<()>> {
    let mut file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(e) => {
            write_bytes(&mut *lock(output), &[])?;
            return Ok(Err(e));
        }
    };
    let mut piece = vec![0; CHUNK];
    loop {
        match file.read(&mut piece) {
            Ok(0) => break,
            Ok(n) => write_bytes(&mut *lock(output), &piece[..n])?,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => {
                write_bytes(&mut *lock(output), &[])?;
                return Ok(Err(e));
            }
        }
    }
    write_bytes(&mut *lock(output), &[])?;
    Ok(Ok(()))
}

fn write<W: Write, T: serde::Serialize>(output: &Out<W>, message: &T) -> io::Result<()> {
    write_message(&mut *lock(output), message)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|e| e.into_inner())
}

fn unexpected(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("unexpected: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::VERSION;
    use crate::machine::Mode;
    use std::io::{PipeReader, PipeWriter, pipe};

    fn call(module: &str, args: &str) -> Call {
        Call {
            module: module.to_string(),
            args: serde_json::from_str(args).unwrap(),
            mode: Mode::default(),
            environment: vec![("RPLAY_TEST".to_string(), "seen".to_string())],
            lines: true,
            background: None,
            schema: modules::find(module).map(|m| (m.schema)()),
        }
    }

    struct Controller {
        input: PipeReader,
        output: PipeWriter,
        agent: std::thread::JoinHandle<io::Result<()>>,
    }

    fn controller() -> Controller {
        let (there, output) = pipe().unwrap();
        let (mut input, back) = pipe().unwrap();
        let agent = std::thread::spawn(move || serve(there, back));
        let hello: Hello = read_frame(&mut input).unwrap().unwrap().message().unwrap();
        hello.check().unwrap();
        let mut new = Controller {
            input,
            output,
            agent,
        };
        write_message(&mut new.output, &Hello::own()).unwrap();
        new
    }

    impl Controller {
        fn order(&mut self, order: &Order) {
            write_message(&mut self.output, order).unwrap();
        }
        fn frame(&mut self) -> Frame {
            read_frame(&mut self.input).unwrap().unwrap()
        }
        fn reply(&mut self) -> Reply {
            self.frame().message().unwrap()
        }
    }

    #[test]
    fn modules_run_over_a_pipe_and_their_lines_come_first() {
        let mut controller = controller();
        let calls = vec![
            call(
                "command",
                r#"{"argv":["sh","-c","echo $RPLAY_TEST; printf end"]}"#,
            ),
            call("command", r#"{"argv":["false"]}"#),
            call("ping", "{}"),
        ];
        controller.order(&Order::Run {
            calls,
            stop_at_failure: true,
        });
        let (mut lines, mut results) = (Vec::new(), Vec::new());
        loop {
            match controller.reply() {
                Reply::Line { text, .. } => lines.push(text),
                Reply::Result { fields, .. } => results.push(fields),
                _ => break,
            }
        }
        assert_eq!(lines, ["seen", "end"]);
        assert_eq!(results.len(), 2, "the call after the failure is left out");
        assert_eq!(results[0].get("stdout"), Some(&"seen\nend".into()));
        assert_eq!(results[1].get("failed"), Some(&Value::Bool(true)));
        controller.order(&Order::Quit);
        controller.agent.join().unwrap().unwrap();
    }

    #[test]
    fn files_go_both_ways_and_are_gone_at_the_end() {
        let mut controller = controller();
        let name = "a file".to_string();
        controller.order(&Order::Put { name });
        for piece in ["one ", "two", ""] {
            write_bytes(&mut controller.output, piece.as_bytes()).unwrap();
        }
        let Reply::Placed { path } = controller.reply() else {
            panic!("not placed")
        };
        controller.order(&Order::Get { path: path.clone() });
        assert_eq!(controller.frame(), Frame::Bytes(b"one two".to_vec()));
        assert_eq!(controller.frame(), Frame::Bytes(Vec::new()));
        assert!(matches!(controller.reply(), Reply::Done));
        controller.order(&Order::Get {
            path: "/not/there".to_string(),
        });
        assert_eq!(controller.frame(), Frame::Bytes(Vec::new()));
        assert!(
            matches!(controller.reply(), Reply::Refused { msg } if msg == "No such file or directory")
        );
        drop(controller.output);
        controller.agent.join().unwrap().unwrap();
        assert!(!Path::new(&path).exists());
    }

    #[test]
    fn another_version_is_refused() {
        let mut input = Vec::new();
        let stranger = Hello {
            version: VERSION + 1,
            ..Hello::own()
        };
        write_message(&mut input, &stranger).unwrap();
        let refused = serve(io::Cursor::new(input), io::sink()).unwrap_err();
        assert!(refused.to_string().contains("protocol 5"), "{refused}");
    }

    #[test]
    fn a_frame_that_is_too_large_is_refused_before_it_is_read() {
        let huge = [255, 255, 255, 255, b'j'];
        assert!(serve(io::Cursor::new(huge), io::sink()).is_err());
    }
}
