//! A moment of a simulation, from which a few processes go on in every way.

use isles_explore::{Answer, Moment, Property, Scenario, Standing, Trace, Underway};
use isles_kernel::{Channel, ProcessId, Time};
use isles_sim::{Observer, Setup, Simulation};

use crate::world::{Begin, Do, Puppet, Seen, explorer};

/// Keeps what is under way.
#[derive(Default)]
struct Flights(Vec<(ProcessId, ProcessId, u8)>);

impl Observer<Puppet> for Flights {
    fn sees_messages(&self) -> bool {
        true
    }

    fn on_send(&mut self, _: Time, from: ProcessId, to: ProcessId, arrival: Option<Time>, msg: &u8) {
        if arrival.is_some() {
            self.0.push((from, to, *msg));
        }
    }

    fn on_deliver(&mut self, _: Time, from: ProcessId, to: ProcessId, msg: &u8) {
        let place = self.0.iter().position(|flight| *flight == (from, to, *msg)).expect("it was sent");
        self.0.remove(place);
    }
}

const MANY: u32 = 3_000;
const SENDER: ProcessId = ProcessId(1_700);
const RECEIVER: ProcessId = ProcessId(2_345);
const FAR: ProcessId = ProcessId(5);

/// Everybody tells its neighbour; two, of whom one is far away, tell the receiver.
fn begin() -> Begin {
    let mut begin: Begin = (0..MANY).map(|me| vec![Do::Cast((me + 1) % MANY, 9)]).collect();
    begin[SENDER.index()].push(Do::Cast(RECEIVER.0, 1));
    begin[FAR.index()].push(Do::Cast(RECEIVER.0, 2));
    begin
}

/// The simulation right after the start, with what is under way.
fn simulated() -> (Simulation<Puppet>, Flights) {
    let mut simulation = Simulation::new(Setup::<Puppet>::new(MANY, 7, begin())).expect("a possible setup");
    let mut flights = Flights::default();
    simulation.run_until(Time(1), &mut flights);
    (simulation, flights)
}

fn moment(simulation: &Simulation<Puppet>, flights: &Flights, chosen: &[ProcessId]) -> Moment<Puppet> {
    let standing = |process: &ProcessId| {
        Standing::new(*process, simulation.process(*process).expect("nobody crashed").clone())
    };
    let underway = flights.0.iter().map(|(from, to, msg)| Underway {
        from: *from,
        to: *to,
        channel: Channel::Datagram,
        msg: *msg,
    });
    Moment {
        now: simulation.now(),
        processes: chosen.iter().map(standing).collect(),
        underway: underway.collect(),
    }
}

fn ordered() -> Property<Puppet> {
    Property::never("the far one is heard first", |view| {
        let heard = |puppet: &Puppet| puppet.seen.first() == Some(&Seen::Message(FAR.0, 2));
        view.process(RECEIVER).is_some_and(heard)
    })
}

#[test]
fn a_moment_of_a_simulation_is_taken_up_in_every_way() {
    let (mut simulation, flights) = simulated();
    let scenario = || {
        Scenario::lifted(begin(), moment(&simulation, &flights, &[RECEIVER, SENDER])).ask(ordered()).ask(
            Property::<Puppet>::reachable("all is heard", |view| {
                view.process(RECEIVER).is_some_and(|puppet| puppet.seen.len() == 3)
            }),
        )
    };
    let report = explorer(scenario()).whole().breadth_first();
    // Three messages to the receiver in every order: 16 beginnings of orders; and one to the sender, heard or not.
    assert_eq!(report.states, 2 * 16, "{report}");
    let trace = report.answer("the far one is heard first").and_then(Answer::trace).expect("in some order");
    assert_eq!(trace.steps.len(), 1);
    assert!(matches!(report.answer("all is heard"), Some(Answer::Reached(_))));
    // What is found is replayed from the same moment, after being written and read, and drawn in few columns.
    let (_, read) =
        Trace::from_lines(&trace.to_lines("the far one is heard first", MANY)).expect("as written");
    assert_eq!(explorer(scenario()).replay(&read).expect("it is possible"), ["the far one is heard first"]);
    assert!(trace.to_diagram().lines().all(|line| line.chars().count() < 100), "{}", trace.to_diagram());
    assert!(trace.to_shiviz().starts_with("p2345 "), "{}", trace.to_shiviz());
    // Only the next step.
    let next = explorer(scenario()).depth(1).breadth_first();
    assert_eq!((next.depth, next.states), (1, 5));
    // The simulation itself is one of the ways.
    simulation.run_until(Time(60_000_000_000), &mut ());
    let heard = &simulation.process(RECEIVER).expect("nobody crashed").seen;
    assert_eq!(heard.len(), 3);
}

#[test]
fn the_rest_stands_still() {
    let (simulation, flights) = simulated();
    // Nobody who goes on is told anything by those who do not, but for what is under way; and the clock goes on.
    let scenario = Scenario::lifted(begin(), moment(&simulation, &flights, &[ProcessId(10), ProcessId(11)]))
        .client(vec![(ProcessId(10), vec![Do::Cast(FAR.0, 3), Do::Cast(11, 4)])])
        .ask(Property::never("somebody else", |view| view.processes() != 2 || view.process(FAR).is_some()));
    let report = explorer(scenario).breadth_first();
    assert!(report.is_proof(), "{report}");
    // p10 hears p9's, p11 p10's first; the client's message to p11 comes in any order after it was invoked.
    assert_eq!(report.states, 2 * (2 + 5));
}

#[test]
fn a_moment_that_cannot_be_is_refused() {
    let (simulation, flights) = simulated();
    let refused = |scenario: Scenario<Puppet>| {
        isles_explore::Explorer::new(scenario).err().expect("refused").to_string()
    };
    let twice = moment(&simulation, &flights, &[FAR, FAR]);
    assert!(refused(Scenario::lifted(begin(), twice)).contains("p5 is there twice"));
    let lifted = || Scenario::lifted(begin(), moment(&simulation, &flights, &[FAR]));
    assert!(refused(lifted().client(vec![(SENDER, vec![])])).contains("asks p1700"));
    assert!(refused(Scenario { processes: 2, ..lifted() }).contains("a moment with 1"));
    assert!(refused(lifted().symmetric([FAR])).contains("not exchanged"));
}
