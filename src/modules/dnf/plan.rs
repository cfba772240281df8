//! What dnf or yum says that it will do: the table before it asks.

/// What becomes of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Install,
    Upgrade,
    Downgrade,
    Remove,
}

/// A row of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub kind: Kind,
    pub name: String,
    pub arch: String,
    pub evr: String,
}

impl Row {
    /// As results name it.
    pub fn nevra(&self) -> String {
        format!("{}-{}.{}", self.name, self.evr, self.arch)
    }
}

/// The rows of a table in the order in which they stand there.
pub fn parse(output: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut kind = None;
    // a long name has a line of its own
    let mut words: Vec<String> = Vec::new();
    for line in output.lines() {
        if line.starts_with("Transaction Summary") {
            break;
        }
        if !line.starts_with(' ') {
            words.clear();
            kind = section(line);
            continue;
        }
        let Some(kind) = kind else { continue };
        let more: Vec<&str> = line.split_whitespace().collect();
        if more.first() == Some(&"replacing") {
            if let [_, package, evr, ..] = more.as_slice()
                && let Some((name, arch)) = package.rsplit_once('.')
            {
                rows.push(row(Kind::Remove, name, arch, evr));
            }
            continue;
        }
        words.extend(more.into_iter().map(String::from));
        if let [name, arch, evr, _, ..] = words.as_slice() {
            rows.push(row(kind, name, arch, evr));
            words.clear();
        }
    }
    rows
}

fn row(kind: Kind, name: &str, arch: &str, evr: &str) -> Row {
    Row {
        kind,
        name: name.to_string(),
        arch: arch.to_string(),
        evr: evr.strip_prefix("0:").unwrap_or(evr).to_string(),
    }
}

/// What the rows below a headline are; none for groups, modules and what is skipped.
fn section(line: &str) -> Option<Kind> {
    let head = line.trim_end().strip_suffix(':')?;
    let lower = head.to_lowercase();
    if ["groups", "environment", "modules", "profiles", "streams"]
        .iter()
        .any(|word| lower.ends_with(word) || lower.contains(&format!("{word} ")))
    {
        return None;
    }
    Some(match head.split(' ').next()? {
        "Installing" | "Reinstalling" => Kind::Install,
        "Upgrading" | "Updating" => Kind::Upgrade,
        "Downgrading" => Kind::Downgrade,
        "Removing" => Kind::Remove,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read() {
        let said = "\
Dependencies resolved.
================================================================================
 Package              Architecture       Version           Repository      Size
================================================================================
Installing:
 rp-dep               noarch             1.0-1             rp             6.1 k
 a-package-with-a-very-long-name-indeed
                      x86_64             1:2.0-3.el9       rp             6.0 k
     replacing  old-one.noarch 1.0-1
Installing weak dependencies:
 rp-extra             noarch             1.0-1             rp             6.0 k
Upgrading:
 rp-hello             noarch             2.0-1             rp             6.0 k
Installing group/module packages:
 rp-two               noarch             1.0-1             rp             6.0 k
Removing dependent packages:
 rp-one               noarch             1.0-1             @rp              4
Installing Groups:
 Test things and others too
Skipping packages with broken dependencies:
 rp-needs             noarch             1.0-1             rp             6.1 k

Transaction Summary
================================================================================
Install  4 Packages
";
        let rows: Vec<(Kind, String)> = parse(said).iter().map(|r| (r.kind, r.nevra())).collect();
        let expected = [
            (Kind::Install, "rp-dep-1.0-1.noarch"),
            (
                Kind::Install,
                "a-package-with-a-very-long-name-indeed-1:2.0-3.el9.x86_64",
            ),
            (Kind::Remove, "old-one-1.0-1.noarch"),
            (Kind::Install, "rp-extra-1.0-1.noarch"),
            (Kind::Upgrade, "rp-hello-2.0-1.noarch"),
            (Kind::Install, "rp-two-1.0-1.noarch"),
            (Kind::Remove, "rp-one-1.0-1.noarch"),
        ];
        assert_eq!(rows, expected.map(|(kind, name)| (kind, name.to_string())));
    }
}
