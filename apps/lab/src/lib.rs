//! The lab: scenarios, measures, reports.

pub mod check;
pub mod claims;
pub mod facts;
pub mod matrix;
pub mod registry;
pub mod report;
pub mod run;
pub mod scenario;
