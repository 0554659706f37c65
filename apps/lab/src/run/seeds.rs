//! Many seeds on all cores.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Calls `run` for each of `seeds` on up to `threads` threads and returns the results in the order of the seeds,
/// whatever the number of threads.
///
/// # Errors
/// The error of the first seed, in their order, that has one.
///
/// # Panics
/// When `run` panics.
pub fn on_all_cores<T: Send, E: Send>(
    seeds: &[u64],
    threads: usize,
    run: impl Fn(u64) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<Result<T, E>>>> = seeds.iter().map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, seeds.len().max(1)) {
            scope.spawn(|| {
                while let Some((index, seed)) = {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    seeds.get(index).map(|seed| (index, *seed))
                } {
                    let result = run(seed);
                    if let Ok(mut slot) = results[index].lock() {
                        *slot = Some(result);
                    }
                }
            });
        }
    });
    results
        .into_iter()
        .map(|slot| slot.into_inner().ok().flatten().expect("every seed was run, or the scope panicked"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_seeds() {
        let seeds: Vec<u64> = (0..50).collect();
        for threads in [1, 2, 7] {
            let squares = on_all_cores(&seeds, threads, |seed| Ok::<_, ()>(seed * seed)).expect("no errors");
            assert!(squares.iter().zip(&seeds).all(|(square, seed)| *square == seed * seed));
        }
        assert_eq!(on_all_cores(&seeds, 3, |seed| if seed % 20 == 19 { Err(seed) } else { Ok(()) }), Err(19));
        assert_eq!(on_all_cores(&[], 3, |_| Ok::<(), ()>(())), Ok(vec![]));
    }
}
