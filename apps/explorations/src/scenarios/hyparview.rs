//! HyParView of a few processes: views stay symmetric, and the overlay of those that live connected.

use isles_explore::{Budget, Faults, Memory, Property, Scenario, View};
use isles_gossip::hyparview::{Config, Contact, HyParView, Mistake, Timer, properties};
use isles_kernel::{ProcessId, Span};

use crate::stage::Stage;

/// What is explored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parameters {
    /// How many processes; all but the first join through it.
    pub processes: u32,
    /// Neighbours at most.
    pub active_max: usize,
    /// Candidates at most.
    pub passive_max: usize,
    /// Where the exploration begins.
    pub begin: Begin,
    /// Timers that fire in one behaviour: periods, and patience that ends. Each may fire at any moment.
    pub timeouts: u8,
    /// Processes that may crash for ever, any of them.
    pub crashes: u8,
    /// For controls.
    pub mistake: Option<Mistake>,
}

/// Where an exploration of an overlay begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Begin {
    /// Everybody joins at once.
    Joining,
    /// Everybody has joined, one after the other.
    Joined,
}

impl Default for Parameters {
    /// Four processes that join at once, and no timer fires.
    fn default() -> Self {
        Self {
            processes: 4,
            active_max: 2,
            passive_max: 2,
            begin: Begin::Joining,
            timeouts: 0,
            crashes: 0,
            mistake: None,
        }
    }
}

/// A configuration for so few processes: short walks, one period after the other alike.
pub fn config(active_max: usize, passive_max: usize, contact: Contact) -> Config {
    Config {
        active_max,
        passive_max,
        arwl: 2,
        prwl: 1,
        walks: 1,
        shuffle_ttl: 2,
        shuffle_active: 1,
        shuffle_passive: 1,
        mixing: 0,
        shuffle_period: Span::secs(1),
        contact,
        ..Config::default()
    }
}

/// All behaviours of the overlay.
pub fn scenario(parameters: Parameters) -> Scenario<HyParView> {
    let Parameters { processes, active_max, passive_max, begin, timeouts, crashes, mistake } = parameters;
    let config = |contact| Config { mistake, ..config(active_max, passive_max, contact) };
    let scenario = match begin {
        Begin::Joining => Scenario::new(processes, config(Contact::Process(ProcessId(0)))),
        Begin::Joined => {
            let mut stage = Stage::<HyParView>::new(processes, config(Contact::Process(ProcessId(0))));
            stage.settle();
            stage.scenario()
        }
    };
    let faults = Faults { crashes: Budget::UpTo(crashes), memories: vec![Memory::Lost], ..Faults::default() };
    let scenario = Scenario { faults, timeouts: Budget::UpTo(timeouts), choices_max: 4, ..scenario };
    let scenario = scenario.ask(views_are_sound()).ask(views_are_symmetric());
    // Whoever joins through a process that crashes has nobody to ask again.
    if begin == Begin::Joining && crashes > 0 { scenario } else { scenario.ask(overlay_is_connected()) }
}

/// Views keep their bounds and have nobody twice.
pub fn views_are_sound() -> Property<HyParView> {
    Property::always("views are sound", |view: &View<'_, HyParView>| {
        properties::views_sound(view.config(), view.live()).is_ok()
    })
}

/// When nothing is under way, whoever has a neighbour is that one's neighbour, and it lives.
pub fn views_are_symmetric() -> Property<HyParView> {
    Property::always("at rest, views are symmetric", |view: &View<'_, HyParView>| {
        !view.is_quiet() || properties::views_symmetric(view.live()).is_ok()
    })
}

/// When nothing is under way and nobody waits for an answer, those that live are connected.
pub fn overlay_is_connected() -> Property<HyParView> {
    Property::always("at rest, the live overlay is connected", |view: &View<'_, HyParView>| {
        let waits = |process| view.timers(process).iter().any(|timer| *timer != Timer::Shuffle);
        let at_rest = view.is_quiet() && !(0..view.processes()).map(ProcessId).any(waits);
        !at_rest || properties::overlay_connected(view.live()).is_ok()
    })
}
