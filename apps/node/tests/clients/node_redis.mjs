// What node-redis does, unmodified, with three nodes: a command and what it returned on each line.

import { createClient, WatchError } from 'redis';

const show = (name, value) => console.log(`${name}: ${JSON.stringify(value)}`);
const ports = process.argv.slice(2, 5).map(Number);

for (const RESP of [2, 3]) {
    console.log(`== RESP${RESP}`);
    const nodes = await Promise.all(ports.map((port) => createClient({ RESP, socket: { port, host: '127.0.0.1' } }).connect()));
    const [first, second, third] = nodes;
    await first.del(['a', 'b', 'n', 't', 'w', 'many:1', 'many:2']);
    show('ping', await first.ping());
    show('set', await first.set('a', '1'));
    show('get at another node', await second.get('a'));
    show('get of nothing', await third.get('b'));
    show('set nx', await second.set('a', '2', { condition: 'NX' }));
    show('set get', await second.set('a', '2', { GET: true }));
    show('setEx', await third.setEx('t', 100, 'x'));
    show('ttl', await first.ttl('t'));
    show('persist', await first.persist('t'));
    show('incr', [await first.incr('n'), await second.incr('n'), await third.incrBy('n', 40)]);
    show('mSet', await first.mSet({ 'many:1': 'x', 'many:2': 'y' }));
    show('mGet', await third.mGet(['many:1', 'none', 'many:2']));
    const found = [];
    for await (const keys of second.scanIterator({ MATCH: 'many:*', COUNT: 1 })) found.push(...[].concat(keys));
    show('scanIterator', found.sort());
    show('multi', await first.multi().set('w', '5').incr('w').get('w').exec());
    show('at once', await Promise.all([first.set('p', '1'), first.incr('p'), first.incr('p'), first.get('p')]));
    await first.watch('w');
    await second.set('w', 'other');
    try {
        show('watch', await first.multi().set('w', 'mine').exec());
    } catch (error) {
        show('watch', error instanceof WatchError ? 'another was first' : error.message);
    }
    show('value', await third.get('w'));
    for (const wrong of [['SET', 'a'], ['INCR', 'w'], ['NOSUCH', 'x']]) {
        try {
            show(wrong.join(' '), await first.sendCommand(wrong));
        } catch (error) {
            show(wrong.join(' '), error.message);
        }
    }
    await Promise.all(nodes.map((node) => node.close()));
}
