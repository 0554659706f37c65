//! What no compiler checks: sizes, floors, names, and what must not be written.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::repository::{files, output};

/// Lines of a file, its unit tests left out.
pub const FILE_LINES_MAX: usize = 600;
/// Lines of a function.
pub const FUNCTION_LINES_MAX: usize = 70;
/// Exceptions: `path file N` or `path function N`. Numbers may only shrink.
pub const RATCHET: &str = "xtask/ratchet.txt";

/// Checks the working tree at `root`.
///
/// # Errors
/// All that is not tidy.
pub fn run(root: &Path) -> Result<()> {
    let files = files(root)?;
    let mut flaws = String::new();
    sizes(root, &files, &mut flaws)?;
    words(root, &files, &mut flaws)?;
    floors(root, &mut flaws)?;
    protocols(root, &files, &mut flaws)?;
    if flaws.is_empty() { Ok(()) } else { bail!("not tidy:\n{flaws}") }
}

/// Files and functions keep their sizes, or the exception that is listed.
fn sizes(root: &Path, files: &[PathBuf], flaws: &mut String) -> Result<()> {
    let listed = std::fs::read_to_string(root.join(RATCHET)).unwrap_or_default();
    let mut allowed: BTreeMap<(String, String), usize> = BTreeMap::new();
    for line in listed.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        match fields.as_slice() {
            [path, kind, number] => {
                allowed.insert(
                    (path.to_string(), kind.to_string()),
                    number.parse().context("the ratchet has a number that is none")?,
                );
            }
            _ => bail!("{RATCHET}: '{line}' is not 'path file|function number'"),
        }
    }
    for path in rust(files) {
        let text = std::fs::read_to_string(root.join(path))?;
        let name = path.to_string_lossy();
        let measured = [
            ("file", file_lines(&text), FILE_LINES_MAX),
            ("function", longest_function(&text), FUNCTION_LINES_MAX),
        ];
        for (kind, lines, most) in measured {
            match allowed.remove(&(name.to_string(), kind.to_owned())) {
                Some(exception) if lines > exception => {
                    writeln!(
                        flaws,
                        "{name}: its longest {kind} has {lines} lines, and had {exception}: split it"
                    )?;
                }
                Some(exception) if lines < exception => {
                    writeln!(
                        flaws,
                        "{name}: its longest {kind} has shrunk to {lines} lines: write that into {RATCHET}"
                    )?;
                }
                None if lines > most => {
                    writeln!(flaws, "{name}: its longest {kind} has {lines} lines, at most {most}")?;
                }
                Some(_) | None => {}
            }
        }
    }
    for (path, _) in allowed.keys() {
        writeln!(flaws, "{RATCHET}: there is no {path}")?;
    }
    Ok(())
}

fn rust(files: &[PathBuf]) -> impl Iterator<Item = &PathBuf> {
    let counts = |path: &&PathBuf| {
        path.extension().is_some_and(|extension| extension == "rs")
            && !path.components().any(|part| part.as_os_str() == "tests")
    };
    files.iter().filter(counts)
}

/// Lines before the unit tests.
pub fn file_lines(text: &str) -> usize {
    text.lines().take_while(|line| *line != "#[cfg(test)]").count()
}

/// Lines of the longest function before the unit tests, from its `fn` to its closing brace: the formatter puts that
/// at the indentation of the `fn`.
pub fn longest_function(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().take_while(|line| *line != "#[cfg(test)]").collect();
    let mut longest = 0;
    for (start, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let words: Vec<&str> = line.split_whitespace().take(5).collect();
        let is_function =
            words.contains(&"fn") && !line.trim_start().starts_with("//") && !line.trim_end().ends_with(';');
        if !is_function {
            continue;
        }
        let closing = format!("{}}}", " ".repeat(indent));
        let end = lines[start..]
            .iter()
            .position(|line| *line == closing || line.ends_with("{}") && *line == lines[start]);
        longest = longest.max(end.map_or(0, |end| end + 1));
    }
    longest
}

/// Words that must not be in tracked text.
fn words(root: &Path, files: &[PathBuf], flaws: &mut String) -> Result<()> {
    // Written in halves, so that this file does not contain them.
    let everywhere: [String; 3] =
        [["/ho", "me/"], ["/ro", "ot/"], ["/wo", "rk/"]].map(|halves| halves.concat());
    let in_code: [(String, &str); 4] = [
        (["to", "do!("].concat(), "finish it"),
        (["unimple", "mented!("].concat(), "finish it"),
        (["#[al", "low("].concat(), "use #[expect(.., reason)]"),
        (["#![al", "low("].concat(), "use #![expect(.., reason)]"),
    ];
    for path in files {
        let Ok(text) = std::fs::read_to_string(root.join(path)) else { continue };
        for (number, line) in text.lines().enumerate() {
            if let Some(word) = everywhere.iter().find(|word| line.contains(*word)) {
                writeln!(flaws, "{}:{}: '{word}' is a machine's path", path.display(), number + 1)?;
            }
            if path.extension().is_some_and(|extension| extension == "rs")
                && let Some((word, remedy)) = in_code.iter().find(|(word, _)| line.contains(word))
            {
                writeln!(flaws, "{}:{}: '{word}': {remedy}", path.display(), number + 1)?;
            }
        }
    }
    Ok(())
}

/// The floors a crate of each floor may depend on, in a build and in tests.
fn may_use(from: &str, to: &str, dev: bool) -> bool {
    match from {
        "base" => to == "base",
        "protocols" => to == "base" || to == "protocols" || dev && to == "runtimes",
        "runtimes" => to == "base" || dev && (to == "protocols" || to == "runtimes"),
        "apps" => true,
        _ => false,
    }
}

/// Dependencies point downwards, and those between protocols are listed.
fn floors(root: &Path, flaws: &mut String) -> Result<()> {
    let text =
        output(root, "cargo", &["metadata", "--no-deps", "--format-version", "1", "--offline"], false)?;
    let metadata: Value = serde_json::from_str(&text)?;
    let architecture = std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap_or_default();
    let packages = metadata["packages"].as_array().context("cargo metadata has no packages")?;
    let floor = |manifest: &str| {
        let relative = Path::new(manifest).strip_prefix(root).ok()?;
        Some(relative.components().next()?.as_os_str().to_str()?.to_owned())
    };
    let floors: BTreeMap<&str, String> = packages
        .iter()
        .filter_map(|package| Some((package["name"].as_str()?, floor(package["manifest_path"].as_str()?)?)))
        .collect();
    for package in packages {
        let Some(name) = package["name"].as_str() else { continue };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let Some(other) = dependency["name"].as_str() else { continue };
            let (Some(from), Some(to)) = (floors.get(name), floors.get(other)) else { continue };
            let dev = dependency["kind"] == "dev";
            if !may_use(from, to, dev) {
                writeln!(flaws, "{name} ({from}) must not depend on {other} ({to})")?;
            }
            if from == "protocols"
                && to == "protocols"
                && !architecture.contains(&format!("`{name}` → `{other}`"))
            {
                writeln!(flaws, "{name} depends on {other}, and ARCHITECTURE.md does not say why")?;
            }
        }
    }
    Ok(())
}

/// Each protocol crate has a front page and tests, and a row in the README.
fn protocols(root: &Path, files: &[PathBuf], flaws: &mut String) -> Result<()> {
    let readme = std::fs::read_to_string(root.join("README.md")).context("there is no README.md")?;
    for manifest in files.iter().filter(|path| path.starts_with("protocols") && path.ends_with("Cargo.toml"))
    {
        let Some(folder) = manifest.parent() else { continue };
        let name = folder.display();
        if !readme.contains(&format!("({name})")) {
            writeln!(flaws, "README.md has no row for {name}")?;
        }
        if !files.contains(&folder.join("README.md")) {
            writeln!(flaws, "{name} has no README.md")?;
        }
        if !files.iter().any(|path| path.starts_with(folder.join("tests"))) {
            writeln!(flaws, "{name} has no tests")?;
        }
    }
    for row in readme.split("](protocols/").skip(1).filter_map(|rest| rest.split(')').next()) {
        let named = Path::new("protocols").join(row);
        if !files.iter().any(|path| path.starts_with(&named)) {
            writeln!(flaws, "README.md names {}, which is not there", named.display())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_measured_from_fn_to_brace() {
        let text = "fn a() {\n    b();\n}\n\nimpl X {\n    pub fn c(&self) {\n        if d {\n        }\n        e();\n    }\n    fn f() {}\n}\n";
        assert_eq!(longest_function(text), 5);
        assert_eq!(file_lines("a\nb\n#[cfg(test)]\nmod tests {}\n"), 2);
    }

    #[test]
    fn floors_point_downwards() {
        assert!(may_use("protocols", "base", false));
        assert!(may_use("protocols", "runtimes", true));
        assert!(!may_use("protocols", "runtimes", false));
        assert!(!may_use("base", "protocols", true));
        assert!(!may_use("runtimes", "apps", true));
    }
}
