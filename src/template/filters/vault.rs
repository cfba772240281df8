//! Vault: `vault` and `unvault` encrypt and decrypt a text with a password of their own.

use super::Filter;
use crate::Result;
use crate::template::call::{Args, Call, error};
use crate::value::Value;
use crate::vault::{self, Secret, Secrets};

/// What a text is encrypted for where nothing else is said.
const ID: &str = "filter_default";

/// The password that was given; it must be text.
fn secret(args: &Args) -> Result<Secret> {
    match args.need("secret")? {
        Value::Str(password) => Ok(Secret::new(password.as_bytes())),
        other => Err(error(format!(
            "Secret passed is required to be a string, instead we got <class '{}'>.",
            other.type_name()
        ))),
    }
}

/// The vault id, also under its old name.
fn id(args: &Args) -> String {
    args.text("vaultid", &args.text("vault_id", ID))
}

fn text(call: &Call, what: &str) -> Result<String> {
    match &call.value {
        Value::Str(text) => Ok(text.to_string()),
        other => Err(error(format!(
            "{what}, instead we got <class '{}'>.",
            other.type_name()
        ))),
    }
}

fn encrypt(mut call: Call) -> Result<Value> {
    let args = call.bind(&["secret", "salt", "vault_id", "wrap_object", "vaultid"])?;
    let secret = secret(&args)?;
    let plain = text(&call, "Can only vault strings")?;
    if args.flag("wrap_object", false) {
        return Err(error(
            "wrap_object=true is not supported: a result never holds encrypted values",
        ));
    }
    let salt = args.given("salt").map(crate::python::str);
    let salt = salt.as_ref().map(|s| s.as_bytes());
    vault::seal(plain.as_bytes(), &secret, &id(&args), salt)
        .map(Value::from)
        .map_err(|e| error(format!("Unable to encrypt: {}", e.message())))
}

fn decrypt(mut call: Call) -> Result<Value> {
    let args = call.bind(&["secret", "vault_id", "vaultid"])?;
    let secret = secret(&args)?;
    let vaulted = text(&call, "Vault should be in the form of a string")?;
    // what is plain already stays as it is
    if !vault::is_encrypted(vaulted.as_bytes()) {
        return Ok(call.value);
    }
    let failed = |what: &str| error(format!("Unable to decrypt: {what}"));
    let plain = Secrets::new(vec![(id(&args), secret)])
        .decrypt(vaulted.as_bytes())
        .map_err(|e| failed(e.message()))?;
    let plain = String::from_utf8(plain).map_err(|_| failed("the value is not UTF-8 text"))?;
    Ok(Value::from(plain))
}

pub static FILTERS: &[(&str, Filter)] = &[("unvault", decrypt), ("vault", encrypt)];
