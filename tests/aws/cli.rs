//! The AWS modules as a user meets them: in a playbook, with a bare environment.

use super::moto;
use std::path::Path;
use std::process::Command;

/// Runs a playbook on localhost. Gives the exit code and what was printed.
fn rplay(folder: &Path, playbook: &str, environment: &[(&str, &str)]) -> (i32, String) {
    std::fs::write(folder.join("play.yml"), playbook).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_rplay"))
        .args(["-i", "localhost,", "play.yml"])
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("NO_COLOR", "1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

/// A play of one task.
fn play(task: &str) -> String {
    format!(
        "- hosts: localhost\n  connection: local\n  gather_facts: false\n  tasks:\n    - {task}\n"
    )
}

const KEYS: (&str, &str) = ("AWS_ACCESS_KEY_ID", "AKIA");
const SECRET: (&str, &str) = ("AWS_SECRET_ACCESS_KEY", "hush-hush");

#[test]
fn what_is_missing_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let task = play("ec2_vpc_net_facts: region=eu-west-1");
    let (code, text) = rplay(folder.path(), &task, &[]);
    assert_eq!(code, 2, "{text}");
    assert!(
        text.contains("No AWS credentials: looked at the options access_key and secret_key"),
        "{text}"
    );
    assert!(text.contains(".boto"), "{text}");

    let (code, text) = rplay(folder.path(), &play("ec2_vpc_net_facts:"), &[KEYS, SECRET]);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("No AWS region: "), "{text}");

    let down = ("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    let (code, text) = rplay(folder.path(), &task, &[KEYS, SECRET, down]);
    assert_eq!(code, 2, "{text}");
    assert!(
        text.contains("ec2:DescribeVpcs failed: cannot connect to the endpoint: "),
        "{text}"
    );
    assert!(!text.contains("hush-hush"), "{text}");
}

#[test]
fn keys_from_boto_and_text_for_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let secrets = "[Credentials]\naws_access_key_id = AKIA\naws_secret_access_key = hush-hush\n";
    std::fs::write(folder.path().join(".boto"), secrets).unwrap();
    let playbook = r#"
- hosts: localhost
  connection: local
  gather_facts: false
  vars:
    count: "2"
    tags: { Name: node, "node":"" }
  tasks:
    - ec2_vpc_net: name=v cidr_block=10.0.0.0/16 region=af-south-1 tags="{{ tags }}"
      register: vpc
    - local_action:
        module: ec2_vpc_subnet
        vpc_id: "{{ vpc.vpc.id }}"
        cidr: 10.0.0.0/24
        region: af-south-1
        resource_tags: { Name: s }
    - ec2_vpc_subnet_facts:
        region: af-south-1
        filters:
          vpc-id: "{{ vpc.vpc.id }}"
      register: subnets
    - ec2:
        image: ami-12c6146b
        region: af-south-1
        vpc_subnet_id: "{{ (subnets.subnets | selectattr('tags.Name', 'equalto', 's') | first).id }}"
        assign_public_ip: "{{ item.public | default('no') }}"
        wait: yes
        exact_count: "{{ count }}"
        count_tag: node
        instance_tags: "{{ tags }}"
      with_items: [{}]
      register: made
    - debug: msg="{{ made.results[0].tagged_instances | length }} nodes"
"#;
    let endpoint = ("AWS_ENDPOINT_URL", moto());
    let (code, text) = rplay(folder.path(), playbook, &[endpoint]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("2 nodes"), "{text}");
    assert!(text.contains("changed=3"), "{text}");
    let (_, text) = rplay(folder.path(), playbook, &[endpoint]);
    assert!(
        text.contains("2 nodes") && text.contains("changed=0"),
        "{text}"
    );
    assert!(!text.contains("hush-hush"), "{text}");
}
