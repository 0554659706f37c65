//! Hosts on loopback: streams, datagrams, disks, and what must not do harm.

mod durable;
mod hostile;
mod protocols;
mod streams;
mod world;
