//! Files of graphs: what is written is read again, what is wrong is told with its line, and nothing that comes in does harm.

mod files;
mod hostile;
mod round_trips;
