//! Which account, region and endpoint a task means: from its arguments, then from the environment.

use crate::Error;
use crate::value::{Map, Value};

/// How an environment variable is looked up: the task's `environment` first, then the process's.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The connection options that every AWS module takes, and the answer to "which client".
///
/// Two equal settings share one client.
/// See <https://docs.ansible.com/ansible/latest/collections/amazon/aws/docsite/aws_ec2_guide.html>.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Settings {
    pub access_key: Option<String>,
    pub secret_key: Option<String>,
    pub session_token: Option<String>,
    pub profile: Option<String>,
    pub region: Option<String>,
    /// Instead of AWS's own endpoints, for all services.
    pub endpoint_url: Option<String>,
}

/// Secrets stay out of every message.
impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("access_key", &self.access_key.as_ref().map(|_| "***"))
            .field("profile", &self.profile)
            .field("region", &self.region)
            .field("endpoint_url", &self.endpoint_url)
            .finish_non_exhaustive()
    }
}

/// An option that all AWS modules share.
pub struct ConnectionOption {
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    pub doc: &'static str,
}

/// The options that all AWS modules share, under today's names.
pub static CONNECTION_OPTIONS: &[ConnectionOption] = &[
    ConnectionOption {
        name: "access_key",
        aliases: &[
            "aws_access_key_id",
            "aws_access_key",
            "ec2_access_key",
            "ec2_access_key_id",
        ],
        doc: "AWS access key ID. Otherwise `AWS_ACCESS_KEY_ID`, `AWS_ACCESS_KEY`, `EC2_ACCESS_KEY`, the AWS SDK's files, `~/.boto`, or the instance's role.",
    },
    ConnectionOption {
        name: "secret_key",
        aliases: &[
            "aws_secret_access_key",
            "aws_secret_key",
            "ec2_secret_key",
            "ec2_secret_access_key",
        ],
        doc: "AWS secret access key, together with `access_key`.",
    },
    ConnectionOption {
        name: "session_token",
        aliases: &[
            "aws_session_token",
            "security_token",
            "aws_security_token",
            "access_token",
        ],
        doc: "Token of temporary credentials.",
    },
    ConnectionOption {
        name: "profile",
        aliases: &["aws_profile"],
        doc: "A profile of `~/.aws/config` and `~/.aws/credentials`.",
    },
    ConnectionOption {
        name: "region",
        aliases: &["aws_region", "ec2_region"],
        doc: "The AWS region. Otherwise `AWS_REGION`, `AWS_DEFAULT_REGION`, `EC2_REGION`, the profile's, or `~/.boto`'s.",
    },
    ConnectionOption {
        name: "endpoint_url",
        aliases: &["ec2_url", "aws_endpoint_url", "s3_url"],
        doc: "URL to connect to instead of AWS's own endpoints.",
    },
    ConnectionOption {
        name: "validate_certs",
        aliases: &[],
        doc: "Whether TLS certificates are checked. rplay always checks them.",
    },
    ConnectionOption {
        name: "aws_ca_bundle",
        aliases: &[],
        doc: "A file of CA certificates to trust. Not supported.",
    },
    ConnectionOption {
        name: "aws_config",
        aliases: &[],
        doc: "Settings of botocore. Not supported.",
    },
    ConnectionOption {
        name: "debug_botocore_endpoint_logs",
        aliases: &[],
        doc: "Lists the requests in the result. Not supported.",
    },
];

impl Settings {
    /// Takes the connection options out of a module's arguments.
    ///
    /// Errors if one has the wrong type, or if one half of a key pair is missing.
    pub fn take(args: &mut Map) -> Result<Settings, Error> {
        let mut taken = |name: &str| -> Result<Option<Value>, Error> {
            let option = CONNECTION_OPTIONS
                .iter()
                .find(|o| o.name == name)
                .expect("a name of the table");
            let mut found: Option<Value> = None;
            for name in std::iter::once(&option.name).chain(option.aliases) {
                if let Some(value) = args.shift_remove(*name)
                    && !matches!(value, Value::Null | Value::Omit)
                {
                    found.get_or_insert(value);
                }
            }
            Ok(found)
        };
        let mut text = |name: &str| -> Result<Option<String>, Error> {
            match taken(name)? {
                None => Ok(None),
                Some(Value::Str(s)) => Ok((!s.is_empty()).then(|| s.to_string())),
                Some(other) => Err(Error::general(format!(
                    "argument '{name}' is of type {} and we were unable to convert to str",
                    other.type_name()
                ))),
            }
        };
        let settings = Settings {
            access_key: text("access_key")?,
            secret_key: text("secret_key")?,
            session_token: text("session_token")?,
            profile: text("profile")?,
            region: text("region")?,
            endpoint_url: text("endpoint_url")?,
        };
        let validate = taken("validate_certs")?;
        let off = validate.as_ref().is_some_and(|v| match v {
            Value::Str(s) => {
                ["no", "false", "off", "0", "n", "f"].contains(&s.to_lowercase().as_str())
            }
            other => !other.is_truthy(),
        });
        if off {
            crate::notice::warning(
                "validate_certs: false is not supported for AWS: TLS certificates are checked.",
            );
        }
        for name in [
            "aws_ca_bundle",
            "aws_config",
            "debug_botocore_endpoint_logs",
        ] {
            if taken(name)?.is_some_and(|v| v.is_truthy()) {
                crate::notice::warning(format!(
                    "The option {name} of the AWS modules is not supported and has no effect."
                ));
            }
        }
        settings.complete()
    }

    fn complete(self) -> Result<Settings, Error> {
        match (&self.access_key, &self.secret_key) {
            (Some(_), None) => Err(Error::general(
                "access_key was given without secret_key: AWS needs both",
            )),
            (None, Some(_)) => Err(Error::general(
                "secret_key was given without access_key: AWS needs both",
            )),
            _ => Ok(self),
        }
    }

    /// Fills what the arguments left open from the `AWS_*` and `EC2_*` variables.
    ///
    /// Keys come as a pair from one source. A profile in the arguments keeps the variables' keys out.
    pub fn with_env(mut self, env: Env) -> Settings {
        let first = |names: &[&str]| {
            names
                .iter()
                .find_map(|name| env(name).filter(|v| !v.is_empty()))
        };
        if self.access_key.is_none() && self.profile.is_none() {
            let key = first(&["AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY", "EC2_ACCESS_KEY"]);
            let secret = first(&["AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY", "EC2_SECRET_KEY"]);
            if let (Some(key), Some(secret)) = (key, secret) {
                self.access_key = Some(key);
                self.secret_key = Some(secret);
                self.session_token = first(&[
                    "AWS_SESSION_TOKEN",
                    "AWS_SECURITY_TOKEN",
                    "EC2_SECURITY_TOKEN",
                ]);
            } else {
                self.profile = first(&["AWS_PROFILE", "AWS_DEFAULT_PROFILE"]);
            }
        }
        if self.region.is_none() {
            self.region = first(&["AWS_REGION", "AWS_DEFAULT_REGION", "EC2_REGION"]);
        }
        if self.endpoint_url.is_none() {
            self.endpoint_url = first(&["EC2_URL", "AWS_URL"]);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> Map {
        pairs
            .iter()
            .map(|(k, v)| ((*k).into(), Value::str(v)))
            .collect()
    }

    #[test]
    fn aliases_are_taken_out_of_the_arguments() {
        let mut args = map(&[
            ("ec2_access_key", "a"),
            ("aws_secret_key", "s"),
            ("aws_region", "eu-west-1"),
            ("name", "x"),
        ]);
        let settings = Settings::take(&mut args).unwrap();
        assert_eq!(settings.access_key.as_deref(), Some("a"));
        assert_eq!(settings.secret_key.as_deref(), Some("s"));
        assert_eq!(settings.region.as_deref(), Some("eu-west-1"));
        assert_eq!(args.len(), 1);
        assert!(Settings::take(&mut map(&[("access_key", "a")])).is_err());
    }

    #[test]
    fn arguments_win_over_variables_and_keys_come_in_pairs() {
        let env = |name: &str| match name {
            "AWS_ACCESS_KEY_ID" => Some("half".to_string()),
            "EC2_REGION" => Some("eu-west-1".to_string()),
            "AWS_PROFILE" => Some("work".to_string()),
            _ => None,
        };
        let found = Settings::default().with_env(&env);
        assert_eq!(found.access_key, None);
        assert_eq!(found.profile.as_deref(), Some("work"));
        assert_eq!(found.region.as_deref(), Some("eu-west-1"));
        let given = Settings {
            region: Some("us-east-1".into()),
            ..Settings::default()
        };
        assert_eq!(given.with_env(&env).region.as_deref(), Some("us-east-1"));
    }

    #[test]
    fn secrets_are_not_shown() {
        let settings = Settings {
            access_key: Some("AKIAXYZ".into()),
            secret_key: Some("hush".into()),
            ..Settings::default()
        };
        let shown = format!("{settings:?}");
        assert!(!shown.contains("hush") && !shown.contains("AKIAXYZ"));
    }
}
