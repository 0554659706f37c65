//! Reading and writing the files of `isles graph`.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use isles_graph::formats::{self, Format, Named};

use crate::Failure;

/// So many bytes tell which format a file has.
const BEGIN: u64 = 1 << 14;

/// Whether this stands for standard input or output.
pub(super) fn is_standard(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// What comes after the last dot of a file's name.
pub(super) fn ending(path: &Path) -> String {
    path.extension().map_or_else(String::new, |ending| ending.to_string_lossy().into_owned())
}

/// Reads a graph, in the format that its beginning tells if none is asked for.
pub(super) fn read(path: &Path, format: Option<Format>) -> Result<Named, Failure> {
    let shown = path.display();
    let unreadable = |error: io::Error| {
        let why = if error.kind() == ErrorKind::NotFound {
            format!("there is no file '{shown}'")
        } else {
            format!("cannot read '{shown}': {error}")
        };
        Failure::Input(format!("error: {why}"))
    };
    let mut from: Box<dyn Read> = if is_standard(path) {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path).map_err(unreadable)?)
    };
    let mut begin = Vec::new();
    from.by_ref().take(BEGIN).read_to_end(&mut begin).map_err(unreadable)?;
    let format = format.unwrap_or_else(|| Format::guess(&ending(path), &begin));
    formats::read_from(format, &mut begin.chain(from)).map_err(|error| {
        let place = if error.line > 0 { format!("{shown}:{}", error.line) } else { shown.to_string() };
        let name = Format::ALL.iter().find(|(one, ..)| *one == format).map_or("", |(_, name, _)| name);
        let other = "another format is asked for with --from";
        Failure::Input(format!(
            "error: {place}: {}\n   = {}\n   = it was read as '{name}'; {other}",
            error.why, error.help
        ))
    })
}

/// Writes a graph to a file.
pub(super) fn write(path: &Path, format: Format, named: &Named) -> Result<(), Failure> {
    replace(path, |out| formats::write(format, named, out))
}

/// Writes a graph to standard output. Ends the program well when whoever read it has had enough.
pub(super) fn print(format: Format, named: &Named) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    match formats::write(format, named, &mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        other => other.map_err(|error| failed(Path::new("standard output"), &error)),
    }
}

/// Writes a file under another name first, so that one that is torn never has this name.
pub(super) fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), Failure> {
    // A device or a pipe is no file that could be renamed.
    let special = std::fs::metadata(path).is_ok_and(|meta| !meta.is_file());
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = if special { path.to_owned() } else { PathBuf::from(part) };
    let made = File::create(&part).and_then(|file| {
        let mut out = BufWriter::with_capacity(1 << 16, file);
        write(&mut out)?;
        out.flush()
    });
    let placed = made.and_then(|()| if special { Ok(()) } else { std::fs::rename(&part, path) });
    placed.map_err(|error| {
        if !special {
            // What cannot be removed stays: the error is told anyway.
            let _ = std::fs::remove_file(&part);
        }
        failed(path, &error)
    })
}

/// What the format cannot hold is wrong input; everything else is the machine's fault.
fn failed(path: &Path, error: &io::Error) -> Failure {
    if error.kind() == ErrorKind::InvalidInput {
        Failure::Input(format!("error: {error}\n   = choose another format"))
    } else {
        Failure::Machine(format!("cannot write '{}': {error}", path.display()))
    }
}
