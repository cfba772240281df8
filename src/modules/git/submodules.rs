//! Submodules.

use super::Work;
use crate::machine::Machine;
use crate::modules::Failure;

impl Work<'_> {
    /// Brings submodules to where they belong. Says whether any was elsewhere.
    pub(super) fn submodules(&self, machine: &mut Machine) -> Result<bool, Failure> {
        let file = self.dest.join(".gitmodules");
        let text = machine.read(&file).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let mut paths = text.lines().filter_map(|l| {
            let (key, path) = l.split_once('=')?;
            (key.trim() == "path").then(|| path.trim())
        });
        if text.is_empty() {
            return Ok(false);
        }
        let new = paths.any(|p| !machine.exists(&self.dest.join(p).join(".git")));
        let changed = new || self.differ(machine)?;
        if changed {
            let sync = ["submodule", "sync"];
            self.git.must(&self.dest, &sync, machine)?;
            let mut words = vec!["submodule", "update", "--init", "--recursive"];
            if self.args.track_submodules {
                words.push("--remote");
            }
            if self.args.force {
                words.push("--force");
            }
            let output = self.git.act(&self.dest, &words, machine)?;
            let msg = format!(
                "Failed to init/update submodules: {}{}",
                output.stdout_text(),
                output.stderr_text()
            );
            self.git.judged(&words, output, Some(msg))?;
        }
        Ok(changed)
    }

    /// Whether a submodule has another commit than the checkout names, or than its branch with `track_submodules`.
    fn differ(&self, machine: &mut Machine) -> Result<bool, Failure> {
        let fetch = ["submodule", "foreach", "git fetch"];
        let output = self.git.act(&self.dest, &fetch, machine)?;
        self.git.judged(
            &fetch,
            output,
            Some("Failed to fetch submodules".to_string()),
        )?;
        if self.args.track_submodules {
            let heads = |what: &str, machine: &Machine| {
                let script = format!("git rev-parse {what}");
                let words = ["submodule", "--quiet", "foreach", &script];
                Ok::<_, Failure>(self.git.ask(&self.dest, &words, machine)?.stdout_text())
            };
            let branch = "$(b=$(git config -f $toplevel/.gitmodules submodule.$name.branch); \
                          git rev-parse -q --verify origin/${b:-master} || git rev-parse -q --verify origin/HEAD)";
            return Ok(heads("HEAD", machine)? != heads(branch, machine)?);
        }
        let words = ["submodule", "status"];
        let output = self.git.ask(&self.dest, &words, machine)?;
        let output = self.git.judged(&words, output, None)?;
        Ok(output.stdout_text().lines().any(|l| !l.starts_with(' ')))
    }
}
