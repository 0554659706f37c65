//! Which properties have been decided on the way, and by which state.

use isles_kernel::Protocol;

use crate::property::{self, Property};
use crate::report::{Answer, Finding, NO_PANIC, Stopped};
use crate::space::Space;
use crate::state::State;
use crate::trace::Trace;
use crate::view::View;

/// For each property, and for panics after them, whether it is still open.
#[derive(Clone, Debug)]
pub(crate) struct Open(Vec<bool>);

impl Open {
    pub(crate) fn all<P: Protocol>(scenario: &crate::Scenario<P>) -> Self {
        let mut open: Vec<bool> =
            scenario.properties.iter().map(|property| !property.is_liveness()).collect();
        open.push(true);
        Self(open)
    }

    pub(crate) fn close(&mut self, property: usize) {
        self.0[property] = false;
    }
}

impl<P: Protocol> Space<P> {
    /// Calls `found` with each open property that this state decides, and returns which processes were looked at.
    #[inline]
    pub(crate) fn decide(&self, state: State<'_>, open: &Open, mut found: impl FnMut(usize)) -> u64 {
        let view = View::new(self, state);
        let broken = self.broken[state.ledger() as usize];
        for (index, property) in self.scenario.properties.iter().enumerate() {
            if open.0[index]
                && match &property.kind {
                    property::Kind::Always(test) => !test(&view),
                    property::Kind::Never(test) | property::Kind::Reachable(test) => test(&view),
                    property::Kind::History(_) => broken >> index & 1 == 1,
                    property::Kind::Eventually(_) | property::Kind::LeadsTo(..) => false,
                }
            {
                found(index);
            }
        }
        let panicked = |local: &u32| self.brief[*local as usize].panicked;
        if !self.panics.is_empty() && open.0[open.0.len() - 1] && state.locals().iter().any(panicked) {
            found(self.scenario.properties.len());
        }
        view.looks()
    }

    /// Whether a state that decides this property is a violation.
    pub(crate) fn is_violation(&self, property: usize) -> bool {
        !matches!(
            self.scenario.properties.get(property).map(|property| &property.kind),
            Some(property::Kind::Reachable(_))
        )
    }

    /// What is known of all properties, given the behaviours that decide some of them.
    pub(crate) fn findings(
        &self,
        mut traces: Vec<Option<Trace<P>>>,
        stopped: Option<Stopped>,
    ) -> Vec<Finding<P>> {
        let names = self.scenario.properties.iter().map(Property::name).chain([NO_PANIC]);
        let answer = |(index, name): (usize, &str)| {
            let reachable = !self.is_violation(index);
            let answer = match (traces[index].take(), reachable, stopped) {
                (Some(trace), true, _) => Answer::Reached(trace),
                (Some(trace), false, _) => Answer::Violated(trace),
                (None, true, None) => Answer::Unreachable,
                (None, false, None) => Answer::Holds,
                (None, _, Some(_)) => Answer::Undecided,
            };
            Finding { property: name.to_owned(), answer }
        };
        names.enumerate().map(answer).collect()
    }
}
