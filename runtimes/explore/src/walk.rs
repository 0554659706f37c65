//! Random behaviours.

use isles_kernel::Protocol;
use isles_kernel::random::Stream;

use crate::action::Action;
use crate::breadth::{Bounds, Searched};
use crate::report::Stopped;
use crate::space::Space;
use crate::visited::Visited;
use crate::watch::Open;

/// Random behaviours to draw.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Walks {
    /// How many.
    pub count: u64,
    /// How many steps each takes at most.
    pub steps: u32,
    /// Names all draws: the same seed draws the same behaviours.
    pub seed: u64,
}

/// A word that addresses draws.
const WALK: u64 = 0x7761_6c6b;

pub(crate) fn search<P: Protocol>(
    space: &mut Space<P>,
    walks: Walks,
    bounds: Bounds,
    progress: &mut dyn FnMut(u64, u64, u32),
) -> Searched {
    let mut visited = Visited::new();
    let mut open = Open::all(&space.scenario);
    let mut paths = vec![None; space.scenario.properties.len() + 1];
    let (mut generated, mut depth, mut violated) = (0, 0, false);
    let initial = space.initial();
    for walk in 0..walks.count {
        let mut stream = Stream::new(walks.seed, &[WALK, walk]);
        let start = stream.below(initial.len() as u32);
        let mut words = initial[start as usize].clone();
        let mut path: Vec<Action> = Vec::new();
        loop {
            generated += 1;
            visited.insert(space.known(|space| space.fingerprint(&words)));
            let mut decided = Vec::new();
            space.decide(space.state(&words), &open, |property| decided.push(property));
            for property in decided {
                open.close(property);
                violated |= space.is_violation(property);
                paths[property] = Some((start, path.clone()));
            }
            depth = depth.max(path.len() as u32);
            if violated && !bounds.whole || path.len() as u32 >= walks.steps.min(bounds.depth) {
                break;
            }
            let actions = space.actions(&words);
            if actions.is_empty() {
                break;
            }
            let action = actions[stream.below(actions.len() as u32) as usize];
            words = space.after(&words, action);
            path.push(action);
        }
        progress(visited.len() as u64, generated, depth);
        let states = visited.len() as u64;
        let bound = match states >= bounds.states {
            _ if violated && !bounds.whole => Some(Stopped::AtViolation),
            true => Some(Stopped::AtStates(states)),
            false => None,
        };
        if bound.is_some() {
            return Searched { states, generated, depth, stopped: bound, spilled: 0, paths };
        }
    }
    let (states, stopped) = (visited.len() as u64, Some(Stopped::Random));
    Searched { states, generated, depth, stopped, spilled: 0, paths }
}
