//! The lab: scenarios, measures, reports.

pub mod run;
