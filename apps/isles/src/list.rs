//! `isles list`.

use isles_explorations::{EXPLORATIONS, Exploration, Parameter};
use isles_lab::claims;
use isles_lab::registry::params::Param;
use isles_lab::registry::topologies::TOPOLOGIES;
use isles_lab::registry::{Entry, FAMILIES, Family};
use isles_lab::scenario::library::SCENARIOS;
use owo_colors::{OwoColorize, Stream};
use serde_json::json;

use crate::args::{ListArgs, Topic};
use crate::{Failure, Outcome, print};

/// Lists what was asked for.
///
/// # Errors
/// When standard output cannot be written.
pub(crate) fn run(args: &ListArgs) -> Result<Outcome, Failure> {
    let wanted = |topic: Topic| args.topic == topic || args.topic == Topic::All;
    if wanted(Topic::Scenarios) {
        scenarios(args.json)?;
    }
    if wanted(Topic::Protocols) {
        for part in FAMILIES.iter().flat_map(|family| family.parts) {
            protocols(part.table, part.entries, args.json)?;
        }
    }
    if wanted(Topic::Topologies) {
        topologies(args.json)?;
    }
    if wanted(Topic::Measures) {
        for family in FAMILIES {
            measures(family, args.json)?;
        }
    }
    if wanted(Topic::Explorations) {
        explorations(args.json)?;
    }
    if wanted(Topic::Claims) {
        list_claims(args.json)?;
    }
    Ok(Outcome::Good)
}

fn heading(text: &str) -> Result<(), Failure> {
    print(&format!("{}", text.if_supports_color(Stream::Stdout, |text| text.bold())))
}

fn scenarios(as_json: bool) -> Result<(), Failure> {
    if !as_json {
        heading("Scenarios, for `isles run NAME`")?;
    }
    for shipped in SCENARIOS {
        let title = shipped.title();
        if as_json {
            print(&json!({ "scenario": shipped.name, "title": title }).to_string())?;
        } else {
            print(&format!("  {:<24} {title}", shipped.name))?;
        }
    }
    if as_json { Ok(()) } else { print(" ") }
}

fn protocols(kind: &str, entries: &[Entry], as_json: bool) -> Result<(), Failure> {
    if !as_json {
        heading(&format!("{kind} protocols, for `name` in [{kind}], with their parameters"))?;
    }
    for entry in entries {
        with_parameters(kind, (entry.name, entry.doc), entry.params, as_json)?;
    }
    if as_json { Ok(()) } else { print(" ") }
}

fn topologies(as_json: bool) -> Result<(), Failure> {
    if !as_json {
        heading("Topologies, for `kind` in [topology] and `isles graph gen`, with their parameters")?;
    }
    for topology in TOPOLOGIES {
        with_parameters("topology", (topology.name, topology.doc), topology.params, as_json)?;
    }
    if as_json { Ok(()) } else { print(" ") }
}

fn with_parameters(
    kind: &str,
    (name, doc): (&str, &str),
    params: &[Param],
    as_json: bool,
) -> Result<(), Failure> {
    if as_json {
        let described = |param: &Param| json!({ "name": param.name, "takes": param.kind.describe(), "default": param.default, "doc": param.doc });
        let params: Vec<_> = params.iter().map(described).collect();
        return print(&json!({ "kind": kind, "name": name, "doc": doc, "parameters": params }).to_string());
    }
    print(&format!("  {:<18} {doc}", name.if_supports_color(Stream::Stdout, |name| name.bold())))?;
    for param in params {
        let default = format!("{} (default {})", param.kind.describe(), param.default);
        print(&format!("    {:<18} {default:<42} {}", param.name, param.doc))?;
    }
    Ok(())
}

fn measures(family: &Family, as_json: bool) -> Result<(), Failure> {
    let tables: Vec<&str> = family.parts.iter().map(|part| part.table).collect();
    if !as_json {
        heading(&format!(
            "Measures, for `measure` in [[checks]] of scenarios with [{}]",
            tables.join("] and [")
        ))?;
    }
    for measure in (family.measures)() {
        let unit = (measure.unit)();
        if as_json {
            print(
                &json!({ "measure": measure.name, "of": tables, "unit": unit.symbol(), "doc": measure.help })
                    .to_string(),
            )?;
        } else {
            print(&format!("  {:<24} {:<10} {}", measure.name, unit.symbol(), measure.help))?;
        }
    }
    if as_json { Ok(()) } else { print(" ") }
}

fn explorations(as_json: bool) -> Result<(), Failure> {
    if !as_json {
        heading("Explorations, for `isles explore NAME`, with their parameters")?;
    }
    for Exploration { name, about, source, parameters, .. } in EXPLORATIONS {
        if as_json {
            let described = |Parameter { name, about, takes }: &Parameter| json!({ "name": name, "takes": takes.describe(), "doc": about });
            let parameters: Vec<_> = parameters.iter().map(described).collect();
            print(
                &json!({ "exploration": name, "doc": about, "source": source, "parameters": parameters })
                    .to_string(),
            )?;
            continue;
        }
        print(&format!("  {:<18} {about}", name.if_supports_color(Stream::Stdout, |name| name.bold())))?;
        for Parameter { name, about, takes } in *parameters {
            print(&format!("    {name:<18} {:<42} {about}", takes.describe()))?;
        }
    }
    if as_json { Ok(()) } else { print(" ") }
}

fn list_claims(as_json: bool) -> Result<(), Failure> {
    if !as_json {
        heading("Claims, for `isles claims ID`")?;
    }
    for claim in claims::all() {
        if as_json {
            let line = json!({ "id": claim.id, "statement": claim.statement, "control": claim.control, "source": claim.source });
            print(&line.to_string())?;
        } else {
            print(&format!("  {}  {}", claim.id, claim.statement))?;
        }
    }
    Ok(())
}
