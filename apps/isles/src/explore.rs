//! `isles explore` and `isles replay`.

use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use isles_explorations::plan::{Plan, Value};
use isles_explorations::planted::{Bound, Strategy, called, examine, table};
use isles_explorations::{CaseError, Found, Outcome as Explored, Ready, Shown, Watcher, saved};
use isles_explore::Progress;

use crate::args::{ExploreArgs, ReplayArgs};
use crate::{Failure, Outcome, print, threads};

/// Explores.
///
/// # Errors
/// When there is no such exploration, or it cannot be as it was asked for; when a file cannot be written.
pub(crate) fn run(args: &ExploreArgs) -> Result<Outcome, Failure> {
    if let Some(word) = &args.planted {
        return planted(word, args.seconds);
    }
    let ready = Ready::new(plan(args)?).map_err(|error| Failure::Input(error.to_string()))?;
    let plan = ready.plan().clone();
    if let Some(folder) = &args.out {
        std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
    }
    let (explored, seconds) = timed(ready, args)?;
    if args.json {
        print(&json(&explored, seconds)?)?;
    } else {
        print(&text(&plan, &explored, seconds, args.coverage))?;
    }
    if let Some(folder) = &args.out {
        let written = write(folder, &explored)?;
        if !args.json {
            print(&written)?;
        }
    }
    Ok(match (explored.failure(), explored.proof) {
        (Some(_), _) => Outcome::Bad,
        (None, true) => Outcome::Good,
        (None, false) => Outcome::Unknown,
    })
}

/// Seeks planted bugs, and prints the table.
fn planted(word: &str, seconds: Option<u64>) -> Result<Outcome, Failure> {
    let bound = Bound { states: 20_000_000, behaviours: 200_000, seconds: seconds.unwrap_or(60) as f64 };
    let mut rows = Vec::new();
    for bug in called(word) {
        if std::io::stderr().is_terminal() {
            tell(bug.name);
        }
        rows.push(examine(bug, &Strategy::ALL, bound, 1));
    }
    if std::io::stderr().is_terminal() {
        tell("");
    }
    if rows.is_empty() {
        return Err(Failure::Input(format!("no planted bug has '{word}' in its name")));
    }
    print(&table(&rows))?;
    let good = rows.iter().all(|row| row.is_found() && row.is_survived());
    Ok(if good { Outcome::Good } else { Outcome::Bad })
}

/// What the command line says, over what the file says.
fn plan(args: &ExploreArgs) -> Result<Plan, Failure> {
    let mut set = Vec::new();
    for assignment in &args.params {
        let (name, value) = assignment
            .split_once('=')
            .ok_or_else(|| Failure::Input(format!("'{assignment}' is not of the form PARAM=VALUE")))?;
        set.push((format!("parameters.{name}"), quoted(value)));
    }
    for assignment in &args.set {
        let (path, value) = assignment
            .split_once('=')
            .ok_or_else(|| Failure::Input(format!("--set {assignment} is not of the form FIELD=VALUE")))?;
        set.push((path.to_owned(), value.to_owned()));
    }
    for (field, value) in args.search.fields() {
        set.push((format!("search.{field}"), value));
    }
    let name = args.exploration.as_deref().unwrap_or_default();
    let path = Path::new(name);
    if path.extension().is_none() && !path.is_file() {
        return Plan::named(name, &set).map_err(|error| Failure::Input(error.to_string()));
    }
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::Input(format!("cannot read {}: {error}", path.display())))?;
    Plan::read(&text, &set).map_err(|error| Failure::Input(format!("{}: {error}", path.display())))
}

/// A parameter as TOML.
fn quoted(value: &str) -> String {
    match Value::read(value) {
        Value::Number(number) => number.to_string(),
        Value::Word(word) => format!("{word:?}"),
    }
}

#[expect(clippy::disallowed_methods, reason = "how long a search takes is about this machine")]
fn timed(ready: Ready, args: &ExploreArgs) -> Result<(Explored, f64), Failure> {
    let begin = Instant::now();
    let watcher = watcher(begin, args.seconds.map(Duration::from_secs));
    let explored = ready.search(threads(args.threads), args.resume, watcher).map_err(|error| {
        let on_disk = matches!(error, CaseError::Disk(_));
        if on_disk { Failure::Machine(error.to_string()) } else { Failure::Input(error.to_string()) }
    })?;
    if std::io::stderr().is_terminal() {
        tell("");
    }
    Ok((explored, begin.elapsed().as_secs_f64()))
}

/// Tells on a terminal how far the search is, and ends it when its time is over.
fn watcher(begin: Instant, most: Option<Duration>) -> Watcher {
    let is_seen = std::io::stderr().is_terminal();
    let mut told = begin;
    Box::new(move |Progress { states, generated, depth, frontier }| {
        let elapsed = begin.elapsed();
        if is_seen && told.elapsed() >= Duration::from_millis(200) {
            told += told.elapsed();
            let rate = states as f64 / elapsed.as_secs_f64();
            tell(&format!(
                "{} states, {} generated, depth {depth}, {} states/s, {} waiting",
                grouped(states),
                grouped(generated),
                grouped(rate as u64),
                grouped(frontier)
            ));
        }
        if most.is_some_and(|most| elapsed >= most) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })
}

/// Replaces the line on the terminal.
fn tell(line: &str) {
    // Whether progress is seen does not matter for what is found.
    let _ = write!(std::io::stderr(), "\r\x1b[K{line}");
    let _ = std::io::stderr().flush();
}

/// A number in groups of three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

fn text(plan: &Plan, explored: &Explored, seconds: f64, coverage: bool) -> String {
    let mut text = plan.exploration.clone();
    for (number, (name, value)) in plan.parameters.iter().enumerate() {
        text.push_str(&format!("{} {name}={value}", if number == 0 { ":" } else { "," }));
    }
    let rate = explored.states as f64 / seconds.max(1e-9);
    text.push_str(&format!(
        "\n{}\n{seconds:.2} s, {} states/s; {} local states, handlers ran {} times\n",
        explored.summary,
        grouped(rate as u64),
        grouped(explored.locals),
        grouped(explored.handler_steps),
    ));
    if coverage {
        text.push_str(&format!("\n{}\n", explored.coverage));
    } else {
        let never: Vec<String> =
            explored.coverage.never().map(|row| format!("{} {}", row.sort.name(), row.kind)).collect();
        if !never.is_empty() {
            text.push_str(&format!("never met: {}\n", never.join(", ")));
        }
    }
    if let Some(Found { property, shown, .. }) = explored.failure() {
        text.push_str(&format!("\n{property}:\n"));
        if let Some(Shown { text: steps, diagram, .. }) = shown {
            text.push_str(&format!("{steps}\n{diagram}"));
        }
    }
    text
}

fn json(explored: &Explored, seconds: f64) -> Result<String, Failure> {
    #[derive(serde::Serialize)]
    struct Line<'a> {
        seconds: f64,
        #[serde(flatten)]
        explored: &'a Explored,
    }
    serde_json::to_string(&Line { seconds, explored }).map_err(|error| Failure::Machine(error.to_string()))
}

/// Writes all behaviours in all forms, and says which.
fn write(folder: &Path, explored: &Explored) -> Result<String, Failure> {
    let mut told = String::new();
    for Found { property, shown, .. } in &explored.findings {
        let Some(shown) = shown else { continue };
        let name: String = property
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
            .collect();
        save(folder, &name, shown)?;
        told.push_str(&format!("{property}: {}\n", folder.join(format!("{name}.html")).display()));
    }
    Ok(if told.is_empty() { "no behaviour to write".to_owned() } else { told })
}

fn save(folder: &Path, name: &str, shown: &Shown) -> Result<(), Failure> {
    let Shown { svg, html, mermaid, shiviz, saved, text: steps, .. } = shown;
    let forms = [
        ("jsonl", saved),
        ("html", html),
        ("svg", svg),
        ("mmd", mermaid),
        ("shiviz", shiviz),
        ("txt", steps),
    ];
    for (ending, content) in forms {
        let path = folder.join(format!("{name}.{ending}"));
        std::fs::write(&path, content).map_err(|error| unwritable(&path, &error))?;
    }
    Ok(())
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Machine(format!("cannot write {}: {error}", path.display()))
}

/// Replays a saved behaviour, here and in the simulator.
///
/// # Errors
/// When the file is none, or a step is not possible or has another outcome than is written.
pub(crate) fn replay(args: &ReplayArgs) -> Result<Outcome, Failure> {
    if args.files.iter().any(|file| file.extension().is_some_and(|extension| extension == "isles")) {
        return crate::node::replay(args);
    }
    let [file] = &args.files[..] else {
        return Err(Failure::Input(
            "one behaviour at a time; several files are recordings of nodes, which end in .isles".to_owned(),
        ));
    };
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::Input(format!("cannot read {}: {error}", file.display())))?;
    let (plan, replayed) =
        saved::replay(&text).map_err(|error| Failure::Input(format!("{}: {error}", file.display())))?;
    let is_shown = replayed.is_shown();
    let word = if is_shown { "shown again" } else { "NOT shown" };
    let decided = match replayed.decided.is_empty() {
        true => "its last state decides nothing".to_owned(),
        false => format!("its last state decides: {}", replayed.decided.join(", ")),
    };
    print(&format!(
        "{}: {}: {word}; {decided}\nthe same in the simulator, step by step (digest {:032x})\n\n{}\n{}",
        plan.exploration, replayed.property, replayed.simulated, replayed.shown.text, replayed.shown.diagram
    ))?;
    if let Some(path) = &args.html {
        std::fs::write(path, &replayed.shown.html).map_err(|error| unwritable(path, &error))?;
    }
    Ok(if is_shown { Outcome::Good } else { Outcome::Bad })
}
