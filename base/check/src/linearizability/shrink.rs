//! The smallest operations that contradict one another.

use isles_history::Moment;

use super::refute::Examiner;
use super::timeline::Local;
use crate::Model;

/// How much of what is done to make a contradiction small may be done, in configurations.
const WORK_MAX: u64 = 1 << 24;

/// And to see whether a contradiction becomes small easily.
const QUICK_WORK_MAX: u64 = 1 << 20;

/// What people can take in.
const SMALL: usize = 10;
/// Contradictions of more operations are shrunk once.
const LARGE: usize = 64;

/// And for a look at what happens in a row.
const GLANCE_WORK_MAX: u64 = 1 << 19;

impl<M: Model> Examiner<'_, M> {
    /// A contradiction among the operations that returned up to this moment, as small as several ways of shrinking get it; none if
    /// none was found. First among the last `w` of them, for growing `w`, and all that handle their values; if what comes of it is not small, with
    /// operations of unknown outcome that might help them, of which each helps once then.
    pub(crate) fn contradiction(&mut self, until: Moment) -> Option<Vec<Local>> {
        let mut returned: Vec<Local> = (0..self.timeline.items.len() as u32)
            .map(Local)
            .filter(|local| {
                self.timeline.item(*local).returned <= until && !self.timeline.item(*local).is_optional()
            })
            .collect();
        returned.sort_by_key(|local| self.timeline.item(*local).returned);
        let alone = self.among_last(&returned, false);
        if self.helpers(&returned).is_empty() {
            return alone.map(|core| self.shrink(&core));
        }
        // What is hard to make small may be small with help.
        let quick = alone.as_ref().map(|core| self.shrink_from(core.clone(), false, QUICK_WORK_MAX));
        if let Some(quick) = quick.filter(|quick| quick.len() <= SMALL) {
            return Some(self.shrink(&quick));
        }
        let helped = self.among_last(&returned, true).map(|core| self.shrink(&core));
        if helped.as_ref().is_some_and(|core| core.len() <= SMALL) {
            return helped;
        }
        let alone = alone.map(|core| self.shrink(&core));
        [alone, helped].into_iter().flatten().min_by_key(Vec::len)
    }

    /// A contradiction among the last of these, not made small.
    fn among_last(&mut self, returned: &[Local], with_optional: bool) -> Option<Vec<Local>> {
        let start = self.work;
        let mut width = 1;
        while width < 2 * returned.len()
            && self.work - start < if with_optional { WORK_MAX >> 2 } else { WORK_MAX }
        {
            let mut core = returned[returned.len().saturating_sub(width)..].to_vec();
            core.sort_unstable();
            let tried = if with_optional {
                self.with_optional(&core)
            } else {
                let more = self.with_their_values(&core);
                vec![core, more]
            };
            for core in tried {
                if self.refutes(&core) {
                    return Some(core);
                }
            }
            width += width.div_ceil(2);
        }
        None
    }

    /// This core with each of the operations of unknown outcome that might help it, and with all.
    fn with_optional(&mut self, core: &[Local]) -> Vec<Vec<Local>> {
        let helpers = self.helpers(core);
        let with = |few: &[Local]| {
            let mut more = [core, few].concat();
            more.sort_unstable();
            more
        };
        let one = helpers.chunks(1).map(with);
        let all = (helpers.len() > 1).then(|| with(&helpers));
        one.chain(all).collect()
    }

    /// A contradiction among few operations that return one after another, anywhere; none if there is none of this kind. It is the
    /// earliest.
    pub(crate) fn local_contradiction(&mut self, width: usize) -> Option<Vec<Local>> {
        let events: Vec<Local> = self
            .timeline
            .events
            .iter()
            .filter(|event| event.is_return())
            .map(|event| event.operation())
            .collect();
        let start = self.work;
        for end in 1..=events.len() {
            if self.work - start > GLANCE_WORK_MAX {
                return None;
            }
            let mut core = events[end.saturating_sub(width)..end].to_vec();
            core.sort_unstable();
            if self.refutes(&core) {
                return Some(self.shrink(&core));
            }
        }
        None
    }

    /// The smallest of what several orders of leaving operations out come to; without any one of its operations it is no contradiction
    /// (Zeller and Hildebrandt 2002, `ddmin`, with complements only).
    pub(crate) fn shrink(&mut self, core: &[Local]) -> Vec<Local> {
        let forward = self.shrink_from(core.to_vec(), false, u64::MAX);
        // Where much is needed, it is needed whatever was left out first.
        if forward.len() > LARGE {
            return forward;
        }
        let backward = self.shrink_from(core.to_vec(), true, u64::MAX);
        // What is small already may become smaller still from the middle of another order.
        if backward.len() < forward.len() { backward } else { forward }
    }

    /// One order of leaving operations out, given up after so much work.
    fn shrink_from(&mut self, mut core: Vec<Local>, from_the_end: bool, work: u64) -> Vec<Local> {
        let start = self.work;
        let mut size = core.len().div_ceil(2).max(1);
        loop {
            let mut changed = false;
            let mut place = 0;
            while place < core.len() && core.len() > 1 {
                if self.work - start > work {
                    return core;
                }
                let end = (place + size).min(core.len());
                let range = if from_the_end { core.len() - end..core.len() - place } else { place..end };
                let mut rest = core.clone();
                rest.drain(range);
                if !rest.is_empty() && self.refutes(&rest) {
                    core = rest;
                    changed = true;
                } else {
                    place = end;
                }
            }
            // What could not be left out of more cannot be left out of less, unless it only took too long to tell.
            if size > 1 {
                size = size.div_ceil(2);
            } else if !changed || core.len() > LARGE {
                return core;
            }
        }
    }
}
