//! What happens at one instant overlaps.

use isles_history::{Calls, Reading, read};

#[test]
fn of_one_instant_the_invocations_come_first() {
    let text = r#"{"type":"invoke","time":1,"process":0,"id":0,"op":"Read"}
{"type":"return","time":5,"process":0,"id":0,"reply":null}
{"type":"invoke","time":5,"process":1,"id":1,"op":"Read"}
{"type":"return","time":5,"process":1,"id":1,"reply":null}
{"type":"invoke","time":5,"process":0,"id":2,"op":"Read"}
{"type":"return","time":6,"process":0,"id":2,"reply":null}
"#;
    let Ok(Reading::Events(events)) = read(text.as_bytes(), None) else { panic!("these are operations") };
    let mut calls: Vec<_> = Calls::new(events).collect::<Result<_, _>>().expect("it is right");
    calls.sort_by_key(|call| call.invoked);
    let intervals: Vec<_> = calls.iter().map(|call| (call.invoked, call.returned)).collect();
    assert_eq!(intervals, [(0, 3), (1, 4), (2, 5)], "all three overlap");
    assert_eq!(calls[1].clock, Some((5, 5)));
}

#[test]
fn files_without_names_of_operations_are_in_the_order_in_which_things_happened() {
    let text = "{:process 0, :type :invoke, :f :read, :time 5}
                {:process 0, :type :ok, :f :read, :time 5}
                {:process 0, :type :invoke, :f :read, :time 5}";
    let Ok(Reading::Events(events)) = read(text.as_bytes(), None) else { panic!("these are operations") };
    let calls: Vec<_> = Calls::new(events).collect::<Result<_, _>>().expect("it is right");
    assert_eq!((calls[0].returned, calls[1].invoked), (1, 2));
}
