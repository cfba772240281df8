//! The EC2 inventory, of instances in several regions.

use super::{Account, moto};
use rplay::aws::inventory::{Request, answer, fetch, list};
use rplay::aws::modules::ec2_instance::Ec2Instance;
use serde_json::json;
use std::path::Path;

/// An environment with an account in it, and `ec2.ini` where it is looked for.
fn env(name: &str) -> Option<String> {
    match name {
        "AWS_ACCESS_KEY_ID" => Some("AKIATEST".into()),
        "AWS_SECRET_ACCESS_KEY" => Some("secret".into()),
        "AWS_ENDPOINT_URL" => Some(moto().into()),
        _ => None,
    }
}

fn launch(region: &'static str, name: &str, count: usize) {
    Account::new(region).ok::<Ec2Instance>(json!({
        "count": count, "image_id": "ami-12c6146b", "instance_type": "t2.micro", "name": name, "tags": {"web": ""},
    }));
}

#[test]
fn groups_of_several_regions_and_pages() {
    let folder = tempfile::tempdir().unwrap();
    let ini = "[ec2]\nregions = sa-east-1, ca-west-1\nhostname_variable = id\n";
    std::fs::write(folder.path().join("ec2.ini"), ini).unwrap();
    launch("sa-east-1", "first", 2);
    launch("ca-west-1", "many", 12);
    let request = Request {
        cwd: folder.path().into(),
        ..Request::default()
    };
    let all = list(&request, &env).unwrap();
    let size = |group: &str| all[group].as_array().map(Vec::len);
    assert_eq!(size("sa-east-1"), Some(2));
    assert_eq!(size("ca-west-1"), Some(12));
    assert_eq!(size("tag_web"), Some(14));
    assert_eq!(size("tag_Name_first"), Some(2));
    let host = all["tag_Name_first"][0].as_str().unwrap();
    assert_eq!(all["_meta"]["hostvars"][host]["ec2_region"], "sa-east-1");

    let mut settings = request.settings(&env).unwrap();
    settings.page_size = 5;
    assert_eq!(fetch::instances(&settings, &env).unwrap().len(), 14);

    // what the old script would print
    let run = |args: &[&str]| {
        let argv: Vec<String> = args.iter().map(ToString::to_string).collect();
        answer(&argv, folder.path(), &env).unwrap().unwrap()
    };
    let printed = run(&["./ec2.py", "--refresh-cache"]);
    assert!(
        printed.starts_with("{\n  \"_meta\": {\n    \"hostvars\": {\n"),
        "{}",
        &printed[..80]
    );
    let one: serde_json::Value = serde_json::from_str(&run(&["./ec2.py", "--host", host])).unwrap();
    assert_eq!(one["ec2_tag_Name"], "first");
    assert!(one.get("ansible_ssh_host").is_none());
    assert_eq!(run(&["./ec2.py", "--host", "nobody"]), "{}\n");
}

#[test]
fn what_is_wrong_is_said_in_one_line() {
    let request = Request {
        cwd: Path::new("/nowhere").into(),
        ..Request::default()
    };
    let missing = |name: &str| match name {
        "EC2_INI_PATH" => Some("/nowhere/my.ini".to_string()),
        other => env(other),
    };
    let error = list(&request, &missing).unwrap_err();
    assert!(
        error.message().contains("/nowhere/my.ini"),
        "{}",
        error.message()
    );
    let down = |name: &str| match name {
        "AWS_ENDPOINT_URL" => Some("http://127.0.0.1:9".to_string()),
        "AWS_REGION" => Some("eu-west-3".to_string()),
        other => env(other),
    };
    let error = list(&request, &down).unwrap_err();
    assert!(
        error.message().starts_with(
            "the EC2 inventory of eu-west-3: ec2:DescribeInstances failed: cannot connect"
        ),
        "{}",
        error.message()
    );
}
