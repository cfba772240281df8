//! `rplay --version`.

/// What `--version` prints: versions and where things are, in the lines that people put into bug reports.
pub fn text() -> String {
    let program = std::env::current_exe()
        .map_or_else(|_| "unknown".to_string(), |path| path.display().to_string());
    let features = if cfg!(feature = "aws") { "aws" } else { "none" };
    format!(
        "rplay {}\n  behaves as = ansible-core {}\n  executable location = {program}\n  features = {features}\n  platform = {} {}\n",
        env!("CARGO_PKG_VERSION"),
        ANSIBLE_VERSION,
        std::env::consts::OS,
        std::env::consts::ARCH,
    )
}

/// The release of ansible-core whose behaviour rplay is tested against.
pub const ANSIBLE_VERSION: &str = "2.19.14";
