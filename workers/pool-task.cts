/**
 * The entry of the pool's threads. In CommonJS, with all else loaded by import(): Node aborts the whole process when a
 * thread is ended while it loads an ES module by require(), which piscina tries first with every entry.
 */
module.exports = import('../src/pool/task.js').then(({ runTask }) => runTask);
