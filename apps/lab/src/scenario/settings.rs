//! Parameters that stand alone, as on a command line: `width=30 p=0.1`.

use std::cell::RefCell;

use super::document::{self, Place};
use super::reader::Reader;
use super::{ScenarioError, fail};
use crate::registry::params::{Param, Values};

/// Reads `KEY=VALUE` settings as parameters.
///
/// # Errors
/// All problems that were found.
pub fn read_settings(params: &'static [Param], settings: &[String]) -> Result<Values, ScenarioError> {
    let text = settings.join("\n");
    let refused = |problems: &[document::Problem]| Err(fail("arguments", &text, problems));
    let table = match document::parse(&text) {
        Ok(table) => table,
        Err(problems) => return refused(&problems),
    };
    let problems = RefCell::new(Vec::new());
    let values = Values::read(params, Some(Reader::new(&table, "", Place::File(0..0), &problems)));
    let problems = problems.into_inner();
    if problems.is_empty() { Ok(values) } else { refused(&problems) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::topologies;

    fn read(kind: &str, settings: &[&str]) -> Result<Values, String> {
        let settings: Vec<String> = settings.iter().map(|one| (*one).to_owned()).collect();
        let topology = topologies::find(kind).expect("it is registered");
        read_settings(topology.params, &settings).map_err(|error| error.to_string())
    }

    #[test]
    fn settings_are_read_and_wrong_ones_refused_with_their_place() {
        let values = read("watts-strogatz", &["neighbors=6", "p=0.25"]).expect("they are right");
        assert_eq!((values.count("neighbors"), values.real("p")), (6, 0.25));
        assert_eq!(read("watts-strogatz", &[]).expect("defaults").count("neighbors"), 10);
        for (settings, expected) in [
            (&["p=2"][..], "from 0 to 1"),
            (&["neighbours=4"], "did you mean 'neighbors'?"),
            (&["p"], "arguments:1"),
            (&["p=0.1", "p=0.2"], "arguments:2"),
        ] {
            let error = read("watts-strogatz", settings).expect_err("they are wrong");
            assert!(error.contains(expected), "{error}");
        }
    }
}
