//! The clients' port, on real sockets, in front of a toy store.

mod harness;
mod hostile;
mod pipelines;
mod replay;
mod toy;
mod transcripts;
