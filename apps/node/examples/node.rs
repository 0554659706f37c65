//! A node by itself, without the rest of the command line: `cargo run --release -p isles-node --example node -- FILE`.

use std::path::Path;
use std::process::ExitCode;

use isles_node::config::Config;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // `node --config FILE`, as `isles` has it, is understood, too.
    let Some(file) = std::env::args().next_back() else { return ExitCode::from(2) };
    let outcome = Config::read(Path::new(&file))
        .map_err(|error| error.to_string())
        .and_then(|config| isles_node::run::run(config).map_err(|error| error.to_string()));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error);
            let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{error}\n").as_bytes());
            ExitCode::from(2)
        }
    }
}
