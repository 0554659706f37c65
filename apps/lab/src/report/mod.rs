//! From plain data to the folder that a run leaves behind.

mod chart;
mod condense;
pub mod data;
pub mod folder;
pub mod format;
pub mod html;
mod scale;
mod space_time;
mod svg;
pub mod tables;
mod topology;
