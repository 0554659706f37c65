//! Why transactions contradict one another: one sentence for each edge.

use isles_check::transactions::{Edge, Place, Point, Reason, Violation};
use isles_history::{Key, Step, Transactions};

use super::known;
use super::transactions::described;

/// The places that are wrong, or what must come before what and why, the edges of the cycle marked by where they lead.
pub(super) fn sentences(history: &Transactions, why: &Violation) -> Vec<String> {
    let mut lines: Vec<String> = why.places.iter().map(|place| place_sentence(history, place)).collect();
    lines.extend(why.edges.iter().map(|edge| edge_sentence(history, edge)));
    if let Some(session) = why.session {
        lines.push(format!("This is so in what session {session} sees."));
    }
    if !why.cycle.is_empty() {
        let mut ends = why.cycle.iter().filter_map(|edge| why.edges.get(*edge as usize));
        let mut path: Vec<String> = ends.clone().map(|edge| point(edge.from)).collect();
        path.extend(ends.next_back().map(|edge| point(edge.to)));
        lines.push(format!("So each comes before itself: {}.", path.join(", then ")));
    } else if !why.core.is_empty() {
        let names: Vec<String> = why
            .core
            .iter()
            .map(|place| format!("{} ({})", known(*place), described(history, *place)))
            .collect();
        lines.push(format!("No order of {} gives what they read.", names.join(", ")));
    }
    lines
}

fn place_sentence(history: &Transactions, place: &Place) -> String {
    let transaction = &history.all()[place.transaction as usize];
    let name = known(place.transaction);
    let Some(step) = history.steps(transaction).get(place.step as usize) else {
        return format!("{name} takes part.");
    };
    let key = |key: Key| history.key_name(key);
    match *step {
        Step::Read { key: of, value } => {
            format!("{name} read {} from {}.", history.value_name(value), key(of))
        }
        Step::Write { key: of, value } => {
            format!("{name} wrote {} to {}.", history.value_name(value), key(of))
        }
        Step::Append { key: of, element } => {
            format!("{name} appended {} to {}.", history.value_name(element), key(of))
        }
        Step::ReadList { key: of, start, count } => {
            let list: Vec<String> = history
                .list(start, count)
                .iter()
                .map(|element| history.value_name(*element).to_string())
                .collect();
            format!("{name} read the list [{}] of {}.", list.join(" "), key(of))
        }
    }
}

fn point(point: Point) -> String {
    match point {
        Point::Initial => "the initial state".to_owned(),
        Point::Begin(place) => format!("the begin of {}", known(place)),
        Point::Commit(place) => known(place),
    }
}

fn edge_sentence(history: &Transactions, edge: &Edge) -> String {
    let (from, to) = (point(edge.from), point(edge.to));
    let because = match &edge.reason {
        Reason::Initial => "it was there at first".to_owned(),
        Reason::Within => "a transaction begins before it commits".to_owned(),
        Reason::Session => "it is earlier in the same session".to_owned(),
        Reason::RealTime => "it ended before the other began".to_owned(),
        Reason::Read(key) => format!("the other saw what it wrote to {}", history.key_name(*key)),
        Reason::ListOrder { key, first, second, reader } => format!(
            "{} read the list of {} with its {}, and the other's {} is not before that",
            known(*reader),
            history.key_name(*key),
            history.value_name(*first),
            history.value_name(*second)
        ),
        Reason::Missing(key, element) => format!(
            "it read the list of {} without the other's {}",
            history.key_name(*key),
            history.value_name(*element)
        ),
        Reason::Overwritten { key, reader, .. } => format!(
            "{} could see what it wrote to {}, and read the other's instead",
            known(*reader),
            history.key_name(*key)
        ),
        Reason::ReadBefore { key, from, .. } => format!(
            "it read {} as {} left it, and the other overwrote that",
            history.key_name(*key),
            point(*from)
        ),
        Reason::NoOverlap { key, .. } => {
            format!("both wrote {}, so that one ends before the other begins", history.key_name(*key))
        }
    };
    format!("{from} comes before {to}: {because}.")
}
