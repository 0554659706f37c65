//! What nodes are called.

use std::borrow::Cow;
use std::collections::BTreeMap;

use isles_kernel::ProcessId;

use super::NODES_MAX;

/// What the nodes of a graph are called.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Names {
    /// By their numbers: 0, 1, 2 and so on.
    Plain,
    /// By other numbers.
    Numbers(Vec<u64>),
    /// By words.
    Words(Vec<String>),
}

impl Names {
    /// These, or [`Plain`](Self::Plain) if they say no more than the numbers of the nodes.
    pub fn new(words: Vec<String>) -> Self {
        let plain = (0..).zip(&words).all(|(index, word): (u32, &String)| *word == index.to_string());
        if plain { Self::Plain } else { Self::Words(words) }
    }

    /// What a node is called.
    ///
    /// # Panics
    /// When there is no such node and nodes have names.
    pub fn of(&self, node: ProcessId) -> Cow<'_, str> {
        match self {
            Self::Plain => Cow::Owned(node.0.to_string()),
            Self::Numbers(numbers) => Cow::Owned(numbers[node.index()].to_string()),
            Self::Words(words) => Cow::Borrowed(&words[node.index()]),
        }
    }
}

/// Numbers nodes by their names, as they come. Names that end in 0, 1, 2 and so on, in this order, as most programs write them, are
/// found by that number; only others are kept in a tree.
#[derive(Default)]
pub(super) struct Numbering {
    words: Vec<String>,
    others: BTreeMap<String, u32>,
    /// The number at the end of the first name.
    first: Option<u64>,
}

impl Numbering {
    /// The node of this name, a new one if there was none; none if there are too many.
    pub(super) fn number(&mut self, name: &str) -> Option<u32> {
        let ending = ending(name);
        if self.words.is_empty() {
            self.first = ending;
        }
        let place = ending.zip(self.first).and_then(|(number, first)| number.checked_sub(first));
        let place = place.and_then(|place| usize::try_from(place).ok());
        if let Some(place) = place
            && self.words.get(place).is_some_and(|word| word == name)
        {
            return Some(place as u32);
        }
        if let Some(number) = self.others.get(name) {
            return Some(*number);
        }
        let next = self.words.len();
        if next >= NODES_MAX {
            return None;
        }
        if place != Some(next) {
            self.others.insert(name.to_owned(), next as u32);
        }
        self.words.push(name.to_owned());
        Some(next as u32)
    }

    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    /// The name of a node that was numbered.
    pub(super) fn name(&self, number: u32) -> &str {
        &self.words[number as usize]
    }

    pub(super) fn finish(self) -> Names {
        Names::new(self.words)
    }
}

/// The number that a name ends in, without zeros before it.
fn ending(name: &str) -> Option<u64> {
    let digits = name.bytes().rev().take_while(u8::is_ascii_digit).count();
    let digits = &name[name.len() - digits..];
    if digits.len() > 1 && digits.starts_with('0') {
        return None;
    }
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_numbered_as_they_come_whatever_they_look_like() {
        let mut numbering = Numbering::default();
        let names = ["n5", "n6", "x7", "n7", "n8", "n08", "n9", "", "8", "n6", "n7", "x7", "n5", "n08", ""];
        let numbers: Vec<u32> = names.iter().filter_map(|name| numbering.number(name)).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8, 1, 3, 2, 0, 5, 7]);
        assert_eq!(numbering.len(), 9);
        assert_eq!(numbering.name(5), "n08");
        assert!(matches!(numbering.finish(), Names::Words(words) if words[8] == "8"));
    }

    #[test]
    fn names_in_order_need_no_tree() {
        let mut numbering = Numbering::default();
        for round in 0..2 {
            for node in 0..1_000 {
                assert_eq!(numbering.number(&node.to_string()), Some(node), "round {round}");
            }
        }
        assert!(numbering.others.is_empty());
        assert_eq!(numbering.finish(), Names::Plain);
    }
}
