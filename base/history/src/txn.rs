//! Transactions from operations: Elle's list-append and rw-register, and single reads and writes as transactions of one step.

use crate::{Builder, Call, Kind, ReadError, Status, Step, Transactions, Value};

/// Collects the operations of a history as transactions.
///
/// What was answered counts if a transaction is known to have taken effect; otherwise what it asked to write, and nothing that it
/// read. The interval of each is in the order of the file. A process whose transaction stayed unknown goes on as another session.
///
/// # Errors
/// The first operation that is wrong, or is no transaction.
///
/// ```
/// use isles_history::{Calls, Reading, read, transactions};
///
/// let text = "{:process 0, :type :invoke, :f :txn, :value [[:append :x 1] [:r :x nil]]}
///             {:process 0, :type :ok, :f :txn, :value [[:append :x 1] [:r :x [1]]]}";
/// let Reading::Events(events) = read(text.as_bytes(), None)? else { panic!("these are operations") };
/// let transactions = transactions(Calls::new(events))?;
/// assert_eq!(transactions.steps(&transactions.all()[0]).len(), 2);
/// # Ok::<(), isles_history::ReadError>(())
/// ```
pub fn transactions(
    calls: impl IntoIterator<Item = Result<Call, ReadError>>,
) -> Result<Transactions, ReadError> {
    let mut builder = Builder::default();
    let mut steps = Vec::new();
    for call in calls {
        let call = call?;
        let (status, value, line) = match call.kind {
            Kind::Ok => (Status::Committed, &call.answered, call.lines.1.unwrap_or(call.lines.0)),
            Kind::Fail => (Status::Aborted, &call.asked, call.lines.0),
            Kind::Invoke | Kind::Info => (Status::Unknown, &call.asked, call.lines.0),
        };
        let reads = call.kind == Kind::Ok;
        match &*call.function {
            "txn" | "" => {
                // Some clients answer nothing but that it took effect.
                let value = if reads && *value == Value::Nil { &call.asked } else { value };
                micro_operations(&mut builder, value, reads, &mut steps).map_err(|what| {
                    ReadError::wrong(
                        line,
                        what,
                        "a transaction is a list of [:append KEY VALUE], [:r KEY VALUE] and [:w KEY VALUE]",
                    )
                })?;
            }
            function => single(&mut builder, &call, function, reads, &mut steps).ok_or_else(|| {
                ReadError::wrong(
                    call.lines.0,
                    format!("'{function}' is no transaction"),
                    "transactions are txn, read, write and append; judge other operations by --model",
                )
            })?,
        }
        let interval = Some((call.invoked, call.returned));
        builder.push(call.session, status, interval, steps.drain(..));
    }
    Ok(builder.finish())
}

/// The steps of a transaction that holds a list of operations.
fn micro_operations(
    builder: &mut Builder,
    value: &Value,
    reads: bool,
    steps: &mut Vec<Step>,
) -> Result<(), String> {
    let no = |value: &Value| {
        format!("'{}' is no step of a transaction", crate::read::excerpt(value.to_string().as_bytes()))
    };
    for operation in value.elements().ok_or_else(|| no(value))? {
        let (name, key, value) = match operation.elements() {
            Some([name, key]) => (name, key, &Value::Nil),
            Some([name, key, value]) => (name, key, value),
            Some(_) | None => return Err(no(operation)),
        };
        match name.name() {
            Some("append") => steps.push(builder.append(key, value)),
            Some("w" | "write") => steps.push(builder.write(key, value)),
            Some("r" | "read") if !reads => {}
            Some("r" | "read") => steps.push(match value.elements() {
                Some(elements) => builder.read_list(key, elements),
                None => builder.read(key, value),
            }),
            Some(_) | None => return Err(no(operation)),
        }
    }
    Ok(())
}

/// An operation that is a transaction of one step.
fn single(
    builder: &mut Builder,
    call: &Call,
    function: &str,
    reads: bool,
    steps: &mut Vec<Step>,
) -> Option<()> {
    let key = call.key.as_ref().unwrap_or(&Value::Nil);
    match function {
        "write" | "w" | "put" => steps.push(builder.write(key, &call.asked)),
        "append" => steps.push(builder.append(key, &call.asked)),
        "read" | "r" | "get" => {
            if reads {
                steps.push(match call.answered.elements() {
                    Some(elements) => builder.read_list(key, elements),
                    None => builder.read(key, &call.answered),
                });
            }
        }
        _ => return None,
    }
    Some(())
}
