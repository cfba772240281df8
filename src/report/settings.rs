//! What callbacks print, and how: their settings.

use super::callbacks::junit;
use super::colour::Palette;
use crate::config::{Config, Live};
use crate::run::options::Options;
use std::path::PathBuf;

/// The settings that callbacks share, with Ansible's defaults.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many `-v`.
    pub verbosity: u8,
    /// Whether the whole run is in check mode.
    pub check: bool,
    pub display_skipped_hosts: bool,
    pub display_ok_hosts: bool,
    /// Failures go to standard error.
    pub display_failed_stderr: bool,
    pub show_custom_stats: bool,
    pub show_task_path_on_failure: bool,
    pub check_mode_markers: bool,
    pub show_per_host_start: bool,
    /// Results as YAML instead of JSON (`callback_result_format`).
    pub yaml: bool,
    /// Results over several lines: always, never, or as the verbosity says.
    pub pretty_results: Option<bool>,
    /// Lines of context in diffs (`DIFF_CONTEXT`).
    pub diff_context: usize,
    /// Whether the lines of commands are shown while they run.
    pub live: Live,
    pub palette: Palette,
    /// Whether headers of tasks show the arguments.
    pub display_args: bool,
    /// Blanks in front of what is inside in the document of `json`.
    pub json_indent: i64,
    pub junit: junit::Options,
    /// The folder that `tree` writes into.
    pub tree: PathBuf,
    pub profile_tasks: ProfileTasks,
    /// Whether `profile_roles` leaves out the time at which each task began.
    pub profile_roles_summary_only: bool,
}

/// The options of `profile_tasks`, as they are written.
#[derive(Clone, Debug, Default)]
pub struct ProfileTasks {
    pub output_limit: String,
    pub sort_order: String,
    /// Without the time at which each task began.
    pub summary_only: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            verbosity: 0,
            check: false,
            display_skipped_hosts: true,
            display_ok_hosts: true,
            display_failed_stderr: false,
            show_custom_stats: false,
            show_task_path_on_failure: false,
            check_mode_markers: false,
            show_per_host_start: false,
            yaml: false,
            pretty_results: None,
            diff_context: 3,
            live: Live::No,
            palette: Palette::default(),
            display_args: false,
            json_indent: 4,
            junit: junit::Options::default(),
            tree: PathBuf::new(),
            profile_tasks: ProfileTasks::default(),
            profile_roles_summary_only: false,
        }
    }
}

impl Settings {
    /// The settings that ansible.cfg and the environment say, for a run with these options.
    pub fn new(options: &Options, config: &Config) -> Settings {
        Settings {
            verbosity: options.verbosity,
            check: options.check,
            display_skipped_hosts: config.display_skipped_hosts,
            display_ok_hosts: config.display_ok_hosts,
            display_failed_stderr: config.display_failed_stderr,
            show_custom_stats: config.show_custom_stats,
            show_task_path_on_failure: config.show_task_path_on_failure,
            check_mode_markers: config.check_mode_markers,
            show_per_host_start: config.show_per_host_start,
            yaml: config.result_format == "yaml",
            pretty_results: config.format_pretty,
            diff_context: config.diff_context as usize,
            live: options.live,
            palette: Palette::new(config),
            display_args: config.display_args_to_stdout,
            json_indent: config.json_indent,
            junit: junit::Options {
                output_dir: config.junit_output_dir.clone(),
                task_class: config.junit_task_class,
                task_relative_path: config.junit_task_relative_path.clone(),
                replace_out_of_tree_path: config.junit_replace_out_of_tree_path.clone(),
                fail_on_change: config.junit_fail_on_change,
                fail_on_ignore: config.junit_fail_on_ignore,
                include_setup_tasks: config.junit_include_setup_tasks_in_report,
                hide_task_arguments: config.junit_hide_task_arguments,
                test_case_prefix: config.junit_test_case_prefix.clone(),
            },
            tree: config.tree_directory.clone(),
            profile_tasks: ProfileTasks {
                output_limit: config.profile_tasks_output_limit.clone(),
                sort_order: config.profile_tasks_sort_order.clone(),
                summary_only: config.profile_tasks_summary_only,
            },
            profile_roles_summary_only: config.profile_roles_summary_only,
        }
    }
}
