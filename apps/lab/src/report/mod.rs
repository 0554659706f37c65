//! From plain data to the folder that a run leaves behind.

pub mod data;
pub mod format;
