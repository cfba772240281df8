//! What the callbacks share that show each host's result and neither headers nor a recap.

use crate::report::output::Output;
use crate::report::{Cause, Event, Reporter, TaskInfo, live};
use crate::result::TaskResult;

/// A callback that shows each host's result.
pub trait ByHost: Send {
    fn out(&self) -> &Output;
    /// Shows a result; `causes` are those of a failure.
    fn result(&mut self, task: &TaskInfo, host: &str, result: &TaskResult, causes: &[Cause]);
}

impl<T: ByHost> Reporter for T {
    fn live(&self) -> Option<live::Live> {
        live::of_task(&self.out().screen, self.out().settings.live)
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::Result {
                task,
                host,
                result,
                causes,
                ..
            } => self.result(task, host, result, causes),
            Event::Including { task, host, result } => self.result(task, host, result, &[]),
            other => self.out().progress(other),
        }
    }
}
