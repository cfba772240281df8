//! Jobs that go on after their call has returned (`async`).

use super::Background;
use crate::machine::Machine;
use crate::result::TaskResult;
use crate::value::Map;

/// Starts a module as a job and says where its result will be.
pub fn start(module: &str, _: Map, _: Machine, job: &Background) -> TaskResult {
    TaskResult::failed(format!(
        "rplay cannot run {module} in the background yet (job {})",
        job.job
    ))
}
