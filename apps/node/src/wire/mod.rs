//! The Redis protocol, RESP2 and RESP3: requests in, answers out.

mod reply;
mod request;

pub use reply::{Frame, Out, Protocol};
pub use request::{Bounds, Framing, Request, WireError};
