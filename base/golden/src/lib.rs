#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Compares `actual` with the file at `path`; with `UPDATE=1`, writes it there.
///
/// # Panics
/// When they differ, with the lines that do and the command that rewrites the file.
#[track_caller]
pub fn file(path: impl AsRef<Path>, actual: &str) {
    if let Err(difference) = compare(path.as_ref(), actual, updating()) {
        panic!("{difference}");
    }
}

/// Gives each file of `folder` that ends in `.input` to `print`, and compares the outcome with the file of the same name
/// that ends in `.expected`; with `UPDATE=1`, writes it there. All differences are told together.
///
/// # Panics
/// When an outcome differs, there is no input, or a file cannot be read.
#[track_caller]
pub fn pairs(folder: impl AsRef<Path>, input: &str, expected: &str, print: impl Fn(&str) -> String) {
    if let Err(differences) = compare_pairs(folder.as_ref(), input, expected, updating(), print) {
        panic!("{differences}");
    }
}

#[expect(clippy::disallowed_methods, reason = "the switch of whoever runs the tests, not of a run")]
fn updating() -> bool {
    std::env::var("UPDATE").is_ok_and(|value| value == "1")
}

fn compare_pairs(
    folder: &Path,
    input: &str,
    expected: &str,
    update: bool,
    print: impl Fn(&str) -> String,
) -> Result<(), String> {
    let list =
        std::fs::read_dir(folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
    let ends = |path: &PathBuf| path.extension().is_some_and(|extension| extension == input);
    let mut inputs: Vec<PathBuf> = list.filter_map(|entry| Some(entry.ok()?.path())).filter(ends).collect();
    inputs.sort_unstable();
    if inputs.is_empty() {
        return Err(format!("{} has no .{input} files", folder.display()));
    }
    let mut differences = String::new();
    for path in inputs {
        let text = std::fs::read_to_string(&path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        if let Err(difference) = compare(&path.with_extension(expected), &print(&text), update) {
            differences.push_str(&difference);
        }
    }
    if differences.is_empty() { Ok(()) } else { Err(differences) }
}

fn compare(path: &Path, actual: &str, update: bool) -> Result<(), String> {
    let expected = std::fs::read_to_string(path).ok();
    if expected.as_deref() == Some(actual) {
        return Ok(());
    }
    if update {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        }
        return std::fs::write(path, actual)
            .map_err(|error| format!("cannot write {}: {error}", path.display()));
    }
    let mut difference = match expected {
        Some(expected) => differing(path, &expected, actual),
        None => format!("{} is not there; it would be:\n{actual}\n", path.display()),
    };
    difference.push_str("rewrite it with UPDATE=1 cargo test, and read the diff\n");
    Err(difference)
}

/// The lines from the first that differs to the last.
fn differing(path: &Path, expected: &str, actual: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), actual.lines().collect());
    let same = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let room = old.len().min(new.len()) - same;
    let tail = old.iter().rev().zip(new.iter().rev()).take(room).take_while(|(old, new)| old == new).count();
    let mut text = format!("{}:{}: differs\n", path.display(), same + 1);
    for line in &old[same..old.len() - tail] {
        let _ = writeln!(text, "- {line}");
    }
    for line in &new[same..new.len() - tail] {
        let _ = writeln!(text, "+ {line}");
    }
    if old == new {
        text.push_str("only the line ends differ\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("isles-golden-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("it can be made");
        folder
    }

    #[test]
    fn a_difference_is_told_with_its_lines_and_the_remedy() {
        let folder = folder("difference");
        let path = folder.join("a.txt");
        std::fs::write(&path, "one\ntwo\nthree\n").expect("it can be written");
        assert_eq!(compare(&path, "one\ntwo\nthree\n", false), Ok(()));
        let told = compare(&path, "one\n2\nthree\n", false).expect_err("it differs");
        assert!(told.contains("a.txt:2: differs\n- two\n+ 2\n") && told.contains("UPDATE=1"), "{told}");
        let told = compare(&path, "one\ntwo\nthree", false).expect_err("it differs");
        assert!(told.contains("line ends"), "{told}");
        let told = compare(&folder.join("b.txt"), "x", false).expect_err("it is not there");
        assert!(told.contains("is not there"), "{told}");
    }

    #[test]
    fn the_switch_rewrites() {
        let folder = folder("rewrite");
        let path = folder.join("deep/a.txt");
        assert_eq!(compare(&path, "new\n", true), Ok(()));
        assert_eq!(compare(&path, "new\n", false), Ok(()));
    }

    #[test]
    fn every_pair_of_a_folder_is_compared() {
        let folder = folder("pairs");
        for (name, text) in [("a.in", "a"), ("a.out", "A"), ("b.in", "b"), ("b.out", "b"), ("c.other", "c")] {
            std::fs::write(folder.join(name), text).expect("it can be written");
        }
        let told = compare_pairs(&folder, "in", "out", false, str::to_uppercase).expect_err("b differs");
        assert!(told.contains("b.out:1") && !told.contains("a.out"), "{told}");
        assert!(compare_pairs(&folder, "none", "out", false, str::to_uppercase).is_err());
        assert_eq!(compare_pairs(&folder, "in", "out", true, str::to_uppercase), Ok(()));
        assert_eq!(compare_pairs(&folder, "in", "out", false, str::to_uppercase), Ok(()));
    }

    #[test]
    #[should_panic(expected = "is not there")]
    fn a_missing_file_fails_the_test() {
        file("nowhere/at-all.txt", "x");
    }
}
