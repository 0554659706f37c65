//! What the store's configuration is made of: from a node's, or from a recording.

use isles_kernel::Payload;
use isles_quorum::store;
use serde::{Deserialize, Serialize};

use crate::config::Config;

/// All that the store is told; a recording keeps it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct About {
    nodes: u32,
    keyspaces: Vec<Space>,
    bytes_max: usize,
    commands_max: usize,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Space {
    prefix: String,
    n: u32,
    r: u32,
    w: u32,
}

impl About {
    /// What a node's configuration says.
    pub(crate) fn new(config: &Config) -> Self {
        let keyspaces = config.keyspaces.iter().map(|space| Space {
            prefix: space.prefix.clone(),
            n: space.replicas,
            r: space.read,
            w: space.write,
        });
        Self {
            nodes: config.members.len() as u32,
            keyspaces: keyspaces.collect(),
            bytes_max: config.limits.request,
            commands_max: config.limits.elements.max(16 * config.limits.transaction) as usize,
        }
    }

    /// The store's configuration.
    ///
    /// # Errors
    /// When the store cannot be so.
    pub(crate) fn store(&self) -> Result<store::Config, store::ConfigError> {
        let keyspaces = self.keyspaces.iter().map(|space| store::Keyspace {
            prefix: Payload::from(space.prefix.as_str()),
            n: space.n,
            r: space.r,
            w: space.w,
        });
        let mut store = store::Config::new(self.nodes, keyspaces.collect())?;
        (store.bytes_max, store.commands_max) = (self.bytes_max, self.commands_max);
        store.validate()?;
        Ok(store)
    }
}
