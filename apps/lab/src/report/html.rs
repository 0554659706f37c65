//! `report.html`: one page that needs nothing but itself.

use super::chart::{self, Drawn, LegendEntry, Palette};
use super::condense::condensed;
use super::data::{Check, Figure, Report, Summary, Traffic, Unit};
use super::format::{counted, escape, exact, quantity, range};
use super::picture::{NodeState, SpaceTime, Topology};
use super::scale::Scale;
use super::space_time;
use super::svg::Canvas;
use super::topology;

pub(super) const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// What the page may load: nothing. A browser holds it to that whatever a title may contain.
pub(super) const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'";

/// Three islands and the sea.
pub(super) const MARK: &str = "<svg viewBox=\"0 0 24 24\" aria-hidden=\"true\"><path d=\"M3 15a5 5 0 0 1 9 0zM11 \
    11a3.5 3.5 0 0 1 6.500 0zM14 16a3.500 3.500 0 0 1 6.500 0zM2 18.500h20v1.600H2z\"/></svg>";

/// The whole page. `files` are the names of the other files in the folder, to be linked.
pub fn render(report: &Report, files: &[String]) -> String {
    let report = condensed(report);
    let palette = Palette { kinds: report.traffic.iter().map(|one| one.kind.clone()).collect() };
    let sections = [
        header(&report),
        "<main>".to_owned(),
        setup(&report),
        figures(&report.figures),
        checks(&report.checks),
        charts(&report, &palette),
        traffic(&report.traffic, &palette),
        report.topology.as_ref().map_or_else(String::new, topology_section),
        report.space_time.as_ref().map_or_else(String::new, |diagram| space_time_section(diagram, &palette)),
        notes(&report.notes),
        scenario(&report.scenario),
        footer(files),
        "</main>".to_owned(),
    ];
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\
         <title>{} · isles</title><style>{STYLE}</style></head><body>\n{}\n<script>{SCRIPT}</script></body></html>\n",
        escape(&report.title),
        sections.join("\n"),
    )
}

fn header(report: &Report) -> String {
    format!(
        "<header class=\"top\"><div class=\"brand\">{MARK} isles\
         <button id=\"theme\" type=\"button\" hidden>light / dark</button></div>\
         <h1>{}</h1><p class=\"question\">{}</p><div class=\"facts\">{}<span>{}</span></div></header>",
        escape(&report.title),
        escape(&report.question),
        pill(report),
        seeds(&report.seeds),
    )
}

/// The verdict over all checks.
fn pill(report: &Report) -> String {
    let Some((verdict, text)) = report.tally().verdict() else { return String::new() };
    format!("<span class=\"pill {}\">{} {text}</span>", verdict.word(), verdict.sign())
}

fn seeds(seeds: &[u64]) -> String {
    let shown: Vec<String> = seeds.iter().take(12).map(u64::to_string).collect();
    let more = if seeds.len() > shown.len() { " …" } else { "" };
    if seeds.is_empty() {
        return String::new();
    }
    format!("{}: {}{more}", counted(seeds.len(), "seed"), shown.join(", "))
}

/// A heading and what is below it; nothing if there is nothing.
fn section(title: &str, body: &str) -> String {
    if body.is_empty() { String::new() } else { format!("<section><h2>{title}</h2>{body}</section>") }
}

fn help(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("<p class=\"help\">{}</p>", escape(text)) }
}

/// A line of a check's detail; a word before a colon stands out.
fn detail(line: &str) -> String {
    match line.split_once(": ") {
        Some((term, rest)) if !term.contains(' ') => {
            format!("<p class=\"help\"><b>{}</b> {}</p>", escape(term), escape(rest))
        }
        _ => help(line),
    }
}

fn setup(report: &Report) -> String {
    if report.setup.is_empty() {
        return String::new();
    }
    let mut rows = String::new();
    for setting in &report.setup {
        let (name, value) = (escape(&setting.name), escape(&setting.value));
        let note = if setting.note.is_empty() {
            String::new()
        } else {
            format!("<small>{}</small>", escape(&setting.note))
        };
        rows.push_str(&format!("<div><dt>{name}</dt><dd>{value}{note}</dd></div>"));
    }
    section("Set-up", &format!("<dl class=\"card setup\">{rows}</dl>"))
}

fn figures(figures: &[Figure]) -> String {
    if figures.is_empty() {
        return String::new();
    }
    let cards: String = figures.iter().map(figure_card).collect();
    section("Figures", &format!("<div class=\"figures\">{cards}</div>"))
}

fn figure_card(figure: &Figure) -> String {
    let shown = figure.summary.map(|summary| figure.show(summary.median));
    let value = shown.map_or_else(
        || "–".to_owned(),
        |shown| {
            let unit = if shown.unit.is_empty() {
                String::new()
            } else {
                format!(" <small>{}</small>", escape(&shown.unit))
            };
            format!("{}{unit}", escape(&shown.number))
        },
    );
    let range = match figure.summary {
        Some(summary) if figure.per_seed.len() > 1 => spread(figure, summary),
        Some(_) | None => String::new(),
    };
    format!(
        "<div class=\"card figure-card\"><div class=\"name\">{}</div><div class=\"value\">{value}</div>{range}{}</div>",
        escape(&figure.name),
        help(&figure.help),
    )
}

/// The seeds as dots on a line, and the ends in words.
fn spread(figure: &Figure, summary: Summary) -> String {
    let ends = escape(&range(summary.min, summary.max, &figure.unit));
    let words = if summary.min == summary.max {
        "the same for every seed".to_owned()
    } else if figure.per_seed.len() >= 20 {
        format!("{ends}, p95 {}", escape(&figure.show(summary.p95).to_string()))
    } else {
        ends
    };
    let mut canvas = Canvas::new(200.0, 14.0);
    let values = || figure.per_seed.iter().map(|one| one.value);
    let scale = Scale::fitting(values(), false, false, true, (6.0, 194.0));
    canvas.line((2.0, 7.0), (198.0, 7.0), "track");
    if summary.min < summary.max {
        values()
            .take(200)
            .filter_map(|value| scale.place(value))
            .for_each(|x| canvas.circle((x, 7.0), 3.5, "seed"));
    }
    if let Some(x) = scale.place(summary.median) {
        canvas.line((x, 1.0), (x, 13.0), "median");
    }
    let strip = canvas.finish("strip", "one dot per seed, the bar is the median");
    format!("{strip}<div class=\"range\">{words}</div>")
}

fn checks(checks: &[Check]) -> String {
    if checks.is_empty() {
        return String::new();
    }
    let in_numbers = checks.iter().any(|check| check.measured.is_some() || check.bound.is_some());
    let mut rows = String::new();
    for check in checks {
        let (sign, word) = (check.verdict.sign(), check.verdict.word());
        let numbers = [check.measured_text(), check.bound_text()];
        let numbers = numbers.map(|text| format!("<td class=\"number\">{}</td>", escape(&text))).concat();
        rows.push_str(&format!(
            "<tr><td class=\"check\">{}{}</td>{}<td class=\"verdict {word}\">{sign} {word}</td></tr>",
            escape(&check.name),
            check.detail.lines().map(detail).collect::<String>(),
            if in_numbers { &numbers } else { "" },
        ));
    }
    let numbers = "<th class=\"number\">measured</th><th class=\"number\">expected</th>";
    let head = format!("<tr><th>check</th>{}<th>verdict</th></tr>", if in_numbers { numbers } else { "" });
    let table = format!("<table class=\"checks\"><thead>{head}</thead><tbody>{rows}</tbody></table>");
    section("Checks", &format!("<div class=\"card scroll\">{table}</div>"))
}

fn charts(report: &Report, palette: &Palette) -> String {
    let over_time =
        report.charts.iter().map(|one| chart_card(&one.title, &one.help, &chart::draw(one, palette)));
    let mut curves: String = over_time.collect();
    if report.seeds.len() > 1
        && report.charts.iter().any(|chart| chart.lines.iter().any(|line| !line.band.is_empty()))
    {
        curves.push_str("<p class=\"help\">Lines are the median over the seeds, bands reach from the least to the greatest.</p>");
    }
    let distributions: String = report
        .distributions
        .iter()
        .map(|one| chart_card(&one.title, &one.help, &chart::draw_distribution(one, palette)))
        .collect();
    let grid =
        |cards: String| if cards.is_empty() { cards } else { format!("<div class=\"charts\">{cards}</div>") };
    section("Charts", &grid(curves)) + &section("Distributions", &grid(distributions))
}

fn chart_card(title: &str, text: &str, drawn: &Drawn) -> String {
    format!(
        "<figure class=\"card\" data-hover><figcaption><h3>{}</h3>{}</figcaption>{}<div>{}</div>\
         <script type=\"application/json\">{}</script></figure>",
        escape(title),
        help(text),
        drawn.svg,
        legend(&drawn.legend),
        drawn.hover,
    )
}

fn legend(entries: &[LegendEntry]) -> String {
    let mut items = String::new();
    for entry in entries {
        let (name, note) = (escape(&entry.name), escape(&entry.note));
        let swatch = format!("<i class=\"swatch k{}\"></i>", entry.colour);
        items.push_str(&format!("<li>{swatch}{name} <small>{note}</small></li>"));
    }
    if items.is_empty() { items } else { format!("<ul class=\"legend\">{items}</ul>") }
}

fn traffic(traffic: &[Traffic], palette: &Palette) -> String {
    if traffic.is_empty() {
        return String::new();
    }
    let most = |value: fn(&Traffic) -> u64| traffic.iter().map(value).max().unwrap_or(0).max(1) as f64;
    let (messages, bytes) = (most(|one| one.messages), most(|one| one.bytes));
    let bar = |value: u64, most: f64, colour: usize| {
        format!(
            "<td class=\"meter\"><i class=\"k{colour}\" style=\"width:{:.1}%\"></i></td>",
            value as f64 / most * 100.0
        )
    };
    let mut rows = String::new();
    for (index, one) in traffic.iter().enumerate() {
        let colour = palette.colour(index, &one.kind);
        rows.push_str(&format!(
            "<tr><td>{}</td><td class=\"number\">{}</td>{}<td class=\"number\">{}</td>{}</tr>",
            escape(&one.kind),
            exact(one.messages),
            bar(one.messages, messages, colour),
            escape(&quantity(one.bytes as f64, &Unit::Bytes).to_string()),
            bar(one.bytes, bytes, colour),
        ));
    }
    let head = "<tr><th>kind</th><th class=\"number\">messages</th><th></th><th class=\"number\">bytes</th><th></th></tr>";
    let table = format!("<table><thead>{head}</thead><tbody>{rows}</tbody></table>");
    section("Messages by kind", &format!("<div class=\"card scroll\">{table}</div>"))
}

fn topology_section(graph: &Topology) -> String {
    let crashed = if graph.nodes_crashed == 0 {
        String::new()
    } else {
        format!(", {} crashed", exact(graph.nodes_crashed as u64))
    };
    let size = format!(
        "{} up{crashed}, {}.",
        counted(graph.nodes_up, "process"),
        counted(graph.edges, "connection")
    );
    let caption =
        format!("<h3>{}</h3>{}<p class=\"help\">{size}</p>", escape(&graph.title), help(&graph.help));
    let degrees = chart::draw_distribution(&topology::degrees(graph), &Palette::default());
    let card = |class: &str, body: &str| format!("<figure class=\"card {class}\"{body}</figure>");
    let body = match topology::draw(graph) {
        Some(svg) => {
            let legend = topology_legend(graph);
            card(
                "wide",
                &format!("><figcaption>{caption}</figcaption><div class=\"scroll\">{svg}</div>{legend}"),
            )
        }
        None => {
            let (svg, hover) = (&degrees.svg, &degrees.hover);
            let script = format!("<script type=\"application/json\">{hover}</script>");
            card("", &format!(" data-hover><figcaption>{caption}</figcaption>{svg}{script}"))
        }
    };
    section("Topology", &format!("<div class=\"charts\">{body}</div>"))
}

fn topology_legend(graph: &Topology) -> String {
    let Some(drawing) = &graph.drawing else { return String::new() };
    let mut items = String::new();
    let mut item = |drawn: &str, text: &str| {
        let key = format!("<svg class=\"key\" viewBox=\"-9 -8 18 16\" aria-hidden=\"true\">{drawn}</svg>");
        items.push_str(&format!("<li>{key}{}</li>", escape(text)));
    };
    let groups = topology::groups(drawing);
    for (name, colour) in groups.iter().take(24) {
        item(&format!("<circle class=\"up k{colour}\" r=\"6\"/>"), name);
    }
    let has = |state| drawing.nodes.iter().any(|node| node.state == state);
    if groups.is_empty() && has(NodeState::Up) {
        item("<circle class=\"up k0\" r=\"6\"/>", "process");
    }
    if has(NodeState::Source) {
        item("<circle class=\"source-ring\" r=\"6\"/>", "source");
    }
    if has(NodeState::Crashed) {
        item(
            "<circle class=\"crashed\" r=\"6\"/><path class=\"crashed-cross\" d=\"M-3 -3L3 3M-3 3L3 -3\"/>",
            "crashed",
        );
    }
    if has(NodeState::Traitor) {
        item("<rect class=\"traitor\" x=\"-5\" y=\"-5\" width=\"10\" height=\"10\"/>", "traitor");
    }
    if drawing.edges.iter().any(|edge| edge.tree) {
        item("<path class=\"link tree\" d=\"M-9 0h18\"/>", "in the broadcast tree");
    }
    if drawing.edges.iter().any(|edge| !edge.tree) {
        item("<path class=\"link\" d=\"M-9 0h18\"/>", "other connection");
    }
    format!("<ul class=\"legend\">{items}</ul>")
}

fn space_time_section(diagram: &SpaceTime, palette: &Palette) -> String {
    let drawn = space_time::draw(diagram, palette);
    let body = format!(
        "<figure class=\"card\"><figcaption><h3>{}</h3>{}{}</figcaption>\
         <div class=\"scroll\">{}</div>{}{}</figure>",
        escape(&diagram.title),
        help(&diagram.help),
        help(&drawn.cut),
        drawn.svg,
        legend(&drawn.legend),
        space_time::marks_legend(diagram),
    );
    section("Space-time diagram", &body)
}

fn notes(notes: &[String]) -> String {
    let items: String = notes.iter().map(|note| format!("<li>{}</li>", escape(note))).collect();
    if items.is_empty() { items } else { section("Notes", &format!("<ul class=\"card notes\">{items}</ul>")) }
}

fn scenario(source: &str) -> String {
    if source.trim().is_empty() {
        return String::new();
    }
    let lines: Vec<String> = source.lines().map(toml_line).collect();
    let body = format!(
        "<details class=\"card long\"><summary>TOML source, {}</summary><pre>{}</pre></details>",
        counted(lines.len(), "line"),
        lines.join("\n")
    );
    section("Scenario", &body)
}

/// A line of TOML with its comment, table heading or key set off. Guesses by the line alone: it colours, no more.
fn toml_line(line: &str) -> String {
    let trimmed = line.trim_start();
    let spanned = |class: &str, text: &str| format!("<span class=\"{class}\">{}</span>", escape(text));
    if trimmed.starts_with('#') {
        return spanned("comment", line);
    }
    if trimmed.starts_with('[') && trimmed.trim_end().ends_with(']') && !trimmed.contains('=') {
        return spanned("table", line);
    }
    let key = line.split_once('=').filter(|(key, _)| !key.contains(['"', '\'', '{', '[']));
    let Some((key, value)) = key else { return escape(line) };
    let (value, comment) = match value.find(" #") {
        // A quote before or after may mean that the # is text.
        Some(at) if !value[at..].contains(['"', '\'']) => value.split_at(at),
        Some(_) | None => (value, ""),
    };
    let comment = if comment.is_empty() { String::new() } else { spanned("comment", comment) };
    format!("{}={}{comment}", spanned("key-name", key), escape(value))
}

fn footer(files: &[String]) -> String {
    let links: Vec<String> =
        files.iter().map(|name| format!("<a href=\"./{0}\">{0}</a>", escape(name))).collect();
    let others =
        if links.is_empty() { String::new() } else { format!(" Beside this page: {}.", links.join(", ")) };
    format!("<footer>All times are virtual.{others}</footer>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::data::{
        Axis, Chart, Distribution, Landmark, Line, Relation, Sample, Setting, Unit, Verdict, View,
    };
    use crate::report::picture::{Edge, Fate, Message, Moment, MomentKind, Node};

    const HOSTILE: &str =
        "</script></style></title><script>alert('x')</script><img src=x onerror=\"alert(1)\">";

    /// A report in which every text is an attack.
    fn hostile() -> Report {
        let text = || HOSTILE.to_owned();
        let unit = || Unit::named(HOSTILE);
        let axis = || Axis::new(HOSTILE, unit());
        let line = |seed| Line {
            name: text(),
            seed: Some(seed),
            points: vec![(0.0, 1.0), (1.0, 2.0)],
            band: vec![],
        };
        let node = || Node { label: text(), group: text(), ..Node::default() };
        let other = Node { label: text(), group: format!("{HOSTILE}2"), ..Node::default() };
        Report {
            title: text(),
            question: text(),
            scenario: format!("# {HOSTILE}\n[{HOSTILE}]\n{HOSTILE} = 1 # {HOSTILE}\nname = '{HOSTILE}'"),
            setup: vec![Setting { name: text(), value: text(), note: text() }],
            seeds: vec![1, 2],
            figures: vec![Figure::new(HOSTILE, unit(), HOSTILE, &[(1, 1.0), (2, 3.0)])],
            checks: vec![Check {
                name: text(),
                measured: Some(1.0),
                relation: Relation::Equal,
                bound: Some(2.0),
                unit: unit(),
                verdict: Verdict::Fails,
                detail: text(),
            }],
            charts: vec![Chart {
                help: text(),
                x: axis(),
                lines: vec![line(1), line(2), Line { name: format!("{HOSTILE}2"), ..line(1) }],
                events: vec![Landmark { at: 0.5, label: text() }],
                levels: vec![Landmark { at: 1.5, label: text() }],
                ..Chart::over_time(HOSTILE, axis())
            }],
            distributions: [View::Bars, View::Cumulative]
                .map(|view| Distribution {
                    title: text(),
                    help: text(),
                    axis: axis(),
                    view,
                    samples: vec![Sample { name: text(), counts: vec![(1.0, 2)] }],
                })
                .to_vec(),
            traffic: vec![Traffic { kind: text(), messages: 1, bytes: 2 }],
            topology: Some(Topology::new(
                HOSTILE,
                HOSTILE,
                vec![node(), other],
                vec![Edge { from: 0, to: 1, tree: true }],
                true,
            )),
            space_time: Some(SpaceTime {
                title: text(),
                help: text(),
                lanes: vec![text(), text()],
                messages: vec![Message { kind: text(), from: 0, to: 1, sent: 0.0, fate: Fate::Arrived(1.0) }],
                moments: vec![Moment { lane: 0, at: 0.0, kind: MomentKind::Note, label: text() }],
            }),
            notes: vec![text()],
        }
    }

    #[test]
    fn no_text_from_outside_becomes_markup() {
        let report = hostile();
        let page = render(&report, &[HOSTILE.to_owned()]);
        // What the page itself has: its own script, and one block of data per chart.
        assert_eq!(page.matches("<script>").count(), 1);
        assert_eq!(page.matches("<script type=\"application/json\">").count(), 3);
        assert_eq!(page.matches("<script").count(), page.matches("</script>").count());
        assert_eq!(page.matches("</style>").count(), 1);
        assert!(!page.contains("<img"));
        // The control: the texts are there, made harmless.
        assert!(page.matches("&lt;img src=x onerror=&quot;").count() > 25);
    }

    #[test]
    fn the_data_of_each_chart_is_json() {
        let page = render(&hostile(), &[]);
        let blocks = page.split("<script type=\"application/json\">").skip(1);
        for block in blocks {
            let (json, _) = block.split_once("</script>").unwrap();
            let value: serde_json::Value = serde_json::from_str(json).unwrap();
            assert_eq!(value["lines"][0]["name"], HOSTILE);
        }
    }

    #[test]
    fn the_page_loads_nothing() {
        let page = render(&hostile(), &[]);
        // Attributes that load or lead elsewhere; inside escaped text they are preceded by no markup.
        for attribute in ["<link", "<iframe", "@import", "url(", "src=\"", "http://", "https://"] {
            let found = page.replace("http://www.w3.org/2000/svg", "").contains(attribute);
            assert!(!found, "{attribute}");
        }
    }

    #[test]
    fn an_empty_report_is_a_page_without_sections() {
        let page = render(&Report::default(), &[]);
        assert!(page.starts_with("<!DOCTYPE html>") && !page.contains("<section>"));
        assert_eq!(render(&hostile(), &[]).matches("<section>").count(), 10);
    }

    #[test]
    fn toml_is_coloured_and_otherwise_left_alone() {
        assert_eq!(toml_line("# a"), "<span class=\"comment\"># a</span>");
        assert_eq!(toml_line("[links]"), "<span class=\"table\">[links]</span>");
        let key = "<span class=\"key-name\">loss </span>= 0.01";
        assert_eq!(toml_line("loss = 0.01"), key);
        assert_eq!(toml_line("loss = 0.01 # why"), format!("{key}<span class=\"comment\"> # why</span>"));
        assert!(!toml_line("name = \"a # b\"").contains("comment"));
    }
}
