//! The README's commands are run, so that they are true.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::repository::run as run_command;

/// The commands of the README's fenced blocks with this info string, one a line.
pub fn commands<'a>(text: &'a str, info: &str) -> Vec<&'a str> {
    let fence = format!("```{info}");
    let mut inside = false;
    let mut commands = Vec::new();
    for line in text.lines() {
        if line.trim_end() == fence {
            inside = true;
        } else if line.starts_with("```") {
            inside = false;
        } else if inside && !line.trim().is_empty() && !line.starts_with('#') {
            commands.push(line);
        }
    }
    commands
}

fn read(root: &Path) -> Result<String> {
    std::fs::read_to_string(root.join("README.md")).context("cannot read README.md")
}

/// Runs every command marked `sh check`.
///
/// # Errors
/// When there is none, or one fails.
#[expect(clippy::print_stdout, reason = "it tells what it runs")]
pub fn run(root: &Path) -> Result<()> {
    let text = read(root)?;
    let commands = commands(&text, "sh check");
    ensure!(!commands.is_empty(), "README.md has no command to check");
    for command in commands {
        println!("$ {command}");
        run_command(root, "sh", &["-c", command])?;
    }
    Ok(())
}

/// The README's test command.
///
/// # Errors
/// When there is not exactly one.
pub fn test_command(root: &Path) -> Result<String> {
    let text = read(root)?;
    let found = commands(&text, "sh test");
    ensure!(found.len() == 1, "README.md has {} test commands, not one", found.len());
    Ok(found[0].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_marked_blocks_are_commands() {
        let text = "```sh\nrm -r x\n```\n```sh check\n# why\none\n\ntwo\n```\n```sh test\nthree\n```\n";
        assert_eq!(commands(text, "sh check"), ["one", "two"]);
        assert_eq!(commands(text, "sh test"), ["three"]);
        assert_eq!(commands(text, "sh other"), [""; 0]);
    }
}
