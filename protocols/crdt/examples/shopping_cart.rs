//! A shopping cart on a phone and a laptop, both offline for a while: how many of what, merged without losing an addition.
//!
//! `cargo run -p isles-crdt --example shopping_cart`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use isles_causality::Actor;
use isles_crdt::tally::Op;
use isles_crdt::{Causal, Map, Tally};

/// Each device that changes the cart has its own name.
const PHONE: Actor = Actor(1);
const LAPTOP: Actor = Actor(2);

type Cart = Causal<Map<String, Tally>>;

fn show(whose: &str, cart: &Cart) -> String {
    let lines: Vec<String> = cart.iter().map(|(item, count)| format!("{} {item}", count.value())).collect();
    println!("{whose}: {}", lines.join(", "));
    lines.join(", ")
}

pub(crate) fn main() {
    let mut phone = Cart::new();
    phone.update(PHONE, "milk".into(), Op::Add(1));
    phone.update(PHONE, "tea".into(), Op::Add(2));

    // The laptop starts from a copy. From here on neither sees what the other does.
    let mut laptop = phone.clone();
    phone.update(PHONE, "milk".into(), Op::Add(1));
    phone.remove(PHONE, &"tea".into());
    laptop.update(LAPTOP, "milk".into(), Op::Add(3));
    laptop.update(LAPTOP, "bread".into(), Op::Add(1));
    assert_eq!(show("phone alone", &phone), "2 milk");
    assert_eq!(show("laptop alone", &laptop), "1 bread, 4 milk, 2 tea");

    // They meet, and merge what they have, in any order and as often as they like.
    phone.join(&laptop);
    laptop.join(&phone);
    laptop.join(&phone);
    assert_eq!(phone, laptop);
    assert_eq!(show("both", &phone), "1 bread, 5 milk");

    // While they are online, a change is told by the few bytes of its delta instead of the whole cart.
    let delta = phone.update(PHONE, "milk".into(), Op::Add(-1)).expect("it changes something");
    let bytes = isles_crdt::canonical::encode(&delta);
    let received = isles_crdt::canonical::decode(&bytes).expect("these are the bytes of a delta");
    laptop.apply(&received);
    assert_eq!(phone, laptop);
    println!("a change takes {} bytes", bytes.len());
    assert_eq!(show("both", &laptop), "1 bread, 4 milk");
}
