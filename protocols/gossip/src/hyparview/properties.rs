//! What holds of a whole overlay, as functions over the states of the processes that are up.

use std::collections::BTreeMap;

use isles_kernel::ProcessId;

use super::{Config, HyParView};

/// Views keep their bounds, have nobody twice, not their owner, and nobody in both; at all times.
///
/// # Errors
/// The first process whose views do not.
pub fn views_sound<'a>(
    config: &Config,
    processes: impl IntoIterator<Item = (ProcessId, &'a HyParView)>,
) -> Result<(), ProcessId> {
    for (id, state) in processes {
        let mut all: Vec<ProcessId> = state.active.iter().chain(&state.passive).copied().collect();
        all.push(id);
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        let bounded = state.active.len() <= config.active_max && state.passive.len() <= config.passive_max;
        if all.len() != count || !bounded {
            return Err(id);
        }
    }
    Ok(())
}

/// Whoever has a neighbour is that one's neighbour; in quiescence.
///
/// # Errors
/// A link that only its first process has.
pub fn views_symmetric<'a>(
    processes: impl IntoIterator<Item = (ProcessId, &'a HyParView)>,
) -> Result<(), (ProcessId, ProcessId)> {
    let states: BTreeMap<ProcessId, &HyParView> = processes.into_iter().collect();
    for (id, state) in &states {
        for peer in &state.active {
            if !states.get(peer).is_some_and(|other| other.active.contains(id)) {
                return Err((*id, *peer));
            }
        }
    }
    Ok(())
}

/// All processes that are up are in one component: there are no closed islands; in quiescence.
///
/// # Errors
/// The sizes of the components, largest first.
pub fn overlay_connected<'a>(
    processes: impl IntoIterator<Item = (ProcessId, &'a HyParView)>,
) -> Result<(), Vec<usize>> {
    let mut links: BTreeMap<ProcessId, Vec<ProcessId>> = BTreeMap::new();
    for (id, state) in processes {
        links.entry(id).or_default().extend(&state.active);
        for peer in &state.active {
            links.entry(*peer).or_default().push(id);
        }
    }
    let mut sizes = Vec::new();
    while let Some((first, peers)) = links.pop_first() {
        let (mut size, mut rest) = (1, peers);
        let _ = first;
        while let Some(peer) = rest.pop() {
            if let Some(more) = links.remove(&peer) {
                size += 1;
                rest.extend(more);
            }
        }
        sizes.push(size);
    }
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    if sizes.len() <= 1 { Ok(()) } else { Err(sizes) }
}
