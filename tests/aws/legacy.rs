//! The EC2 inventory against what Ansible's old `ec2.py` printed for the same instances and settings.
//!
//! `legacy/REGION.xml` is an answer to DescribeInstances. Each `legacy/NAME.ini` was given to the script
//! (Python 2.7, boto 2.49), and `legacy/NAME.json` is what it printed, without the variables that come from
//! parts of the answer which EC2's API version of the script (2014-10-01) did not have. But for two cases,
//! only the variables that options have an effect on are kept.

use rplay::aws::inventory::{Request, list};
use serde_json::Value as Json;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/aws/legacy")
}

/// A server that has the same answer for every request to a region.
fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream));
        }
    });
    url
}

fn answer(mut stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut region, mut length) = (String::new(), 0);
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|n| n > 2) {
        let lower = line.to_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        // Credential=KEY/DATE/REGION/ec2/aws4_request
        if lower.starts_with("authorization:") {
            region = lower.split('/').nth(2).unwrap_or_default().to_string();
        }
        line.clear();
    }
    std::io::copy(&mut reader.take(length), &mut std::io::sink()).unwrap();
    let body = std::fs::read(folder().join(format!("{region}.xml"))).unwrap();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&body).unwrap();
}

/// Lists are compared as sets: Python 2 had no order in dictionaries, and the script repeats a host name that
/// several instances share.
fn sorted(json: &Json) -> Json {
    match json {
        Json::Array(items) => {
            let mut items: Vec<String> = items.iter().map(ToString::to_string).collect();
            items.sort();
            items.dedup();
            Json::from(items)
        }
        Json::Object(map) => map.iter().map(|(k, v)| (k.clone(), sorted(v))).collect(),
        other => other.clone(),
    }
}

/// Only the variables that the recorded answer has, where it is shortened.
fn same_variables(ours: &mut Json, script: &Json, whole: bool) {
    let hosts = ours["_meta"]["hostvars"].as_object_mut().unwrap();
    for (name, vars) in hosts {
        let wanted = &script["_meta"]["hostvars"][name];
        let tag = |key: &str| key.starts_with("ec2_tag_");
        vars.as_object_mut()
            .unwrap()
            .retain(|key, _| whole || tag(key) || wanted.get(key).is_some());
    }
}

#[test]
fn groups_and_variables_are_the_script_s() {
    let url = server();
    let mut cases = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "ini") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap().to_string();
        let env = |key: &str| match key {
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("test".to_string()),
            "AWS_ENDPOINT_URL" => Some(url.clone()),
            "EC2_INI_PATH" => Some(path.display().to_string()),
            _ => None,
        };
        let script: Json =
            serde_json::from_slice(&std::fs::read(path.with_extension("json")).unwrap()).unwrap();
        let mut ours = list(&Request::default(), &env).unwrap();
        let whole = matches!(name.as_str(), "plain" | "all-states-of-two-regions");
        same_variables(&mut ours, &script, whole);
        let (ours, script) = (sorted(&ours), sorted(&script));
        for (key, value) in script.as_object().unwrap() {
            assert_eq!(&ours[key], value, "{name}: {key}");
        }
        assert_eq!(ours, script, "{name}");
        cases += 1;
    }
    assert_eq!(cases, 9);
}
