//! What is asked of a protocol.

use std::fmt;

use isles_history::Entry;
use isles_kernel::Protocol;

use crate::view::View;

type Test<P> = Box<dyn Fn(&View<'_, P>) -> bool + Send + Sync>;
type Judge<P> = Box<dyn Fn(&[Entry<<P as Protocol>::Op, <P as Protocol>::Reply>]) -> bool + Send + Sync>;

/// A named question.
pub struct Property<P: Protocol> {
    name: String,
    pub(crate) kind: Kind<P>,
}

pub(crate) enum Kind<P: Protocol> {
    Always(Test<P>),
    Never(Test<P>),
    Reachable(Test<P>),
    History(Judge<P>),
    Eventually(Test<P>),
    LeadsTo(Test<P>, Test<P>),
}

impl<P: Protocol> Property<P> {
    /// `test` holds in each state.
    pub fn always(name: &str, test: impl Fn(&View<'_, P>) -> bool + Send + Sync + 'static) -> Self {
        Self { name: name.into(), kind: Kind::Always(Box::new(test)) }
    }

    /// `test` holds in no state.
    pub fn never(name: &str, test: impl Fn(&View<'_, P>) -> bool + Send + Sync + 'static) -> Self {
        Self { name: name.into(), kind: Kind::Never(Box::new(test)) }
    }

    /// `test` holds in some state: what an exploration that never comes there would miss.
    pub fn reachable(name: &str, test: impl Fn(&View<'_, P>) -> bool + Send + Sync + 'static) -> Self {
        Self { name: name.into(), kind: Kind::Reachable(Box::new(test)) }
    }

    /// The history of each state is as `judge` wants it. It is asked once for each history that differs in which
    /// operations returned before which were invoked; instants in the history count its entries.
    pub fn history(
        name: &str,
        judge: impl Fn(&[Entry<P::Op, P::Reply>]) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), kind: Kind::History(Box::new(judge)) }
    }

    /// In each behaviour `test` holds at some time, if whatever could go on for ever does: each link, each timer, disk
    /// and client that stays ready in the end takes its step (weak fairness). Faults need not happen.
    pub fn eventually(name: &str, test: impl Fn(&View<'_, P>) -> bool + Send + Sync + 'static) -> Self {
        Self { name: name.into(), kind: Kind::Eventually(Box::new(test)) }
    }

    /// Whenever `trigger` holds, `goal` holds then or later, with the same fairness.
    pub fn leads_to(
        name: &str,
        trigger: impl Fn(&View<'_, P>) -> bool + Send + Sync + 'static,
        goal: impl Fn(&View<'_, P>) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), kind: Kind::LeadsTo(Box::new(trigger), Box::new(goal)) }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) const fn sees_history(&self) -> bool {
        matches!(self.kind, Kind::History(_))
    }

    /// Whether it is about behaviours that never end, and so decided only by searches of all states.
    pub const fn is_liveness(&self) -> bool {
        matches!(self.kind, Kind::Eventually(_) | Kind::LeadsTo(..))
    }
}

impl<P: Protocol> fmt::Debug for Property<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Always(_) => "always",
            Kind::Never(_) => "never",
            Kind::Reachable(_) => "reachable",
            Kind::History(_) => "history",
            Kind::Eventually(_) => "eventually",
            Kind::LeadsTo(..) => "leads to",
        };
        write!(f, "{kind} {:?}", self.name)
    }
}
