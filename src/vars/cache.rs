//! Facts that are kept between runs, in files that ansible-core reads and writes too.
//!
//! A file for each host, `PREFIXs1_HOST`: JSON whose `__payload__` is JSON again. What ansible-core writes there
//! says of some values where they come from; rplay passes over that.
//! <https://docs.ansible.com/ansible/latest/collections/ansible/builtin/jsonfile_cache.html>

use super::world::HostData;
use crate::config::Config;
use crate::error::Error;
use crate::value::{Key, Map, Value};
use crate::{Result, machine, notice};
use serde_json::Value as Json;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The version of the files' form, in their names.
const VERSION: &str = "s1_";

/// The fact that says that a host's facts were gathered, which is no variable of its own.
const GATHERED: &str = "_ansible_facts_gathered";

/// A folder of kept facts.
#[derive(Debug)]
pub struct FactCache {
    folder: PathBuf,
    prefix: String,
    /// How long facts are good for; none: for ever.
    timeout: Option<Duration>,
}

impl FactCache {
    /// What the settings ask for; none if facts are kept in memory only, or cannot be kept: that is warned about.
    pub fn open(config: &Config) -> Option<FactCache> {
        if !is_json_file(&config.fact_caching) {
            return None;
        }
        let Some(folder) = config.fact_caching_connection.clone() else {
            notice::warning(
                "fact_caching = jsonfile keeps no facts without a folder: set fact_caching_connection",
            );
            return None;
        };
        if let Err(e) = std::fs::create_dir_all(&folder) {
            notice::warning(format!(
                "Facts cannot be kept in {}: {}",
                folder.display(),
                machine::reason(&e)
            ));
            return None;
        }
        Some(FactCache::new(
            &folder,
            &config.fact_caching_prefix,
            config.fact_caching_timeout,
        ))
    }

    fn new(folder: &Path, prefix: &str, timeout: u32) -> FactCache {
        FactCache {
            // plays run in their own folders
            folder: std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf()),
            prefix: prefix.to_string(),
            timeout: (timeout > 0).then(|| Duration::from_secs(timeout.into())),
        }
    }

    /// None for a name that cannot be that of a file.
    fn file(&self, host: &str) -> Option<PathBuf> {
        (!host.contains('/')).then(|| self.folder.join(format!("{}{VERSION}{host}", self.prefix)))
    }

    /// The facts of a host; none if there are none, or they are too old.
    ///
    /// Fails if the file holds something else.
    pub fn load(&self, host: &str) -> Result<Option<Map>> {
        let Some(file) = self.file(host) else {
            return Ok(None);
        };
        let Ok(text) = std::fs::read_to_string(&file) else {
            return Ok(None);
        };
        let age = std::fs::metadata(&file)
            .and_then(|m| m.modified())
            .ok()
            .and_then(|at| SystemTime::now().duration_since(at).ok());
        if let (Some(age), Some(timeout)) = (age, self.timeout)
            && age > timeout
        {
            return Ok(None);
        }
        decode(&text).map(Some).ok_or_else(|| {
            Error::general(format!(
                "The cache file {} was corrupt, or did not otherwise contain valid data. It has been removed, \
                 so you can re-run your command now.",
                file.display()
            ))
        })
    }

    /// Keeps the facts of a host. That this cannot be done is warned about.
    pub fn store(&self, host: &str, data: &HostData) {
        let Some(file) = self.file(host) else {
            return;
        };
        let mut facts = (*data.facts).clone();
        if data.gathered {
            facts.insert(GATHERED.into(), true.into());
        }
        let payload = Value::map(facts).to_json().to_string();
        let text = serde_json::json!({ "__payload__": payload }).to_string();
        if let Err(e) = write(&file, text.as_bytes()) {
            notice::warning(format!(
                "The facts of {host} cannot be kept in {}: {}",
                file.display(),
                machine::reason(&e)
            ));
        }
    }

    /// Forgets the facts of a host.
    pub fn remove(&self, host: &str) {
        if let Some(file) = self.file(host) {
            let _ = std::fs::remove_file(file);
        }
    }
}

/// Whether the setting names this cache.
pub fn is_json_file(name: &str) -> bool {
    matches!(name, "jsonfile" | "ansible.builtin.jsonfile")
}

/// Whether the setting means that nothing is kept.
pub fn is_memory(name: &str) -> bool {
    matches!(name, "memory" | "ansible.builtin.memory")
}

/// Whoever reads the file sees all of the old or all of the new. Facts may be secrets: it is the user's own.
fn write(file: &Path, text: &[u8]) -> std::io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(text)?;
    new.persist(file)?;
    Ok(())
}

fn decode(text: &str) -> Option<Map> {
    let outer: Json = serde_json::from_str(text).ok()?;
    let Some(payload) = outer.get("__payload__") else {
        // as older ones wrote it; what is no facts at all is nothing
        return match plain(outer)? {
            Value::Map(_) => Some(Map::default()),
            _ => None,
        };
    };
    let payload: Json = serde_json::from_str(payload.as_str()?).ok()?;
    match plain(payload)? {
        Value::Map(facts) => Some((*facts).clone()),
        _ => None,
    }
}

/// A value without what ansible-core says about it. None for what only Python programs can have put there.
fn plain(json: Json) -> Option<Value> {
    Some(match json {
        Json::Array(items) => Value::list(items.into_iter().map(plain).collect::<Option<_>>()?),
        Json::Object(mut map) => match map.get("__ansible_type").and_then(Json::as_str) {
            None => Value::map(
                map.into_iter()
                    .map(|(k, v)| Some((Key::from(k.as_str()), plain(v)?)))
                    .collect::<Option<_>>()?,
            ),
            Some(_) => match (map.remove("value"), map.remove("iso8601")) {
                (Some(value), _) => plain(value)?,
                // dates are text to rplay
                (None, Some(Json::String(date))) => Value::from(date),
                _ => return None,
            },
        },
        scalar => Value::from_json(scalar),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(folder: &Path, timeout: u32) -> FactCache {
        FactCache::new(folder, "", timeout)
    }

    #[test]
    fn facts_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path(), 60);
        assert_eq!(cache.load("h").unwrap(), None);
        let mut data = HostData::default();
        let facts =
            r#"{"ansible_a": {"b": [1, 2.5, null, "ä {{ x }}"]}, "c": 123456789012345678901}"#;
        let facts = Value::from_json(serde_json::from_str(facts).unwrap());
        data.add_facts(facts.as_map().unwrap());
        cache.store("h", &data);
        assert_eq!(cache.load("h").unwrap().as_ref(), facts.as_map());
        data.gathered = true;
        cache.store("h", &data);
        let mut again = HostData::default();
        again.add_facts(&cache.load("h").unwrap().unwrap());
        assert!(again.gathered);
        assert!(!again.facts.contains_key(GATHERED) && again.namespaced.contains_key(GATHERED));
        cache.store("no/file", &data);
        cache.remove("h");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_ansible_core_has_written() {
        let payload = r#"{"ansible_local": {}, "one": {"value": 1, "tags": [{"path": "/p.yml", "line_num": 4, "col_num": 21,
            "__ansible_type": "Origin"}], "__ansible_type": "_AnsibleTaggedInt"}, "d": {"value": {"k": {"value": [true, {"value": "x",
            "tags": [{"__ansible_type": "TrustedAsTemplate"}], "__ansible_type": "_AnsibleTaggedStr"}], "tags": [],
            "__ansible_type": "_AnsibleTaggedList"}}, "tags": [], "__ansible_type": "_AnsibleTaggedDict"},
            "dt": {"value": {"iso8601": "2020-01-01", "__ansible_type": "AnsibleSerializableDate"}, "tags": [],
            "__ansible_type": "_AnsibleTaggedDate"}}"#;
        let text = serde_json::json!({ "__payload__": payload }).to_string();
        let facts = Value::map(decode(&text).unwrap()).to_json();
        let expected = r#"{"ansible_local":{},"one":1,"d":{"k":[true,"x"]},"dt":"2020-01-01"}"#;
        assert_eq!(facts.to_string(), expected);
        assert_eq!(decode(r#"{"a": 1}"#), Some(Map::default()));
        for bad in [
            r#"{"__payload__": "{broken"}"#,
            r#"{"__payload__": 3}"#,
            "broken",
            "[]",
        ] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }

    #[test]
    fn facts_grow_old_and_files_break() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("s1_h");
        let long_ago = SystemTime::now() - Duration::from_secs(100);
        std::fs::write(&file, r#"{"__payload__": "{\"a\": 1}"}"#).unwrap();
        std::fs::File::options()
            .write(true)
            .open(&file)
            .and_then(|f| f.set_modified(long_ago))
            .unwrap();
        let known = |timeout| cache(folder.path(), timeout).load("h").unwrap().is_some();
        assert!(!known(60));
        assert!(known(0) && known(200));
        std::fs::write(&file, "broken").unwrap();
        let error = cache(folder.path(), 0).load("h").unwrap_err();
        assert!(
            error.message().contains("was corrupt"),
            "{}",
            error.message()
        );
    }
}
