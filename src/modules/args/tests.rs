//! What Ansible 2.19 answered to the same arguments.

use super::*;
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(extend(
    "required_together" = [["t1", "t2"]],
    "required_if" = [["state", "present", ["o1", "t1"]], ["state", "absent", ["o1", "t1"], true]],
    "required_by" = {"by1": ["o1", "t1"]},
    "mutually_exclusive" = [["s", "b", "i"], ["f", "o1"]],
))]
#[allow(dead_code)]
struct Args {
    /// Text.
    s: Option<String>,
    b: Option<bool>,
    #[serde(default = "five")]
    i: i64,
    f: Option<f64>,
    p: Option<Path>,
    l: Option<Vec<i64>>,
    lb: Option<Vec<bool>>,
    ls: Option<Vec<String>>,
    lr: Option<Vec<Value>>,
    d: Option<Dict>,
    r: Option<Value>,
    by: Option<Bytes>,
    j: Option<JsonText>,
    c: Option<Choice>,
    lc: Option<Vec<Choice>>,
    sub: Option<Sub>,
    lsub: Option<Vec<Sub>>,
    #[schemars(extend("no_log" = true, "aliases" = ["password"]))]
    pw: Option<String>,
    t1: Option<String>,
    t2: Option<String>,
    o1: Option<String>,
    by1: Option<String>,
    state: Option<State>,
    fire: String,
}

fn five() -> i64 {
    5
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Choice {
    A,
    B,
    No,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// There.
    Present,
    /// Not there.
    Absent,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[schemars(extend("required_together" = [["y", "z"]]))]
struct Sub {
    #[schemars(extend("aliases" = ["xx"]))]
    x: i64,
    y: Option<String>,
    z: Option<String>,
}

fn parse_json(json: &str) -> Result<Parsed<Args>, Failure> {
    let value: Value = serde_json::from_str(json).unwrap();
    parse_all::<Args>("argt", value.as_map().unwrap().clone())
}

#[test]
fn refusals_have_the_words_of_ansible() {
    let cases = [
        ("{}", "missing required arguments: fire"),
        (
            r#"{"fire":1,"foo":1,"c":"x"}"#,
            "value of c must be one of: a, b, no, got: x",
        ),
        (
            r#"{"fire":1,"foo":1,"i":"x"}"#,
            "argument 'i' is of type str and we were unable to convert to int: \"'x'\" cannot be converted to an int",
        ),
        (
            r#"{"i":1,"s":2}"#,
            "parameters are mutually exclusive: s|b|i",
        ),
        (
            r#"{"fire":1,"f":"x"}"#,
            "argument 'f' is of type str and we were unable to convert to float: <class 'str'> cannot be converted to a float",
        ),
        (
            r#"{"fire":1,"l":[1,"x"]}"#,
            "Elements value for option 'l' is of type str and we were unable to convert to int: \"'x'\" cannot be converted to an int",
        ),
        (
            r#"{"fire":1,"by":"1Q"}"#,
            "argument 'by' is of type str and we were unable to convert to bytes: <class 'str'> cannot be converted to a Byte value",
        ),
        (
            r#"{"fire":1,"lc":["a","z","q"]}"#,
            "value of lc must be one or more of: a, b, no. Got no match for: z, q",
        ),
        (
            r#"{"fire":1,"sub":{}}"#,
            "missing required arguments: x found in sub",
        ),
        (
            r#"{"fire":1,"sub":{"x":1,"q":2}}"#,
            "Unsupported parameters for (argt) module: sub.q. Supported parameters include: x, y, z (xx).",
        ),
        (
            r#"{"fire":1,"sub":{"xx":"a"}}"#,
            "argument 'x' is of type str found in 'sub'. and we were unable to convert to int: \"'a'\" cannot be converted to an int",
        ),
        (
            r#"{"fire":1,"lsub":[{"x":1},{"x":1,"y":2}]}"#,
            "parameters are required together: y, z found in lsub",
        ),
        (
            r#"{"fire":1,"lsub":[1]}"#,
            "Value '1' in the sub parameter field 'lsub' must be a list, not 'int'",
        ),
        (
            r#"{"fire":1,"t1":1}"#,
            "parameters are required together: t1, t2",
        ),
        (
            r#"{"fire":1,"state":"present"}"#,
            "state is present but all of the following are missing: o1, t1",
        ),
        (
            r#"{"fire":1,"state":"absent"}"#,
            "state is absent but any of the following are missing: o1, t1",
        ),
        (
            r#"{"fire":1,"by1":"x"}"#,
            "missing parameter(s) required by 'by1': o1, t1",
        ),
        (
            r#"{"fire":1,"d":"a"}"#,
            "argument 'd' is of type str and we were unable to convert to dict: dictionary requested, could not parse JSON or key=value",
        ),
        (
            r#"{"fire":1,"l":{"a":1}}"#,
            "argument 'l' is of type dict and we were unable to convert to list: <class 'dict'> cannot be converted to a list",
        ),
    ];
    for (args, message) in cases {
        assert_eq!(parse_json(args).err().unwrap().msg, message, "{args}");
    }
}

#[test]
fn values_are_converted() {
    let cases = [
        (r#"{"s":true}"#, "s", r#""True""#),
        (r#"{"s":["a",null]}"#, "s", r#""['a', None]""#),
        (r#"{"s":1.0}"#, "s", r#""1.0""#),
        (r#"{"b":"Yes "}"#, "b", "true"),
        (r#"{"b":1.0}"#, "b", "true"),
        (r#"{"i":" 7 "}"#, "i", "7"),
        (r#"{"i":"1.0"}"#, "i", "1"),
        (r#"{"f":true}"#, "f", "1.0"),
        (r#"{"l":"1,2, 3"}"#, "l", "[1,2,3]"),
        (
            r#"{"ls":[1,true,1.5,null]}"#,
            "ls",
            r#"["1","True","1.5",""]"#,
        ),
        (r#"{"ls":"a, b ,c"}"#, "ls", r#"["a"," b ","c"]"#),
        (r#"{"lr":5}"#, "lr", r#"["5"]"#),
        (r#"{"d":"a=1, b='x y'"}"#, "d", r#"{"a":"1","b":"x y"}"#),
        (r#"{"d":"{'a': True}"}"#, "d", r#"{"a":true}"#),
        (r#"{"by":"10 KB"}"#, "by", "10240"),
        (r#"{"j":{"a":[1,2]}}"#, "j", r#""{\"a\": [1, 2]}""#),
        (r#"{"c":false}"#, "c", r#""no""#),
        (
            r#"{"p":"/x/$RPLAY_UNSET_/y"}"#,
            "p",
            r#""/x/$RPLAY_UNSET_/y""#,
        ),
        (r#"{"s":null}"#, "s", "null"),
        (r#"{"sub":"x=1"}"#, "sub", r#"{"x":1,"y":null,"z":null}"#),
    ];
    for (args, name, expected) in cases {
        let args = args.replacen('{', r#"{"fire":"","#, 1);
        let parsed = parse_json(&args).unwrap_or_else(|e| panic!("{args}: {}", e.msg));
        let got = serde_json::to_string(&parsed.invocation[name]).unwrap();
        assert_eq!(got, expected, "{args}");
    }
}

#[test]
fn secrets_do_not_show() {
    let parsed = parse_json(r#"{"fire":1,"password":"secret","s":"secretsecret"}"#).unwrap();
    assert_eq!(parsed.args.pw.as_deref(), Some("secret"));
    let shown = parsed.secrets.scrub_map(&parsed.invocation);
    assert_eq!(
        shown["pw"],
        Value::str("VALUE_SPECIFIED_IN_NO_LOG_PARAMETER")
    );
    assert_eq!(shown["s"], Value::str("****************"));
    let failure = parse_json(r#"{"fire":1,"pw":"abc","i":"abc"}"#)
        .err()
        .unwrap();
    assert!(!failure.msg.contains("abc"), "{}", failure.msg);
}

#[test]
fn a_mistyped_option_gets_a_suggestion() {
    let failure = parse_json(r#"{"fire":1,"stat":"present"}"#).err().unwrap();
    assert_eq!(
        serde_json::to_string(&failure.fields["warnings"]).unwrap(),
        r#"["stat: did you mean state?"]"#
    );
}
