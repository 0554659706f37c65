//! Lists: the order is one for all, an insertion is where it was asked for, and what is typed in one go stays together.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use isles_causality::Actor;
use isles_crdt::canonical::{decode, encode};
use isles_crdt::executions::{Event, explore, random};
use isles_crdt::list::Op;
use isles_crdt::{Causal, List};
use isles_kernel::random::Stream;

type Numbers = Causal<List<u64>>;

/// Inserts at both ends and in the middle, and removals; each value once.
fn offer(number: usize) -> Vec<Op<u64>> {
    let value = 10 * (number as u64 + 1);
    let insert = |index, values| Op::Insert { index, values };
    vec![insert(0, vec![value]), insert(1, vec![value, value + 1]), Op::Remove { index: 0, count: 1 }]
}

/// The elements are those that were inserted and not removed by whoever saw them, and no two states of an execution disagree about
/// the order of two elements. (The strong list specification: Attiya et al., PODC 2016.)
fn judge(events: &[Rc<Event<Numbers>>], known: u32, state: &Numbers) -> Result<(), String> {
    let elements: Vec<u64> = state.iter().copied().collect();
    let inserted: BTreeSet<u64> = (0..events.len())
        .filter(|index| known & 1 << index != 0)
        .flat_map(|index| match &events[index].op {
            Op::Insert { values, .. } => values.clone(),
            Op::Remove { .. } => Vec::new(),
        })
        .collect();
    if elements.len() != elements.iter().collect::<BTreeSet<_>>().len() {
        return Err("an element is there twice".into());
    }
    if !elements.iter().all(|element| inserted.contains(element)) {
        return Err("an element was not inserted".into());
    }
    if !events.iter().any(|event| matches!(event.op, Op::Remove { .. })) && elements.len() != inserted.len() {
        return Err("an element is missing".into());
    }
    let places: Vec<_> = (0..state.len()).map(|index| state.position(index)).collect();
    if !places.is_sorted() {
        return Err("positions are out of order".into());
    }
    Ok(())
}

#[test]
fn a_list_converges_in_all_forms() {
    for (replicas, operations) in [(2, 4), (3, 3)] {
        let worlds = explore(replicas, operations, offer, &mut judge).unwrap_or_else(|why| panic!("{why}"));
        assert!(worlds > 1_000);
    }
    for seed in 0..40 {
        random(seed, (4, 30), offer, &mut judge).unwrap_or_else(|why| panic!("{why}"));
    }
}

#[test]
fn a_list_that_one_edits_is_a_vector() {
    for seed in 0..6 {
        let mut draws = Stream::new(seed, &[3]);
        let (mut list, mut vector) = (Numbers::default(), Vec::new());
        for value in 0..600u64 {
            let by = Actor(u64::from(draws.below(3)));
            let index = draws.below(vector.len() as u32 + 1) as usize;
            if draws.below(4) > 0 {
                assert!(list.insert(by, index, value).is_some());
                vector.insert(index, value);
            } else {
                let count = (vector.len() - index).min(draws.below(4) as usize);
                assert_eq!(list.remove(by, index, count).is_some(), count > 0);
                vector.drain(index..index + count);
            }
        }
        assert!(list.iter().eq(&vector));
        assert_eq!(list.get(vector.len() / 2), vector.get(vector.len() / 2));
        let position = list.position(10).expect("there are more").clone();
        assert_eq!(list.index(&position), 10);
        list.insert(Actor(1), 0, 9_999);
        assert_eq!(list.index(&position), 11);
        assert_eq!(decode::<Numbers>(&encode(&list)), Ok(list));
    }
}

#[test]
fn what_is_out_of_the_list_is_refused() {
    let mut list = Numbers::default();
    assert!(list.insert(Actor(1), 1, 7).is_none());
    assert!(list.insert(Actor(1), 0, 7).is_some());
    assert!(list.remove(Actor(1), 0, 2).is_none());
    assert!(list.remove(Actor(1), 1, 1).is_none());
    assert!(list.remove(Actor(1), usize::MAX, usize::MAX).is_none());
    assert!(list.remove(Actor(1), 0, 0).is_none());
}

/// How somebody types some characters at a place.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Way {
    Forwards,
    Backwards,
    InOneGo,
}

fn type_at(list: &mut Causal<List<char>>, by: Actor, (index, count): (usize, usize), way: Way) {
    let letter =
        |number: usize| char::from_u32(0x1000 * (by.0 as u32 + 1) + number as u32).expect("a character");
    match way {
        Way::Forwards => (0..count).for_each(|number| {
            list.insert(by, index + number, letter(number));
        }),
        Way::Backwards => (0..count).for_each(|number| {
            list.insert(by, index, letter(count - 1 - number));
        }),
        Way::InOneGo => {
            list.insert_text(by, index, &(0..count).map(letter).collect::<String>());
        }
    }
}

/// Whether the characters of each author stand together, and in order.
fn is_unmixed(list: &Causal<List<char>>, authors: u64) -> bool {
    let author = |letter: &char| u64::from(u32::from(*letter)) / 0x1000;
    let text: Vec<char> = list.iter().copied().collect();
    let mut places: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (place, letter) in text.iter().enumerate().filter(|(_, letter)| author(letter) > 0) {
        places.entry(author(letter)).or_default().push(place);
    }
    let together = |places: &Vec<usize>| places.windows(2).all(|pair| pair[0] + 1 == pair[1]);
    let in_order = |places: &Vec<usize>| places.windows(2).all(|pair| text[pair[0]] < text[pair[1]]);
    places.len() as u64 == authors && places.values().all(|places| together(places) && in_order(places))
}

#[test]
fn what_is_typed_at_one_place_at_once_is_not_mixed() {
    let ways = [Way::Forwards, Way::Backwards, Way::InOneGo];
    for base in 0..4 {
        for removed in 0..=base {
            let mut start: Causal<List<char>> = Causal::default();
            start.insert_text(Actor(100), 0, &"....."[..base]);
            start.remove(Actor(100), base - removed, removed);
            for index in 0..=start.len() {
                for (one, other, third) in ways
                    .iter()
                    .flat_map(|one| ways.iter().map(move |other| (one, other)))
                    .flat_map(|(one, other)| ways.iter().map(move |third| (*one, *other, *third)))
                {
                    let mut editors = [start.clone(), start.clone(), start.clone()];
                    for ((editor, way), by) in editors.iter_mut().zip([one, other, third]).zip(1..) {
                        type_at(editor, Actor(by), (index, 4), way);
                    }
                    let mut merged = editors[0].clone();
                    merged.join(&editors[1]);
                    merged.join(&editors[2]);
                    assert!(
                        is_unmixed(&merged, 3),
                        "{one:?} {other:?} {third:?} at {index}: {}",
                        merged.text()
                    );
                }
            }
        }
    }
}

#[test]
fn what_is_typed_between_merges_is_not_mixed_either() {
    for seed in 0..200 {
        let mut draws = Stream::new(seed, &[4]);
        let mut start: Causal<List<char>> = Causal::default();
        for by in 200..203 {
            let index = draws.below(start.len() as u32 + 1) as usize;
            start.insert_text(Actor(by), index, ".....");
        }
        let gone = draws.below(start.len() as u32) as usize;
        start.remove(Actor(200), gone, (start.len() - gone).min(3));
        let index = draws.below(start.len() as u32 + 1) as usize;
        let mut editors = [start.clone(), start.clone(), start];
        for (editor, by) in editors.iter_mut().zip(1..) {
            // Each also changes something elsewhere, before or after.
            let way = [Way::Forwards, Way::Backwards, Way::InOneGo][draws.below(3) as usize];
            type_at(editor, Actor(by), (index, 5), way);
            if editor.len() > index + 5 && draws.below(2) == 0 {
                editor.remove(Actor(by), editor.len() - 1, 1);
            }
        }
        let [one, other, third] = editors;
        let mut merged = third.clone();
        merged.join(&one);
        merged.join(&other);
        assert!(is_unmixed(&merged, 3), "seed {seed}: {}", merged.text());
    }
}

/// The control: positions that are fractions between neighbours, ties by author, as in a Logoot without further care.
#[test]
fn fractions_as_positions_mix_what_is_typed() {
    let typed = |by: u64| {
        let mut places: Vec<(u64, u64)> = Vec::new();
        let mut low = 0;
        for _ in 0..4 {
            low = u64::midpoint(low, 1 << 32);
            places.push((low, by));
        }
        places
    };
    let mut merged: Vec<(u64, u64)> = typed(1).into_iter().chain(typed(2)).collect();
    merged.sort_unstable();
    let authors: Vec<u64> = merged.iter().map(|(_, by)| *by).collect();
    assert_eq!(authors, [1, 2, 1, 2, 1, 2, 1, 2]);
}

#[test]
fn text_that_is_typed_in_one_go_costs_few_bytes() {
    let mut list: Causal<List<char>> = Causal::default();
    (0..1_000).for_each(|index| {
        list.insert(Actor(1), index, 'x');
    });
    let bytes = encode(&list).len();
    assert!(bytes < 8 * 1_000, "{bytes}");
    let runs = (0..1_000).filter_map(|index| list.position(index)).map(|position| position.runs()).max();
    assert_eq!(runs, Some(1));
}

#[test]
fn deltas_and_states_of_lists_are_read_as_they_were_written_and_no_other_way() {
    let mut list: Causal<List<char>> = Causal::default();
    list.insert_text(Actor(1), 0, "abcd");
    let delta = list.insert_text(Actor(2), 2, "xyz").expect("it is something");
    let bytes = encode(&delta);
    assert_eq!(decode(&bytes), Ok(delta));
    let bytes = encode(&list);
    for at in 0..bytes.len() {
        for change in [1, 2, 0x80] {
            let mut other = bytes.clone();
            other[at] ^= change;
            if let Ok(read) = decode::<Causal<List<char>>>(&other) {
                assert_eq!(encode(&read), other, "byte {at}");
            }
        }
    }
}
