//! Which facts are known before a play, and which are kept for the next run.

use super::Runner;
use super::cursor::{Cursor, Notified};
use crate::config::Gathering;
use crate::playbook::Block;
use crate::value::Map;
use crate::vars::cache::FactCache;
use crate::{Error, Result};
use std::sync::Arc;

/// The mark of results of `gather_facts`.
pub const GATHERED: &str = "_ansible_facts_gathered";

/// The fact that says that there are facts.
pub fn gathered() -> Map {
    [(GATHERED.into(), true.into())].into_iter().collect()
}

impl Runner<'_> {
    /// Reads what earlier runs have kept, or forgets it if that is wanted (`--flush-cache`).
    pub fn open_fact_cache(&mut self) {
        self.fact_cache = FactCache::open(self.config);
        let hosts: Vec<Arc<str>> = self.world.inventory().host_names().cloned().collect();
        if self.options.flush_cache
            && let Some(cache) = &self.fact_cache
        {
            hosts.iter().for_each(|host| cache.remove(host));
        }
        // files that hold something else end the first play that needs them
        let _ = self.load_all(&hosts);
    }

    /// Reads the facts of those hosts of which nothing is known.
    ///
    /// Fails if a file holds something else; as with Ansible, it is gone then, and the next run goes on without it.
    pub fn load_facts(&mut self, hosts: &[Arc<str>]) -> Result<()> {
        self.load_all(hosts).map_err(|(host, error)| {
            if let Some(cache) = &self.fact_cache {
                cache.remove(&host);
            }
            error
        })
    }

    /// Reads what can be read. The error is the first, and whose file it is about.
    fn load_all(&mut self, hosts: &[Arc<str>]) -> std::result::Result<(), (Arc<str>, Error)> {
        let mut first = Ok(());
        for host in hosts {
            let Some(cache) = &self.fact_cache else { break };
            let known = self.world.host(host).is_some_and(|d| !d.facts.is_empty());
            if known {
                continue;
            }
            match cache.load(host) {
                Ok(Some(facts)) => self.world_mut().host_mut(host).add_facts(&facts),
                Ok(None) => {}
                Err(e) => first = first.and(Err((Arc::clone(host), e))),
            }
        }
        first
    }

    /// Keeps the facts of a host for later runs.
    pub fn keep_facts(&self, host: &str) {
        if let (Some(cache), Some(data)) = (&self.fact_cache, self.world.host(host)) {
            cache.store(host, data);
        }
    }

    /// Where a host begins in a play: with `gathering = smart` behind the gathering of facts, if they are known.
    pub fn first_step(&self, root: &Arc<Block>, host: &str) -> Cursor {
        let mut cursor = Cursor::new(root);
        if self.config.gathering == Gathering::Smart
            && self.world.host(host).is_some_and(|data| data.gathered)
            && let Some(task) = cursor.peek(&Notified::new())
            && task.implicit
            && task.action.bare == "gather_facts"
        {
            cursor.advance();
        }
        cursor
    }
}
