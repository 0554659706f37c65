//! The clients' port, on real sockets, in front of a toy store.

mod harness;
mod hostile;
mod oracle;
mod pipelines;
mod replay;
mod tls;
mod toy;
mod transcripts;
