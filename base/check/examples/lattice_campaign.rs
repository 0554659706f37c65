//! Tries to break the table of implications with random small histories, half of registers and half of lists, and finds a history that separates each pair of levels that
//! the table does not order: `cargo run --release -p isles-check --example lattice_campaign -- [HISTORIES] [TRANSACTIONS]`

use isles_check::lattice::{implied, sample, sample_lists};
use isles_check::transactions::{Budget, Level, check};
use isles_check::{Verdict, verify_transactions};

#[expect(clippy::print_stdout, reason = "an example for the terminal")]
fn main() {
    let number =
        |place, default| std::env::args().nth(place).and_then(|text| text.parse().ok()).unwrap_or(default);
    let (histories, transactions) = (number(1, 1_000_000), number(2, 5) as u32);
    let levels: Vec<Level> = Level::all().collect();
    let mut separated = vec![[0u64; 20]; 20];
    let (mut broken, mut refused, mut unknown) = (0, 0, 0);
    for seed in 0..histories {
        let is_list = seed % 2 == 1;
        let history =
            if is_list { sample_lists(seed / 2, transactions) } else { sample(seed / 2, transactions) };
        let mut holds = [false; 20];
        for &level in &levels {
            let verdict = check(&history, level, Budget::default());
            if let Err(why) = verify_transactions(&history, level, &verdict) {
                refused += 1;
                println!("seed {seed}: {level}: the certificate is wrong: {why}");
            }
            unknown += u64::from(matches!(verdict, Verdict::Unknown(_)));
            holds[level as usize] = matches!(verdict, Verdict::Holds(_));
        }
        for &strong in levels.iter().filter(|level| holds[**level as usize]) {
            let weaker = implied(strong);
            for &weak in levels.iter().filter(|level| !holds[**level as usize]) {
                if weaker.contains(&weak) {
                    broken += 1;
                    println!("seed {seed}: {strong} holds and {weak} does not");
                }
                separated[strong as usize][weak as usize] += 1;
            }
        }
    }
    for &a in &levels {
        for &b in levels.iter().filter(|b| !implied(a).contains(b)) {
            if separated[a as usize][b as usize] == 0 {
                println!("no history has {a} without {b}");
            }
        }
    }
    println!(
        "{histories} histories: {broken} implications broken, {refused} certificates refused, {unknown} unknown"
    );
}
