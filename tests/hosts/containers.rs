//! Playbooks in containers of a real Docker Engine. rplay runs on the host of the containers, since the connection goes
//! through the program `docker`. The container has neither Python nor a C library.

use super::world::World;
use std::path::Path;

const PLAY: &str = r#"
- hosts: all
  gather_facts: no
  tasks:
    - copy: {content: "hello\n", dest: /tmp/copied, mode: "0640"}
    - copy: {src: big, dest: /root/big}
    - command: cat /tmp/copied
      register: said
    - shell: id -un; wc -c </root/big; cat /proc/1/comm
      register: who
    - fetch: {src: /tmp/copied, dest: fetched, flat: yes}
    - debug: {msg: "{{ said.stdout }} {{ who.stdout_lines | join(' ') }}"}
    - copy: {content: "hello\n", dest: /tmp/copied, mode: "0640"}
    - shell: exit 3
      ignore_errors: yes
    - raw: echo raw
    - setup: {gather_subset: ["!all", distribution]}
"#;

#[test]
fn a_container_without_python_takes_a_playbook() {
    let world = World::up("containers", &["box=10.0.0.1@docker"]);
    let inside = |line: &str| {
        let done = world.inside("box", line);
        let text = String::from_utf8_lossy(&done.stdout).into_owned()
            + &String::from_utf8_lossy(&done.stderr);
        (done.status.code().unwrap_or(-1), text)
    };
    let made = inside(
        "docker import /opt/images/busybox.tar busybox && docker run -d --name one busybox sleep 1000 && \
         docker create --name still busybox sleep 1000",
    );
    assert_eq!(made.0, 0, "{}", made.1);
    let put = |from: &Path, to: &str| {
        let to = world.root("box").join(to);
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("a folder in the host");
        std::fs::copy(from, to).expect("a file in the host");
    };
    put(Path::new(env!("CARGO_BIN_EXE_rplay")), "opt/rplay/rplay");
    // a container has no C library: the agent must be the static one
    let agents =
        std::env::var("RPLAY_AGENT_DIR").expect("RPLAY_AGENT_DIR must name the agent's folder");
    put(
        &Path::new(&agents).join("rplay-agent"),
        "opt/rplay/agent/rplay-agent",
    );
    std::fs::write(world.root("box").join("opt/rplay/play.yml"), PLAY).expect("the playbook");
    let play = |connection: &str, name: &str| {
        inside(&format!(
            "cd /opt/rplay && head -c 3000000 /dev/zero >big && HOME=/root TERM=dumb RPLAY_AGENT_DIR=/opt/rplay/agent \
             ./rplay -i {name}, -c {connection} play.yml -v"
        ))
    };
    for connection in ["docker", "community.docker.docker"] {
        let again = connection != "docker";
        let (code, text) = play(connection, "one");
        assert_eq!(code, 0, "{text}");
        assert!(text.contains("hello root 3000000 sleep"), "{text}");
        assert!(text.contains("\"rc\": 3"), "{text}");
        assert!(text.contains("raw\\n"), "{text}");
        let changed = if again { "changed=4" } else { "changed=7" };
        assert!(
            text.contains(changed) && text.contains("failed=0"),
            "{text}"
        );
    }
    assert_eq!(inside("cat /opt/rplay/fetched").1, "hello\n");
    let left = inside("docker exec one sh -c 'ls -l /tmp/copied; ps | grep -c [a]gent; ls /tmp'");
    assert!(left.1.starts_with("-rw-r-----"), "{}", left.1);
    assert!(
        left.1.contains("\n0\ncopied"),
        "what was started is gone: {}",
        left.1
    );
    for (name, words) in [
        ("still", "the container 'still' is not running"),
        ("none", "cannot reach the container 'none'"),
    ] {
        let (code, text) = play("docker", name);
        assert_eq!(code, 4, "{text}");
        assert!(
            text.contains("UNREACHABLE") && text.contains(words),
            "{text}"
        );
    }
}
