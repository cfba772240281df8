//! `rplay galaxy` and ansible-galaxy: the same from git repositories and archives, on standard output and in the folders.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Makes the sources: two roles in git, of which one depends on the other, one in an archive, and a collection in git.
const SOURCES: &str = r#"
set -e
git config --global user.name tests
git config --global user.email tests@localhost
git config --global init.defaultBranch main
commit() { git -C "$1" init -q; git -C "$1" add -A; git -C "$1" commit -qm "$2"; }
mkdir -p one/tasks one/meta two/tasks two/meta coll/roles/inner/tasks
echo '- debug: msg=v1' >one/tasks/main.yml
echo "dependencies: [{src: 'file://$PWD/two', scm: git, name: two}, local_one]" >one/meta/main.yml
echo 'dependencies: []' >two/meta/main.yml
echo '- debug: msg=two' >two/tasks/main.yml
commit one first
git -C one tag v1
echo '- debug: msg=v2' >one/tasks/main.yml
git -C one commit -qam second
commit two first
tar czf three.tar.gz --transform s/^two/three/ two/tasks two/meta
printf 'namespace: my\nname: coll\nversion: 1.2.3\nauthors: [me]\nreadme: README.md\nbuild_ignore: ["*.bak"]\n' >coll/galaxy.yml
echo text >coll/README.md
echo text >coll/left.bak
echo '- debug: msg=inner' >coll/roles/inner/tasks/main.yml
commit coll first
cat >all.yml <<R
roles:
  - {src: "file://$PWD/one", scm: git, version: v1}
  - {src: "file://$PWD/three.tar.gz", name: third}
collections:
  - {name: "git+file://$PWD/coll", type: git, version: main}
R
echo "- src: git+file://$PWD/two" >old.yml
"#;

/// What is run one after the other, with the exit codes that both must give.
const COMMANDS: &[(&str, i32)] = &[
    ("install -r all.yml", 0),
    ("role install -r all.yml", 0),
    ("role install -r all.yml --force", 0),
    ("role install -r old.yml -p roles", 0),
    (
        "role install git+file://@/one,v1,renamed -p roles --no-deps",
        0,
    ),
    ("role list -p roles", 0),
    ("role remove renamed -p roles", 0),
    ("role remove renamed -p roles", 0),
    ("role install file://@/nosuch.tar.gz", 1),
    (
        "collection install git+file://@/coll -p elsewhere --force",
        0,
    ),
    ("collection install git+file://@/two", 1),
    ("install", 5),
    ("install -r nosuch.yml", 1),
];

struct Side {
    program: PathBuf,
    first: &'static [&'static str],
    folder: tempfile::TempDir,
}

impl Side {
    fn new(program: PathBuf, first: &'static [&'static str]) -> Side {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let made = Command::new("bash")
            .args(["-c", SOURCES])
            .current_dir(folder.path())
            .env("HOME", folder.path())
            .output()
            .expect("bash");
        assert!(made.status.success(), "{made:?}");
        Side {
            program,
            first,
            folder,
        }
    }

    fn run(&self, words: &str) -> Output {
        let here = self.folder.path().display().to_string();
        Command::new(&self.program)
            .args(self.first)
            .args(words.replace('@', &here).split(' '))
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path())
            .env("ANSIBLE_NOCOLOR", "1")
            .env("ANSIBLE_ROLES_PATH", self.folder.path().join("installed"))
            .env(
                "ANSIBLE_COLLECTIONS_PATH",
                self.folder.path().join("collections"),
            )
            .output()
            .expect("the program runs")
    }

    /// Standard output without what git says of branches, and with one name for the folder.
    ///
    /// Roles are listed in the order of the folder's entries by one and by name by the other.
    fn said(&self, words: &str, output: &Output) -> String {
        let text = String::from_utf8_lossy(&output.stdout);
        let here = self.folder.path().display().to_string();
        let text = text.replace(&here, "@");
        let lines = text.lines().filter(|l| !l.starts_with("Your branch is"));
        let mut lines: Vec<&str> = lines.collect();
        if words.contains(" list") {
            lines.sort_unstable();
        }
        lines.join("\n")
    }

    /// All files that were installed, with their content but for the time.
    fn installed(&self) -> BTreeMap<PathBuf, String> {
        let mut found = BTreeMap::new();
        for folder in ["installed", "roles", "collections", "elsewhere"] {
            collect(
                &self.folder.path().join(folder),
                self.folder.path(),
                &mut found,
            );
        }
        found
    }
}

fn collect(folder: &Path, root: &Path, found: &mut BTreeMap<PathBuf, String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, root, found);
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a text");
        let text = text.lines().filter(|l| !l.starts_with("install_date:"));
        let text = text
            .map(|l| l.replace(&root.display().to_string(), "@") + "\n")
            .collect();
        found.insert(path.strip_prefix(root).expect("below").into(), text);
    }
}

#[test]
fn roles_and_collections_are_installed_as_ansible_galaxy_does() {
    let venv = std::env::var_os("RPLAY_ORACLE_VENV").expect(
        "RPLAY_ORACLE_VENV must name a Python environment with ansible-core, as script/test makes it",
    );
    let theirs = Side::new(PathBuf::from(venv).join("bin/ansible-galaxy"), &[]);
    let ours = Side::new(env!("CARGO_BIN_EXE_rplay").into(), &["galaxy"]);
    for (words, code) in COMMANDS {
        let (expected, got) = (theirs.run(words), ours.run(words));
        assert_eq!(
            expected.status.code(),
            Some(*code),
            "ansible-galaxy {words}: {expected:?}"
        );
        assert_eq!(
            got.status.code(),
            Some(*code),
            "rplay galaxy {words}: {got:?}"
        );
        if *code == 0 {
            assert_eq!(
                ours.said(words, &got),
                theirs.said(words, &expected),
                "{words}"
            );
        } else {
            assert!(
                String::from_utf8_lossy(&got.stderr).contains("[ERROR]"),
                "{words}: {got:?}"
            );
        }
    }
    assert_eq!(ours.installed(), theirs.installed());
}

#[test]
fn no_server_is_asked() {
    let side = Side::new(env!("CARGO_BIN_EXE_rplay").into(), &["galaxy"]);
    for words in [
        "role install geerlingguy.docker",
        "collection install community.general",
        "role install https://example.org/role.tar.gz",
    ] {
        let output = side.run(words);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{words}: {said}");
        assert!(
            said.contains("which rplay does not ask") || said.contains("downloads no others"),
            "{words}: {said}"
        );
        assert!(said.contains("git"), "a hint says what would do: {said}");
    }
    assert!(side.installed().is_empty(), "nothing is half-written");
}

#[test]
fn an_archive_cannot_write_outside_of_its_role() {
    let side = Side::new(env!("CARGO_BIN_EXE_rplay").into(), &["galaxy"]);
    let made = Command::new("bash")
        .args(["-c", "mkdir -p evil/meta; echo '{}' >evil/meta/main.yml; echo bad >outside; tar czf evil.tar.gz -P evil/meta/main.yml ../$(basename $PWD)/outside; rm outside"])
        .current_dir(side.folder.path())
        .output()
        .expect("bash");
    assert!(made.status.success(), "{made:?}");
    side.run("role install file://@/evil.tar.gz");
    assert!(!side.folder.path().join("outside").exists());
}
