//! Behaviours for people: steps, space-time diagrams, and the formats of other tools.

use std::fmt::Write;

use isles_kernel::{ProcessId, Protocol};

use crate::scenario::PROCESSES_MAX;
use crate::trace::{Step, Trace, What};

/// Where a message left, for the arrow to where it arrives.
struct Flight {
    /// The step that sent it; none for what was under way from the beginning.
    left: Option<usize>,
    from: ProcessId,
    to: ProcessId,
    /// The step in which it arrives or vanishes; none if it does not.
    arrives: Option<usize>,
    lost: bool,
    text: String,
}

/// The processes that have a column, ascending.
struct Lanes(Vec<ProcessId>);

impl Lanes {
    const fn len(&self) -> usize {
        self.0.len()
    }

    /// The column of a process.
    fn of(&self, process: ProcessId) -> Option<usize> {
        self.0.binary_search(&process).ok()
    }
}

/// What happens, in a few words.
fn words<P: Protocol>(what: &What<P>) -> String {
    match what {
        What::Deliver { from, to, msg, .. } => format!("{to} receives {msg:?} from {from}"),
        What::Timer { process, timer } => format!("{process}: timer {timer:?}"),
        What::Invoke { process, id, op } => format!("{process}: {id} invokes {op:?}"),
        What::Answer { from, id, reply } => format!("{id} returns {reply:?} from {from}"),
        What::Unreachable { process, peer } => format!("{process} learns that its stream to {peer} broke"),
        What::Sync { process } => format!("{process}: one more record is durable"),
        What::Start { process } => format!("{process} starts again"),
        What::Crash { process, memory, survivors } => {
            let torn = if *survivors > 0 {
                format!(", and {survivors} records being written")
            } else {
                String::new()
            };
            let left = format!("{memory:?}").to_lowercase();
            format!("{process} crashes (memory: {left}{torn})")
        }
        What::Lose { from, to, msg } => format!("{msg:?} from {from} to {to} is lost"),
        What::Duplicate { from, to, msg } => format!("{msg:?} from {from} to {to} is doubled"),
        What::Tamper { from, to, msg, instead: Some(instead), .. } => {
            format!("{from} lies to {to}: {instead:?} instead of {msg:?}")
        }
        What::Tamper { from, to, msg, again: true, .. } => {
            format!("{from} will say {msg:?} to {to} once more")
        }
        What::Tamper { from, to, msg, .. } => format!("{from} does not say {msg:?} to {to}"),
        What::Cut { group } => format!("partition {group} begins"),
        What::Heal => "the partition ends".into(),
        What::Break { from, to } => format!("the stream from {from} to {to} breaks"),
        What::Discard { from, to, messages } => {
            format!("the last {messages} messages of dead {from} to {to} never arrive")
        }
    }
}

impl<P: Protocol> Trace<P> {
    /// The processes that have a column: all up to the highest that is named, or, if that is far away, those that are
    /// named.
    fn lanes(&self) -> Lanes {
        // A message may be sent to somebody who does not exist.
        let named = |step: &Step<P>| {
            let receivers = step.sent.iter().map(|sent| sent.to).filter(|to| to.0 < PROCESSES_MAX);
            step.what.named().chain(receivers).collect::<Vec<ProcessId>>()
        };
        let mut lanes: Vec<ProcessId> = self.steps.iter().flat_map(named).collect();
        lanes.sort_unstable();
        lanes.dedup();
        match lanes.last() {
            Some(last) if last.0 < PROCESSES_MAX => Lanes((0..=last.0).map(ProcessId).collect()),
            _ => Lanes(lanes),
        }
    }

    /// Each message with where it left and arrived.
    fn flights(&self) -> Vec<Flight> {
        let mut flights: Vec<Flight> = Vec::new();
        for (row, step) in self.steps.iter().enumerate() {
            let ends = if let What::Deliver { from, to, msg, .. } = &step.what {
                Some((from, to, msg, false))
            } else if let What::Lose { from, to, msg } = &step.what {
                Some((from, to, msg, true))
            } else {
                None
            };
            if let Some((from, to, msg, lost)) = ends {
                let text = format!("{msg:?}");
                let same = |flight: &&mut Flight| {
                    flight.arrives.is_none()
                        && flight.from == *from
                        && flight.to == *to
                        && flight.text == text
                };
                match flights.iter_mut().find(same) {
                    Some(flight) => (flight.arrives, flight.lost) = (Some(row), lost),
                    None => {
                        let (from, to, arrives) = (*from, *to, Some(row));
                        flights.push(Flight { left: None, from, to, arrives, lost, text });
                    }
                }
            }
            if let Some(from) = step.what.process() {
                flights.extend(step.sent.iter().map(|sent| {
                    let text = format!("{:?}", sent.msg);
                    Flight { left: Some(row), from, to: sent.to, arrives: None, lost: false, text }
                }));
            }
        }
        flights
    }

    /// The steps, numbered, each with what came of it.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (number, step) in (1..).zip(&self.steps) {
            if number == self.loop_start + 1 {
                text.push_str("     from here on for ever:\n");
            }
            let _ = writeln!(text, "{number:>4} {}", words(&step.what));
            for sent in &step.sent {
                let _ = writeln!(text, "       sends {:?} to {}", sent.msg, sent.to);
            }
            for (id, reply) in &step.replies {
                let _ = writeln!(text, "       answers {id} with {reply:?}");
            }
            for event in &step.events {
                let _ = writeln!(text, "       emits {event:?}");
            }
            if !step.after.is_empty() {
                let _ = writeln!(text, "       is now {}", step.after);
            }
        }
        text
    }

    /// A space-time diagram for a terminal: a column for each process, time downwards. An arrow ends where a message
    /// arrives; its tail says from whom it comes.
    pub fn to_diagram(&self) -> String {
        const WIDTH: usize = 6;
        let columns = self.lanes();
        let lanes = columns.len();
        let mut text = String::from("     ");
        for process in &columns.0 {
            let _ = write!(text, "{:<WIDTH$}", process.to_string());
        }
        text.push('\n');
        for (number, step) in (1..).zip(&self.steps) {
            let mut row: Vec<char> = vec![' '; lanes.max(1) * WIDTH];
            for lane in 0..lanes {
                row[lane * WIDTH] = '│';
            }
            let acting = step.what.process().and_then(|process| columns.of(process));
            if let What::Deliver { from, to, .. } = &step.what
                && let (Some(from), Some(to)) = (columns.of(*from), columns.of(*to))
            {
                let (from, to) = (from * WIDTH, to * WIDTH);
                for place in &mut row[from.min(to)..from.max(to)] {
                    *place = if *place == '│' { '┼' } else { '─' };
                }
                match from.cmp(&to) {
                    std::cmp::Ordering::Less => (row[from], row[to - 1]) = ('├', '▶'),
                    std::cmp::Ordering::Greater => (row[from], row[to + 1]) = ('┤', '◀'),
                    std::cmp::Ordering::Equal => {}
                }
            }
            if let Some(lane) = acting {
                row[lane * WIDTH] = if matches!(step.what, What::Crash { .. }) { '✕' } else { '●' };
            }
            let row: String = row.into_iter().collect();
            let _ = writeln!(text, "{number:>4} {row} {}", words(&step.what));
        }
        text
    }

    /// A space-time diagram as SVG: a column for each process, time downwards, an arrow for each message.
    pub fn to_svg(&self) -> String {
        const LANE: u32 = 150;
        const ROW: u32 = 34;
        let columns = self.lanes();
        let lanes = columns.len().max(1) as u32;
        let (width, height) = (lanes * LANE + 460, (self.steps.len() as u32 + 2) * ROW + 20);
        let x = |process: ProcessId| columns.of(process).unwrap_or(0) as u32 * LANE + 60;
        let y = |row: usize| (row as u32 + 2) * ROW;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n<defs><marker id=\"tip\" \
             viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\">\
             <path d=\"M0 0 8 4 0 8z\" fill=\"#205493\"/></marker></defs>\n"
        );
        for lane in &columns.0 {
            let (x, bottom) = (x(*lane), height - 10);
            let _ = writeln!(
                svg,
                "<text x=\"{x}\" y=\"18\" text-anchor=\"middle\" font-weight=\"bold\">{lane}</text>\
                 <line x1=\"{x}\" y1=\"26\" x2=\"{x}\" y2=\"{bottom}\" stroke=\"#aaa\"/>"
            );
        }
        for flight in self.flights() {
            let Some(arrives) = flight.arrives.filter(|_| columns.of(flight.to).is_some()) else { continue };
            let (x1, y1) = (x(flight.from), flight.left.map_or(30, y));
            let (mut x2, mut y2) = (x(flight.to), y(arrives));
            if flight.lost {
                (x2, y2) = (u32::midpoint(x1, x2), u32::midpoint(y1, y2));
            }
            let tip = if flight.lost { "" } else { " marker-end=\"url(#tip)\"" };
            let title = escape(&flight.text);
            let _ = writeln!(
                svg,
                "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" stroke=\"#205493\"{tip}><title>{title}</title></line>"
            );
            if flight.lost {
                let _ = writeln!(
                    svg,
                    "<text x=\"{x2}\" y=\"{y2}\" fill=\"#b00\" text-anchor=\"middle\">✕</text>"
                );
            }
        }
        for (row, step) in self.steps.iter().enumerate() {
            let (label, y) = (escape(&format!("{}. {}", row + 1, words(&step.what))), y(row));
            if let Some(process) = step.what.process() {
                let (x, after) = (x(process), escape(&step.after));
                let color = if matches!(step.what, What::Crash { .. }) { "#b00" } else { "#222" };
                let _ = writeln!(
                    svg,
                    "<circle cx=\"{x}\" cy=\"{y}\" r=\"5\" fill=\"{color}\"><title>{after}</title></circle>"
                );
            }
            let x = lanes * LANE + 10;
            let _ = writeln!(svg, "<text x=\"{x}\" y=\"{}\">{label}</text>", y + 4);
        }
        svg.push_str("</svg>\n");
        svg
    }

    /// A page that needs nothing else: the diagram, and below it the steps.
    pub fn to_html(&self, title: &str) -> String {
        let title = escape(title);
        format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\n\
             <style>body{{font-family:sans-serif;margin:2em}}pre{{background:#f4f4f4;padding:1em;overflow:auto}}\
             div{{overflow:auto}}</style></head>\n<body><h1>{title}</h1>\n<div>{}</div>\n<pre>{}</pre>\n</body></html>\n",
            self.to_svg(),
            escape(&self.to_text())
        )
    }

    /// A sequence diagram in the language of Mermaid.
    pub fn to_mermaid(&self) -> String {
        let mut text = String::from("sequenceDiagram\n");
        for lane in self.lanes().0 {
            let _ = writeln!(text, "    participant {lane}");
        }
        for step in &self.steps {
            let arrow = |arrow: &str, (from, to): (&ProcessId, &ProcessId), msg: &P::Msg| {
                format!("    {from}{arrow}{to}: {}\n", mermaid(&format!("{msg:?}")))
            };
            let line = if let What::Deliver { from, to, msg, .. } = &step.what {
                arrow("->>", (from, to), msg)
            } else if let What::Lose { from, to, msg } = &step.what {
                arrow("-x", (from, to), msg)
            } else {
                let process = step.what.process().unwrap_or(ProcessId(0));
                format!("    Note over {process}: {}\n", mermaid(&words(&step.what)))
            };
            text.push_str(&line);
        }
        text
    }

    /// A log for ShiViz: a line with process and vector clock for each event, and below it what happened. Its parser is
    /// `^(?<host>\S*) (?<clock>{.*})\n(?<event>.*)$`.
    pub fn to_shiviz(&self) -> String {
        let columns = self.lanes();
        let lanes = columns.len();
        let mut clocks = vec![vec![0u32; lanes]; lanes];
        let mut stamps: Vec<Vec<u32>> = Vec::new();
        let flights = self.flights();
        let mut text = String::new();
        for (row, step) in self.steps.iter().enumerate() {
            let lane = step.what.process().and_then(|process| columns.of(process));
            let arrived = flights.iter().find(|flight| flight.arrives == Some(row) && !flight.lost);
            if let (Some(lane), Some(left)) = (lane, arrived.and_then(|flight| flight.left)) {
                let stamp = stamps[left].clone();
                for (mine, theirs) in clocks[lane].iter_mut().zip(stamp) {
                    *mine = theirs.max(*mine);
                }
            }
            let Some(lane) = lane else {
                stamps.push(Vec::new());
                continue;
            };
            clocks[lane][lane] += 1;
            stamps.push(clocks[lane].clone());
            let named = clocks[lane].iter().enumerate().filter(|(_, count)| **count > 0);
            let clock: Vec<String> =
                named.map(|(lane, count)| format!("\"{}\":{count}", columns.0[lane])).collect();
            let _ = writeln!(text, "{} {{{}}}\n{}", columns.0[lane], clock.join(", "), words(&step.what));
        }
        text
    }
}

/// Text for SVG and HTML.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            // Not allowed in XML, even escaped.
            char if char.is_control() && !matches!(char, '\n' | '\t') => escaped.push('\u{fffd}'),
            char => escaped.push(char),
        }
    }
    escaped
}

/// Text for Mermaid, which ends a message at a semicolon and begins a comment at a hash.
fn mermaid(text: &str) -> String {
    text.chars().map(|char| if matches!(char, ';' | '#' | '\n') { ',' } else { char }).collect()
}
