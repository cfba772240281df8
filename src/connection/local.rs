//! The machine that rplay runs on: modules run in this process.

use super::{Request, Session, Unreachable};
use crate::machine::Machine;
use crate::modules;
use crate::result::TaskResult;
use std::path::{Path, PathBuf};

/// Connection `local`.
#[derive(Debug, Default)]
pub struct Local;

impl Session for Local {
    fn call(&mut self, request: Request) -> Result<TaskResult, Unreachable> {
        Ok(modules::run(
            &request.module,
            request.args,
            &mut Machine::new(request.mode, request.environment),
        ))
    }

    fn upload(&mut self, local: &Path) -> Result<PathBuf, Unreachable> {
        Ok(local.to_path_buf())
    }

    fn download(&mut self, remote: &Path, local: &Path) -> Result<(), Unreachable> {
        let copied = std::fs::copy(remote, local);
        copied.map(|_| ()).map_err(|e| Unreachable {
            msg: format!(
                "cannot copy {} to {}: {e}",
                remote.display(),
                local.display()
            ),
        })
    }
}
