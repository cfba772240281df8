//! `ec2_key`, `ec2_key_info`: key pairs.

use crate::aws::Refusal;
use crate::aws::plan::{AwsModule, Plan, fail};
use crate::aws::types::{Filters, Json, State, Tags, TextList, compact, given, time, yes};
use crate::modules::Failure;
use crate::result::TaskResult;
use aws_sdk_ec2::primitives::Blob;
use aws_sdk_ec2::types::{KeyPairInfo, KeyType, ResourceType};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Digest as _;
use serde_json::json;

/// Creates, imports and removes key pairs.
pub struct Ec2Key;

/// The options of `ec2_key`.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The name of the key pair.
    name: String,
    /// The public key to import, as OpenSSH writes it. AWS makes a pair otherwise.
    key_material: Option<String>,
    /// Replaces a pair of this name that has another key or type.
    #[serde(default = "yes")]
    force: bool,
    /// The type of a pair that AWS makes.
    key_type: Option<KeyKind>,
    /// Where to write the private key of a pair that AWS makes, readable for its owner only.
    /// The result does not hold it then.
    file_name: Option<String>,
    /// Tags of the key pair.
    #[serde(alias = "resource_tags")]
    #[schemars(extend("aliases" = ["resource_tags"]))]
    tags: Option<Tags>,
    /// Removes tags that `tags` does not list.
    #[serde(default = "yes")]
    purge_tags: bool,
    /// Has no effect: AWS creates and removes at once.
    #[serde(default)]
    #[allow(dead_code, reason = "playbooks of Ansible 2.x give it")]
    wait: bool,
    /// Has no effect.
    #[allow(dead_code, reason = "playbooks of Ansible 2.x give it")]
    wait_timeout: Option<i64>,
    #[serde(default)]
    state: State,
}

#[derive(Clone, Copy, PartialEq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
enum KeyKind {
    Rsa,
    Ed25519,
}

impl KeyKind {
    fn to_ec2(self) -> KeyType {
        match self {
            KeyKind::Rsa => KeyType::Rsa,
            KeyKind::Ed25519 => KeyType::Ed25519,
        }
    }
}

impl AwsModule for Ec2Key {
    const NAMES: &'static [&'static str] = &["ec2_key", "amazon.aws.ec2_key"];
    type Args = Args;

    fn run(args: Args, plan: &mut Plan) -> Result<TaskResult, Failure> {
        let named = Filters::by("key-name", &[&args.name]);
        let found = list(plan, &named, &[], &[])?.pop();
        if args.state == State::Absent {
            if found.is_some() {
                delete(&args.name, plan)?;
            }
            return Ok(plan.result(json!({"key": null})));
        }
        let found = match found {
            Some(old) if args.force && differs(&args, &old)? => {
                delete(&args.name, plan)?;
                None
            }
            other => other,
        };
        let key = match found {
            Some(old) => {
                let id = old.key_pair_id().unwrap_or_default().to_string();
                let current = Tags::from_ec2(old.tags());
                let tags = plan.sync_tags(&id, &current, args.tags.as_ref(), args.purge_tags)?;
                let mut key = to_json(&old);
                key["tags"] = tags.to_json();
                key
            }
            None => create(&args, plan)?,
        };
        Ok(plan.result(json!({"key": key})))
    }
}

/// Whether the pair that is there is not the one asked for.
fn differs(args: &Args, old: &KeyPairInfo) -> Result<bool, Failure> {
    if let Some(material) = &args.key_material {
        let print = fingerprint(material)?;
        let same = old
            .key_fingerprint()
            .is_some_and(|f| f.trim_end_matches('=') == print.trim_end_matches('='));
        return Ok(!same);
    }
    Ok(args
        .key_type
        .is_some_and(|kind| old.key_type().is_some_and(|old| *old != kind.to_ec2())))
}

fn delete(name: &str, plan: &mut Plan) -> Result<(), Refusal> {
    let request = plan.ec2().delete_key_pair().key_name(name);
    plan.change("ec2:DeleteKeyPair", request.send())?;
    Ok(())
}

fn create(args: &Args, plan: &mut Plan) -> Result<Json, Failure> {
    let ec2 = plan.ec2();
    let tags = args.tags.clone().unwrap_or_default();
    if let Some(material) = &args.key_material {
        fingerprint(material)?;
        let request = ec2
            .import_key_pair()
            .key_name(&args.name)
            .public_key_material(Blob::new(material.trim().as_bytes()))
            .set_tag_specifications(tags.specification(ResourceType::KeyPair));
        let made = plan.change("ec2:ImportKeyPair", request.send())?;
        return Ok(compact(json!({
            "name": args.name,
            "id": made.as_ref().and_then(|m| m.key_pair_id()),
            "fingerprint": made.as_ref().and_then(|m| m.key_fingerprint()),
            "tags": tags.to_json(),
        })));
    }
    let kind = args.key_type.unwrap_or(KeyKind::Rsa).to_ec2();
    let request = ec2
        .create_key_pair()
        .key_name(&args.name)
        .key_type(kind.clone())
        .set_tag_specifications(tags.specification(ResourceType::KeyPair));
    let made = plan.change("ec2:CreateKeyPair", request.send())?;
    let mut key = compact(json!({
        "name": args.name,
        "id": made.as_ref().and_then(|m| m.key_pair_id()),
        "fingerprint": made.as_ref().and_then(|m| m.key_fingerprint()),
        "type": kind.as_str(),
        "tags": tags.to_json(),
    }));
    if let Some(private) = made.as_ref().and_then(|m| m.key_material()) {
        match &args.file_name {
            // the key exists only here: where it cannot be written, the pair is of no use
            Some(path) => {
                if let Err(e) = write_private(path, private) {
                    delete(&args.name, plan)?;
                    return fail(format!("file_name: cannot write {path}: {e}"));
                }
            }
            None => key["private_key"] = json!(private),
        }
    }
    Ok(key)
}

/// Writes a file that only its owner can read from the first byte on.
fn write_private(path: &str, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let folder = std::path::Path::new(path)
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(std::path::Path::new("."));
    let mut file = tempfile::Builder::new().make_in(folder, |path| {
        std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
    })?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// The fingerprint that AWS shows for an imported public key.
///
/// RSA: the MD5 of the key in DER, as `openssl` shows it; ED25519: the SHA-256 that `ssh-keygen` shows.
fn fingerprint(material: &str) -> Result<String, Failure> {
    let bad = || {
        Failure::new(
            "key_material is not a public key as OpenSSH writes it (ssh-rsa AAAA... or ssh-ed25519 AAAA...)",
        )
    };
    let mut words = material.split_whitespace();
    let (kind, blob) = (words.next().ok_or_else(bad)?, words.next().ok_or_else(bad)?);
    let blob = STANDARD.decode(blob).map_err(|_| bad())?;
    match kind {
        "ssh-ed25519" => Ok(STANDARD.encode(sha2::Sha256::digest(&blob))),
        "ssh-rsa" => {
            let mut fields = fields(&blob).ok_or_else(bad)?.into_iter();
            let (_, exponent, modulus) = (fields.next(), fields.next(), fields.next());
            let (Some(exponent), Some(modulus)) = (exponent, modulus) else {
                return Err(bad());
            };
            let key = der(0x30, &[der(0x02, modulus), der(0x02, exponent)].concat());
            // rsaEncryption, without parameters
            let algorithm = der(
                0x30,
                &[
                    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
                ],
            );
            let bits = der(0x03, &[&[0u8], key.as_slice()].concat());
            let info = der(0x30, &[algorithm, bits].concat());
            let print: Vec<String> = md5::Md5::digest(&info)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            Ok(print.join(":"))
        }
        _ => Err(bad()),
    }
}

/// The length-prefixed fields of an OpenSSH key.
fn fields(mut blob: &[u8]) -> Option<Vec<&[u8]>> {
    let mut fields = Vec::new();
    while !blob.is_empty() {
        let (length, rest) = blob.split_first_chunk::<4>()?;
        let (field, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        fields.push(field);
        blob = rest;
    }
    Some(fields)
}

/// A DER element.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match content.len() {
        short @ 0..0x80 => out.push(short as u8),
        long => {
            let bytes = long.to_be_bytes();
            let digits: Vec<u8> = bytes.iter().copied().skip_while(|b| *b == 0).collect();
            out.push(0x80 | digits.len() as u8);
            out.extend(digits);
        }
    }
    out.extend_from_slice(content);
    out
}

fn list(
    plan: &Plan,
    filters: &Filters,
    names: &[String],
    ids: &[String],
) -> Result<Vec<KeyPairInfo>, Refusal> {
    let request = plan
        .ec2()
        .describe_key_pairs()
        .set_filters(filters.to_ec2())
        .set_key_names(given(names))
        .set_key_pair_ids(given(ids));
    // this request has no pages
    let answer = plan.read("ec2:DescribeKeyPairs", request.send())?;
    Ok(answer.key_pairs.unwrap_or_default())
}

fn to_json(key: &KeyPairInfo) -> Json {
    compact(json!({
        "name": key.key_name(),
        "id": key.key_pair_id(),
        "fingerprint": key.key_fingerprint(),
        "type": key.key_type().map(|t| t.as_str()),
        "tags": Tags::from_ec2(key.tags()).to_json(),
    }))
}

/// Lists key pairs.
pub struct Ec2KeyInfo;

/// The options of `ec2_key_info`.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InfoArgs {
    /// Only those with these names.
    #[serde(default)]
    names: TextList,
    /// Only these.
    #[serde(default)]
    ids: TextList,
    /// Filters of DescribeKeyPairs.
    #[serde(default)]
    filters: Filters,
    /// Returns the public keys too.
    #[serde(default)]
    include_public_key: bool,
}

impl AwsModule for Ec2KeyInfo {
    const NAMES: &'static [&'static str] = &[
        "ec2_key_info",
        "amazon.aws.ec2_key_info",
        "community.aws.ec2_key_info",
    ];
    type Args = InfoArgs;

    fn run(args: InfoArgs, plan: &mut Plan) -> Result<TaskResult, Failure> {
        let request = plan
            .ec2()
            .describe_key_pairs()
            .set_filters(args.filters.to_ec2())
            .set_key_names((!args.names.0.is_empty()).then_some(args.names.0))
            .set_key_pair_ids((!args.ids.0.is_empty()).then_some(args.ids.0))
            .include_public_key(args.include_public_key);
        let answer = plan.read("ec2:DescribeKeyPairs", request.send())?;
        let found: Vec<Json> = answer
            .key_pairs()
            .iter()
            .map(|key| {
                compact(json!({
                    "key_name": key.key_name(),
                    "key_pair_id": key.key_pair_id(),
                    "key_fingerprint": key.key_fingerprint(),
                    "key_type": key.key_type().map(|t| t.as_str()),
                    "create_time": time(key.create_time()),
                    "public_key": key.public_key(),
                    "tags": Tags::from_ec2(key.tags()).to_json(),
                }))
            })
            .collect();
        Ok(plan.result(json!({"keypairs": found})))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // made with ssh-keygen; the prints with `openssl pkey -pubin -outform DER | md5sum` and `ssh-keygen -l`
    #[test]
    fn fingerprints_are_those_of_aws() {
        assert!(fingerprint("ssh-rsa !!!").is_err());
        assert!(fingerprint("-----BEGIN PUBLIC KEY-----").is_err());
        assert_eq!(fingerprint(RSA.0).unwrap(), RSA.1);
        assert_eq!(
            fingerprint(ED25519.0).unwrap().trim_end_matches('='),
            ED25519.1
        );
    }

    const RSA: (&str, &str) = (
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCwoRxCy98XkZCjMMEsfC6Bq/mlv+viXplvTrd7sENKNB0hJe9Ov59i9HioII0Hyp9bsnQVplxYDqas3TSvTJx1qM+bEg/uQegOKwyzvbWYYIFcP7XQTPe+4P1sxHjeFnimJTmHCQ2OR9TPhZ25+teRCnFyIpDEmEYb5cpe/VfGX1b+VTmilvUQ/m71covZ8faPHuaSydzv0eI89E3pvM43i5Yyubm8/2rwsf02k7mw6hSeG9cPV7oAlSOeokclojVSdIL0CjZ1gCI87X2f/xdLLcv372/kZmw4O3FawMVj0qjinpYSl4ehUXgwrPrtkIyweuc2d/Wu39xaXBvYsLn5 test",
        "04:c6:4c:8b:46:c4:3f:05:3f:99:82:1b:be:92:ee:ed",
    );
    const ED25519: (&str, &str) = (
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOC2u4az6vP9GvhuXDOCCw2ldhKeQBQoqyxDN8v3rjpc test",
        "ANCZ617K3pdvOtKPYleDexU9f5uGDjUayEdGn1cDTRM",
    );
}
