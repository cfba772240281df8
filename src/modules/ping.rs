//! Answers, which shows that modules run there.

use super::{Failure, Module};
use crate::machine::Machine;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/ping_module.html>
pub struct Ping;

#[derive(Deserialize, JsonSchema)]
pub struct Args {
    /// What to answer. `crash` makes the module fail.
    #[serde(default = "pong")]
    data: String,
}

fn pong() -> String {
    "pong".to_string()
}

#[derive(Serialize, JsonSchema)]
pub struct Returns {
    /// The value of `data`.
    ping: String,
}

impl Module for Ping {
    const NAME: &'static str = "ping";
    const EXAMPLES: &'static str = "
- name: See whether modules run there
  ansible.builtin.ping:
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, _: &mut Machine) -> Result<Returns, Failure> {
        match args.data.as_str() {
            "crash" => Err(Failure::uncaught("boom")),
            _ => Ok(Returns { ping: args.data }),
        }
    }
}
