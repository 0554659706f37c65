//! A space-time diagram: time to the right, one lane per process, an arrow per message (Lamport 1978).

use std::collections::BTreeMap;

use super::chart::{LegendEntry, Palette};
use super::data::{Axis, Unit};
use super::format::{AxisUnit, counted, quantity, shortened};
use super::picture::{Fate, Message, Moment, MomentKind, SpaceTime};
use super::scale::Scale;
use super::svg::{Anchor, Canvas, coordinate};

/// Lanes that can be told apart.
pub(super) const LANES_MAX: usize = 16;
/// Messages that can be told apart.
pub(super) const MESSAGES_MAX: usize = 200;
/// Moments that can be told apart.
const MOMENTS_MAX: usize = 200;

const WIDTH: f64 = 1100.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 1080.0;
const TOP: f64 = 22.0;
const LANE: f64 = 42.0;

/// A diagram, and what the page says about it.
#[derive(Debug)]
pub(super) struct Drawn {
    /// The SVG element.
    pub(super) svg: String,
    /// The message kinds.
    pub(super) legend: Vec<LegendEntry>,
    /// What was cut, in words; empty if nothing was.
    pub(super) cut: String,
}

/// The part of a diagram that is legible.
struct Part<'a> {
    /// Indices of the lanes that are shown, in order.
    lanes: Vec<u32>,
    messages: Vec<&'a Message>,
    moments: Vec<&'a Moment>,
    cut: String,
}

/// Draws the first messages between the first processes.
pub(super) fn draw(diagram: &SpaceTime, palette: &Palette) -> Drawn {
    let part = legible(diagram);
    let bottom = TOP + LANE * part.lanes.len().max(1) as f64;
    let mut canvas = Canvas::new(WIDTH, bottom + 34.0);
    let time = time_scale(&part);
    time_axis(&mut canvas, &time, bottom);
    lanes(&mut canvas, diagram, &part, &time);
    let kinds = kinds(&part);
    for (index, kind) in kinds.iter().enumerate() {
        let colour = palette.colour(index, kind);
        for message in part.messages.iter().filter(|message| message.kind == *kind) {
            arrow(&mut canvas, diagram, &part, message, &time, colour);
        }
    }
    for moment in &part.moments {
        draw_moment(&mut canvas, diagram, &part, moment, &time);
    }
    let entry = |(index, kind): (usize, &String)| LegendEntry {
        name: kind.clone(),
        note: counted(part.messages.iter().filter(|message| message.kind == *kind).count(), "message"),
        colour: palette.colour(index, kind),
    };
    let legend = kinds.iter().enumerate().map(entry).collect();
    Drawn { svg: canvas.finish("space-time", &diagram.title), legend, cut: part.cut }
}

/// The first lanes that take part, and the first messages between them.
fn legible(diagram: &SpaceTime) -> Part<'_> {
    let known = |lane: u32| (lane as usize) < diagram.lanes.len();
    let mut messages: Vec<&Message> = diagram.messages.iter().collect();
    messages.retain(|message| known(message.from) && known(message.to) && message.sent.is_finite());
    // Stable, so that messages of one instant stay in the caller's order.
    messages.sort_by(|a, b| a.sent.total_cmp(&b.sent));
    let mut moments: Vec<&Moment> = diagram.moments.iter().collect();
    moments.retain(|moment| known(moment.lane) && moment.at.is_finite());
    moments.sort_by(|a, b| a.at.total_cmp(&b.at));

    let lanes = first_lanes(diagram, &messages);
    let all = (diagram.lanes.len(), messages.len(), moments.len());
    messages.retain(|message| lanes.contains(&message.from) && lanes.contains(&message.to));
    messages.truncate(MESSAGES_MAX);
    moments.retain(|moment| lanes.contains(&moment.lane));
    // What happened long after the last message shown would leave most of the diagram empty.
    if messages.len() == MESSAGES_MAX {
        let end = messages.iter().map(|message| ends(message)).fold(f64::NEG_INFINITY, f64::max);
        moments.retain(|moment| moment.at <= end);
    }
    moments.truncate(MOMENTS_MAX);
    let shown = (lanes.len(), messages.len(), moments.len());
    Part { lanes, messages, moments, cut: cut(all, shown) }
}

fn cut(all: (usize, usize, usize), shown: (usize, usize, usize)) -> String {
    let part = |shown: usize, all: usize, noun: &str| {
        (shown < all).then(|| format!("{shown} of {}", counted(all, noun)))
    };
    let parts = [
        part(shown.0, all.0, "process"),
        part(shown.1, all.1, "message"),
        part(shown.2, all.2, "local event"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { String::new() } else { format!("Shown are the first {}.", parts.join(", ")) }
}

/// Lanes in the caller's order; if there are too many, those that take part first.
fn first_lanes(diagram: &SpaceTime, messages: &[&Message]) -> Vec<u32> {
    let all = 0..diagram.lanes.len() as u32;
    if diagram.lanes.len() <= LANES_MAX {
        return all.collect();
    }
    let mut lanes: Vec<u32> = Vec::new();
    for lane in messages.iter().flat_map(|message| [message.from, message.to]).chain(all) {
        if lanes.len() == LANES_MAX {
            break;
        }
        if !lanes.contains(&lane) {
            lanes.push(lane);
        }
    }
    lanes.sort_unstable();
    lanes
}

/// When the message is last seen.
fn ends(message: &Message) -> f64 {
    match message.fate {
        Fate::Arrived(at) if at.is_finite() => at.max(message.sent),
        Fate::Arrived(_) | Fate::Lost | Fate::UnderWay => message.sent,
    }
}

fn time_scale(part: &Part<'_>) -> Scale {
    let messages = part.messages.iter().flat_map(|message| [message.sent, ends(message)]);
    let moments = part.moments.iter().map(|moment| moment.at);
    Scale::fitting(messages.chain(moments), false, false, true, (LEFT + 14.0, RIGHT - 14.0))
}

fn time_axis(canvas: &mut Canvas, time: &Scale, bottom: f64) {
    let ticks = time.ticks(10);
    let unit = AxisUnit::of(&Unit::Seconds, time.high());
    for tick in ticks {
        let Some(at) = time.place(tick.value) else { continue };
        canvas.line((at, TOP - 6.0), (at, bottom), "grid");
        canvas.text((at, bottom + 14.0), Anchor::Middle, "tick", &unit.label(tick.value, tick.step));
    }
    let title = format!("{} ({})", Axis::time().name, unit.name);
    canvas.text((RIGHT, bottom + 29.0), Anchor::End, "axis-title", &title);
}

/// The height of a lane that is shown.
fn height(part: &Part<'_>, lane: u32) -> f64 {
    let row = part.lanes.iter().position(|&shown| shown == lane).unwrap_or(0);
    TOP + LANE * (row as f64 + 0.5)
}

/// A lane is dashed while its process is down.
fn lanes(canvas: &mut Canvas, diagram: &SpaceTime, part: &Part<'_>, time: &Scale) {
    for &lane in &part.lanes {
        let y = height(part, lane);
        let name = &diagram.lanes[lane as usize];
        canvas.text((LEFT - 8.0, y + 4.0), Anchor::End, "lane-label", &shortened(name, 12));
        let (mut from, mut up) = (LEFT, true);
        let turns = part.moments.iter().filter(|moment| {
            moment.lane == lane && matches!(moment.kind, MomentKind::Crashed | MomentKind::Restarted)
        });
        for moment in turns {
            let at = time.place(moment.at).unwrap_or(from);
            canvas.line((from, y), (at, y), if up { "lane" } else { "lane down" });
            (from, up) = (at, moment.kind == MomentKind::Restarted);
        }
        canvas.line((from, y), (RIGHT, y), if up { "lane" } else { "lane down" });
    }
}

/// The kinds that are shown, in order of appearance.
fn kinds(part: &Part<'_>) -> Vec<String> {
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, message) in part.messages.iter().enumerate() {
        first.entry(&message.kind).or_insert(index);
    }
    let mut kinds: Vec<(usize, &str)> = first.into_iter().map(|(kind, index)| (index, kind)).collect();
    kinds.sort_unstable();
    kinds.into_iter().map(|(_, kind)| kind.to_owned()).collect()
}

fn arrow(
    canvas: &mut Canvas,
    diagram: &SpaceTime,
    part: &Part<'_>,
    message: &Message,
    time: &Scale,
    colour: usize,
) {
    let Some(x) = time.place(message.sent) else { return };
    let from = (x, height(part, message.from));
    let lane = height(part, message.to);
    let target = time.place(ends(message)).unwrap_or(x);
    canvas.open(&format!("message k{colour}"), &tooltip(diagram, message));
    match message.fate {
        Fate::Arrived(_) => shaft(canvas, from, (target, lane)),
        Fate::Lost => {
            // No one knows where it was lost: it goes two thirds of the way, at a slant that can be seen.
            let to = (x + 26.0, from.1 + (lane - from.1) * 0.66);
            dashed(canvas, from, to);
            cross(canvas, to, 3.5, "lost-cross");
        }
        Fate::UnderWay => dashed(canvas, from, (RIGHT, from.1 + (lane - from.1) * 0.8)),
    }
    canvas.close();
}

/// A line with a head, both in the message's colour; to itself, an arc.
fn shaft(canvas: &mut Canvas, from: (f64, f64), to: (f64, f64)) {
    let [x1, y1, x2, y2] = [from.0, from.1, to.0, to.1].map(coordinate);
    if from.1 == to.1 {
        let [rise, middle] = [from.1 - 16.0, (from.0 + to.0) / 2.0].map(coordinate);
        canvas.path(&format!("M{x1} {y1}Q{middle} {rise} {x2} {y2}"), "shaft");
        return;
    }
    canvas.path(&format!("M{x1} {y1}L{x2} {y2}"), "shaft");
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = (dx * dx + dy * dy).sqrt().max(1e-9);
    let (ux, uy) = (dx / length, dy / length);
    let base = (to.0 - ux * 7.0, to.1 - uy * 7.0);
    let [ax, ay, bx, by] =
        [base.0 - uy * 2.8, base.1 + ux * 2.8, base.0 + uy * 2.8, base.1 - ux * 2.8].map(coordinate);
    canvas.path(&format!("M{x2} {y2}L{ax} {ay}L{bx} {by}Z"), "head");
}

fn dashed(canvas: &mut Canvas, from: (f64, f64), to: (f64, f64)) {
    canvas.line(from, to, "shaft lost");
}

fn cross(canvas: &mut Canvas, at: (f64, f64), size: f64, class: &str) {
    let [a, b, c, d] = [at.0 - size, at.1 - size, at.0 + size, at.1 + size].map(coordinate);
    canvas.path(&format!("M{a} {b}L{c} {d}M{a} {d}L{c} {b}"), class);
}

fn tooltip(diagram: &SpaceTime, message: &Message) -> String {
    let name = |lane: u32| &diagram.lanes[lane as usize];
    let sent = quantity(message.sent, &Unit::Seconds);
    let fate = match message.fate {
        Fate::Arrived(at) => {
            let took = quantity(at - message.sent, &Unit::Seconds);
            format!("arrived after {took}")
        }
        Fate::Lost => "lost".to_owned(),
        Fate::UnderWay => "still under way".to_owned(),
    };
    format!("{} from {} to {}: sent at {sent}, {fate}", message.kind, name(message.from), name(message.to))
}

fn draw_moment(canvas: &mut Canvas, diagram: &SpaceTime, part: &Part<'_>, moment: &Moment, time: &Scale) {
    let Some(x) = time.place(moment.at) else { return };
    let at = (x, height(part, moment.lane));
    let what = match moment.kind {
        MomentKind::Invoked => "invoked",
        MomentKind::Delivered => "delivered",
        MomentKind::Crashed => "crashed",
        MomentKind::Restarted => "restarted",
        MomentKind::Timer => "timer",
        MomentKind::Note => "note",
    };
    let label = if moment.label.is_empty() { String::new() } else { format!(" ({})", moment.label) };
    let name = &diagram.lanes[moment.lane as usize];
    let when = quantity(moment.at, &Unit::Seconds);
    canvas.open("moment", &format!("{name}: {what}{label} at {when}"));
    match moment.kind {
        MomentKind::Invoked => canvas.circle(at, 6.0, "invoked"),
        MomentKind::Delivered => canvas.circle(at, 4.5, "delivered"),
        MomentKind::Crashed => cross(canvas, at, 6.5, "crash-cross"),
        MomentKind::Restarted => {
            let [x, y, low, high] = [at.0 - 4.0, at.0 + 6.0, at.1 + 5.0, at.1 - 5.0].map(coordinate);
            canvas.path(&format!("M{x} {low}L{y} {}L{x} {high}Z", coordinate(at.1)), "restarted");
        }
        MomentKind::Timer => canvas.line((at.0, at.1 - 6.0), (at.0, at.1 + 6.0), "timer"),
        MomentKind::Note => canvas.rect((at.0 - 3.5, at.1 - 3.5), (7.0, 7.0), "note-mark"),
    }
    canvas.close();
}

/// What the marks on the lanes mean, as a list for the page; empty if there are none.
pub(super) fn marks_legend(diagram: &SpaceTime) -> String {
    let marks = [
        (MomentKind::Invoked, "<circle class=\"invoked\" r=\"5\"/>", "invoked"),
        (MomentKind::Delivered, "<circle class=\"delivered\" r=\"4.5\"/>", "delivered"),
        (MomentKind::Crashed, "<path class=\"crash-cross\" d=\"M-5 -5L5 5M-5 5L5 -5\"/>", "crashed"),
        (MomentKind::Restarted, "<path class=\"restarted\" d=\"M-4 5L6 0L-4 -5Z\"/>", "restarted"),
        (MomentKind::Timer, "<path class=\"timer\" d=\"M0 -6V6\"/>", "timer"),
        (MomentKind::Note, "<rect class=\"note-mark\" x=\"-4\" y=\"-4\" width=\"8\" height=\"8\"/>", "note"),
    ];
    let item = |drawn: &str, text: &str| {
        format!(
            "<li><svg class=\"key\" viewBox=\"-9 -8 18 16\" aria-hidden=\"true\">{drawn}</svg>{text}</li>"
        )
    };
    let used = |kind| diagram.moments.iter().any(|moment| moment.kind == kind);
    let mut items: String =
        marks.iter().filter(|mark| used(mark.0)).map(|(_, drawn, text)| item(drawn, text)).collect();
    if diagram.messages.iter().any(|message| message.fate == Fate::Lost) {
        let drawn = "<path class=\"shaft lost\" d=\"M-9 0h12\"/><path class=\"lost-cross\" d=\"M2 -3L8 3M2 3L8 -3\"/>";
        items.push_str(&item(drawn, "lost"));
    }
    if items.is_empty() { items } else { format!("<ul class=\"legend\">{items}</ul>") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(from: u32, to: u32, sent: f64, fate: Fate) -> Message {
        Message { kind: "GOSSIP".to_owned(), from, to, sent, fate }
    }

    fn diagram(lanes: usize, messages: Vec<Message>) -> SpaceTime {
        let lanes = (0..lanes).map(|index| format!("p{index}")).collect();
        SpaceTime { title: "t".to_owned(), lanes, messages, ..SpaceTime::default() }
    }

    fn drawn(diagram: &SpaceTime) -> Drawn {
        draw(diagram, &Palette::default())
    }

    #[test]
    fn an_arrival_has_a_head_and_a_loss_a_cross() {
        let arrived = drawn(&diagram(2, vec![message(0, 1, 0.0, Fate::Arrived(1.0))])).svg;
        let lost = drawn(&diagram(2, vec![message(0, 1, 0.0, Fate::Lost)])).svg;
        assert!(arrived.contains("\"head\"") && !arrived.contains("lost-cross"));
        assert!(!lost.contains("\"head\"") && lost.contains("lost-cross") && lost.contains("shaft lost"));
    }

    #[test]
    fn what_is_cut_is_said() {
        let many = (0..300).map(|i| message(i % 2, 2, f64::from(i), Fate::Arrived(f64::from(i) + 1.0)));
        let drawn_many = drawn(&diagram(40, many.collect()));
        assert_eq!(drawn_many.cut, "Shown are the first 16 of 40 processes, 200 of 300 messages.");
        assert_eq!(drawn_many.svg.matches("\"head\"").count(), MESSAGES_MAX);
        let few = drawn(&diagram(16, vec![message(0, 1, 0.0, Fate::Lost)]));
        assert_eq!(few.cut, "");
    }

    #[test]
    fn the_lanes_that_take_part_first_are_the_ones_shown() {
        let diagram = diagram(100, vec![message(99, 50, 0.0, Fate::Lost)]);
        let lanes = legible(&diagram).lanes;
        assert_eq!(lanes.len(), LANES_MAX);
        assert!(lanes.contains(&99) && lanes.contains(&50));
    }

    #[test]
    fn a_lane_is_dashed_while_its_process_is_down() {
        let mut diagram = diagram(1, vec![]);
        let moment = |at, kind| Moment { lane: 0, at, kind, label: String::new() };
        diagram.moments = vec![moment(0.0, MomentKind::Timer), moment(2.0, MomentKind::Timer)];
        assert!(!drawn(&diagram).svg.contains("lane down"));
        diagram.moments.insert(1, moment(1.0, MomentKind::Crashed));
        assert!(drawn(&diagram).svg.contains("lane down"));
    }

    #[test]
    fn messages_to_nowhere_and_at_no_time_are_left_out() {
        let messages = vec![
            message(0, 9, 0.0, Fate::Lost),
            message(0, 1, f64::NAN, Fate::Lost),
            message(0, 1, 0.0, Fate::Arrived(f64::INFINITY)),
        ];
        let svg = drawn(&diagram(2, messages)).svg;
        assert_eq!(svg.matches("class=\"message").count(), 1);
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }

    #[test]
    fn hostile_names_cannot_leave_the_diagram() {
        let mut diagram = diagram(2, vec![message(0, 1, 0.0, Fate::Lost)]);
        diagram.lanes[0] = "</text><script>".to_owned();
        diagram.messages[0].kind = "</title><script>".to_owned();
        assert!(!drawn(&diagram).svg.contains("<script"));
    }
}
