//! The controller's side of an agent: placed on the host once, started over a channel, kept for the run.

use super::escalate::{self, Started, after_line};
use super::{Become, Channel, Event, Request, Target, Transport, Trouble, Unreachable};
use crate::agent::binary::{self, Binary, Kit};
use crate::agent::{CHUNK, Call, Frame, Hello, Order, Reply, take_frame};
use crate::deadline;
use crate::modules;
use crate::result::TaskResult;
use crate::value::{Map, Value};
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a host may take to start the agent, or to place it, without saying anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// An agent that runs at a host.
pub struct Agent {
    channel: Box<dyn Channel>,
    /// What has come and is not a whole frame yet.
    incoming: Vec<u8>,
    /// What it has said on its standard error: why it ended, if it has.
    error: Vec<u8>,
    /// Modules whose options it has been told.
    told: HashSet<&'static str>,
    full: bool,
}

impl Agent {
    /// Places the agent if it is not there, starts it, and greets it.
    pub fn start(
        transport: &mut dyn Transport,
        target: &Target,
        become_: Option<&Become>,
        kit: Kit,
    ) -> Result<Agent, Trouble> {
        let mark = format!("RPLAY-{}", crate::secret::random_name());
        let script = script(&mark, &target.remote_tmp, kit);
        let started = escalate::start(transport, target, become_, &script, false)?;
        let mut opening = Opening {
            host: &target.host,
            kit,
            mark,
            started,
        };
        opening.place()?;
        let Opening { started, .. } = opening;
        let mut agent = Agent {
            channel: started.channel,
            incoming: started.output,
            error: started.error,
            told: HashSet::new(),
            full: false,
        };
        agent.greet(target).map_err(Trouble::Unreachable)?;
        Ok(agent)
    }

    fn greet(&mut self, target: &Target) -> Result<(), Unreachable> {
        let hello = Hello {
            tmp: Some(target.remote_tmp.clone()),
            ..Hello::own()
        };
        self.send(&Frame::of(&hello).map_err(|e| self.lost(&e))?)?;
        let theirs: Hello = self.message()?;
        theirs.check().map_err(|e| self.lost(&e))?;
        self.full = theirs.full;
        Ok(())
    }

    /// Whether it has the rare modules too.
    pub fn is_full(&self) -> bool {
        self.full
    }

    /// Whether it has not ended, as far as is known without asking it. Only to be asked between orders.
    pub fn is_alive(&mut self) -> bool {
        match self.channel.receive(Some(Duration::ZERO)) {
            Ok(Event::Nothing) => true,
            // nobody has asked for anything
            Ok(Event::Output(_)) => false,
            Ok(Event::Error(bytes)) => {
                self.error.extend(bytes);
                true
            }
            Ok(Event::Ended(_)) | Err(_) => false,
        }
    }

    /// Runs a module. Its lines are told as they come.
    pub fn call(&mut self, request: Request) -> Result<TaskResult, Unreachable> {
        let schema = modules::find(&request.module)
            .filter(|entry| self.told.insert(entry.name))
            .map(|entry| (entry.schema)());
        let call = Call {
            module: request.module,
            schema,
            args: Value::Map(Arc::new(request.args)),
            mode: request.mode,
            environment: request.environment,
            lines: request.lines.is_some(),
            background: request.background,
        };
        let order = Order::Run {
            calls: vec![call],
            stop_at_failure: true,
        };
        self.order(&order)?;
        let mut result = None;
        loop {
            match self.message::<Reply>()? {
                Reply::Line { stream, text } => {
                    if let Some(lines) = &request.lines {
                        lines(stream, &text);
                    }
                }
                Reply::Result { fields, words, .. } => {
                    let fields = match fields {
                        Value::Map(map) => Arc::unwrap_or_clone(map),
                        _ => Map::default(),
                    };
                    result = Some(TaskResult {
                        fields,
                        error: words.as_deref().map(crate::Error::of_words),
                    });
                }
                Reply::Done => break,
                Reply::Placed { .. } | Reply::Refused { .. } => return Err(self.confused()),
            }
        }
        result.ok_or_else(|| self.confused())
    }

    /// Sends a file in pieces; returns where it is.
    pub fn upload(&mut self, local: &Path) -> Result<PathBuf, Trouble> {
        let unreadable = |e: io::Error| {
            Trouble::Failed(format!(
                "cannot read {}: {}",
                local.display(),
                crate::machine::reason(&e)
            ))
        };
        let mut file = File::open(local).map_err(unreadable)?;
        let name = local.file_name().unwrap_or_default().to_string_lossy();
        self.order(&Order::Put {
            name: name.into_owned(),
        })?;
        let mut piece = vec![0; CHUNK];
        let mut failed = None;
        loop {
            let length = match file.read(&mut piece) {
                Ok(length) => length,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                // the agent waits for the end
                Err(e) => {
                    failed = Some(e);
                    0
                }
            };
            let frame = Frame::of_bytes(&piece[..length]).map_err(|e| self.lost(&e))?;
            self.send(&frame)?;
            if length == 0 {
                break;
            }
        }
        match (self.message()?, failed) {
            (Reply::Placed { path }, None) => Ok(path.into()),
            (Reply::Placed { path }, Some(e)) => {
                self.discard(Path::new(&path));
                Err(unreadable(e))
            }
            (Reply::Refused { .. }, Some(e)) => Err(unreadable(e)),
            (Reply::Refused { msg }, None) => Err(Trouble::Failed(format!(
                "failed to transfer file to the remote host: {}: {msg}",
                local.display()
            ))),
            _ => Err(self.confused().into()),
        }
    }

    /// Gives up a file that [`Agent::upload`] sent.
    pub fn discard(&mut self, remote: &Path) {
        let path = remote.to_string_lossy().into_owned();
        // if the connection is lost, so is the file
        let _ = self.order(&Order::Discard { path });
    }

    /// Fetches a file in pieces.
    pub fn download(&mut self, remote: &Path, local: &Path) -> Result<(), Trouble> {
        let unwritable = |e: io::Error| {
            Trouble::Failed(format!(
                "cannot write {}: {}",
                local.display(),
                crate::machine::reason(&e)
            ))
        };
        let mut file = File::create(local);
        self.order(&Order::Get {
            path: remote.to_string_lossy().into_owned(),
        })?;
        let mut written = Ok(());
        loop {
            match self.frame()? {
                Frame::Bytes(piece) if piece.is_empty() => break,
                Frame::Bytes(piece) => {
                    if let (Ok(file), Ok(())) = (&mut file, &written) {
                        written = file.write_all(&piece);
                    }
                }
                Frame::Message(_) => return Err(self.confused().into()),
            }
        }
        match self.message()? {
            Reply::Done => {
                file.map_err(unwritable)?;
                written.map_err(unwritable)
            }
            Reply::Refused { msg } => Err(Trouble::Failed(format!(
                "failed to transfer file from {}: {msg}",
                remote.display()
            ))),
            _ => Err(self.confused().into()),
        }
    }

    fn order(&mut self, order: &Order) -> Result<(), Unreachable> {
        let frame = Frame::of(order).map_err(|e| self.lost(&e))?;
        self.send(&frame)
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Unreachable> {
        let sent = self.channel.send(bytes);
        sent.map_err(|e| self.lost(&e))
    }

    fn message<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, Unreachable> {
        let frame = self.frame()?;
        frame.message().map_err(|e| self.lost(&e))
    }

    fn frame(&mut self) -> Result<Frame, Unreachable> {
        loop {
            match take_frame(&mut self.incoming) {
                Ok(Some(frame)) => return Ok(frame),
                Ok(None) => {}
                Err(e) => return Err(self.lost(&e)),
            }
            match self.channel.receive(deadline::left()) {
                Ok(Event::Output(bytes)) => self.incoming.extend(bytes),
                Ok(Event::Error(bytes)) => self.error.extend(bytes),
                // whoever hears this closes the connection, which stops what runs there
                Ok(Event::Nothing) if deadline::has_passed() => {
                    return Err(Unreachable::new("the host took too long"));
                }
                Ok(Event::Nothing) => {}
                Ok(Event::Ended(rc)) => return Err(self.ended(rc)),
                Err(e) => return Err(self.lost(&e)),
            }
        }
    }

    fn ended(&self, rc: Option<i32>) -> Unreachable {
        let said = String::from_utf8_lossy(&self.error);
        let status = rc.map_or(String::new(), |rc| format!(" with status {rc}"));
        let mut msg = format!("the agent on the host has ended{status}");
        if !said.trim().is_empty() {
            msg.push_str(": ");
            msg.push_str(said.trim());
        }
        Unreachable::new(msg)
    }

    fn lost(&self, e: &io::Error) -> Unreachable {
        match String::from_utf8_lossy(&self.error).trim() {
            "" => Unreachable::new(format!(
                "the connection to the host was lost: {}",
                crate::machine::reason(e)
            )),
            said => Unreachable::new(format!("the connection to the host was lost: {said}")),
        }
    }

    fn confused(&self) -> Unreachable {
        Unreachable::new("the agent on the host said something that was not asked")
    }
}

/// An agent that is about to start.
struct Opening<'a> {
    host: &'a str,
    kit: Kit,
    mark: String,
    started: Started,
}

impl Opening<'_> {
    /// Follows the script until the agent runs: `HAVE`, or `NEED` and the file.
    fn place(&mut self) -> Result<(), Trouble> {
        let first = self.line()?;
        let words: Vec<&str> = first.split(' ').collect();
        match words.as_slice() {
            ["HAVE"] => Ok(()),
            ["NEED", arch, tools @ ..] => {
                let binary = binary::find(self.kit, arch).map_err(|e| self.refused(e.message()))?;
                self.send_binary(binary, tools)
            }
            ["NOWHERE", ..] => Err(self.refused(&format!(
                "the agent cannot be placed on the host: {}",
                first.trim_start_matches("NOWHERE").trim()
            ))),
            _ => Err(self.refused(&format!("the host said '{first}'"))),
        }
    }

    fn send_binary(&mut self, binary: &Binary, tools: &[&str]) -> Result<(), Trouble> {
        let packed = binary.packed_for(tools);
        let (tool, contents) = packed.map_err(|e| self.refused(&e.to_string()))?;
        let tool = tool.unwrap_or("cat");
        let line = format!("{} {} {tool}\n", contents.len(), binary.size);
        self.send(line.as_bytes())?;
        let sent = match self.line()?.as_str() {
            "READY" => self.send(&contents),
            other => return Err(self.refused(&format!("the host said '{other}'"))),
        };
        // a host that takes no more has said why
        let answer = match (self.line(), sent) {
            (Ok(answer), _) => answer,
            (Err(_), Err(e)) | (Err(e), Ok(())) => return Err(e),
        };
        match answer.as_str() {
            "HAVE" => Ok(()),
            other => Err(self.refused(&format!(
                "the agent could not be placed on the host: {}",
                other.trim_start_matches("FAILED").trim()
            ))),
        }
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        let sent = self.started.channel.send(bytes);
        sent.map_err(|e| self.refused(&crate::machine::reason(&e)))
    }

    /// The next line that the script says, without its mark.
    fn line(&mut self) -> Result<String, Trouble> {
        let end = Instant::now() + deadline::at_most(Some(PATIENCE)).unwrap_or(PATIENCE);
        loop {
            if let Some(rest) = after_line(&self.started.output, &self.mark) {
                let told = self.started.output.len() - rest.len();
                let told = String::from_utf8_lossy(&self.started.output[..told]).into_owned();
                self.started.output = rest;
                let at = told.find(&self.mark).unwrap_or(0) + self.mark.len();
                return Ok(told[at..].trim().to_string());
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(self.refused("it did not start the agent in time"));
            }
            match self.started.channel.receive(Some(left)) {
                Ok(Event::Output(bytes)) => self.started.output.extend(bytes),
                Ok(Event::Error(bytes)) => self.started.error.extend(bytes),
                Ok(Event::Nothing) => {}
                Ok(Event::Ended(rc)) => {
                    let rc = rc.map_or(String::new(), |rc| format!(" (status {rc})"));
                    return Err(self.refused(&format!("the login ended{rc}")));
                }
                Err(e) => return Err(self.refused(&crate::machine::reason(&e))),
            }
        }
    }

    fn refused(&self, why: &str) -> Trouble {
        let said = [&self.started.error, &self.started.output]
            .map(|b| String::from_utf8_lossy(b).trim().to_string())
            .join("\n");
        let mut msg = format!("the agent could not be started on {}: {why}", self.host);
        if !said.trim().is_empty() {
            msg = format!("{msg}: {}", said.trim());
        }
        Trouble::Unreachable(Unreachable::new(msg))
    }
}

/// What starts the agent at a host that has a shell and little more.
///
/// It looks for the agent, by its hash, in the folders where it may be; else finds the first of them from
/// which programs can be started, asks for the file (`NEED machine [xz] [gzip]`, the tools that it can
/// unpack with), and starts it.
fn script(mark: &str, remote_tmp: &str, kit: Kit) -> String {
    let hashes: Vec<String> = binary::all(kit)
        .iter()
        .map(|b| format!("{}:{}", b.arch, &b.hash[..32]))
        .collect();
    let tmp = remote_tmp
        .replace('~', "$HOME")
        .replace(['"', '`', '\\'], "");
    let lines: Vec<&str> = include_str!("place.sh")
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .collect();
    lines
        .join("\n")
        .replace("@mark@", mark)
        .replace("@hashes@", &hashes.join(" "))
        .replace("@tmp@", &tmp)
}
