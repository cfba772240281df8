//! A connection to a host: one transport, and an agent for every user that tasks are there.

use super::agent::Agent;
use super::escalate;
use super::{
    Become, Event, RawCommand, RawOutput, Request, Target, Transport, Trouble, Unreachable, open,
};
use crate::agent::binary::Kit;
use crate::deadline;
use crate::machine::{LineSplitters, Machine, Stream};
use crate::modules;
use crate::result::TaskResult;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// See the module's documentation. Everything is opened when first needed.
pub struct HostSession {
    target: Target,
    transport: Option<Box<dyn Transport>>,
    agents: HashMap<(Option<Become>, Kit), Agent>,
    /// How long a raw command may say nothing; without it, as long as it likes.
    patience: Option<Duration>,
}

impl HostSession {
    pub fn new(target: Target) -> HostSession {
        HostSession {
            target: target.base(),
            transport: None,
            agents: HashMap::new(),
            patience: None,
        }
    }

    /// One that does not wait longer than this for a connection, and for a raw command that says nothing.
    pub fn hurried(target: Target, patience: Duration) -> HostSession {
        let mut session = HostSession::new(target);
        session.target.timeout = patience.as_secs().max(1);
        session.patience = Some(patience);
        session
    }

    /// Whether what is open can still be used. One that has been idle may have lost its host meanwhile: a new
    /// one may reach it again, and nothing was asked of it that could happen twice.
    pub fn is_alive(&mut self) -> bool {
        let open = self.transport.as_mut().is_none_or(|t| t.is_alive());
        open && self.agents.values_mut().all(Agent::is_alive)
    }

    /// Whether modules run in this process: this machine, as the user who runs rplay.
    pub fn in_process(&self, become_: Option<&Become>) -> bool {
        self.target.connection == "local" && become_.is_none()
    }

    /// Runs a module.
    pub fn call(
        &mut self,
        become_: Option<&Become>,
        request: Request,
    ) -> Result<TaskResult, Trouble> {
        // what has to be stopped in time is in a process of its own
        if self.in_process(become_) && deadline::end().is_none() {
            let mut machine = Machine::new(request.mode, request.environment);
            machine.lines = request.lines;
            let (module, args) = (&request.module, request.args);
            return Ok(match (&request.background, modules::find(module)) {
                (Some(job), Some(entry)) => {
                    crate::agent::start_job(module, &(entry.schema)(), args, machine, job)
                }
                _ => modules::run(module, args, &mut machine),
            });
        }
        let rare = modules::find(&request.module).is_some_and(|entry| entry.rare);
        let agent = match rare {
            true => self.full_agent(become_)?,
            false => self.agent(become_)?,
        };
        Ok(agent.call(request)?)
    }

    /// Makes a controller's file readable there.
    pub fn upload(&mut self, become_: Option<&Become>, local: &Path) -> Result<PathBuf, Trouble> {
        match self.in_process(become_) {
            true => Ok(local.to_path_buf()),
            false => self.agent(become_)?.upload(local),
        }
    }

    /// Gives up a file that [`HostSession::upload`] made.
    pub fn discard(&mut self, become_: Option<&Become>, remote: &Path) {
        let kit = self.kit(become_);
        if let Some(agent) = self.agents.get_mut(&(become_.cloned(), kit)) {
            agent.discard(remote);
        }
    }

    /// Brings a file to the controller.
    pub fn download(
        &mut self,
        become_: Option<&Become>,
        remote: &Path,
        local: &Path,
    ) -> Result<(), Trouble> {
        if !self.in_process(become_) {
            let agent = self.agent(become_)?;
            return agent.download(remote, local);
        }
        let copied = std::fs::copy(remote, local);
        copied.map(|_| ()).map_err(|e| {
            Trouble::Failed(format!(
                "cannot copy {} to {}: {e}",
                remote.display(),
                local.display()
            ))
        })
    }

    /// Runs a command line with no agent.
    pub fn raw(
        &mut self,
        become_: Option<&Become>,
        command: &RawCommand<'_>,
    ) -> Result<RawOutput, Trouble> {
        let RawCommand {
            line, input, tty, ..
        } = *command;
        let mut live = LineSplitters::new(command.lines);
        let target = self.target.clone();
        let transport = self.transport()?;
        // what is there to read a command line is known to the host alone: it may have no shell
        let started = match become_ {
            Some(_) => escalate::start(transport, &target, become_, line, tty),
            None => transport
                .start(line, tty)
                .map(|channel| escalate::Started {
                    channel,
                    output: Vec::new(),
                    error: Vec::new(),
                    tty,
                })
                .map_err(Trouble::Unreachable),
        };
        let mut started = started?;
        let lost = |e: std::io::Error| {
            Unreachable::new(format!(
                "the connection to the host was lost: {}",
                crate::machine::reason(&e)
            ))
        };
        // it may have ended without reading everything
        let _ = started.channel.send(input);
        if !started.tty {
            started.channel.close_input().map_err(lost)?;
        }
        let mut output = RawOutput {
            rc: 0,
            stdout: started.output,
            stderr: started.error,
        };
        loop {
            match started
                .channel
                .receive(deadline::at_most(self.patience))
                .map_err(lost)?
            {
                Event::Output(bytes) => {
                    live.take(Stream::Output, &bytes);
                    output.stdout.extend(bytes);
                }
                Event::Error(bytes) => {
                    live.take(Stream::Error, &bytes);
                    output.stderr.extend(bytes);
                }
                Event::Nothing => {
                    return Err(Unreachable::new("the host does not answer any more").into());
                }
                Event::Ended(Some(rc)) => {
                    live.end();
                    output.rc = rc;
                    return Ok(output);
                }
                Event::Ended(None) => {
                    return Err(Unreachable::new("the connection to the host was lost").into());
                }
            }
        }
    }

    fn transport(&mut self) -> Result<&mut dyn Transport, Unreachable> {
        if self.transport.is_none() {
            self.transport = Some(match deadline::left() {
                None => open(&self.target)?,
                Some(left) => open(&Target {
                    timeout: self.target.timeout.min(left.as_secs().max(1)),
                    ..self.target.clone()
                })?,
            });
        }
        match &mut self.transport {
            Some(transport) => Ok(&mut **transport),
            None => Err(Unreachable::new("the connection is closed")),
        }
    }

    /// Which agent does what all agents can do: the common one, unless a rare module was needed first.
    fn kit(&self, become_: Option<&Become>) -> Kit {
        let has = |kit| self.agents.contains_key(&(become_.cloned(), kit));
        match has(Kit::Full) && !has(Kit::Common) {
            true => Kit::Full,
            false => Kit::Common,
        }
    }

    fn agent(&mut self, become_: Option<&Become>) -> Result<&mut Agent, Trouble> {
        self.agent_of(become_, self.kit(become_))
    }

    /// An agent that has the rare modules too.
    fn full_agent(&mut self, become_: Option<&Become>) -> Result<&mut Agent, Trouble> {
        let common = self.agents.get(&(become_.cloned(), Kit::Common));
        // one that was built with everything is enough
        let kit = match common.is_some_and(Agent::is_full) {
            true => Kit::Common,
            false => Kit::Full,
        };
        let agent = self.agent_of(become_, kit)?;
        match agent.is_full() {
            true => Ok(agent),
            false => Err(Trouble::Failed(
                "the module is not in the agent that every host gets, and there is no rplay-agent-full beside it"
                    .to_string(),
            )),
        }
    }

    fn agent_of(&mut self, become_: Option<&Become>, kit: Kit) -> Result<&mut Agent, Trouble> {
        let key = (become_.cloned(), kit);
        if !self.agents.contains_key(&key) {
            let target = self.target.clone();
            let agent = Agent::start(self.transport()?, &target, become_, kit)?;
            self.agents.insert(key.clone(), agent);
        }
        self.agents
            .get_mut(&key)
            .ok_or_else(|| Trouble::Unreachable(Unreachable::new("the agent has ended")))
    }
}
