//! The configuration files of boto, the Python library that the first EC2 modules were built on.
//!
//! Many who wrote playbooks in those years have their keys in `~/.boto` and nowhere else, so it is
//! still read, as botocore does: after the AWS SDK's own files, before the metadata services.

use std::path::PathBuf;

/// What a boto file can say about an account.
#[derive(Default, PartialEq, Eq)]
pub struct BotoFile {
    pub access_key: Option<String>,
    pub secret_key: Option<String>,
    pub session_token: Option<String>,
    pub region: Option<String>,
}

/// The files that are looked at, the most important first.
pub fn paths(env: super::settings::Env) -> Vec<PathBuf> {
    if let Some(path) = env("BOTO_CONFIG").filter(|p| !p.is_empty()) {
        return vec![PathBuf::from(path)];
    }
    let mut paths = Vec::new();
    if let Some(home) = env("HOME").filter(|h| !h.is_empty()) {
        paths.push(PathBuf::from(home).join(".boto"));
    }
    paths.push(PathBuf::from("/etc/boto.cfg"));
    paths
}

/// Everything found in the files; an earlier file wins. A file that cannot be read says nothing.
pub fn load(env: super::settings::Env) -> BotoFile {
    let mut found = BotoFile::default();
    for path in paths(env) {
        if let Ok(text) = std::fs::read_to_string(&path) {
            let file = parse(&text);
            found.access_key = found.access_key.or(file.access_key);
            found.secret_key = found.secret_key.or(file.secret_key);
            found.session_token = found.session_token.or(file.session_token);
            found.region = found.region.or(file.region);
        }
    }
    found
}

fn parse(text: &str) -> BotoFile {
    let mut file = BotoFile::default();
    let mut section = String::new();
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = name.trim().to_string();
            continue;
        }
        let Some((key, value)) = line.split_once(['=', ':']) else {
            continue;
        };
        let value = value.trim();
        if value.is_empty() {
            continue;
        }
        let slot = match (section.as_str(), key.trim().to_lowercase().as_str()) {
            ("Credentials", "aws_access_key_id") => &mut file.access_key,
            ("Credentials", "aws_secret_access_key") => &mut file.secret_key,
            ("Credentials", "aws_security_token" | "aws_session_token") => &mut file.session_token,
            ("Boto", "aws_region" | "ec2_region" | "ec2_region_name") => &mut file.region,
            _ => continue,
        };
        *slot = Some(value.to_string());
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_keys_and_region_of_their_sections_only() {
        let file = parse(
            "# keys\n[Credentials]\naws_access_key_id = AKIA\naws_secret_access_key=s=cr:t\n\n[Boto]\nec2_region_name: eu-west-1\n[s3]\naws_access_key_id = other\n",
        );
        assert_eq!(file.access_key.as_deref(), Some("AKIA"));
        assert_eq!(file.secret_key.as_deref(), Some("s=cr:t"));
        assert_eq!(file.region.as_deref(), Some("eu-west-1"));
        assert!(parse("aws_access_key_id = x").access_key.is_none());
    }

    #[test]
    fn boto_config_names_the_only_file() {
        let env = |name: &str| match name {
            "BOTO_CONFIG" => Some("/x/boto".to_string()),
            "HOME" => Some("/h".to_string()),
            _ => None,
        };
        assert_eq!(paths(&env), [PathBuf::from("/x/boto")]);
        let home = |name: &str| (name == "HOME").then(|| "/h".to_string());
        assert_eq!(
            paths(&home),
            [PathBuf::from("/h/.boto"), PathBuf::from("/etc/boto.cfg")]
        );
    }
}
