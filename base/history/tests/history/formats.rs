//! Each format is known by its content and read.

use isles_history::{Calls, Format, Reading, read, transactions};

use super::{outcome, shown};

/// Goldens: each good file with what was read.
#[test]
fn samples_are_read() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/history/good");
    isles_golden::pairs(folder, "input", "expected", |text| {
        outcome(text.as_bytes(), None).unwrap_or_else(|error| panic!("{error} in\n{text}"))
    });
}

#[test]
fn formats_are_known_by_their_content() {
    for (text, format) in [
        ("{:type :ok}", Format::Edn),
        ("; a comment\n\n[{:type :ok}]", Format::Edn),
        ("(\n{:type :ok})", Format::Edn),
        ("#jepsen.history.Op{:type :ok}", Format::Edn),
        ("[]", Format::Edn),
        ("{\"type\":\"ok\",\"f\":\"read\"}", Format::Json),
        ("[\n {\"type\": \"ok\"}]", Format::Json),
        ("{\"type\":\"invoke\",\"time\":1,\"process\":0,\"id\":1,\"op\":{\"f\":\"read\"}}", Format::Lines),
        ("{ \"type\": \"crash\", \"time\": 1, \"process\": 0}", Format::Lines),
        ("INFO  jepsen.util - 3\t:invoke\t:read\tnil", Format::Log),
        ("2016-05-01 12:00:00,001 INFO  jepsen.core - setting up", Format::Log),
        ("w(1,2,3,4)", Format::Plume),
        ("\n\nr(1,2,3,4)", Format::Plume),
        ("r 1 2", Format::Awdit),
        ("=====\nr 1 2", Format::Awdit),
        ("[[{\"events\":[],\"committed\":true}]]", Format::Dbcop),
        ("[[]]", Format::Dbcop),
        ("{\"params\":{\"id\":0},\"info\":\"\",\"data\":[[{\"events\":[]}]]}", Format::Dbcop),
    ] {
        assert_eq!(Format::of(text.as_bytes()), Some(format), "{text}");
        assert_eq!(format.name().parse(), Ok(format));
    }
    for text in ["", "hello", "\x7fELF", "[1, 2]", "[\"a\"]", "rw"] {
        assert_eq!(Format::of(text.as_bytes()), None, "{text}");
    }
    assert!("yaml".parse::<Format>().expect_err("there is none").contains("plume"));
}

fn of_calls(text: &str) -> Result<String, String> {
    let Ok(Reading::Events(events)) = read(text.as_bytes(), None) else { panic!("these are operations") };
    transactions(Calls::new(events)).map(|read| shown(&read)).map_err(|error| error.to_string())
}

#[test]
fn operations_become_transactions() {
    let text = "{:process 0, :type :invoke, :f :txn, :value [[:append :x 1] [:r :y nil]]}
                {:process 0, :type :ok, :f :txn, :value [[:append :x 1] [:r :y nil]]}
                {:process 1, :type :invoke, :f :txn, :value [[:r :x nil] [:append :y 2]]}
                {:process 1, :type :info, :f :txn, :value [[:r :x nil] [:append :y 2]]}
                {:process 2, :type :invoke, :f :txn, :value [[:r :x nil] [:append :y 3]]}
                {:process 2, :type :fail, :f :txn, :value [[:r :x nil] [:append :y 3]]}
                {:process 3, :type :invoke, :f :txn, :value [[:r :x nil] [:r :y nil]]}
                {:process 3, :type :ok, :f :txn, :value [[:r :x [1]] [:r :y [2]]]}";
    let expected = "session 0 Committed: append :x 1 r :y []
session 1 Unknown: append :y 2
session 2 Aborted: append :y 3
session 3 Committed: r :x [1] r :y [2]
";
    assert_eq!(of_calls(text).as_deref(), Ok(expected));
}

#[test]
fn single_reads_and_writes_are_transactions_of_one_step_and_other_functions_none() {
    let text = "{:process 0, :type :invoke, :f :write, :key 5, :value 1}
                {:process 0, :type :ok, :f :write, :key 5, :value 1}
                {:process 0, :type :invoke, :f :read, :key 5, :value nil}
                {:process 0, :type :ok, :f :read, :key 5, :value 1}";
    assert_eq!(of_calls(text).as_deref(), Ok("session 0 Committed: w 5 1\nsession 0 Committed: r 5 1\n"));
    let error = of_calls("{:process 0, :type :invoke, :f :cas, :value [1 2]}").expect_err("no transaction");
    assert!(error.starts_with("line 1: 'cas' is no transaction"), "{error}");
    let error = of_calls("{:process 0, :type :invoke, :f :txn, :value [[:inc :x 1]]}").expect_err("no step");
    assert!(error.starts_with("line 1: '[:inc :x 1]' is no step"), "{error}");
}
