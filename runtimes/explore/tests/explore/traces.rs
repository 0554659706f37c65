//! Counterexamples are replayed, shortened, written and drawn.

use isles_explore::{Answer, ReplayError, Scenario, Trace, TraceError, What};
use isles_kernel::Protocol;

use crate::models::{register, single_copy, two_phase_commit};
use crate::world::explorer;

fn counterexample<P: Protocol + Sync>(scenario: Scenario<P>, property: &str, deep: bool) -> Trace<P> {
    let mut explorer = explorer(scenario);
    let report = if deep { explorer.depth_first() } else { explorer.breadth_first() };
    report.answer(property).and_then(Answer::trace).expect("it is violated").clone()
}

fn hasty() -> Scenario<two_phase_commit::Manager> {
    two_phase_commit::scenario(3, Some(two_phase_commit::Mistake::Hasty))
}

#[test]
fn a_counterexample_is_replayed_by_another_explorer() {
    let trace = counterexample(hasty(), "consistent", false);
    let text = trace.to_lines("consistent", 4);
    let (header, read) = Trace::from_lines(&text).expect("what was written");
    assert_eq!((header.property.as_str(), header.processes, &read), ("consistent", 4, &trace));
    let decided = explorer(hasty()).replay(&read).expect("it is possible");
    assert!(decided.contains(&"consistent".to_owned()), "{decided:?}");
    // The protocol without the mistake does not do it.
    let right = explorer(two_phase_commit::scenario(3, None)).replay(&read);
    assert!(matches!(right, Err(ReplayError::Impossible { .. } | ReplayError::Differs { .. })), "{right:?}");
}

#[test]
fn a_shortened_counterexample_needs_each_of_its_steps() {
    let long = counterexample(hasty(), "consistent", true);
    let shortest = counterexample(hasty(), "consistent", false);
    let mut explorer = explorer(hasty());
    let short = explorer.shorten(&long, "consistent").expect("it is possible");
    assert!(short.steps.len() < long.steps.len(), "{} of {}", short.steps.len(), long.steps.len());
    assert!(short.steps.len() >= shortest.steps.len());
    for without in 0..short.steps.len() {
        let mut steps = short.steps.clone();
        steps.remove(without);
        let fewer = Trace { loop_start: steps.len(), steps, ..short.clone() };
        let decided = explorer.replay(&fewer).unwrap_or_default();
        assert!(
            !decided.contains(&"consistent".to_owned()),
            "step {without} is not needed:\n{}",
            short.to_text()
        );
    }
    let again = explorer.shorten(&short, "consistent").expect("it is possible");
    assert_eq!(again, short);
}

#[test]
fn what_is_no_trace_is_refused_with_its_line() {
    type Read = Result<(isles_explore::Header, Trace<two_phase_commit::Manager>), TraceError>;
    let read = |text: &str| -> Read { Trace::from_lines(text) };
    assert_eq!(read("").err(), Some(TraceError::Empty));
    assert!(matches!(read("{}").err(), Some(TraceError::Header(_))));
    let trace = counterexample(hasty(), "consistent", false);
    let text = trace.to_lines("consistent", 4);
    let other = text.replace("\"version\":1", "\"version\":9");
    assert!(matches!(read(&other).err(), Some(TraceError::Header(why)) if why.contains("is not")));
    let broken = text.replacen("timer", "tamer", 1);
    assert!(matches!(read(&broken).err(), Some(TraceError::Step { line: 2, .. })), "{broken}");
    let beyond = text.replace(&format!("\"loop_start\":{}", trace.loop_start), "\"loop_start\":99");
    assert!(matches!(read(&beyond).err(), Some(TraceError::Header(_))));
}

#[test]
fn pictures_show_all_steps() {
    let trace = counterexample(hasty(), "consistent", false);
    isles_golden::file(
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/hasty.txt"),
        &format!(
            "{}\n{}\n{}\n{}",
            trace.to_text(),
            trace.to_diagram(),
            trace.to_mermaid(),
            trace.to_shiviz()
        ),
    );
    let html = trace.to_html("a <hasty> manager");
    assert!(html.contains("<svg") && html.contains("a &lt;hasty&gt; manager") && !html.contains("<hasty>"));
    let received = trace.steps.iter().filter(|step| matches!(step.what, What::Deliver { .. })).count();
    assert_eq!(trace.to_svg().matches("marker-end").count(), received);
}

#[test]
fn reads_of_divided_servers_are_drawn_too() {
    let trace =
        counterexample(register::scenario::<single_copy::SingleCopy>(2, 2, ()), "linearizable", false);
    let text = trace.to_text();
    assert!(text.contains("returns GetOk('\\0')"), "{text}");
    assert!(trace.to_diagram().lines().count() > trace.steps.len());
}
