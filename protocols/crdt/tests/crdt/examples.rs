//! The examples, which check themselves.

#[path = "../../examples/shared_text.rs"]
mod shared_text;
#[path = "../../examples/shopping_cart.rs"]
mod shopping_cart;

#[test]
fn a_shopping_cart_merges() {
    shopping_cart::main();
}

#[test]
fn three_offline_editors_share_a_text() {
    shared_text::main();
}
