//! Last in, first out.
//!
//! In a legal order the stays of two values lie apart or one within the other. A value that may come out as soon as it went in never hinders
//! anybody and is set aside. Of the others each is definitely there in some gaps; take a greatest run of gaps in each of which some value is
//! there. One value must lie around all others of the run: it may go in before any of them must, and come out after all of them may. If
//! there is none, there is no order. If there are several, any will do: were another one outermost, then until the chosen one may go in, values
//! only go in (each of them must still be there when the first has to be in, and the chosen one may be in by then), so that they may all go in later, in
//! the same order; and likewise for coming out. Taking the chosen value out leaves shorter runs, which are judged in the same way. (Lee and Mathur 2025
//! take values out one by one, too.)
//!
//! Runs shrink and split. What may be outermost is kept by run: values that may not yet go in before the run begins, by when they may; and those
//! that may, by when they must have come out. When a run splits, its greatest part inherits both, and the values of the others are sorted anew, each
//! of them at most log n times.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use isles_history::Operation;

use super::sojourn::{Gap, NONE, Sojourn, Sojourns, Taken, cover};
use super::{BLIND, Finding};
use crate::model::Datum;
use crate::models::collection::{Op, Reply};

mod depths;

use depths::Depths;

/// Judges those of `operations` named by `members`, of a stack that is empty at first.
///
/// # Complexity
/// Time n log² n at worst, and some 200 bytes for each operation.
pub fn stack<V: Datum>(operations: &[Operation<Op<V>, Reply<V>>], members: &[u32]) -> Finding {
    let sojourns = match Sojourns::new(operations, members) {
        Ok(sojourns) => sojourns,
        Err(finding) => return finding,
    };
    match judge(&sojourns) {
        Ok(order) => Finding::Order(order),
        Err(_) if !sojourns.blind.is_empty() => Finding::Inapplicable(BLIND),
        Err(operations) => Finding::Wrong(operations),
    }
}

/// What happens in a gap, in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Out,
    Brief,
    Nothing,
    In,
}

fn judge(sojourns: &Sojourns) -> Result<Vec<u32>, Vec<u32>> {
    let mut steps: Vec<(Gap, Part, u32)> = Vec::with_capacity(sojourns.all.len() * 2);
    let mut long = Vec::with_capacity(sojourns.all.len());
    for sojourn in &sojourns.all {
        if sojourn.leave != NONE && sojourn.may_be_brief() {
            steps.extend(sojourn.operations().map(|operation| (sojourn.leave_first, Part::Brief, operation)));
        } else {
            long.push(*sojourn);
        }
    }
    long.sort_unstable_by_key(|sojourn| (sojourn.enter_last, sojourn.enter));
    nothing(sojourns, &long, &mut steps)?;
    let mut runs = Runs::new(&long, sojourns.gaps);
    runs.nest(&mut steps).map_err(|run| {
        let ranges = (0..).zip(&long).filter(|(place, _)| runs.run_of[*place as usize] == run.id);
        let chain = cover(run.gaps.clone(), ranges.map(|(place, sojourn)| (sojourn.definite(), place)));
        let chain = chain.unwrap_or_default().into_iter();
        chain.flat_map(|place| long[place as usize].operations()).collect::<Vec<u32>>()
    })?;
    steps.sort_by_key(|(gap, part, _)| (*gap, *part));
    Ok(steps.into_iter().map(|(.., operation)| operation).collect())
}

/// Finds a gap for each removal that found nothing, where no value is definitely there.
fn nothing(sojourns: &Sojourns, long: &[Sojourn], steps: &mut Vec<(Gap, Part, u32)>) -> Result<(), Vec<u32>> {
    let mut taken = Taken::new(sojourns.gaps);
    for sojourn in long {
        taken.take(sojourn.definite());
    }
    for vacancy in &sojourns.vacancies {
        let gap = taken.free_from(vacancy.first);
        if gap > vacancy.last {
            let ranges = (0..).zip(long).map(|(place, sojourn)| (sojourn.definite(), place));
            let there = cover(vacancy.first..vacancy.last + 1, ranges).unwrap_or_default();
            let operations = there.into_iter().flat_map(|place| long[place as usize].operations());
            return Err(operations.chain([vacancy.operation]).collect());
        }
        steps.push((gap, Part::Nothing, vacancy.operation));
    }
    Ok(())
}

/// A greatest run of gaps in each of which some value is definitely there.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Run {
    id: u32,
    gaps: std::ops::Range<Gap>,
}

/// The values of a run: they lie around it if they are in `able` and come out late enough.
#[derive(Default)]
struct Candidates {
    /// Those that may not go in before the run begins, by when they may.
    unable: BinaryHeap<Reverse<(Gap, u32)>>,
    /// Those that may, by when they must have come out.
    able: BinaryHeap<(Gap, u32)>,
}

/// All that is left.
struct Runs<'a> {
    /// By `enter_last`.
    long: &'a [Sojourn],
    depths: Depths,
    candidates: Vec<Candidates>,
    /// The run of each value; [`NONE`] once it is placed.
    run_of: Vec<u32>,
    /// The first value from here on that is not placed.
    live: Taken,
}

/// What is to be done next.
enum Task {
    Judge(Run),
    /// In this gap, this operation.
    Out(Gap, u32),
}

impl<'a> Runs<'a> {
    fn new(long: &'a [Sojourn], gaps: Gap) -> Self {
        let depths = Depths::new(gaps, long.iter().map(Sojourn::definite));
        let live = Taken::new(long.len() as u32);
        Self { long, depths, candidates: Vec::new(), run_of: vec![NONE; long.len()], live }
    }

    /// Nests all values, or fails with a run around which none can lie.
    fn nest(&mut self, steps: &mut Vec<(Gap, Part, u32)>) -> Result<(), Run> {
        let mut tasks = Vec::new();
        let whole = 0..self.depths.gaps();
        self.split(whole, None, &mut tasks);
        while let Some(task) = tasks.pop() {
            let run = match task {
                Task::Out(gap, operation) => {
                    steps.push((gap, Part::Out, operation));
                    continue;
                }
                Task::Judge(run) => run,
            };
            let Some(outermost) = self.outermost(&run) else { return Err(run) };
            let sojourn = &self.long[outermost as usize];
            steps.push((run.gaps.start - 1, Part::In, sojourn.enter));
            if sojourn.leave != NONE {
                tasks.push(Task::Out(run.gaps.end, sojourn.leave));
            }
            self.run_of[outermost as usize] = NONE;
            self.live.take(outermost..outermost + 1);
            self.depths.lower(sojourn.definite());
            self.split(run.gaps, Some(run.id), &mut tasks);
        }
        Ok(())
    }

    /// A value that may lie around all others of its run.
    fn outermost(&mut self, run: &Run) -> Option<u32> {
        let Candidates { unable, able } = &mut self.candidates[run.id as usize];
        while let Some(Reverse((_, value))) = unable.peek().filter(|first| first.0.0 < run.gaps.start) {
            able.push((self.long[*value as usize].leave_last, *value));
            unable.pop();
        }
        while let Some((_, value)) = able.peek()
            && self.run_of[*value as usize] != run.id
        {
            able.pop();
        }
        able.peek().filter(|(leave_last, _)| *leave_last >= run.gaps.end).map(|(_, value)| *value)
    }

    /// Makes runs of what is left of the gaps of one run, and tasks of them, the first on top.
    fn split(&mut self, gaps: std::ops::Range<Gap>, heir_of: Option<u32>, tasks: &mut Vec<Task>) {
        let mut parts: Vec<std::ops::Range<Gap>> = Vec::new();
        let mut start = gaps.start;
        while start < gaps.end {
            let empty = self.depths.next_empty(start..gaps.end).unwrap_or(gaps.end);
            if empty > start {
                parts.push(start..empty);
            }
            start = empty + 1;
        }
        let values = |part: &std::ops::Range<Gap>| {
            let place = |gap: Gap| self.long.partition_point(|sojourn| sojourn.enter_last + 1 < gap) as u32;
            place(part.start)..place(part.end)
        };
        let values: Vec<std::ops::Range<u32>> = parts.iter().map(values).collect();
        // Only the longest by its span of values keeps what its parent had: those of the others are at most half.
        let heir = heir_of.and_then(|_| (0..parts.len()).max_by_key(|part| values[*part].len()));
        for (part, (gaps, values)) in parts.into_iter().zip(values).enumerate().rev() {
            let id = match heir_of {
                Some(id) if heir == Some(part) => id,
                Some(_) | None => self.found(values),
            };
            tasks.push(Task::Judge(Run { id, gaps }));
        }
    }

    /// A new run of the values among these that are not placed.
    fn found(&mut self, values: std::ops::Range<u32>) -> u32 {
        let id = self.candidates.len() as u32;
        let mut unable = Vec::new();
        let mut value = self.live.free_from(values.start);
        while value < values.end {
            self.run_of[value as usize] = id;
            unable.push(Reverse((self.long[value as usize].enter_first, value)));
            value = self.live.free_from(value + 1);
        }
        self.candidates.push(Candidates { unable: unable.into(), able: BinaryHeap::new() });
        id
    }
}
