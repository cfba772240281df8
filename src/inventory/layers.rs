//! The variables that an inventory and the files beside it give to a host.
//!
//! The order is that of
//! <https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_variables.html#understanding-variable-precedence>,
//! entries 3 to 10.

use super::Inventory;
use super::data::{Group, Host};
use crate::Result;
use crate::value::{Map, Value};
use crate::vars::files::{Owner, combine};
use std::path::Path;
use std::sync::Arc;

/// Where a layer of variables comes from. Later ones win.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LayerKind {
    /// Variables of groups in inventory sources, parents first.
    Groups,
    /// `group_vars/all` beside an inventory source.
    AllFiles,
    /// `group_vars/all` beside the playbook.
    AllFilesPlaybook,
    /// `group_vars/` of other groups beside an inventory source.
    GroupFiles,
    /// `group_vars/` of other groups beside the playbook.
    GroupFilesPlaybook,
    /// Variables of the host in inventory sources.
    Host,
    /// `host_vars/` beside an inventory source.
    HostFiles,
    /// `host_vars/` beside the playbook.
    HostFilesPlaybook,
}

/// Variables from one place, shared by all hosts that have them.
#[derive(Clone, Debug)]
pub struct Layer {
    pub kind: LayerKind,
    pub vars: Arc<Map>,
}

impl Inventory {
    /// The variables of a host, lowest precedence first; empty layers are left out.
    ///
    /// `playbook_dir` is the folder of the running playbook. Files are read once; errors are those
    /// of a file that cannot be read or understood.
    pub fn layers(&self, host: &str, playbook_dir: Option<&Path>) -> Result<Vec<Layer>> {
        let Some(host) = self.host(host) else {
            return Ok(Vec::new());
        };
        let groups = self.data.groups_of(host);
        let dirs: Vec<&Path> = self.source_dirs().iter().map(|d| d.as_path()).collect();
        let playbook = playbook_dir.as_slice();
        let (all, others): (Vec<&Group>, Vec<&Group>) =
            groups.iter().partition(|g| &*g.name == "all");

        let mut layers = Vec::new();
        let mut add = |kind, vars: Arc<Map>| {
            if !vars.is_empty() {
                layers.push(Layer { kind, vars });
            }
        };
        for group in &groups {
            add(LayerKind::Groups, Arc::clone(&group.vars));
        }
        for (kind, dirs, groups) in [
            (LayerKind::AllFiles, &dirs[..], &all),
            (LayerKind::AllFilesPlaybook, playbook, &all),
            (LayerKind::GroupFiles, &dirs[..], &others),
            (LayerKind::GroupFilesPlaybook, playbook, &others),
        ] {
            for dir in dirs {
                for group in groups {
                    add(kind, self.files.get(dir, Owner::Group, &group.name)?);
                }
            }
        }
        add(LayerKind::Host, Arc::clone(&host.vars));
        for (kind, dirs) in [
            (LayerKind::HostFiles, &dirs[..]),
            (LayerKind::HostFilesPlaybook, playbook),
        ] {
            for dir in dirs {
                add(kind, self.files.get(dir, Owner::Host, &host.name)?);
            }
        }
        Ok(layers)
    }

    /// All variables of a host from its layers, merged.
    pub fn vars_of(&self, host: &str, playbook_dir: Option<&Path>) -> Result<Map> {
        let layers = self.layers(host, playbook_dir)?;
        Ok(self.merged(layers.into_iter().map(|l| l.vars)))
    }

    /// The variables of the host alone: its own in the sources and `host_vars/`.
    pub fn own_host_vars(&self, host: &Host, playbook_dir: Option<&Path>) -> Result<Map> {
        self.own_vars(&host.vars, Owner::Host, &host.name, playbook_dir)
    }

    /// The variables of the group alone: its own in the sources and `group_vars/`.
    pub fn own_group_vars(&self, group: &Group, playbook_dir: Option<&Path>) -> Result<Map> {
        self.own_vars(&group.vars, Owner::Group, &group.name, playbook_dir)
    }

    fn own_vars(
        &self,
        vars: &Arc<Map>,
        owner: Owner,
        name: &str,
        playbook_dir: Option<&Path>,
    ) -> Result<Map> {
        let mut layers = vec![Arc::clone(vars)];
        for dir in self
            .source_dirs()
            .iter()
            .map(|d| d.as_path())
            .chain(playbook_dir)
        {
            layers.push(self.files.get(dir, owner, name)?);
        }
        Ok(self.merged(layers))
    }

    pub(super) fn merged(&self, layers: impl IntoIterator<Item = Arc<Map>>) -> Map {
        let mut out = Map::default();
        for layer in layers {
            for (key, value) in layer.iter() {
                combine(
                    &mut out,
                    key.clone(),
                    Value::clone(value),
                    self.options.merge,
                );
            }
        }
        out
    }
}
