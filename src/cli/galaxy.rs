//! `rplay galaxy`: roles and collections from git repositories and local archives, as ansible-galaxy installs them.
//!
//! <https://docs.ansible.com/ansible/latest/cli/ansible-galaxy.html>

use super::options::General;
use crate::config::Config;
use crate::error::Kind;
use crate::galaxy::{CollectionSpec, Requirements, RoleSpec, Wishes, collections, roles};
use crate::{Error, Result};
use clap::{Args, Parser, Subcommand};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Installs, lists and removes roles and collections. Only git repositories and local files are sources: no server is asked.
#[derive(Parser, Debug)]
#[command(name = "rplay galaxy", infer_long_args = true)]
struct GalaxyArgs {
    #[command(subcommand)]
    what: What,

    #[command(flatten)]
    general: General,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Install what a requirements file asks for, or roles
    Install(Install),
    /// List roles
    List(List),
    /// Remove roles
    Remove(Remove),
    /// Roles
    #[command(subcommand)]
    Role(Role),
    /// Collections
    #[command(subcommand)]
    Collection(Collection),
}

#[derive(Subcommand, Debug)]
enum Role {
    /// Install roles
    Install(Install),
    /// List roles
    List(List),
    /// Remove roles
    Remove(Remove),
}

#[derive(Subcommand, Debug)]
enum Collection {
    /// Install collections
    Install(Install),
    /// List collections
    List(List),
}

#[derive(Args, Debug)]
struct Install {
    /// A role or collection: git+URL[,VERSION[,NAME]], or an archive
    names: Vec<String>,

    /// The file that says what is to be installed
    #[arg(
        short = 'r',
        long = "requirements-file",
        visible_alias = "role-file",
        value_name = "FILE"
    )]
    requirements: Option<PathBuf>,

    /// The folder for roles or collections
    #[arg(
        short = 'p',
        long = "roles-path",
        visible_alias = "collections-path",
        value_name = "FOLDER"
    )]
    path: Option<PathBuf>,

    /// Replace what is installed
    #[arg(short = 'f', long)]
    force: bool,

    /// Replace what is installed, dependencies included
    #[arg(long, conflicts_with = "no_deps")]
    force_with_deps: bool,

    /// Leave dependencies alone
    #[arg(short = 'n', long)]
    no_deps: bool,

    /// Go on with the next one after a failure
    #[arg(short = 'i', long)]
    ignore_errors: bool,

    /// Keep the .git of a role's repository
    #[arg(short = 'g', long)]
    keep_scm_meta: bool,
}

#[derive(Args, Debug)]
struct List {
    /// Only this role
    name: Option<String>,

    /// The folders to look in, with colons between them
    #[arg(
        short = 'p',
        long = "roles-path",
        visible_alias = "collections-path",
        value_name = "FOLDERS"
    )]
    path: Option<String>,
}

#[derive(Args, Debug)]
struct Remove {
    #[arg(required = true)]
    names: Vec<String>,

    /// The folder to look in
    #[arg(short = 'p', long = "roles-path", value_name = "FOLDER")]
    path: Option<PathBuf>,
}

/// Runs the subcommand; `args` are those after its name. Returns the exit code.
pub fn run(args: impl IntoIterator<Item = OsString>) -> Result<i32> {
    let args: GalaxyArgs = match super::arguments("rplay galaxy", args) {
        Ok(args) => args,
        Err(code) => return Ok(code),
    };
    let config = Config::load()?;
    super::show_notices(&config, args.general.verbosity(&config));
    match args.what {
        What::Install(args) => install(&args, &config, true, args.path.is_none())?,
        What::Role(Role::Install(args)) => install(&args, &config, true, false)?,
        What::Collection(Collection::Install(args)) => install(&args, &config, false, true)?,
        What::List(args) | What::Role(Role::List(args)) => {
            let folders = places(args.path.as_deref(), &config.roles_path.0)?;
            roles::list(&folders, args.name.as_deref())?;
        }
        What::Collection(Collection::List(args)) => {
            if args.name.is_some() {
                return Err(Error::general("collection list takes no name"));
            }
            collections::list(&places(args.path.as_deref(), &config.collections_path.0)?)?;
        }
        What::Remove(args) | What::Role(Role::Remove(args)) => {
            let folders = match args.path {
                Some(path) => vec![path],
                None => config.roles_path.0.clone(),
            };
            roles::remove(&args.names, &folders)?;
        }
    }
    Ok(0)
}

/// The folders that are given, and the configured ones.
fn places(given: Option<&str>, configured: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let given = given.unwrap_or_default().split(':');
    let given = given.filter(|g| !g.is_empty()).map(std::path::absolute);
    let mut places: Vec<PathBuf> = given.collect::<Result<_, _>>()?;
    places.extend(configured.iter().cloned());
    Ok(places)
}

/// Installs the roles and collections that are asked for, of the kinds that the command is about.
fn install(
    args: &Install,
    config: &Config,
    with_roles: bool,
    with_collections: bool,
) -> Result<()> {
    let wanted = match &args.requirements {
        Some(_) if !args.names.is_empty() => {
            return Err(Error::new(
                Kind::Options,
                "The positional arguments and --requirements-file are mutually exclusive.",
            ));
        }
        Some(file) => Requirements::read(file)?,
        None if args.names.is_empty() => {
            return Err(Error::new(
                Kind::Options,
                "You must specify what to install, by name or by a requirements file.",
            ));
        }
        None if with_roles => Requirements {
            roles: args
                .names
                .iter()
                .map(|n| RoleSpec::parse(n))
                .collect::<Result<_>>()?,
            ..Requirements::default()
        },
        None => Requirements {
            collections: args
                .names
                .iter()
                .map(|n| CollectionSpec::parse(n))
                .collect(),
            ..Requirements::default()
        },
    };
    let wishes = Wishes {
        force: args.force || args.force_with_deps,
        force_dependencies: args.force_with_deps,
        no_dependencies: args.no_deps,
        ignore_errors: args.ignore_errors,
        keep_history: args.keep_scm_meta,
    };
    if with_roles && !wanted.roles.is_empty() {
        println!("Starting galaxy role install process");
        let folder = folder(args.path.as_deref(), &config.roles_path.0)?;
        roles::install(&wanted.roles, &folder, &wishes)?;
    } else if !wanted.roles.is_empty() {
        left_out("roles", "rplay galaxy role install");
    }
    if with_collections && !wanted.collections.is_empty() {
        println!("Starting galaxy collection install process");
        let folder = folder(args.path.as_deref(), &config.collections_path.0)?;
        let mut places = config.collections_path.0.clone();
        places.insert(0, folder.clone());
        collections::install(&wanted.collections, &folder, &places, &wishes)?;
    } else if !wanted.collections.is_empty() {
        left_out("collections", "rplay galaxy collection install");
    }
    Ok(())
}

fn left_out(what: &str, command: &str) {
    crate::notice::warning(format!(
        "The requirements file contains {what} which will be ignored: {command} installs them"
    ));
}

/// Where to install: what was given, or the first configured folder.
fn folder(given: Option<&Path>, configured: &[PathBuf]) -> Result<PathBuf> {
    let folder = given.or(configured.first().map(PathBuf::as_path));
    let folder = folder.ok_or_else(|| Error::general("no folder is configured to install into"))?;
    Ok(std::path::absolute(folder)?)
}
