//! The lab: scenarios, measures, reports.

pub mod claims;
pub mod report;
pub mod run;
