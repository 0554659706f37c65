//! Places files of transactions among all levels, and re-checks each certificate:
//! `cargo run --release -p isles-check --example place -- FILE...`

use std::error::Error;
use std::fs::File;
use std::io::BufReader;

use isles_check::lattice::{Placement, place};
use isles_check::transactions::Budget;
use isles_check::{Verdict, verify_transactions};
use isles_history::{Calls, Reading, read, transactions};

#[expect(clippy::print_stdout, reason = "an example for the terminal")]
fn main() -> Result<(), Box<dyn Error>> {
    for path in std::env::args().skip(1) {
        let history = match read(BufReader::new(File::open(&path)?), None)? {
            Reading::Transactions(history) => history,
            Reading::Events(events) => transactions(Calls::new(events))?,
        };
        let Placement { strongest, weakest, unknown } = place(&history, Budget::default());
        println!("{path}: {} transactions", history.all().len());
        for (level, witness) in strongest {
            let checked = verify_transactions(&history, level, &Verdict::Holds(witness));
            println!("  holds     {level} (certificate: {checked:?})");
        }
        for (level, violation) in weakest {
            let (name, edges) = (violation.anomaly, violation.cycle.len());
            let part = violation.transactions().len();
            let checked = verify_transactions(&history, level, &Verdict::Violated(violation));
            println!(
                "  violated  {level}: {name}, {edges} edges, {part} transactions (certificate: {checked:?})"
            );
        }
        for (level, progress) in unknown {
            println!("  unknown   {level}: {progress:?}");
        }
    }
    Ok(())
}
