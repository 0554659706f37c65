"""What redis-py does, unmodified, with three nodes: a command and what it returned on each line."""

import sys
import threading

import redis

ports = [int(port) for port in sys.argv[1:4]]


def show(name, value):
    print(f"{name}: {value!r}")


for protocol in (2, 3):
    print(f"== RESP{protocol}")
    nodes = [redis.Redis(port=port, protocol=protocol, decode_responses=True) for port in ports]
    first, second, third = nodes
    first.delete("a", "b", "c", "n", "t", "w", "lock", "many:1", "many:2")
    show("ping", first.ping())
    show("set", first.set("a", "1"))
    show("get at another node", second.get("a"))
    show("get of nothing", third.get("b"))
    show("set nx", second.set("a", "2", nx=True))
    show("set xx get", second.set("a", "2", xx=True, get=True))
    show("set ex", third.set("t", "x", ex=100))
    show("ttl", first.ttl("t"))
    show("persist", first.persist("t"))
    show("ttl", second.ttl("t"))
    show("expire gt", second.expire("t", 50, gt=True))
    show("expire nx", second.expire("t", 50, nx=True))
    show("getex", first.getex("t", persist=True))
    show("incr", [node.incr("n") for node in nodes])
    show("decrby", first.decrby("n", 5))
    show("append", first.append("a", "xyz"))
    show("getrange", second.getrange("a", 1, 2))
    show("strlen", second.strlen("a"))
    show("mset", first.mset({"many:1": "x", "many:2": "y"}))
    show("mget", third.mget("many:1", "none", "many:2"))
    show("msetnx", third.msetnx({"many:1": "z", "b": "z"}))
    show("exists", first.exists("many:1", "many:2", "none"))
    show("type", first.type("a"))
    show("scan_iter", sorted(second.scan_iter(match="many:*", count=1)))
    show("keys", sorted(second.keys("many:*")))
    show("delete", first.delete("many:1", "many:2", "none"))
    show("getdel", first.getdel("b"))
    show("echo", first.echo("hello"))

    with first.pipeline() as pipe:
        pipe.set("c", 5).incr("c").get("c").expire("c", 100).ttl("c")
        show("transaction", pipe.execute())
    with first.pipeline(transaction=False) as pipe:
        pipe.set("c", 1)
        for _ in range(3):
            pipe.incr("c")
        pipe.get("c")
        show("pipeline", pipe.execute())

    with first.pipeline() as pipe:
        pipe.watch("w")
        pipe.multi()
        pipe.set("w", "mine")
        second.set("w", "other")
        try:
            pipe.execute()
            show("watch", "executed")
        except redis.WatchError:
            show("watch", "another was first")
    show("value", third.get("w"))

    def add(node):
        for _ in range(20):
            node.transaction(lambda pipe: (lambda n: (pipe.multi(), pipe.set("w", n + 1)))(int(pipe.get("w"))), "w")

    first.set("w", 0)
    threads = [threading.Thread(target=add, args=(node,)) for node in nodes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    show("60 transactions at three nodes", second.get("w"))

    for wrong in (["SET", "a"], ["INCR", "a"], ["NOSUCH", "x"], ["SELECT", "1"]):
        try:
            first.execute_command(*wrong)
            show(" ".join(wrong), "no error")
        except redis.ResponseError as error:
            show(" ".join(wrong), str(error))
    show("info", first.info("persistence")["loading"])
    show("client name", (first.client_setname("me"), first.client_getname()))
    show("config", first.config_get("databases"))
    show("command count", first.command_count() > 40)
    for node in nodes:
        node.close()
