//! Tests of the tree protocols: statements of the book, handler by handler; all delivery orders of small runs; simulations
//! against exact formulas.

mod counts;
mod graphs;
mod handlers;
mod orders;
mod runs;
mod small_runs;
mod traces;
