//! Many commands at once: answers keep the order of requests, and one key's commands that of their effects.

use std::time::Duration;

use crate::harness::with_node;

#[test]
fn answers_keep_the_order_of_requests_whatever_the_store_answers_first() {
    with_node("", |node| async {
        let mut client = node.client().await;
        client.send("SET slow:a 1\r\nSET b 2\r\nSET slow:c 3\r\nPING\r\nGET b\r\n").await;
        while node.toy.held() < 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        node.toy.release();
        let mut answers = Vec::new();
        for _ in 0..5 {
            answers.push(client.answer().await);
        }
        assert_eq!(answers, ["+OK\r\n", "+OK\r\n", "+OK\r\n", "+PONG\r\n", "$1\r\n2\r\n"]);
        node
    });
}

#[test]
fn commands_on_one_key_do_not_overtake_each_other() {
    with_node("", |node| async {
        let mut client = node.client().await;
        // Released last first: without order the increment would be done before the write.
        client.send("SET slow:a 5\r\nINCR slow:a\r\nGET slow:a\r\nMGET slow:a x\r\nDBSIZE\r\n").await;
        let mut most = 0;
        let answers = async {
            let mut answers = Vec::new();
            for _ in 0..5 {
                answers.push(client.answer().await);
            }
            answers
        };
        let release = async {
            loop {
                most = most.max(node.toy.held());
                node.toy.release();
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let answers = tokio::select! {
            answers = answers => answers,
            () = release => Vec::new(),
        };
        assert_eq!(answers, ["+OK\r\n", ":6\r\n", "$1\r\n6\r\n", "*2\r\n$1\r\n6\r\n$-1\r\n", ":1\r\n"]);
        assert!(most <= 2, "two reads at most were under way together: {most}");
        node
    });
}

#[test]
fn ten_thousand_commands_in_one_write_are_all_answered() {
    with_node("", |node| async {
        let mut client = node.client().await;
        let mut reader = node.client().await;
        let many: String = (0..10_000)
            .map(|number| format!("*3\r\n$3\r\nSET\r\n$5\r\n{number:05}\r\n$1\r\nx\r\n"))
            .collect();
        client.send(many).await;
        for _ in 0..10_000 {
            assert_eq!(client.answer().await, "+OK\r\n");
        }
        assert_eq!(reader.ask("DBSIZE").await, ":10000\r\n");
        node
    });
}

#[test]
fn a_request_may_come_byte_by_byte_and_a_value_may_be_large() {
    with_node("", |node| async {
        let mut client = node.client().await;
        for byte in b"*2\r\n$4\r\nECHO\r\n$4\r\na\r\nb\r\n" {
            client.send([*byte]).await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let value = "v".repeat(3_000_000);
        client
            .send(format!(
                "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n${}\r\n{value}\r\nSTRLEN k\r\nGET k\r\n",
                value.len()
            ))
            .await;
        assert_eq!(client.answer().await, "$4\r\na\r\nb\r\n");
        assert_eq!(client.answer().await, "+OK\r\n");
        assert_eq!(client.answer().await, ":3000000\r\n");
        assert_eq!(client.answer().await.len(), 3_000_000 + 12);
        node
    });
}
