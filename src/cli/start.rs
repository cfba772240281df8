//! What comes before a run: settings, secrets and the report, for the subcommands that run tasks.

use super::options::Run;
use crate::config::Config;
use crate::error::Kind;
use crate::report::screen::Screen;
use crate::report::settings::Settings;
use crate::report::{self, NoticeSettings, colour};
use crate::run::options::Options;
use crate::vars::cache;
use crate::{Error, Result, notice};

/// Reads the settings, and has notices shown as `-v` says from here on; provides the vault's passwords.
///
/// Fails if the settings cannot be read or ask for what rplay does not have, and where no vault password can be had.
pub fn settings(run: &Run) -> Result<Config> {
    let verbosity = run.general.verbose;
    let notices = NoticeSettings {
        verbosity,
        ..NoticeSettings::default()
    };
    report::show_notices(&Screen::standard(colour::wanted_by_environment()), notices);
    report::log::expect();
    if verbosity >= 2 {
        notice::verbose(2, super::version::text().trim_end());
    }
    let config = Config::load()?;
    report::log::open(&config);
    notice::verbose(
        1,
        match &config.file {
            Some(path) => format!("Using {} as config file", path.display()),
            None => "No config file found; using defaults".to_string(),
        },
    );
    refuse_settings(&config)?;
    crate::notice::set_debug(config.debug);
    crate::yaml::set_duplicates(config.duplicate_dict_key);
    run.vault.provide(&config)?;
    Ok(config)
}

/// The screen, and what reports print on it; notices are shown in its colours from here on.
pub fn screen(options: &Options, config: &Config) -> (Screen, Settings) {
    let screen = Screen::standard(match (config.force_color, config.nocolor) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    });
    let settings = Settings::new(options, config);
    let notices = NoticeSettings {
        palette: settings.palette.clone(),
        verbosity: options.verbosity,
        hide_warnings: !config.system_warnings,
        hide_deprecations: !config.deprecation_warnings,
        verbose_to_stderr: config.verbose_to_stderr,
    };
    report::show_notices(&screen, notices);
    (screen, settings)
}

/// Ctrl-C ends the run with ansible-playbook's exit code.
pub fn on_interrupt() {
    // fails only if something else listens already, which then decides
    let _ = ctrlc::set_handler(|| {
        report::print_error(&Error::new(Kind::Interrupted, "User interrupted execution"));
        std::process::exit(Kind::Interrupted.exit_code());
    });
}

/// Settings that would change what the user sees and that nothing here obeys yet.
fn refuse_settings(config: &Config) -> Result<()> {
    let refused = |what: String| {
        Err(Error::new(Kind::Options, what).hint("remove the setting or use its default"))
    };
    if !matches!(config.result_format.as_str(), "json" | "yaml") {
        return refused(format!(
            "callback_result_format = {}: it must be json or yaml",
            config.result_format
        ));
    }
    if !cache::is_json_file(&config.fact_caching) && !cache::is_memory(&config.fact_caching) {
        return refused(format!(
            "fact_caching = {}: rplay can keep facts in files of JSON only (`jsonfile`), or in memory (`memory`)",
            config.fact_caching
        ));
    }
    Ok(())
}
