//! The front door: a scenario, how to search it, and what came of it.

use std::ops::ControlFlow;

use isles_kernel::Protocol;

use crate::ample::Ample;
use crate::breadth::{Bounds, Breadth, Searched};
use crate::coverage::Coverage;
use crate::depth::Depth;
use crate::disk::{Disk, DiskError};
use crate::graph::Graph;
use crate::report::{Report, Stopped};
use crate::runs::{self, Draws, Priorities, Walks};
use crate::scenario::Scenario;
use crate::space::Space;
use crate::swarm::{self, Swarm};
use crate::trace::Trace;

/// Why a scenario cannot be explored.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct ScenarioError(String);

/// How far a search has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Different states so far.
    pub states: u64,
    /// States generated so far, the same ones again included.
    pub generated: u64,
    /// Steps from the beginning.
    pub depth: u32,
    /// States that wait to be continued; none of single behaviours.
    pub frontier: u64,
}

/// Whoever watches a search, and may end it.
pub(crate) type Watcher<'a> = &'a mut dyn FnMut(Progress) -> ControlFlow<()>;

/// Explores a scenario. What handlers did is remembered from one search to the next.
pub struct Explorer<P: Protocol> {
    pub(crate) space: Space<P>,
    threads: usize,
    depth: Option<u32>,
    states: Option<u64>,
    whole: bool,
    sleep: bool,
    ample: bool,
    progress: Box<dyn FnMut(Progress) -> ControlFlow<()>>,
}

impl<P: Protocol + Sync> Explorer<P> {
    /// An explorer on one thread, without bounds of its own.
    ///
    /// # Errors
    /// When the scenario is impossible.
    pub fn new(scenario: Scenario<P>) -> Result<Self, ScenarioError> {
        if let Some(flaw) = scenario.flaw() {
            return Err(ScenarioError(flaw));
        }
        let mut space = Space::new(scenario);
        if let Some((a, b)) = space.difference() {
            return Err(ScenarioError(format!("{a} and {b} are to be exchanged, and do not start alike")));
        }
        Ok(Self {
            space,
            threads: 1,
            depth: None,
            states: None,
            whole: false,
            sleep: false,
            ample: false,
            progress: Box::new(|_| ControlFlow::Continue(())),
        })
    }

    /// Searches with so many threads: breadth-first, random behaviours, and swarms. The outcome is the same for any
    /// number.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Does not continue states so many steps from the beginning.
    #[must_use]
    pub fn depth(mut self, steps: u32) -> Self {
        self.depth = Some(steps);
        self
    }

    /// Ends soon after so many states.
    #[must_use]
    pub fn states(mut self, states: u64) -> Self {
        self.states = Some(states);
        self
    }

    /// Goes on after a violation.
    #[must_use]
    pub fn whole(mut self) -> Self {
        self.whole = true;
        self
    }

    /// Lets a depth-first search take steps that commute in one order only (sleep sets): the same states by fewer steps.
    /// It has no effect together with symmetry.
    #[must_use]
    pub fn sleep_sets(mut self) -> Self {
        self.sleep = true;
        self
    }

    /// Lets breadth-first and depth-first searches leave out states, where the steps of one process are enough: nobody
    /// else will send to it, and no property looks at it. Who sends to whom is learned by searching, as often as something
    /// new is seen. It has no effect
    /// together with faults other than unlimited duplicates, lies, symmetry, a [`Disk`], or more than 64 processes, and puts
    /// sleep sets off. Properties about what happens at last are judged with all states all the same.
    #[must_use]
    pub fn ample_sets(mut self) -> Self {
        self.ample = true;
        self
    }

    /// Is called now and then; a break ends the search, which reports what it has.
    #[must_use]
    pub fn progress(mut self, progress: impl FnMut(Progress) -> ControlFlow<()> + 'static) -> Self {
        self.progress = Box::new(progress);
        self
    }

    /// Which messages, timers, operations and so on all searches so far have met, and which never.
    pub fn coverage(&self) -> Coverage {
        self.space.tally.coverage(&self.space)
    }

    /// The scenario.
    pub fn scenario(&self) -> &Scenario<P> {
        &self.space.scenario
    }

    fn bounds(&self) -> Bounds {
        Bounds {
            depth: self.depth.unwrap_or(u32::MAX),
            states: self.states.unwrap_or(u64::MAX),
            whole: self.whole,
        }
    }

    /// All states, those fewer steps away first: counterexamples are as short as can be.
    pub fn breadth_first(&mut self) -> Report<P> {
        let (bounds, threads) = (self.bounds(), self.threads);
        self.reduced(|space, ample, progress| {
            let mut search =
                Breadth::new(space, threads, bounds, None).expect("a search in memory uses no files");
            search.ample = ample;
            search.run(None, progress).expect("a search in memory uses no files")
        })
    }

    /// Searches with ample sets, if they are wanted: again, as long as properties look at more than they were believed to.
    fn reduced(
        &mut self,
        search: impl Fn(&mut Space<P>, Option<Ample>, Watcher<'_>) -> Searched,
    ) -> Report<P> {
        let mut ample = if self.ample { Ample::new(&self.space) } else { None };
        let progress = &mut self.progress;
        let searched = loop {
            let searched = search(&mut self.space, ample.clone(), progress);
            if searched.stopped == Some(Stopped::OnRequest) {
                break searched;
            }
            let Some(believed) = &mut ample else { break searched };
            if !believed.learn(&self.space, searched.looks) {
                break searched;
            }
            if believed.is_hopeless() {
                ample = None;
            }
        };
        self.report(searched)
    }

    /// The same with a folder for what finds no room in memory. When it ends, at whatever bound, it leaves a checkpoint
    /// there, from which [`resume`](Self::resume) goes on.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn breadth_first_on(&mut self, disk: &Disk) -> Result<Report<P>, DiskError> {
        let bounds = self.bounds();
        let progress = &mut self.progress;
        let search = Breadth::new(&mut self.space, self.threads, bounds, Some(disk))?;
        let searched = search.run(Some(disk), progress)?;
        Ok(self.report(searched))
    }

    /// Goes on with the search whose checkpoint is in a folder, as if it had never stopped: states, verdicts and
    /// counterexamples are the same. How often handlers ran is counted from here.
    ///
    /// # Errors
    /// When there is no checkpoint, or it is damaged or of another scenario.
    pub fn resume(&mut self, disk: &Disk) -> Result<Report<P>, DiskError> {
        let bounds = self.bounds();
        let search = Breadth::resume(&mut self.space, self.threads, bounds, disk)?;
        let progress = &mut self.progress;
        let searched = search.run(Some(disk), progress)?;
        Ok(self.report(searched))
    }

    /// All states, going on from the one reached last: counterexamples are found in little memory, and are long. A bound
    /// of [`depth`](Self::depth) is one of this search's own paths, which may miss states that are nearer by other ways.
    pub fn depth_first(&mut self) -> Report<P> {
        let bounds = self.bounds();
        let sleep = self.sleep && !self.space.is_symmetric();
        self.reduced(|space, ample, progress| {
            Depth::new(space, sleep && ample.is_none(), ample, bounds).run(progress)
        })
    }

    /// Random behaviours: in each state one of the possible steps, all with the same probability. What is found is so;
    /// that nothing is found says little.
    pub fn random(&mut self, walks: Walks) -> Report<P> {
        self.runs(Draws::Even(walks))
    }

    /// Behaviours by random priorities (PCT). What is found is so; that nothing is found says as much as the report's
    /// [`Chance`](crate::Chance).
    pub fn priorities(&mut self, priorities: Priorities) -> Report<P> {
        self.runs(Draws::Priorities(priorities))
    }

    fn runs(&mut self, draws: Draws) -> Report<P> {
        let bounds = self.bounds();
        let progress = &mut self.progress;
        let searched = runs::search(&mut self.space, self.threads, draws, bounds, progress);
        self.report(searched)
    }

    /// Depth-first searches that know states by a few bits each: for more states than there is memory. A bound of
    /// [`states`](Self::states) is one for each member. What is found is so; that nothing is found says as much as the report's
    /// [`Chance`](crate::Chance).
    pub fn swarm(&mut self, swarm: Swarm) -> Report<P> {
        let bounds = self.bounds();
        let progress = &mut self.progress;
        let searched = swarm::search(&mut self.space, self.threads, swarm, bounds, progress);
        self.report(searched)
    }

    fn report(&mut self, searched: Searched) -> Report<P> {
        let Searched { states, generated, depth, mut stopped, spilled, chance, paths, .. } = searched;
        let trace =
            |path: Option<(u32, Vec<_>)>| path.map(|(initial, actions)| self.space.trace(initial, &actions));
        let mut traces: Vec<Option<Trace<P>>> = paths.into_iter().map(trace).collect();
        let live: Vec<usize> = (0..self.space.scenario.properties.len())
            .filter(|index| self.space.scenario.properties[*index].is_liveness())
            .collect();
        // Random behaviours end somewhere, a search by few bits is for what does not fit into memory, and after a violation
        // the rest is not asked for.
        if !live.is_empty()
            && !matches!(
                stopped,
                Some(Stopped::AtViolation | Stopped::OnRequest | Stopped::Random | Stopped::Bitstate)
            )
        {
            let bounds = self.bounds();
            let graph = Graph::new(&mut self.space, bounds, &mut self.progress);
            stopped = stopped.or(graph.stopped);
            for property in live {
                traces[property] = self.space.lasso(&graph, property);
            }
        }
        Report {
            findings: self.space.findings(traces, stopped),
            states,
            generated,
            depth,
            stopped,
            locals: self.space.locals.len() as u64 + self.space.forgotten,
            handler_steps: self.space.handler_steps,
            forgotten: self.space.forgotten,
            spilled,
            chance,
            choices_cut: self.space.choices_cut,
        }
    }
}
