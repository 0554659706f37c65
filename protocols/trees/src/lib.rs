#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod below;
pub mod every_root;
pub mod gather;
pub mod rounds;
pub mod routed;
pub mod tree;

pub use below::Reactive;
pub use every_root::EveryRoot;
pub use gather::Gather;
pub use rounds::Rounds;
pub use routed::Routed;
pub use tree::SpanningTree;
