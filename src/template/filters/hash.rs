//! Digests, base64, UUIDs and password hashes.

use super::Filter;
use crate::Result;
use crate::encoding;
use crate::template::call::{Args, Call, error};
use crate::template::python;
use crate::value::Value;
use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD, URL_SAFE};
use md5::Digest;

/// Lower case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn digest(kind: &str, data: &[u8]) -> Option<String> {
    Some(match kind {
        "md5" => hex(&md5::Md5::digest(data)),
        "sha1" => hex(&sha1::Sha1::digest(data)),
        "sha224" => hex(&sha2::Sha224::digest(data)),
        "sha256" => hex(&sha2::Sha256::digest(data)),
        "sha384" => hex(&sha2::Sha384::digest(data)),
        "sha512" => hex(&sha2::Sha512::digest(data)),
        "sha512_224" => hex(&sha2::Sha512_224::digest(data)),
        "sha512_256" => hex(&sha2::Sha512_256::digest(data)),
        _ => return None,
    })
}

fn hash(mut call: Call) -> Result<Value> {
    let args = call.bind(&["hashtype"])?;
    let kind = args.text("hashtype", "sha1");
    digest(&kind, call.text().as_bytes())
        .map(Value::from)
        .ok_or_else(|| error(format!("unsupported hash type {kind}")))
}

fn sha1(mut call: Call) -> Result<Value> {
    call.no_args()?;
    Ok(Value::from(hex(&sha1::Sha1::digest(call.text()))))
}

fn md5(mut call: Call) -> Result<Value> {
    call.no_args()?;
    Ok(Value::from(hex(&md5::Md5::digest(call.text()))))
}

fn b64encode(mut call: Call) -> Result<Value> {
    let args = call.bind(&["encoding", "urlsafe"])?;
    let bytes = encoding::encode(&call.text(), &args.text("encoding", "utf-8")).map_err(error)?;
    Ok(Value::from(if args.flag("urlsafe", false) {
        URL_SAFE.encode(bytes)
    } else {
        STANDARD.encode(bytes)
    }))
}

/// Base64 as Python reads it: characters of no meaning are skipped, the padding must fit.
pub fn decode_base64(text: &str, urlsafe: bool) -> Result<Vec<u8>> {
    let mut clean: String = text
        .chars()
        .map(|c| match c {
            '-' if urlsafe => '+',
            '_' if urlsafe => '/',
            c => c,
        })
        .filter(|c| c.is_ascii_alphanumeric() || "+/=".contains(*c))
        .collect();
    let data = clean.find('=').unwrap_or(clean.len());
    let padding = clean.len() - data;
    if data % 4 == 1 {
        return Err(error(format!(
            "Invalid base64-encoded string: number of data characters ({data}) cannot be 1 more than a multiple of 4"
        )));
    }
    if !data.is_multiple_of(4) && padding < 4 - data % 4 {
        return Err(error("Incorrect padding"));
    }
    clean.truncate(data);
    let config = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::RequireNone);
    GeneralPurpose::new(&base64::alphabet::STANDARD, config)
        .decode(clean)
        .map_err(|e| error(e.to_string()))
}

fn b64decode(mut call: Call) -> Result<Value> {
    let args = call.bind(&["encoding", "urlsafe"])?;
    let bytes = decode_base64(&call.text(), args.flag("urlsafe", false))?;
    match args.text("encoding", "utf-8").as_str() {
        // bytes that are no text stay visible as the replacement character
        "utf-8" | "utf8" => Ok(Value::str(String::from_utf8_lossy(&bytes))),
        other => encoding::decode(&bytes, other)
            .map(Value::from)
            .map_err(error),
    }
}

/// The namespace of Ansible's UUIDs.
const NAMESPACE: &str = "361e6d51-faec-444a-9079-341386da8e2e";

fn to_uuid(mut call: Call) -> Result<Value> {
    let args = call.bind(&["namespace"])?;
    let namespace = args.text("namespace", NAMESPACE);
    let digits = namespace
        .trim_start_matches("urn:")
        .trim_start_matches("uuid:")
        .trim_matches(['{', '}'])
        .replace('-', "");
    let bytes: Option<Vec<u8>> = (digits.len() == 32 && digits.is_ascii())
        .then(|| {
            (0..16)
                .map(|i| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).ok())
                .collect()
        })
        .flatten();
    let Some(bytes) = bytes else {
        return Err(error(format!(
            "Invalid value '{namespace}' for 'namespace': badly formed hexadecimal UUID string"
        )));
    };
    let mut sum = sha1::Sha1::digest([&bytes, call.text().as_bytes()].concat())[..16].to_vec();
    sum[6] = sum[6] & 0x0f | 0x50;
    sum[8] = sum[8] & 0x3f | 0x80;
    let hex = hex(&sum);
    Ok(Value::from(format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )))
}

/// The alphabet of crypt(3).
const CRYPT64: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

fn crypt64(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let mut bits = chunk
            .iter()
            .enumerate()
            .fold(0u32, |bits, (i, b)| bits | u32::from(*b) << (8 * i));
        for _ in 0..=chunk.len() {
            out.push(char::from(CRYPT64[(bits & 0x3f) as usize]));
            bits >>= 6;
        }
    }
    out
}

/// `length` characters of crypt's alphabet, from the system's source of randomness.
pub fn random_salt(length: usize) -> Result<String> {
    let mut bytes = vec![0; length];
    crate::template::random::system_bytes(&mut bytes)?;
    Ok(bytes
        .iter()
        .map(|b| char::from(CRYPT64[usize::from(b & 0x3f)]))
        .collect())
}

/// A password as crypt(3) writes it.
///
/// `kind` is `sha512`, `sha256` or `md5`, with or without `_crypt`. A salt is made if none is given.
///
/// # Errors
/// On other kinds, and on salts and rounds that the kind does not allow.
pub fn crypt(
    password: &str,
    kind: &str,
    salt: Option<&str>,
    rounds: Option<i64>,
) -> Result<String> {
    let kind = kind.strip_suffix("_crypt").unwrap_or(kind);
    let (id, salt_length) = match kind {
        "sha512" => ("6", 16),
        "sha256" => ("5", 16),
        "md5" => ("1", 8),
        "blowfish" | "bcrypt" => {
            return Err(error(format!("password_hash: '{kind}' is not supported"))
                .hint("use sha512 or sha256"));
        }
        _ => {
            return Err(error(format!(
                "{kind} is not in the list of supported passlib algorithms: md5, blowfish, sha256, sha512"
            )));
        }
    };
    let salt = match salt {
        Some(salt) => salt.to_string(),
        None => random_salt(salt_length)?,
    };
    if salt.len() > salt_length {
        return Err(error(format!(
            "Could not hash the secret: salt too large ({kind}_crypt requires <= {salt_length} chars)"
        )));
    }
    if salt.bytes().any(|b| !CRYPT64.contains(&b)) {
        return Err(error(format!(
            "Could not hash the secret: invalid characters in {kind}_crypt salt"
        )));
    }
    if kind == "md5" {
        if rounds.is_some() {
            return Err(error("md5_crypt takes no rounds"));
        }
        return Ok(format!(
            "$1${salt}${}",
            md5_crypt(password.as_bytes(), salt.as_bytes())
        ));
    }
    // Ansible's own default, which passlib has too
    let default = if kind == "sha512" { 656_000 } else { 535_000 };
    let rounds = rounds.unwrap_or(default);
    let params = u32::try_from(rounds)
        .ok()
        .and_then(|r| sha_crypt::Params::new(r).ok())
        .ok_or_else(|| error(format!("invalid number of rounds: {rounds}")))?;
    let (password, salt_bytes) = (password.as_bytes(), salt.as_bytes());
    let bytes = if kind == "sha512" {
        let sum = sha_crypt::sha512_crypt(password, salt_bytes, params);
        shuffled(&sum, 21, [[2, 1, 0], [0, 2, 1], [1, 0, 2]], &[63])
    } else {
        let sum = sha_crypt::sha256_crypt(password, salt_bytes, params);
        shuffled(&sum, 10, [[2, 1, 0], [1, 0, 2], [0, 2, 1]], &[30, 31])
    };
    let shown = if rounds == 5000 {
        String::new()
    } else {
        format!("rounds={rounds}$")
    };
    Ok(format!("${id}${shown}{salt}${}", crypt64(&bytes)))
}

/// The bytes of a digest in the order in which crypt(3) writes them: from its thirds, in an order that
/// goes round, and the rest.
fn shuffled(sum: &[u8], third: usize, orders: [[usize; 3]; 3], rest: &[usize]) -> Vec<u8> {
    (0..third)
        .flat_map(|i| orders[i % 3].map(|part| i + part * third))
        .chain(rest.iter().copied())
        .map(|i| sum[i])
        .collect()
}

/// Poul-Henning Kamp's MD5-based crypt.
fn md5_crypt(password: &[u8], salt: &[u8]) -> String {
    let inner = md5::Md5::digest([password, salt, password].concat());
    let mut first = [password, b"$1$", salt].concat();
    let mut left = password.len();
    while left > 0 {
        first.extend_from_slice(&inner[..left.min(16)]);
        left = left.saturating_sub(16);
    }
    let mut bits = password.len();
    while bits > 0 {
        first.push(if bits & 1 == 1 { 0 } else { password[0] });
        bits >>= 1;
    }
    let mut sum = md5::Md5::digest(&first).to_vec();
    for i in 0..1000 {
        let mut round = Vec::new();
        round.extend_from_slice(if i % 2 == 1 { password } else { &sum });
        if i % 3 != 0 {
            round.extend_from_slice(salt);
        }
        if i % 7 != 0 {
            round.extend_from_slice(password);
        }
        round.extend_from_slice(if i % 2 == 1 { &sum } else { password });
        sum = md5::Md5::digest(&round).to_vec();
    }
    let order = [12, 6, 0, 13, 7, 1, 14, 8, 2, 15, 9, 3, 5, 10, 4, 11];
    let bytes: Vec<u8> = order.iter().map(|i| sum[*i]).collect();
    crypt64(&bytes)
}

fn rounds(args: &Args) -> Result<Option<i64>> {
    args.given("rounds")
        .map(|_| args.int("rounds", 0))
        .transpose()
}

fn password_hash(mut call: Call) -> Result<Value> {
    let args = call.bind(&["hashtype", "salt", "salt_size", "rounds", "ident"])?;
    let kind = args.text("hashtype", "sha512");
    if args.given("ident").is_some() {
        return Err(error(
            "password_hash: 'ident' is only for bcrypt, which is not supported",
        ));
    }
    let salt = match (args.given("salt"), args.given("salt_size")) {
        (Some(salt), _) => Some(python::str(salt)),
        (None, Some(_)) => Some(random_salt(args.int("salt_size", 16)?.max(0) as usize)?),
        (None, None) => None,
    };
    crypt(&call.text(), &kind, salt.as_deref(), rounds(&args)?).map(Value::from)
}

pub static FILTERS: &[(&str, Filter)] = &[
    ("b64decode", b64decode),
    ("b64encode", b64encode),
    ("checksum", sha1),
    ("hash", hash),
    ("md5", md5),
    ("password_hash", password_hash),
    ("sha1", sha1),
    ("to_uuid", to_uuid),
];
