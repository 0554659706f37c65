//! The page of `isles check`: verdicts, reasons, and the history with what is wrong in it.

use crate::check::{Bar, Judgement, Mark, Outcome, Word};

use super::format::{escape, shortened};
use super::html::{MARK, POLICY, STYLE};
use super::svg::{Anchor, Canvas};

const WIDTH: f64 = 1100.0;
const LEFT: f64 = 96.0;
const RIGHT: f64 = 1084.0;
const LANE: f64 = 34.0;
/// Lanes that can be told apart.
const LANES_MAX: usize = 40;

const OWN_STYLE: &str = ".bar { fill: var(--soft); opacity: .45 } .bar.wrong { fill: var(--bad); opacity: .9 } \
    .bar.unknown { opacity: .22 } .bar.wrong.unknown { opacity: .55 } \
    .fault { fill: var(--bad); opacity: .14 } .fault.at-once { opacity: .6 } \
    svg text.bar-label { fill: var(--ink); font-size: 11px } svg.space-time { margin: 10px 0 }";

/// The whole page; it needs nothing but itself.
pub fn render(outcome: &Outcome) -> String {
    let sections: String = outcome.judgements.iter().map(|one| section(one, &outcome.faults)).collect();
    let list = |what: &str, levels: &[&str]| {
        if levels.is_empty() {
            String::new()
        } else {
            format!("<p><b>{what}:</b> {}</p>", escape(&levels.join(", ")))
        }
    };
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\
         <title>{file} · isles check</title><style>{STYLE}{OWN_STYLE}</style></head><body>\n\
         <header class=\"top\"><div class=\"brand\">{MARK} isles</div><h1>{file}</h1>\
         <p class=\"question\">{} {}, read as {}</p></header>\n<main>{}{}{sections}</main></body></html>\n",
        outcome.count,
        escape(&outcome.model),
        outcome.format,
        list("Strongest levels that hold", &outcome.strongest),
        list("Weakest levels that do not", &outcome.weakest),
        file = escape(&outcome.file),
    )
}

fn section(judgement: &Judgement, faults: &[Mark]) -> String {
    let (class, word) = match judgement.verdict {
        Word::Holds => ("holds", "✓ holds"),
        Word::Violated => ("fails", "✗ violated"),
        Word::Unknown => ("undecided", "? unknown"),
    };
    let object =
        judgement.object.as_ref().map_or(String::new(), |object| format!(" · object {}", escape(object)));
    let anomaly = judgement.anomaly.as_ref().map_or(String::new(), |name| format!(" · {}", escape(name)));
    let verified = match judgement.verified {
        Some(true) => " · certificate verified".to_owned(),
        Some(false) => format!(" · certificate refused: {}", escape(judgement.flaw.as_deref().unwrap_or(""))),
        None => String::new(),
    };
    let why: String = judgement.why.iter().map(|sentence| format!("<li>{}</li>", escape(sentence))).collect();
    let mut html = format!(
        "<h2>{}</h2><div class=\"facts\"><span class=\"pill {class}\">{word}</span>\
         <span>{anomaly}{object}{verified}</span></div>",
        judgement.level
    );
    if !why.is_empty() {
        html += &format!("<ol>{why}</ol>");
    }
    if judgement.verdict == Word::Violated {
        let part: Vec<&Bar> = judgement.bars.iter().filter(|bar| bar.marked).collect();
        html += &format!(
            "<h3>The part that is wrong</h3><div class=\"scroll\">{}</div>",
            drawn(&part, faults, true)
        );
        let all: Vec<&Bar> = judgement.bars.iter().collect();
        let shown = if all.len() < judgement.count {
            format!("{} of {} around it", all.len(), judgement.count)
        } else {
            format!("all {}", all.len())
        };
        html += &format!(
            "<h3>The run, {shown}</h3><div class=\"scroll\">{}</div>",
            drawn(&all, faults, all.len() <= 24)
        );
    }
    html
}

/// Time to the right in the order of events, one lane for each client, a bar for each operation; behind them a band for what befell the
/// system, or a line if it was over at once.
fn drawn(bars: &[&Bar], faults: &[Mark], labels: bool) -> String {
    let mut moments: Vec<u64> = bars.iter().flat_map(|bar| [Some(bar.begin), bar.end]).flatten().collect();
    moments.sort_unstable();
    moments.dedup();
    let mut lanes: Vec<&str> = Vec::new();
    // Lanes of what is wrong first, so that they are shown in any case.
    for bar in bars.iter().filter(|bar| bar.marked).chain(bars) {
        if !lanes.contains(&bar.lane.as_str()) && lanes.len() < LANES_MAX {
            lanes.push(&bar.lane);
        }
    }
    lanes.sort_by_key(|lane| (lane.parse::<u64>().unwrap_or(u64::MAX), *lane));
    let step = (RIGHT - LEFT) / (moments.len() as f64 + 0.5);
    let at = |moment: u64| LEFT + moments.partition_point(|other| *other < moment) as f64 * step;
    let (first, last) = (moments.first().copied().unwrap_or(0), moments.last().copied().unwrap_or(0));
    let is_near = |mark: &&Mark| mark.begin <= last && mark.end.unwrap_or(mark.begin) >= first;
    let faults: Vec<&Mark> = faults.iter().filter(is_near).collect();
    let height = LANE * lanes.len() as f64 + 12.0;
    let mut canvas = Canvas::new(WIDTH, height + if faults.is_empty() { 0.0 } else { 16.0 });
    for mark in faults {
        let begin = at(mark.begin.max(first));
        let wide = mark.end.map_or(2.0, |end| (at(end) - begin).max(2.0));
        canvas.open("", &mark.text);
        canvas.rect((begin, 0.0), (wide, height), if mark.end.is_some() { "fault" } else { "fault at-once" });
        canvas.close();
        canvas.text((begin, height + 10.0), Anchor::Start, "bar-label", &shortened(&mark.text, 40));
    }
    for (index, lane) in lanes.iter().enumerate() {
        let middle = LANE * (index as f64 + 0.5) + 6.0;
        canvas.line((LEFT, middle), (RIGHT, middle), "lane");
        let name = format!("process {}", shortened(lane, 10));
        canvas.text((LEFT - 8.0, middle + 4.0), Anchor::End, "lane-label", &name);
        for bar in bars.iter().filter(|bar| bar.lane == *lane) {
            let begin = at(bar.begin);
            let end = bar.end.map_or(RIGHT, at).max(begin + 2.0);
            let class = match (bar.marked, bar.end) {
                (true, Some(_)) => "bar wrong",
                (true, None) => "bar wrong unknown",
                (false, Some(_)) => "bar",
                (false, None) => "bar unknown",
            };
            canvas.open("", &format!("{}: {}", bar.name, bar.text));
            canvas.rect((begin, middle - 7.0), (end - begin, 14.0), class);
            canvas.close();
            if labels || bar.marked {
                canvas.text((begin, middle - 9.0), Anchor::Start, "bar-label", &shortened(&bar.text, 60));
            }
        }
    }
    canvas.finish("space-time", "operations of each process over the order of events")
}
