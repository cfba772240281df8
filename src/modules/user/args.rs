//! The options of `user`.

use super::password;
use crate::clock::Moment;
use crate::modules::args::Path;
use crate::modules::{Failure, yes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// The user's name.
    #[schemars(extend("aliases" = ["user"]))]
    pub name: String,
    #[serde(default)]
    pub state: State,
    /// The user's number.
    pub uid: Option<i64>,
    /// The least number that a new user gets by itself.
    pub uid_min: Option<i64>,
    /// The greatest number that a new user gets by itself.
    pub uid_max: Option<i64>,
    /// Lets `uid` be that of another user.
    #[serde(default)]
    pub non_unique: bool,
    /// What the account is for, often a person's full name.
    pub comment: Option<String>,
    /// Name or number of the primary group.
    pub group: Option<String>,
    /// The other groups; an empty list means none.
    pub groups: Option<Vec<String>>,
    /// Leaves the user in groups that are not in `groups`.
    #[serde(default)]
    pub append: bool,
    /// The login shell.
    pub shell: Option<Path>,
    /// The home folder.
    pub home: Option<Path>,
    /// Moves the home folder's content where `home` is another one.
    #[serde(default)]
    pub move_home: bool,
    /// Makes the home folder if it is missing.
    #[serde(default = "yes")]
    #[schemars(extend("aliases" = ["createhome"]))]
    pub create_home: bool,
    /// The folder whose content a new home folder gets.
    pub skeleton: Option<String>,
    /// The umask that a new home folder is made with.
    pub umask: Option<String>,
    /// The hash of the password, as `password_hash` makes it.
    #[schemars(extend("no_log" = true))]
    pub password: Option<String>,
    #[serde(default)]
    pub update_password: UpdatePassword,
    /// Locks or unlocks the password.
    pub password_lock: Option<bool>,
    /// Days after which the password has to be changed.
    pub password_expire_max: Option<i64>,
    /// Days before which the password may not be changed again.
    pub password_expire_min: Option<i64>,
    /// Days before the end of the password from which on the user is warned.
    pub password_expire_warn: Option<i64>,
    /// Days after the end of the password after which the account is closed.
    pub password_expire_account_disable: Option<i64>,
    /// When the account ends, in seconds since 1970; a negative number means never.
    pub expires: Option<f64>,
    /// Makes a system user.
    #[serde(default)]
    pub system: bool,
    /// Removes the user even if he is logged in; makes an SSH key again.
    #[serde(default)]
    pub force: bool,
    /// Removes the home folder and the mail with the user.
    #[serde(default)]
    pub remove: bool,
    /// Works on the host's own files only, by the programs of libuser.
    #[serde(default)]
    pub local: bool,
    /// The user's SELinux user.
    pub seuser: Option<String>,
    /// Makes an SSH key for the user.
    #[serde(default)]
    pub generate_ssh_key: bool,
    /// Bits of the SSH key; by default as many as `ssh-keygen` chooses.
    pub ssh_key_bits: Option<i64>,
    /// Type of the SSH key, as `ssh-keygen -t` takes it.
    #[serde(default = "rsa")]
    pub ssh_key_type: String,
    /// File of the SSH key, from the home folder; `.ssh/id_<type>` by default.
    pub ssh_key_file: Option<Path>,
    /// Comment of the SSH key.
    pub ssh_key_comment: Option<String>,
    /// Passphrase of the SSH key.
    #[schemars(extend("no_log" = true))]
    pub ssh_key_passphrase: Option<String>,
    /// For other systems than Linux.
    pub hidden: Option<bool>,
    /// For other systems than Linux.
    pub login_class: Option<String>,
    /// For other systems than Linux.
    pub profile: Option<String>,
    /// For other systems than Linux.
    pub authorization: Option<String>,
    /// For other systems than Linux.
    pub role: Option<String>,
}

fn rsa() -> String {
    "rsa".to_string()
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Absent,
    #[default]
    Present,
}

/// When `password` is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpdatePassword {
    /// Whenever it is another one.
    #[default]
    Always,
    /// For a user that is made.
    OnCreate,
}

impl Args {
    /// Refuses options that the programs behind `local` do not have.
    pub fn check(&self) -> Result<(), Failure> {
        let beyond = [
            ("umask", self.umask.is_some()),
            ("uid_min", self.uid_min.is_some()),
            ("uid_max", self.uid_max.is_some()),
        ];
        match beyond.iter().find(|(_, given)| self.local && *given) {
            Some((name, _)) => Err(Failure::new(format!(
                "'{name}' can not be used with 'local'"
            ))),
            None => Ok(()),
        }
    }

    pub fn warnings(&self) -> Vec<String> {
        let mut out = Vec::new();
        if self.append && self.groups.as_ref().is_none_or(Vec::is_empty) {
            out.push(
                "'append' is set, but no 'groups' are specified. Use 'groups' for appending new groups.\
                 This will change to an error in Ansible 2.14."
                    .to_string(),
            );
        }
        if let Some(password) = &self.password
            && !password::is_hash(password)
        {
            out.push(
                "The input password appears not to have been hashed. The 'password' argument must be \
                 encrypted for this module to work properly."
                    .to_string(),
            );
        }
        let elsewhere = [
            ("hidden", self.hidden.is_some()),
            ("login_class", self.login_class.is_some()),
            ("profile", self.profile.is_some()),
            ("authorization", self.authorization.is_some()),
            ("role", self.role.is_some()),
        ];
        for (name, given) in elsewhere {
            if given {
                out.push(format!("The option '{name}' has no meaning on Linux."));
            }
        }
        out
    }

    /// The groups as names that are not empty.
    pub fn group_names(&self) -> Option<Vec<&str>> {
        let groups = self.groups.as_ref()?;
        Some(
            groups
                .iter()
                .flat_map(|g| g.split(','))
                .map(str::trim)
                .filter(|g| !g.is_empty())
                .collect(),
        )
    }

    /// `expires` as the programs take it: a date, or nothing for never.
    pub fn expiry_date(&self) -> Option<String> {
        let at = self.expires?;
        if at < 0.0 {
            return Some(String::new());
        }
        // the last day that Python has
        let at = (at as i64).min(253_402_300_799);
        Some(Moment::from_secs(at).utc().format("%Y-%m-%d"))
    }

    /// `expires` in days since 1970; -1 for never.
    pub fn expiry_days(&self) -> Option<i64> {
        let at = self.expires?;
        Some(if at < 0.0 { -1 } else { (at / 86400.0) as i64 })
    }
}
