//! Everything that variables come from, as it is while one task runs.

use super::scope::TaskScope;
use crate::inventory::Inventory;
use crate::playbook::Role;
use crate::search::SearchPath;
use crate::template::{Engine, Templar};
use crate::value::{Dynamic, Key, Map, Value};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, RwLock};

/// What a run has learned about a host.
#[derive(Clone, Debug, Default)]
pub struct HostData {
    /// Facts under the names that modules return (`ansible_distribution`, ...).
    pub facts: Arc<Map>,
    /// The same without the prefix: the `ansible_facts` variable.
    pub namespaced: Arc<Map>,
    /// Whether `gather_facts` has run, in this run or the one that the cache is of.
    pub gathered: bool,
    /// set_fact and register.
    pub vars: Arc<Map>,
    /// include_vars.
    pub included: Arc<Map>,
    /// The play's vars_files, where they differ by host.
    pub vars_files: Option<Arc<Map>>,
}

impl HostData {
    /// Adds facts as a module returns them.
    pub fn add_facts(&mut self, facts: &Map) {
        let all = Arc::make_mut(&mut self.facts);
        let namespaced = Arc::make_mut(&mut self.namespaced);
        for (key, value) in facts {
            if key.as_str() == Some("_ansible_facts_gathered") {
                // it is seen in ansible_facts only
                self.gathered = value.is_truthy();
                namespaced.insert(key.clone(), value.clone());
                continue;
            }
            all.insert(key.clone(), value.clone());
            let short = match key.as_str().and_then(|k| k.strip_prefix("ansible_")) {
                // this one has its whole name everywhere
                None | Some("local") => key.clone(),
                Some(short) => Key::from(short),
            };
            namespaced.insert(short, value.clone());
        }
    }

    pub fn clear_facts(&mut self) {
        self.facts = Arc::default();
        self.namespaced = Arc::default();
        self.gathered = false;
    }

    pub fn set_var(&mut self, name: &str, value: Value) {
        Arc::make_mut(&mut self.vars).insert(Key::from(name), value);
    }
}

/// The running play, as variables see it.
#[derive(Clone, Debug, Default)]
pub struct PlayInfo {
    pub name: String,
    /// Every host that the play was for, before `serial`.
    pub all_hosts: Arc<Vec<Value>>,
    /// The hosts of the current batch.
    pub batch: Arc<Vec<Value>>,
    /// Those of the batch that have not failed.
    pub active: Arc<Vec<Value>>,
    /// The play's own variables and answers to its prompts.
    pub vars: Arc<Map>,
    /// vars_files that are the same for all hosts.
    pub vars_files: Arc<Map>,
    /// Roles whose variables every task sees, in order.
    pub roles: Arc<Vec<Arc<Role>>>,
    /// Roles named under `roles:`, without dependencies.
    pub role_names: Arc<Vec<Value>>,
    pub dir: PathBuf,
    pub check: bool,
    pub diff: bool,
}

/// What does not change during a run.
#[derive(Debug, Default)]
pub struct RunInfo {
    pub extra_vars: Arc<Map>,
    /// `ansible_*` variables that the command line gives (connection, user), below all others.
    pub cli_vars: Arc<Map>,
    /// How hosts are reached where neither variables nor keywords say.
    pub connections: crate::run::defaults::Defaults,
    /// Seconds between two looks at a job (`poll`), where the task does not say.
    pub poll_interval: u32,
    /// Seconds that a task may take where no keyword says; 0 for no limit.
    pub task_timeout: u32,
    /// Whether results are hidden where no keyword says.
    pub no_log: bool,
    pub forks: i64,
    /// `--check` and `--diff`; what plays and tasks say is not seen by templates.
    pub check: bool,
    pub diff: bool,
    pub verbosity: i64,
    pub limit: Option<String>,
    /// Empty where there are no tags to choose from: in ad-hoc commands.
    pub tags: Vec<String>,
    pub skip_tags: Vec<String>,
    pub inventory_sources: Vec<String>,
    pub config_file: Option<String>,
    /// What templates see as `ansible_managed`.
    pub ansible_managed: String,
    /// Whether facts are variables of their own too (INJECT_FACTS_AS_VARS).
    pub inject_facts: bool,
    /// What `gather_facts` runs; `smart` is what suits the host.
    pub facts_modules: Vec<String>,
    /// hash_behaviour = merge
    pub merge_hashes: bool,
}

/// An inventory and what tasks ask of it again and again, computed once.
pub struct InventoryView {
    pub inventory: Arc<Inventory>,
    layers: RwLock<HashMap<(Arc<str>, PathBuf), Layers>>,
    groups: OnceLock<Value>,
}

/// The variables of a host, lowest precedence first.
type Layers = Arc<Vec<Arc<Map>>>;

impl InventoryView {
    pub fn new(inventory: Arc<Inventory>) -> InventoryView {
        InventoryView {
            inventory,
            layers: RwLock::default(),
            groups: OnceLock::new(),
        }
    }

    /// The variables of a host from the inventory and the files beside it and the playbook.
    pub fn layers(&self, host: &str, playbook_dir: &Path) -> crate::Result<Layers> {
        let key = (Arc::from(host), playbook_dir.to_path_buf());
        if let Some(found) = self
            .layers
            .read()
            .unwrap_or_else(|e| e.into_inner())
            .get(&key)
        {
            return Ok(Arc::clone(found));
        }
        let layers = self.inventory.layers(host, Some(playbook_dir))?;
        let layers: Layers = Arc::new(layers.into_iter().map(|l| l.vars).collect());
        self.layers
            .write()
            .unwrap_or_else(|e| e.into_inner())
            .insert(key, Arc::clone(&layers));
        Ok(layers)
    }

    /// The `groups` variable.
    pub fn groups(&self) -> Value {
        self.groups
            .get_or_init(|| Value::map(self.inventory.groups_value()))
            .clone()
    }
}

/// All of it. Cheap to clone; a task sees the world as it was when the task started.
#[derive(Clone)]
pub struct World {
    pub engine: Arc<Engine>,
    pub run: Arc<RunInfo>,
    pub view: Arc<InventoryView>,
    pub hosts: Arc<HashMap<Arc<str>, Arc<HostData>>>,
    pub play: Arc<PlayInfo>,
}

impl World {
    pub fn inventory(&self) -> &Inventory {
        &self.view.inventory
    }

    pub fn host(&self, name: &str) -> Option<&Arc<HostData>> {
        self.hosts.get(name)
    }

    /// Changes what is known of a host.
    pub fn host_mut(&mut self, name: &str) -> &mut HostData {
        let hosts = Arc::make_mut(&mut self.hosts);
        Arc::make_mut(hosts.entry(Arc::from(name)).or_default())
    }

    pub fn play_mut(&mut self) -> &mut PlayInfo {
        Arc::make_mut(&mut self.play)
    }
}

/// The `hostvars` variable: host name to that host's variables.
pub struct HostVars {
    pub world: Arc<World>,
    /// The host whose task asks.
    pub asked_by: Arc<str>,
}

impl std::fmt::Debug for HostVars {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("hostvars")
    }
}

impl Dynamic for HostVars {
    fn get(&self, key: &str) -> crate::Result<Option<Value>> {
        if self.world.inventory().host(key).is_none() && key != &*self.asked_by {
            return Ok(None);
        }
        Ok(Some(Value::Dynamic(Arc::new(VarsOfHost {
            world: Arc::clone(&self.world),
            host: Arc::from(key),
            templar: OnceLock::new(),
        }))))
    }

    fn missing(&self, key: &str) -> String {
        format!("object of type 'HostVars' has no attribute '{key}'")
    }

    fn keys(&self) -> Vec<Arc<str>> {
        self.world.inventory().host_names().cloned().collect()
    }
}

/// `hostvars['x']`.
struct VarsOfHost {
    world: Arc<World>,
    host: Arc<str>,
    templar: OnceLock<(Arc<TaskScope>, Templar)>,
}

impl VarsOfHost {
    fn parts(&self) -> &(Arc<TaskScope>, Templar) {
        self.templar.get_or_init(|| {
            let scope = Arc::new(TaskScope::for_host(&self.world, &self.host));
            let files = Arc::new(SearchPath::new(&self.world.play.dir));
            let templar = Templar::new(&self.world.engine, Arc::clone(&scope) as _, files);
            (scope, templar)
        })
    }
}

impl std::fmt::Debug for VarsOfHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "hostvars['{}']", self.host)
    }
}

impl Dynamic for VarsOfHost {
    fn get(&self, key: &str) -> crate::Result<Option<Value>> {
        use crate::template::Scope;
        // what templates of the host see, and no variable of it
        if matches!(key, "hostvars" | "omit") {
            return Ok(None);
        }
        let (scope, templar) = self.parts();
        match scope.get(key) {
            Some(value) if value.needs_render() => templar.render(&value).map(Some),
            other => Ok(other),
        }
    }

    fn missing(&self, key: &str) -> String {
        format!("object of type 'HostVarsVars' has no attribute '{key}'")
    }

    fn keys(&self) -> Vec<Arc<str>> {
        use crate::template::Scope;
        self.parts().0.names()
    }
}
