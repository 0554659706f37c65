// What ioredis does, unmodified, with three nodes: a command and what it returned on each line.

import { Redis } from 'ioredis';

const show = (name, value) => console.log(`${name}: ${JSON.stringify(value)}`);
const [first, second, third] = process.argv.slice(2, 5).map((port) => new Redis({ port: Number(port), host: '127.0.0.1' }));

await first.del('a', 'b', 'n', 't', 'w', 'many:1', 'many:2');
show('ping', await first.ping());
show('set', await first.set('a', '1'));
show('get at another node', await second.get('a'));
show('get of nothing', await third.get('b'));
show('set nx', await second.set('a', '2', 'NX'));
show('set px', await third.set('t', 'x', 'PX', 100000));
show('ttl', await first.ttl('t'));
show('incr', [await first.incr('n'), await second.incr('n'), await third.incrby('n', 40)]);
show('mset', await first.mset('many:1', 'x', 'many:2', 'y'));
show('mget', await third.mget('many:1', 'none', 'many:2'));
const found = [];
for await (const keys of second.scanStream({ match: 'many:*', count: 1 })) found.push(...keys);
show('scanStream', found.sort());
show('multi', await first.multi().set('w', '5').incr('w').get('w').exec());
show('pipeline', await first.pipeline().set('p', '1').incr('p').incr('p').get('p').exec());
await first.watch('w');
await second.set('w', 'other');
show('watch', await first.multi().set('w', 'mine').exec());
show('value', await third.get('w'));
for (const wrong of [['SET', 'a'], ['INCR', 'w'], ['NOSUCH', 'x']]) {
    try {
        show(wrong.join(' '), await first.call(...wrong));
    } catch (error) {
        show(wrong.join(' '), error.message);
    }
}
for (const node of [first, second, third]) show('quit', await node.quit());
