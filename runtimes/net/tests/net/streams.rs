//! Streams and datagrams between hosts.

use std::time::Duration;

use isles_kernel::{Channel, Cx, Never, OpId, ProcessId, Protocol};
use isles_net::{Limits, Settings};
use serde::{Deserialize, Serialize};

use crate::world::{Running, addresses, folder, run, settings, tls, until};

/// Passes a number on along a list of processes; the last one tells the first, whom the message names.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Courier;

#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
struct Letter {
    id: OpId,
    origin: ProcessId,
    rest: Vec<ProcessId>,
    channel: Channel,
    weight: Vec<u8>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
enum Msg {
    Pass(Letter),
    Back(OpId),
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
struct Lost(ProcessId);

impl Protocol for Courier {
    type Config = ();
    type Msg = Msg;
    type Timer = Never;
    type Op = (Vec<ProcessId>, Channel, usize);
    type Reply = ProcessId;
    type Record = Never;
    type Event = Lost;

    fn start(_: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        Self
    }
    fn on_op(&mut self, cx: &mut Cx<'_, Self>, id: OpId, (rest, channel, bytes): Self::Op) {
        let letter = Letter { id, origin: cx.me(), rest, channel, weight: vec![7; bytes] };
        self.on_message(cx, cx.me(), Msg::Pass(letter));
    }
    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, msg: Msg) {
        match msg {
            Msg::Back(id) => cx.reply(id, from),
            Msg::Pass(mut letter) => match letter.rest.is_empty() {
                true => cx.send(letter.origin, Msg::Back(letter.id)),
                false => {
                    let next = letter.rest.remove(0);
                    cx.send_by(letter.channel, next, Msg::Pass(letter));
                }
            },
        }
    }
    fn on_timer(&mut self, _: &mut Cx<'_, Self>, timer: Never) {
        match timer {}
    }
    fn on_unreachable(&mut self, cx: &mut Cx<'_, Self>, peer: ProcessId) {
        cx.emit(Lost(peer));
    }
}

async fn three(settings: Vec<Settings>) -> Vec<Running<Courier>> {
    let mut hosts = Vec::new();
    for settings in settings {
        hosts.push(Running::start(settings, ()).await.expect("a host starts"));
    }
    hosts
}

async fn goes_round(hosts: &[Running<Courier>]) {
    let round = vec![ProcessId(1), ProcessId(2)];
    for (id, bytes) in [(1, 0), (2, 100_000), (3, 3_000_000)] {
        hosts[0].host.invoke(OpId(id), (round.clone(), Channel::Stream, bytes));
        assert_eq!(hosts[0].reply(id).await, ProcessId(2));
    }
    // A process may send itself something, too.
    hosts[0].host.invoke(OpId(4), (vec![ProcessId(0)], Channel::Stream, 1));
    assert_eq!(hosts[0].reply(4).await, ProcessId(0));
    // Datagrams are lost until a stream is there.
    let mut id = 10;
    until(|| {
        id += 1;
        hosts[0].host.invoke(OpId(id), (round.clone(), Channel::Datagram, 100));
        hosts[0].replies.borrow().iter().any(|(id, _)| id.0 > 10)
    })
    .await;
    assert!(hosts[1].counter("datagrams_received_total") > 0);
    assert_eq!(hosts[1].counter("rejected_total"), 0);
    // What is too long for a datagram goes over the stream.
    hosts[0].host.invoke(OpId(5), (round, Channel::Datagram, 100_000));
    assert_eq!(hosts[0].reply(5).await, ProcessId(2));
}

#[test]
fn messages_go_round_in_plain_text() {
    run(async { goes_round(&three(settings(&addresses(3))).await).await });
}

#[test]
fn messages_go_round_with_tls() {
    run(async {
        let folder = folder("round");
        let mut settings = settings(&addresses(3));
        settings.iter_mut().zip(tls(&folder, 3)).for_each(|(settings, tls)| settings.security = tls);
        goes_round(&three(settings).await).await;
        std::fs::remove_dir_all(folder).unwrap();
    });
}

#[test]
fn a_message_introduces_a_process_to_one_that_never_heard_of_it() {
    run(async {
        let [a, b, c]: [String; 3] = addresses(3).try_into().unwrap();
        let members = [a, b];
        let mut hosts = three(settings(&members)).await;
        // The third one knows the first, by other handles; nobody knows it.
        let stranger = Settings::new(ProcessId(0), vec![c, members[0].clone(), members[1].clone()], "test 1");
        hosts.push(Running::start(stranger, ()).await.unwrap());
        for (id, channel) in [(1, Channel::Stream), (2, Channel::Datagram)] {
            until(|| {
                let route = vec![ProcessId(1), ProcessId(2)];
                hosts[2]
                    .host
                    .invoke(OpId(id + 10 * hosts[2].counter("operations_total")), (route, channel, 1));
                !hosts[2].replies.borrow().is_empty()
            })
            .await;
            // The second member answered, whom the stranger calls 2.
            assert!(hosts[2].replies.borrow_mut().drain(..).all(|(_, from)| from == ProcessId(2)));
        }
    });
}

#[test]
fn a_process_that_stops_is_unreachable_and_is_found_again() {
    run(async {
        let settings = settings(&addresses(2));
        let mut hosts = three(settings.clone()).await;
        let there_and_back = || (vec![ProcessId(1)], Channel::Stream, 1);
        hosts[0].host.invoke(OpId(1), there_and_back());
        hosts[0].reply(1).await;
        let second = hosts.remove(1);
        second.host.stop().await;
        until(|| hosts[0].events.borrow().contains(&Lost(ProcessId(1)))).await;
        // What is sent now is lost, and that is told, too.
        hosts[0].events.borrow_mut().clear();
        hosts[0].host.invoke(OpId(2), there_and_back());
        until(|| hosts[0].events.borrow().contains(&Lost(ProcessId(1)))).await;
        let second: Running<Courier> = Running::start(settings[1].clone(), ()).await.unwrap();
        let mut id = 2;
        until(|| {
            id += 1;
            hosts[0].host.invoke(OpId(id), there_and_back());
            !second.host.metrics().contains("isles_messages_received_total 0")
        })
        .await;
        until(|| hosts[0].replies.borrow().len() > 1).await;
        assert!(
            hosts[0].replies.borrow().iter().all(|(id, _)| *id != OpId(2)),
            "a new stream resends nothing"
        );
    });
}

#[test]
fn one_that_does_not_read_is_given_up_and_others_are_not_kept_waiting() {
    run(async {
        let addresses = addresses(3);
        let mut settings = settings(&addresses);
        let limits =
            Limits { queue_bytes_max: 4 << 20, silence: Duration::from_millis(1500), ..Limits::default() };
        settings.iter_mut().for_each(|settings| settings.limits = limits);
        // The third one shakes hands by what the second one answers, and never reads again.
        let silent = tokio::net::TcpListener::bind(&addresses[2]).await.unwrap();
        tokio::task::spawn_local(async move {
            let mut kept = Vec::new();
            while let Ok((mut stream, _)) = silent.accept().await {
                use tokio::io::AsyncWriteExt;
                stream.write_all(b"ISLE\x01\x00\x01\x00\x00\x00\x00").await.unwrap();
                kept.push(stream);
            }
        });
        settings.pop();
        let hosts = three(settings).await;
        for id in 0..40 {
            hosts[0].host.invoke(OpId(1000 + id), (vec![ProcessId(2)], Channel::Stream, 1 << 20));
            hosts[0].host.invoke(OpId(id), (vec![ProcessId(1)], Channel::Stream, 1));
            hosts[0].reply(id).await;
        }
        until(|| hosts[0].events.borrow().contains(&Lost(ProcessId(2)))).await;
        assert!(hosts[0].counter("messages_dropped_total") > 20);
    });
}
