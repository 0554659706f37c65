//! A scenario whose protocol is forgotten: it is searched, and behaviours of it are replayed.

use std::ops::ControlFlow;

use isles_explore::{
    Answer, Chance, Coverage, Disk, DiskError, Explorer, Priorities, Progress, ReplayError, Report, Scenario,
    ScenarioError, Stopped, Swarm, Trace, TraceError, Walks,
};
use isles_kernel::{ProcessId, Protocol};
use serde::Serialize;

use crate::plan::{Kind, Plan, Reduce, Search, World};
use crate::simulate::{SimulatorDiffers, simulate};

/// Watches a search, and may end it.
pub type Watcher = Box<dyn FnMut(Progress) -> ControlFlow<()>>;

/// What came of a search.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Outcome {
    /// What is known of each property.
    pub findings: Vec<Found>,
    /// Different states.
    pub states: u64,
    /// States that were generated, the same ones again included.
    pub generated: u64,
    /// The most steps from the beginning.
    pub depth: u32,
    /// Different local states of processes.
    pub locals: u64,
    /// How often a handler ran.
    pub handler_steps: u64,
    /// All states were looked at, and all is as one hopes.
    pub proof: bool,
    /// An upper bound for the probability that a state was missed; none of searches by chance.
    pub missed_at_most: Option<f64>,
    /// Of searches by chance, what they promise.
    pub chance: Option<f64>,
    /// All of it in words.
    pub summary: String,
    /// What was met and what never.
    pub coverage: Coverage,
}

/// What is known of a property.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Found {
    /// Its name.
    pub property: String,
    /// What is known.
    pub answer: Word,
    /// Steps of the behaviour that shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<usize>,
    /// The step from which on it goes round a loop, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loop_start: Option<usize>,
    /// The behaviour.
    #[serde(skip)]
    pub shown: Option<Shown>,
}

/// What is known of a property, in a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// It holds within the bounds.
    Holds,
    /// It does not.
    Violated,
    /// What should be reachable is.
    Reached,
    /// What should be reachable is not.
    Unreachable,
    /// Not all was looked at.
    Undecided,
}

impl Word {
    /// Decided, and not as one hopes.
    pub const fn is_bad(self) -> bool {
        matches!(self, Self::Violated | Self::Unreachable)
    }
}

/// A behaviour in all its forms.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    /// Step by step.
    pub text: String,
    /// A space-time diagram for a terminal.
    pub diagram: String,
    /// The same as a picture.
    pub svg: String,
    /// A page with picture and steps.
    pub html: String,
    /// For Mermaid.
    pub mermaid: String,
    /// For ShiViz.
    pub shiviz: String,
    /// To be replayed: the plan, and the steps.
    pub saved: String,
}

impl Outcome {
    /// The first property that is decided and not as one hopes.
    pub fn failure(&self) -> Option<&Found> {
        self.findings.iter().find(|found| found.answer.is_bad())
    }
}

/// What came of a replay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replayed {
    /// The property of which the behaviour was saved.
    pub property: String,
    /// The properties that the last state decides.
    pub decided: Vec<String>,
    /// The behaviour as it is now.
    pub shown: Shown,
    /// It goes round a loop at its end.
    pub is_loop: bool,
    /// The digest of the same behaviour in the simulator.
    pub simulated: u128,
}

impl Replayed {
    /// It shows what it was saved for. Loops are shown by their steps.
    pub fn is_shown(&self) -> bool {
        self.is_loop || self.decided.contains(&self.property)
    }
}

/// Why a search or a replay could not be done.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaseError {
    /// The scenario is impossible.
    #[error("it cannot be explored: {0}")]
    Scenario(#[from] ScenarioError),
    /// What the search is told does not go together.
    #[error("{0}")]
    Search(String),
    /// A folder cannot be used.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The text is no behaviour.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The behaviour is not possible.
    #[error("it cannot be replayed: {0}")]
    Replay(#[from] ReplayError),
    /// The simulator does something else.
    #[error(transparent)]
    Simulator(#[from] SimulatorDiffers),
}

/// A scenario of some protocol.
pub(crate) trait Case {
    fn apply(&mut self, world: &World);
    /// The same with processes exchanged that are alike; none if none are.
    fn exchange(self: Box<Self>) -> Option<Box<dyn Case>>;
    fn search(
        self: Box<Self>,
        plan: &Plan,
        threads: usize,
        resume: bool,
        watcher: Watcher,
    ) -> Result<Outcome, CaseError>;
    /// `text` begins with the steps' header; pictures have `plan` with them.
    fn replay(self: Box<Self>, plan: &Plan, text: &str) -> Result<Replayed, CaseError>;
}

/// A scenario, and what it would be with processes exchanged.
struct Of<P: Protocol> {
    scenario: Scenario<P>,
    exchange: Option<fn(Scenario<P>) -> Scenario<P>>,
}

/// A case of processes that are not alike.
pub(crate) fn case<P: Protocol + Sync>(scenario: Scenario<P>) -> Box<dyn Case> {
    Box::new(Of { scenario, exchange: None })
}

/// A case of processes of which some are alike, which `exchange` says.
pub(crate) fn case_of_equals<P: Protocol + Sync>(
    scenario: Scenario<P>,
    exchange: fn(Scenario<P>) -> Scenario<P>,
) -> Box<dyn Case> {
    Box::new(Of { scenario, exchange: Some(exchange) })
}

/// Behaviours with more steps are not shortened: it would take longer than finding them.
const SHORTENED_MAX: usize = 20_000;

impl<P: Protocol + Sync> Case for Of<P> {
    fn apply(&mut self, world: &World) {
        world.apply(&mut self.scenario);
    }

    fn exchange(self: Box<Self>) -> Option<Box<dyn Case>> {
        let exchange = self.exchange?;
        Some(case(exchange(self.scenario)))
    }

    fn search(
        self: Box<Self>,
        plan: &Plan,
        threads: usize,
        resume: bool,
        watcher: Watcher,
    ) -> Result<Outcome, CaseError> {
        let scenario = self.scenario;
        let processes = processes(&scenario);
        let search = &plan.search;
        let mut explorer = configured(Explorer::new(scenario)?, search, threads).progress(watcher);
        let mut report = searched(&mut explorer, search, resume)?;
        if search.kind != Kind::BreadthFirst {
            shorten(&mut explorer, &mut report)?;
        }
        Ok(outcome(&report, explorer.coverage(), plan, processes))
    }

    fn replay(self: Box<Self>, plan: &Plan, text: &str) -> Result<Replayed, CaseError> {
        let scenario = self.scenario;
        let processes = processes(&scenario);
        let (header, trace) = Trace::<P>::from_lines(text)?;
        let mut explorer = Explorer::new(scenario)?;
        let decided = explorer.replay(&trace)?;
        let starts = explorer.starts(trace.initial).unwrap_or_default();
        let simulated = simulate(explorer.scenario(), &starts, &trace)?;
        let is_loop = trace.loop_start < trace.steps.len();
        let shown = shown(&trace, &header.property, plan, processes);
        Ok(Replayed { property: header.property, decided, shown, is_loop, simulated })
    }
}

/// One more than the highest process.
pub(crate) fn processes<P: Protocol>(scenario: &Scenario<P>) -> u32 {
    let of_moment = scenario.moment.as_ref().and_then(|moment| {
        let ids = moment.processes.iter().map(|standing| standing.process);
        ids.chain(moment.underway.iter().map(|message| message.from)).max()
    });
    scenario.processes.max(of_moment.map_or(0, |ProcessId(id)| id + 1))
}

fn configured<P: Protocol + Sync>(explorer: Explorer<P>, search: &Search, threads: usize) -> Explorer<P> {
    let mut explorer = explorer.threads(threads);
    if let Some(depth) = search.depth {
        explorer = explorer.depth(depth);
    }
    if let Some(states) = search.states {
        explorer = explorer.states(states);
    }
    if search.whole {
        explorer = explorer.whole();
    }
    match search.reduce {
        Reduce::Nothing => explorer,
        Reduce::SleepSets => explorer.sleep_sets(),
        Reduce::AmpleSets => explorer.ample_sets(),
    }
}

fn searched<P: Protocol + Sync>(
    explorer: &mut Explorer<P>,
    search: &Search,
    resume: bool,
) -> Result<Report<P>, CaseError> {
    let Search { runs: count, steps, seed, members, bits, hashes, bug_depth, .. } = *search;
    let disk =
        search.disk.as_ref().map(|folder| Disk { memory: search.memory_mb << 20, ..Disk::new(folder) });
    if disk.is_some() && search.kind != Kind::BreadthFirst {
        return Err(CaseError::Search("only a breadth-first search uses a folder".to_owned()));
    }
    Ok(match search.kind {
        Kind::BreadthFirst => match disk {
            None if resume => {
                return Err(CaseError::Search("to go on, say where the checkpoint is".to_owned()));
            }
            None => explorer.breadth_first(),
            Some(disk) if resume => explorer.resume(&disk)?,
            Some(disk) => explorer.breadth_first_on(&disk)?,
        },
        Kind::DepthFirst => explorer.depth_first(),
        Kind::Random => explorer.random(Walks { count, steps, seed }),
        Kind::Priorities if bug_depth == 0 => {
            return Err(CaseError::Search("bugs have a depth of 1 and more".to_owned()));
        }
        Kind::Priorities => explorer.priorities(Priorities { count, steps, depth: bug_depth, seed }),
        Kind::Swarm if !(10..=40).contains(&bits) || !(1..=16).contains(&hashes) => {
            let why = "a swarm has tables of 2^10 to 2^40 bits, of which a state sets 1 to 16";
            return Err(CaseError::Search(why.to_owned()));
        }
        Kind::Swarm => explorer.swarm(Swarm { members, bits, hashes, steps, seed }),
    })
}

fn shorten<P: Protocol + Sync>(explorer: &mut Explorer<P>, report: &mut Report<P>) -> Result<(), CaseError> {
    for finding in &mut report.findings {
        let trace = match &mut finding.answer {
            Answer::Violated(trace) | Answer::Reached(trace) => trace,
            Answer::Holds | Answer::Unreachable | Answer::Undecided => continue,
        };
        if trace.steps.len() <= SHORTENED_MAX {
            *trace = explorer.shorten(trace, &finding.property)?;
        }
    }
    Ok(())
}

fn outcome<P: Protocol>(report: &Report<P>, coverage: Coverage, plan: &Plan, processes: u32) -> Outcome {
    let found = |finding: &isles_explore::Finding<P>| {
        let trace = finding.answer.trace();
        let answer = match finding.answer {
            Answer::Holds => Word::Holds,
            Answer::Violated(_) => Word::Violated,
            Answer::Reached(_) => Word::Reached,
            Answer::Unreachable => Word::Unreachable,
            Answer::Undecided => Word::Undecided,
        };
        Found {
            property: finding.property.clone(),
            answer,
            steps: trace.map(|trace| trace.steps.len()),
            loop_start: trace
                .filter(|trace| trace.loop_start < trace.steps.len())
                .map(|trace| trace.loop_start),
            shown: trace.map(|trace| shown(trace, &finding.property, plan, processes)),
        }
    };
    let by_chance = matches!(report.stopped, Some(Stopped::Random | Stopped::Bitstate));
    Outcome {
        findings: report.findings.iter().map(found).collect(),
        states: report.states,
        generated: report.generated,
        depth: report.depth,
        locals: report.locals,
        handler_steps: report.handler_steps,
        proof: report.is_proof(),
        missed_at_most: (!by_chance).then(|| report.collision_probability()),
        chance: report.chance.as_ref().map(Chance::probability),
        summary: report.to_string(),
        coverage,
    }
}

fn shown<P: Protocol>(trace: &Trace<P>, property: &str, plan: &Plan, processes: u32) -> Shown {
    Shown {
        text: trace.to_text(),
        diagram: trace.to_diagram(),
        svg: trace.to_svg(),
        html: trace.to_html(&format!("{}: {property}", plan.exploration)),
        mermaid: trace.to_mermaid(),
        shiviz: trace.to_shiviz(),
        saved: crate::saved::write(plan, &trace.to_lines(property, processes)),
    }
}
