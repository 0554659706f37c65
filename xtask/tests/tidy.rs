//! The repository is tidy, and what is not tidy is found.

use std::path::{Path, PathBuf};

use xtask::{repository, tidy};

#[test]
fn the_repository_is_tidy() {
    if let Err(flaws) = tidy::run(&repository::root()) {
        panic!("{flaws:#}");
    }
}

/// A small repository with one protocol crate, and one change to it.
fn flaws(name: &str, change: impl FnOnce(&Path)) -> String {
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&root);
    let write = |path: &str, text: &str| {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().expect("it has one")).expect("it can be made");
        std::fs::write(path, text).expect("it can be written");
    };
    write("Cargo.toml", "[workspace]\nmembers = [\"base/a\", \"protocols/b\"]\nresolver = \"3\"\n");
    write("README.md", "| b | [`protocols/b`](protocols/b) |\n");
    let manifest =
        |name: &str| format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    write("base/a/Cargo.toml", &manifest("a"));
    write("base/a/src/lib.rs", "");
    write(
        "protocols/b/Cargo.toml",
        &format!("{}[dependencies]\na = {{ path = \"../../base/a\" }}\n", manifest("b")),
    );
    write("protocols/b/src/lib.rs", "fn f() {\n}\n");
    write("protocols/b/README.md", "b");
    write("protocols/b/tests/b.rs", "");
    change(&root);
    repository::run(&root, "git", &["init", "--quiet"]).expect("git is there");
    let result = tidy::run(&root);
    let _ = std::fs::remove_dir_all(&root);
    result.err().map(|error| format!("{error:#}")).unwrap_or_default()
}

fn append(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    let before = std::fs::read_to_string(&path).unwrap_or_default();
    std::fs::create_dir_all(path.parent().expect("it has one")).expect("it can be made");
    std::fs::write(path, before + text).expect("it can be written");
}

#[test]
fn a_tidy_repository_has_no_flaws() {
    assert_eq!(flaws("tidy", |_| {}), "");
}

#[test]
fn each_flaw_is_found() {
    let long_function = format!("fn g() {{\n{}}}\n", "    h();\n".repeat(80));
    let long_file = "// x\n".repeat(700);
    let upward = "[dependencies]\nb = { path = \"../../protocols/b\" }\n";
    let path = ["// /ro", "ot/x\n"].concat();
    let unfinished = ["// to", "do!()\n"].concat();
    let silenced = ["#[al", "low(x)]\n"].concat();
    let cases: [(&str, &str, &str, &str); 8] = [
        ("function", "protocols/b/src/lib.rs", &long_function, "longest function has 82"),
        ("file", "protocols/b/src/lib.rs", &long_file, "longest file has 702"),
        ("path", "base/a/src/lib.rs", &path, "machine's path"),
        ("unfinished", "base/a/src/lib.rs", &unfinished, "finish it"),
        ("silenced", "base/a/src/lib.rs", &silenced, "expect"),
        ("ratchet", "xtask/ratchet.txt", "base/a/src/none.rs file 700\n", "there is no base/a/src/none.rs"),
        ("row", "README.md", "[x](protocols/c)\n", "protocols/c, which is not there"),
        ("upward", "base/a/Cargo.toml", upward, "a (base) must not depend on b (protocols)"),
    ];
    for (name, file, text, expected) in cases {
        let found = flaws(name, |root| {
            if name == "upward" {
                // Cargo refuses a circle before anything is checked.
                let manifest = "[package]\nname = \"b\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
                std::fs::write(root.join("protocols/b/Cargo.toml"), manifest).expect("it can be written");
            }
            append(root, file, text);
        });
        assert!(found.contains(expected), "{name}: {found}");
    }
}

#[test]
fn an_exception_may_only_shrink() {
    let long = format!("fn g() {{\n{}}}\n", "    h();\n".repeat(80));
    let with = |name: &str, number: u32| {
        flaws(name, |root| {
            append(root, "protocols/b/src/lib.rs", &long);
            append(root, "xtask/ratchet.txt", &format!("protocols/b/src/lib.rs function {number}\n"));
        })
    };
    assert_eq!(with("same", 82), "");
    assert!(with("grown", 81).contains("and had 81"));
    assert!(with("shrunk", 90).contains("has shrunk to 82"));
}
