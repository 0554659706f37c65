//! A text that three people edit offline, and that is the same for all of them when they have met.
//!
//! `cargo run -p isles-crdt --example shared_text`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use isles_causality::Actor;
use isles_crdt::{Causal, List};

/// Each editor has its own name.
const ANNA: Actor = Actor(1);
const BERT: Actor = Actor(2);
const CLEO: Actor = Actor(3);

type Text = Causal<List<char>>;

/// The index of the first character of `words`.
fn find(text: &Text, words: &str) -> usize {
    let all = text.text();
    all[..all.find(words).expect("these words are there")].chars().count()
}

pub(crate) fn main() {
    let mut anna = Text::new();
    anna.insert_text(ANNA, 0, "The island is small.");
    let (mut bert, mut cleo) = (anna.clone(), anna.clone());

    // Nobody sees what the others do. Two of them write at the same place.
    let end = anna.len();
    anna.insert_text(ANNA, end, " Gulls live there.");
    bert.insert_text(BERT, end, " Nobody else does.");
    let small = find(&cleo, "small");
    cleo.remove(CLEO, small, "small".len());
    cleo.insert_text(CLEO, small, "tiny");

    // A place in the text stays the same, whatever happens before it: a cursor, a selection, a comment.
    let comment = bert.position(find(&bert, "Nobody")).expect("it is in the text").clone();

    // They meet two by two, in any order.
    bert.join(&cleo);
    anna.join(&bert);
    cleo.join(&anna);
    bert.join(&anna);
    assert!(anna == bert && bert == cleo);
    println!("{}", anna.text());
    assert_eq!(anna.text(), "The island is tiny. Gulls live there. Nobody else does.");
    assert_eq!(bert.index(&comment), find(&bert, "Nobody"));
}
