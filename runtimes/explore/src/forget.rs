//! The plain way for protocols whose local states hardly ever come again: what was met is forgotten after each level.
//!
//! To remember what handlers did pays where it is asked again. Where most steps run a handler all the same, remembering them
//! takes the memory of all local states and messages that ever were. So if more than half of a level's steps were new,
//! a breadth-first search keeps the parts of the states that it will continue, and forgets all others with all steps. Keys of
//! parts come from their contents; only their numbers change.

use isles_kernel::Protocol;

use crate::frontier::Frontier;
use crate::memo::{Memo, Rows};
use crate::parcel::{NONE, Parcel};
use crate::space::Space;
use crate::state::HEAD;

/// Fewer parts are kept whatever happens.
const PARTS_MIN: usize = 1 << 12;

/// What is kept, by number.
struct Kept {
    locals: Vec<bool>,
    parcels: Vec<bool>,
    ledgers: Vec<bool>,
}

impl Kept {
    /// Keeps a parcel and those that belong to it.
    fn parcel<P: Protocol>(&mut self, space: &Space<P>, parcel: u32) {
        if parcel == NONE || std::mem::replace(&mut self.parcels[parcel as usize], true) {
            return;
        }
        let meta = space.meta[parcel as usize];
        for other in [meta.head, meta.rest, meta.orphan, meta.notice] {
            self.parcel(space, other);
        }
        if let Parcel::Stream { messages, .. } = space.parcels.get(parcel) {
            messages.iter().for_each(|message| self.parcel(space, *message));
        }
    }
}

impl<P: Protocol> Space<P> {
    /// Whether remembering does not pay, given how many steps were taken, and how many of them ran a handler.
    pub(crate) fn forgets(&self, steps: u64, handler_steps: u64) -> bool {
        handler_steps * 2 > steps && self.locals.len() + self.parcels.len() > PARTS_MIN
    }

    /// Forgets all parts that are not in these states, and all steps.
    pub(crate) fn forget(&mut self, states: &mut Frontier) -> std::io::Result<()> {
        let processes = self.scenario.processes as usize;
        let mut kept = Kept {
            locals: vec![false; self.locals.len()],
            parcels: vec![false; self.parcels.len()],
            ledgers: vec![false; self.ledgers.len()],
        };
        let space = &*self;
        states.each(|words| {
            kept.ledgers[words[HEAD - 1] as usize] = true;
            for local in &words[HEAD..HEAD + processes] {
                kept.locals[*local as usize] = true;
            }
            words[HEAD + processes..].iter().for_each(|parcel| kept.parcel(space, *parcel));
        })?;
        space.notices.iter().for_each(|notice| kept.parcel(space, *notice));
        self.forgotten += kept.locals.iter().filter(|kept| !**kept).count() as u64;

        retain(&mut self.brief, &kept.locals);
        retain(&mut self.local_shapes, &kept.locals);
        retain(&mut self.broken, &kept.ledgers);
        retain(&mut self.meta, &kept.parcels);
        retain(&mut self.arrivals, &kept.parcels);
        retain(&mut self.parcel_shapes, &kept.parcels);
        let locals = self.locals.retain(&kept.locals);
        let parcels = self.parcels.retain(&kept.parcels);
        let ledgers = self.ledgers.retain(&kept.ledgers);
        let renamed = |number: &mut u32| {
            if *number != NONE {
                *number = parcels[*number as usize];
            }
        };
        for parcel in self.parcels.values_mut() {
            if let Parcel::Stream { messages, .. } = parcel {
                messages.iter_mut().for_each(renamed);
            }
        }
        for meta in &mut self.meta {
            [&mut meta.head, &mut meta.rest, &mut meta.orphan, &mut meta.notice]
                .into_iter()
                .for_each(renamed);
        }
        self.notices.iter_mut().for_each(renamed);
        for (local, _) in &mut self.panics {
            *local = if *local == NONE { NONE } else { locals[*local as usize] };
        }
        self.forget_steps();
        states.each(|words| {
            words[HEAD - 1] = ledgers[words[HEAD - 1] as usize];
            for local in &mut words[HEAD..HEAD + processes] {
                *local = locals[*local as usize];
            }
            words[HEAD + processes..].iter_mut().for_each(renamed);
        })
    }

    fn forget_steps(&mut self) {
        self.taken.clear();
        self.outs.clear();
        self.outcomes.clear();
        self.choices.clear();
        self.mutant_messages.clear();
        (self.deliveries, self.timers) = (Rows::default(), Rows::default());
        for memo in [
            &mut self.steps,
            &mut self.pushes,
            &mut self.turns,
            &mut self.requests,
            &mut self.swaps,
            &mut self.mutants,
            &mut self.twins,
            &mut self.heads,
        ] {
            *memo = Memo::new();
        }
    }
}

/// Keeps the values whose places are marked; a list that is empty stays so.
fn retain<T>(values: &mut Vec<T>, kept: &[bool]) {
    let mut kept = kept.iter();
    values.retain(|_| kept.next().is_some_and(|kept| *kept));
    values.shrink_to_fit();
}
