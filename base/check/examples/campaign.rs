//! Compares all checkers on random small histories of every model: `campaign [HISTORIES [FIRST SEED]]`.
#![expect(clippy::print_stdout, reason = "it is a program")]

#[path = "../tests/suite/random.rs"]
mod random;

fn main() {
    let mut numbers = std::env::args().skip(1).map(|word| word.parse::<u64>().expect("a number"));
    let count = numbers.next().unwrap_or(1_000_000);
    let first = numbers.next().unwrap_or(1 << 32);
    let each = count.div_ceil(random::CAMPAIGNS.len() as u64);
    for (name, campaign) in random::CAMPAIGNS {
        let tally = campaign(name, first..first + each, 8);
        println!("{name}: {tally:?}");
    }
}
