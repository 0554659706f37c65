//! From plain data to the folder that a run leaves behind.

mod chart;
mod condense;
pub mod data;
pub mod folder;
pub mod format;
mod scale;
mod svg;
pub mod tables;
