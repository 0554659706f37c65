//! Strangers, nonsense and giants on the port of the cluster.

use std::time::Duration;

use isles_kernel::random::Stream;
use isles_kernel::{Cx, Never, OpId, ProcessId, Protocol};
use isles_net::{Limits, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::world::{Running, addresses, folder, run, settings, tls, until};

/// Doubles a number, over there.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Double;

impl Protocol for Double {
    type Config = ();
    type Msg = (bool, OpId, u64);
    type Timer = Never;
    type Op = u64;
    type Reply = u64;
    type Record = Never;
    type Event = Never;

    fn start(_: &mut Cx<'_, Self>, _: &[Never]) -> Self {
        Self
    }
    fn on_op(&mut self, cx: &mut Cx<'_, Self>, id: OpId, op: u64) {
        cx.send(ProcessId(1 - cx.me().0), (false, id, op));
    }
    fn on_message(&mut self, cx: &mut Cx<'_, Self>, from: ProcessId, (back, id, number): Self::Msg) {
        match back {
            true => cx.reply(id, number),
            false => cx.send(from, (true, id, number.wrapping_mul(2))),
        }
    }
    fn on_timer(&mut self, _: &mut Cx<'_, Self>, timer: Never) {
        match timer {}
    }
}

async fn pair(settings: Vec<Settings>) -> Vec<Running<Double>> {
    let mut hosts = Vec::new();
    for mut settings in settings {
        settings.limits = Limits { silence: Duration::from_millis(600), ..settings.limits };
        hosts.push(Running::start(settings, ()).await.expect("a host starts"));
    }
    hosts
}

/// The other member is served, whatever strangers do.
async fn serves(hosts: &[Running<Double>], id: u64) {
    hosts[0].host.invoke(OpId(id), id);
    assert_eq!(hosts[0].reply(id).await, 2 * id);
}

fn hello(cluster: &str, protocol: &str, address: &str) -> Vec<u8> {
    let body = isles_kernel::codec::encode(&(cluster, protocol, address));
    [b"ISLE\x01\x00", &(body.len() as u32).to_le_bytes()[..], &body].concat()
}

/// What the host answers to some bytes before it closes.
async fn answer(address: &str, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.expect("the host listens");
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer))
        .await
        .expect("it closes");
    answer
}

#[test]
fn strangers_are_told_why_they_are_refused() {
    run(async {
        let addresses = addresses(2);
        let hosts = pair(settings(&addresses)).await;
        let refused = [
            (hello("reef", "test 1", "127.0.0.1:1"), "it belongs to cluster 'reef', this is 'local'"),
            (hello("local", "test 2", "127.0.0.1:1"), "it speaks 'test 2', this one 'test 1'"),
            (hello("local", "test 1", "nowhere"), "'nowhere' is no address"),
            (hello("local", "test 1", &addresses[1]), "it says that it is this process"),
        ];
        for (bytes, why) in refused {
            let told = answer(&addresses[1], &bytes).await;
            let told = String::from_utf8_lossy(&told);
            assert!(told.contains(why), "{told:?} should say {why}");
        }
        // Another version is told which one this is.
        let told = answer(&addresses[1], b"ISLE\x63\x00\x00\x00\x00\x00").await;
        assert_eq!(told[..6], *b"ISLE\x01\x00");
        assert_eq!(hosts[1].counter("refused_total"), 5);
        serves(&hosts, 7).await;
    });
}

#[test]
fn nonsense_costs_a_stranger_its_stream_and_nobody_else_anything() {
    run(async {
        let addresses = addresses(2);
        let hosts = pair(settings(&addresses)).await;
        let mut stream = Stream::new(1, &[]);
        let greeting = hello("local", "test 1", "127.0.0.1:1");
        for round in 0..60u32 {
            let random: Vec<u8> = (0..stream.below(300)).map(|_| stream.bits() as u8).collect();
            let greeted = [&greeting[..], &random].concat();
            let giant = [&greeting[..], &u32::MAX.to_le_bytes(), &random].concat();
            let unknown = [&greeting[..], &[9, 0, 0, 0, 0, 200, 1, 2, 3, 4, 5, 6, 7]].concat();
            let bytes = [&random, &greeted, &giant, &unknown][round as usize % 4];
            answer(&addresses[1], bytes).await;
            if round % 10 == 0 {
                serves(&hosts, u64::from(round)).await;
            }
        }
        assert!(hosts[1].counter("rejected_total") >= 30);
    });
}

#[test]
fn half_open_connections_make_room_for_members() {
    run(async {
        let addresses = addresses(2);
        let mut all = settings(&addresses);
        for settings in &mut all {
            settings.limits = Limits { handshakes_max: 8, streams_max: 64, ..Limits::default() };
        }
        let hosts = pair(all).await;
        let mut kept = Vec::new();
        for _ in 0..40 {
            kept.push(TcpStream::connect(&addresses[1]).await.unwrap());
        }
        serves(&hosts, 3).await;
        // Those who were silent longest made room, and the others' time is up soon.
        until(|| hosts[1].counter("refused_total") >= 40).await;
    });
}

#[test]
fn keys_of_another_cluster_or_member_open_nothing() {
    run(async {
        let (ours, theirs) = (folder("ours"), folder("theirs"));
        let addresses = addresses(2);
        let mut all = settings(&addresses);
        let (own, foreign) = (tls(&ours, 3), tls(&theirs, 2));
        all[0].security = foreign[0].clone();
        all[1].security = own[1].clone();
        // Keys of another authority.
        let hosts = pair(all.clone()).await;
        hosts[0].host.invoke(OpId(1), 1);
        until(|| hosts[0].counter("unreachable_total") > 0 && hosts[1].counter("refused_total") > 0).await;
        assert!(hosts[0].replies.borrow().is_empty());
        let [first, second]: [Running<Double>; 2] = hosts.try_into().ok().unwrap();
        first.host.stop().await;
        second.host.stop().await;
        // Keys of this authority, but of another member.
        all[0].security = own[2].clone();
        let hosts = pair(all.clone()).await;
        hosts[0].host.invoke(OpId(1), 1);
        until(|| hosts[1].counter("refused_total") > 0).await;
        assert!(hosts[0].replies.borrow().is_empty());
        let [first, second]: [Running<Double>; 2] = hosts.try_into().ok().unwrap();
        first.host.stop().await;
        second.host.stop().await;
        // The control: its own keys.
        all[0].security = own[0].clone();
        let hosts = pair(all).await;
        serves(&hosts, 4).await;
        // Plain text, and datagrams that nobody sealed.
        answer(&addresses[1], &hello("local", "test 1", &addresses[0])).await;
        let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        for packet in [
            &b"ISLD\x01\x00"[..],
            b"ISLS\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00 body",
            b"",
        ] {
            socket.send_to(packet, &addresses[1]).await.unwrap();
        }
        until(|| hosts[1].counter("rejected_total") == 3).await;
        serves(&hosts, 5).await;
        std::fs::remove_dir_all(ours).unwrap();
        std::fs::remove_dir_all(theirs).unwrap();
    });
}
