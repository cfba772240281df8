//! Keeps a rule, a chain or a policy of the packet filter, or removes it.

use super::common::tool;
use super::{Failure, Module};
use crate::machine::{Machine, Output};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/iptables_module.html>
pub struct Iptables;

#[derive(Deserialize, JsonSchema)]
#[schemars(extend(
    "mutually_exclusive" = [["set_dscp_mark", "set_dscp_mark_class"], ["flush", "policy"]],
    "required_if" = [["jump", "TEE", ["gateway"]], ["jump", "tee", ["gateway"]], ["flush", false, ["chain"]]],
))]
pub struct Args {
    /// The table that the chain is in.
    #[serde(default = "filter")]
    table: Table,
    /// Whether the rule is there.
    #[serde(default)]
    state: State,
    /// Whether a new rule goes to the end or to the beginning.
    #[serde(default)]
    action: Action,
    /// Whose packets are meant.
    #[serde(default)]
    ip_version: Version,
    /// The chain.
    chain: Option<String>,
    /// Makes the chain if need be; or removes it, with `state: absent` and no rule.
    #[serde(default)]
    chain_management: bool,
    /// The place of an inserted rule.
    rule_num: Option<String>,
    /// The protocol; with `!` before it, any other. So it is with addresses, ports and interfaces.
    protocol: Option<String>,
    /// Seconds to wait for others who change rules.
    wait: Option<String>,
    /// Where packets come from.
    source: Option<String>,
    /// The source that packets get.
    to_source: Option<String>,
    /// Where packets go.
    destination: Option<String>,
    /// The destination that packets get.
    to_destination: Option<String>,
    /// Modules that look at packets.
    #[serde(default)]
    r#match: Vec<String>,
    /// Which flags are looked at, and which of them are to be set.
    tcp_flags: Option<TcpFlags>,
    /// What becomes of the packet.
    jump: Option<String>,
    /// Where the packet is sent a copy, with `jump: TEE`.
    gateway: Option<String>,
    /// What stands before what is logged.
    log_prefix: Option<String>,
    /// How important it is.
    log_level: Option<LogLevel>,
    /// The chain to go on in, not to come back.
    goto: Option<String>,
    /// The interface that packets come in by.
    in_interface: Option<String>,
    /// The interface that packets go out by.
    out_interface: Option<String>,
    /// Only the second and further fragments.
    fragment: Option<String>,
    /// What the rule's counters begin with.
    set_counters: Option<String>,
    /// The port that packets come from, or a range `first:last`.
    source_port: Option<String>,
    /// The port that packets go to, or a range.
    destination_port: Option<String>,
    /// Several ports that packets go to.
    #[serde(default)]
    destination_ports: Vec<String>,
    /// The port that packets get.
    to_ports: Option<String>,
    /// The DSCP mark that packets get.
    set_dscp_mark: Option<String>,
    /// The class whose DSCP mark packets get.
    set_dscp_mark_class: Option<String>,
    /// Whether packets open a connection.
    #[serde(default)]
    syn: Syn,
    /// States of the connection.
    #[serde(default)]
    ctstate: Vec<String>,
    /// Addresses that packets come from, `first-last`.
    src_range: Option<String>,
    /// Addresses that packets go to.
    dst_range: Option<String>,
    /// A set of `ipset`.
    match_set: Option<String>,
    /// What of a packet is looked for in the set.
    match_set_flags: Option<SetFlags>,
    /// How many packets match in a time: `5/second`.
    limit: Option<String>,
    /// How many may come at once before `limit` counts.
    limit_burst: Option<String>,
    /// Whose packets they are.
    uid_owner: Option<String>,
    /// The group whose packets they are.
    gid_owner: Option<String>,
    /// What the sender is told.
    reject_with: Option<String>,
    /// The type of ICMP packets.
    icmp_type: Option<String>,
    /// Removes all rules of the chain, or of the table.
    #[serde(default)]
    flush: bool,
    /// What becomes of packets that no rule of the chain takes.
    policy: Option<Policy>,
    /// What the rule is for.
    comment: Option<String>,
    /// Looks up no names while it lists rules.
    #[serde(default)]
    numeric: bool,
}

fn filter() -> Table {
    Table::Filter
}

macro_rules! words {
    ($(#[$meta:meta])* $name:ident $case:literal { $($(#[$of:meta])* $word:ident),* }) => {
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
        #[serde(rename_all = $case)]
        $(#[$meta])*
        enum $name { $($(#[$of])* $word),* }
    };
}

words!(#[schemars(extend("order" = ["filter", "nat", "mangle", "raw", "security"]))]
    Table "lowercase" { #[default] Filter, Nat, Mangle, Raw, Security });
words!(State "lowercase" { Absent, #[default] Present });
words!(Action "lowercase" { #[default] Append, Insert });
words!(Version "lowercase" { #[default] Ipv4, Ipv6, Both });
words!(Syn "lowercase" { #[default] Ignore, Match, Negate });
words!(#[schemars(extend("order" = ["ACCEPT", "DROP", "QUEUE", "RETURN"]))]
    Policy "UPPERCASE" { #[default] Accept, Drop, Queue, Return });
words!(#[schemars(extend("order" = ["0", "1", "2", "3", "4", "5", "6", "7", "emerg", "alert", "crit", "error",
"warning", "notice", "info", "debug"]))]
LogLevel "lowercase" {
    #[default] #[serde(rename = "0")] L0, #[serde(rename = "1")] L1, #[serde(rename = "2")] L2,
    #[serde(rename = "3")] L3, #[serde(rename = "4")] L4, #[serde(rename = "5")] L5,
    #[serde(rename = "6")] L6, #[serde(rename = "7")] L7,
    Emerg, Alert, Crit, Error, Warning, Notice, Info, Debug
});
words!(#[schemars(extend("order" = ["src", "dst", "src,dst", "dst,src", "dst,dst", "src,src"]))]
SetFlags "lowercase" {
    #[default] Src, Dst, #[serde(rename = "src,dst")] SrcDst, #[serde(rename = "dst,src")] DstSrc,
    #[serde(rename = "dst,dst")] DstDst, #[serde(rename = "src,src")] SrcSrc
});

#[derive(Clone, Debug, Deserialize, JsonSchema)]
struct TcpFlags {
    /// Flags that are looked at.
    flags: Option<Vec<String>>,
    /// Flags that are to be set.
    flags_set: Option<Vec<String>>,
}

#[derive(Serialize, JsonSchema)]
pub struct Returns {
    changed: bool,
    ip_version: String,
    table: String,
    chain: Option<String>,
    flush: bool,
    /// The rule as `iptables` takes it.
    rule: String,
    state: String,
    chain_management: bool,
    wait: Option<String>,
}

/// The word that a choice is.
fn word(choice: impl Serialize) -> String {
    let value = serde_json::to_value(choice).unwrap_or_default();
    value.as_str().unwrap_or_default().to_string()
}

impl Module for Iptables {
    const NAME: &'static str = "iptables";
    const EXAMPLES: &'static str = "
- name: Nobody from there comes in
  ansible.builtin.iptables:
    chain: INPUT
    source: 192.0.2.7
    jump: DROP
  when: false
";
    type Args = Args;
    type Returns = Returns;

    fn run(args: Args, machine: &mut Machine) -> Result<Returns, Failure> {
        let logs = args.log_prefix.is_some() || args.log_level.is_some();
        let other = args
            .jump
            .as_ref()
            .is_some_and(|j| !j.eq_ignore_ascii_case("log"));
        if logs && other {
            return Err(Failure::new(
                "Logging options can only be used with the LOG jump target.",
            ));
        }
        let programs: &[&str] = match args.ip_version {
            Version::Ipv4 => &["iptables"],
            Version::Ipv6 => &["ip6tables"],
            Version::Both => &["iptables", "ip6tables"],
        };
        let rule = args.rule()?;
        let mut changed = false;
        for name in programs {
            let program = tool::find(machine, name)?;
            let filter = Filter {
                program,
                args: &args,
                rule: &rule,
            };
            changed |= filter.work(machine)?;
        }
        Ok(Returns {
            changed,
            ip_version: word(args.ip_version),
            table: word(args.table),
            chain: args.chain,
            flush: args.flush,
            rule: rule.join(" "),
            state: word(args.state),
            chain_management: args.chain_management,
            wait: args.wait,
        })
    }
}

/// The words of a rule, one option after the other.
#[derive(Default)]
struct Rule(Vec<String>);

impl Rule {
    fn words(&mut self, words: &[&str]) {
        self.0.extend(words.iter().map(|w| w.to_string()));
    }

    /// Options of a module, which is named unless the user has done so.
    fn of_module(&mut self, named: &[String], module: &str, options: &[(&str, &Option<String>)]) {
        if options.iter().all(|(_, value)| value.is_none()) {
            return;
        }
        if !named.iter().any(|n| n == module) {
            self.words(&["-m", module]);
        }
        for (flag, value) in options {
            self.option(flag, value);
        }
    }

    /// An option with its value, negated by an exclamation mark before the value.
    fn option(&mut self, flag: &str, value: &Option<String>) {
        match value.as_deref().map(|v| (v, v.strip_prefix('!'))) {
            None => {}
            Some((_, Some(value))) => self.words(&["!", flag, value]),
            Some((value, None)) => self.words(&[flag, value]),
        }
    }
}

impl Args {
    fn rule(&self) -> Result<Vec<String>, Failure> {
        let mut rule = Rule::default();
        let matches = |name: &str| self.r#match.iter().any(|m| m == name);
        rule.option("-p", &self.protocol);
        rule.option("-s", &self.source);
        rule.option("-d", &self.destination);
        for module in &self.r#match {
            rule.words(&["-m", module]);
        }
        if let Some(flags) = &self.tcp_flags {
            let (Some(flags), Some(set)) = (&flags.flags, &flags.flags_set) else {
                return Err(Failure::new("tcp_flags needs both flags and flags_set"));
            };
            rule.words(&["--tcp-flags", &flags.join(","), &set.join(",")]);
        }
        let jump = match (&self.jump, &self.reject_with) {
            (None, Some(_)) => Some("REJECT".to_string()),
            (jump, _) => jump.clone(),
        };
        rule.option("-j", &jump);
        if jump.is_some_and(|j| j.eq_ignore_ascii_case("tee")) {
            rule.option("--gateway", &self.gateway);
        }
        rule.option("--log-prefix", &self.log_prefix);
        rule.option("--log-level", &self.log_level.map(word));
        rule.option("--to-destination", &self.to_destination);
        if !self.destination_ports.is_empty() {
            let ports = self.destination_ports.join(",");
            rule.words(&["-m", "multiport", "--dports", &ports]);
        }
        rule.option("--to-source", &self.to_source);
        rule.option("-g", &self.goto);
        rule.option("-i", &self.in_interface);
        rule.option("-o", &self.out_interface);
        rule.option("-f", &self.fragment);
        rule.option("-c", &self.set_counters);
        rule.option("--source-port", &self.source_port);
        rule.option("--destination-port", &self.destination_port);
        rule.option("--to-ports", &self.to_ports);
        for (flag, value) in [
            ("--set-dscp", &self.set_dscp_mark),
            ("--set-dscp-class", &self.set_dscp_mark_class),
        ] {
            rule.option(flag, value);
            if value.is_some() {
                rule.words(&["-j", "DSCP"]);
            }
        }
        match self.syn {
            Syn::Ignore => {}
            Syn::Match => rule.words(&["--syn"]),
            Syn::Negate => rule.words(&["!", "--syn"]),
        }
        if !self.ctstate.is_empty() {
            let states = self.ctstate.join(",");
            if matches("state") && !matches("conntrack") {
                rule.words(&["--state", &states]);
            } else {
                if !matches("conntrack") {
                    rule.words(&["-m", "conntrack"]);
                }
                rule.words(&["--ctstate", &states]);
            }
        }
        let ranges = [
            ("--src-range", &self.src_range),
            ("--dst-range", &self.dst_range),
        ];
        rule.of_module(&self.r#match, "iprange", &ranges);
        rule.of_module(&self.r#match, "set", &[("--match-set", &self.match_set)]);
        if let Some(flags) = self.match_set_flags {
            rule.words(&[&word(flags)]);
        } else if self.match_set.is_some() {
            return Err(Failure::new("match_set needs match_set_flags"));
        }
        rule.of_module(
            &self.r#match,
            "limit",
            &[
                ("--limit", &self.limit),
                ("--limit-burst", &self.limit_burst),
            ],
        );
        rule.of_module(&self.r#match, "owner", &[("--uid-owner", &self.uid_owner)]);
        rule.of_module(&self.r#match, "owner", &[("--gid-owner", &self.gid_owner)]);
        rule.option("--reject-with", &self.reject_with);
        let icmp = match self.ip_version {
            Version::Ipv6 => "--icmpv6-type",
            _ => "--icmp-type",
        };
        rule.option(icmp, &self.icmp_type);
        if let Some(comment) = &self.comment {
            rule.words(&["-m", "comment", "--comment", comment]);
        }
        Ok(rule.0)
    }
}

/// One of the programs, with what it is to do.
struct Filter<'a> {
    program: String,
    args: &'a Args,
    rule: &'a [String],
}

impl Filter<'_> {
    fn words(&self, verb: &str, more: &[&str]) -> Vec<String> {
        let table = word(self.args.table);
        let mut words: Vec<String> = [&self.program, "-t", &table, verb].map(String::from).into();
        words.extend(self.args.chain.clone());
        words.extend(more.iter().map(|w| w.to_string()));
        words
    }

    /// A command with the rule.
    fn with_rule(&self, verb: &str, place: Option<&String>) -> Vec<String> {
        let mut words = self.words(verb, &[]);
        words.extend(place.cloned());
        if let Some(wait) = self.args.wait.as_deref().filter(|w| !w.is_empty()) {
            words.extend(["-w".to_string(), wait.to_string()]);
        }
        words.extend(self.rule.iter().cloned());
        words
    }

    fn act(&self, machine: &mut Machine, words: Vec<String>) -> Result<(), Failure> {
        let cmd = words.join(" ");
        let output = tool::run(machine, words, "the packet filter changes")?;
        match output.rc {
            0 => Ok(()),
            rc => Err(Failure::new(output.stderr_text().trim_end())
                .with("rc", rc)
                .with("cmd", cmd)
                .with("stdout", output.stdout_text())
                .with("stderr", output.stderr_text())),
        }
    }

    fn list(&self, machine: &Machine) -> Result<Output, Failure> {
        let numeric: &[&str] = if self.args.numeric {
            &["--numeric"]
        } else {
            &[]
        };
        tool::probe(machine, self.words("-L", numeric))
    }

    /// Whether something changed.
    fn work(&self, machine: &mut Machine) -> Result<bool, Failure> {
        let args = self.args;
        let present = args.state == State::Present;
        if args.flush {
            self.act(machine, self.words("-F", &[]))?;
            return Ok(true);
        }
        if let Some(policy) = args.policy {
            let listed = self.list(machine)?;
            let text = listed.stdout_text();
            let now = text
                .split_once("(policy ")
                .and_then(|(_, rest)| rest.split([' ', ')']).next());
            let Some(now) = now.filter(|_| listed.rc == 0) else {
                return Err(Failure::new("Can't detect current policy"));
            };
            let wanted = word(policy);
            if now == wanted {
                return Ok(false);
            }
            self.act(machine, self.words("-P", &[&wanted]))?;
            return Ok(true);
        }
        if args.chain_management && self.rule.is_empty() {
            let there = self.list(machine)?.rc == 0;
            if there != present {
                let verb = if present { "-N" } else { "-X" };
                self.act(machine, self.words(verb, &[]))?;
            }
            return Ok(there != present);
        }
        let there = tool::probe(machine, self.with_rule("-C", None))?.rc == 0;
        if there == present {
            return Ok(false);
        }
        if present && args.chain_management && self.list(machine)?.rc != 0 {
            self.act(machine, self.words("-N", &[]))?;
        }
        let words = match (present, args.action) {
            (false, _) => self.with_rule("-D", None),
            (true, Action::Append) => self.with_rule("-A", None),
            (true, Action::Insert) => self.with_rule("-I", args.rule_num.as_ref()),
        };
        self.act(machine, words)?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use crate::value::Value;

    #[test]
    fn rules_have_ansibles_order() {
        for (given, rule) in [
            (
                r#"{"protocol":"tcp","match":["tcp"],"destination_port":"80","jump":"ACCEPT","source":"!1.2.3.4"}"#,
                "-p tcp ! -s 1.2.3.4 -m tcp -j ACCEPT --destination-port 80",
            ),
            (
                r#"{"reject_with":"tcp-reset","ctstate":["NEW","RELATED"],"comment":"a b"}"#,
                "-j REJECT -m conntrack --ctstate NEW,RELATED --reject-with tcp-reset -m comment --comment a b",
            ),
            (
                r#"{"match_set":"adm","match_set_flags":"src,dst","limit":"2/s","uid_owner":"!joe","syn":"negate"}"#,
                "! --syn -m set --match-set adm src,dst -m limit --limit 2/s -m owner ! --uid-owner joe",
            ),
            (
                r#"{"jump":"LOG","log_prefix":"x ","log_level":"info","set_dscp_mark":"8"}"#,
                "-j LOG --log-prefix x  --log-level info --set-dscp 8 -j DSCP",
            ),
        ] {
            let value: Value = serde_json::from_str(given).unwrap();
            let mut map = value.as_map().unwrap().clone();
            map.insert("chain".into(), "INPUT".into());
            let args: super::Args = crate::modules::args::parse("iptables", map).unwrap();
            assert_eq!(args.rule().unwrap().join(" "), rule);
        }
    }
}
