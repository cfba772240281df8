//! Who runs modules there, and with which environment.

use super::Facts;
use crate::machine::users;
use crate::value::{Map, Value};

pub fn gather(facts: &mut Facts<'_>) {
    let uid = rustix::process::getuid().as_raw();
    let number = |n: u32| Value::Int(n.into());
    facts.set("real_user_id", number(uid));
    facts.set(
        "effective_user_id",
        number(rustix::process::geteuid().as_raw()),
    );
    facts.set("real_group_id", number(rustix::process::getgid().as_raw()));
    facts.set(
        "effective_group_id",
        number(rustix::process::getegid().as_raw()),
    );
    if let Some(user) = users::user_by_id(uid) {
        facts.set("user_id", user.name);
        facts.set("user_uid", number(user.uid));
        facts.set("user_gid", number(user.gid));
        facts.set("user_gecos", user.gecos);
        facts.set("user_dir", user.home);
        facts.set("user_shell", user.shell);
    }
}

pub fn environment(facts: &mut Facts<'_>) {
    let mut env: Map = std::env::vars_os()
        .map(|(k, v)| {
            let value = Value::from(v.to_string_lossy().as_ref());
            (k.to_string_lossy().into_owned().into(), value)
        })
        .collect();
    for (name, value) in &facts.machine.environment {
        env.insert(name.as_str().into(), value.as_str().into());
    }
    facts.set("env", env);
}
