//! A scenario in a few words: the set-up of a report.

use isles_kernel::ProcessId;
use isles_sim::{Fault, Start, Who};

use super::links;
use crate::registry::Selection;
use crate::registry::params::Values;
use crate::report::data::{Setting, Unit};
use crate::report::format::quantity;
use crate::run::Plan;
use crate::run::summary;

/// The set-up as a report shows it: what is chosen, and what differs from its default.
pub(super) fn describe(
    plan: &Plan,
    selection: &Selection,
    links: &[(String, String)],
    seeds: &[u64],
) -> Vec<Setting> {
    let mut setup = Vec::new();
    let mut add = |name: &str, value: String, note: &str| {
        setup.push(Setting { name: name.to_owned(), value, note: note.to_owned() });
    };
    add(
        "processes",
        plan.processes.to_string(),
        &match plan.start {
            Start::AtOnce => "start at once".to_owned(),
            Start::Over(span) => format!("start one after the other over {span}"),
        },
    );
    for (what, chosen) in selection.chosen() {
        add(what, chosen.entry.name.to_owned(), chosen.entry.doc);
        let defaults = Values::defaults(chosen.entry.params);
        for ((name, value), (_, default)) in chosen.values.written().zip(defaults.written()) {
            if value != default {
                add(&format!("{what}.{name}"), value, &format!("default {default}"));
            }
        }
    }
    if let Selection::Tree { begin, .. } = selection {
        add("root", begin.root.to_string(), &format!("asked at {}", begin.at));
    }
    for (name, value) in links {
        add(name, value.clone(), "");
    }
    for (at, fault) in &plan.faults {
        add("fault", format!("{} at {at}", sentence(fault)), "");
    }
    if let Some(churn) = &plan.churn {
        let (session, downtime) = (links::describe(churn.session), links::describe(churn.downtime));
        add("churn", format!("sessions: {session}"), &format!("downtimes: {downtime}"));
    }
    let counted = match selection {
        Selection::Gossip { .. } => format!("figures count those from {} on", plan.warmup),
        Selection::Tree { .. } => "along the finished tree".to_owned(),
    };
    add("broadcasts", plan.broadcasts.len().to_string(), &counted);
    add("duration", plan.duration.to_string(), "virtual time");
    add("seeds", seeds.len().to_string(), "");
    setup
}

/// What happens, and to whom.
fn sentence(fault: &Fault) -> String {
    let what = summary::describe(fault);
    match fault {
        Fault::Crash(who)
        | Fault::Restart { who, .. }
        | Fault::Pause(who)
        | Fault::Resume(who)
        | Fault::Mute(who)
        | Fault::Clock { who, .. } => format!("{what} of {}", whom(who)),
        Fault::Partition(groups) => {
            format!("{what}: {} | the rest", groups.iter().map(whom).collect::<Vec<_>>().join(" | "))
        }
        Fault::Loss(share) => format!("{what} of {}", quantity(*share, &Unit::Share)),
        Fault::CrashAt { process, .. } => format!("{what} of {process}"),
        Fault::Heal => what.to_owned(),
    }
}

fn whom(who: &Who) -> String {
    match who {
        Who::All => "all".to_owned(),
        Who::Ids(ids) => match ids.as_slice() {
            [one] => one.to_string(),
            many => format!("{} processes", many.len()),
        },
        Who::Range { first, end } => format!("{first} … {}", ProcessId(end.0.saturating_sub(1))),
        Who::Fraction(share) => quantity(*share, &Unit::Share).to_string(),
        Who::Count(1) => "one process".to_owned(),
        Who::Count(count) => format!("{count} processes"),
        Who::Region(region) => format!("region {region}"),
    }
}
