//! Arguments to a run; one file per subcommand.
//!
//! `rplay PLAYBOOK` is `ansible-playbook PLAYBOOK`; `rplay playbook` is the same by name. The other
//! subcommands are Ansible's other programs. The first argument alone decides which it is.

pub mod adhoc;
pub mod config;
pub mod extra_vars;
pub mod galaxy;
pub mod inventory;
mod options;
mod password;
pub mod playbook;
mod start;
pub mod vault;
pub mod version;

use crate::config::Config;
use crate::error::Kind;
use crate::report::screen::Screen;
use crate::report::{self, NoticeSettings};
use crate::{Error, Result};
use clap::Parser;
use std::ffi::OsString;

/// Subcommands whose time has not come, with the program of Ansible's that each will stand for.
const LATER: &[(&str, &str)] = &[("doc", "ansible-doc")];

/// Runs rplay with the process's arguments, the program's name first; returns the exit code.
pub fn run(args: impl IntoIterator<Item = OsString>) -> i32 {
    let args: Vec<OsString> = args.into_iter().collect();
    crate::source::start_dir();
    match dispatch(&args) {
        Ok(code) => code,
        Err(error) => {
            // without words it has been said already
            if !error.message().is_empty() {
                crate::report::print_error(&error);
            }
            error.kind().exit_code()
        }
    }
}

fn dispatch(args: &[OsString]) -> Result<i32> {
    let first = args.get(1).and_then(|a| a.to_str()).unwrap_or("");
    let rest = || args.iter().skip(2).cloned();
    match first {
        "adhoc" => adhoc::run(rest()),
        "playbook" => playbook::run(rest()),
        "config" => config::run(rest()),
        "galaxy" => galaxy::run(rest()),
        "inventory" => inventory::run(rest()),
        "vault" => vault::run(rest()),
        _ => match LATER.iter().find(|(name, _)| *name == first) {
            Some((name, program)) => Err(Error::new(
                Kind::Usage,
                format!("`rplay {name}` is not there yet"),
            )
            .hint(format!(
                "until then use {program}; for a playbook of that name write ./{name}"
            ))),
            None => playbook::run(args.iter().skip(1).cloned()),
        },
    }
}

/// The arguments of a subcommand, those after its name. Where there is only something to print, a help, the version or
/// what is wrong with them, it is printed and the exit code given instead.
fn arguments<A: Parser>(
    name: &str,
    args: impl IntoIterator<Item = OsString>,
) -> std::result::Result<A, i32> {
    let args: Vec<OsString> = args.into_iter().collect();
    let mut options = args.iter().take_while(|arg| *arg != "--");
    if options.any(|arg| arg == "--version") {
        print!("{}", version::text());
        return Err(0);
    }
    A::try_parse_from(std::iter::once(OsString::from(name)).chain(args)).map_err(|e| {
        let code = e.exit_code();
        // a closed pipe is no reason for another exit code
        let _ = e.print();
        code
    })
}

/// Shows what is noticed from here on, as the settings and `-v` say, for subcommands that have no report.
fn show_notices(config: &Config, verbosity: u8) {
    let screen = Screen::standard(match (config.force_color, config.nocolor) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    });
    let settings = NoticeSettings {
        verbosity,
        hide_warnings: !config.system_warnings,
        hide_deprecations: !config.deprecation_warnings,
        verbose_to_stderr: config.verbose_to_stderr,
        ..NoticeSettings::default()
    };
    report::show_notices(&screen, settings);
}
