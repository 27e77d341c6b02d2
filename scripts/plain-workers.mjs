/**
 * Preloaded into every test process: threads and programs that a test starts shall not load the test runner's own hooks,
 * which it passes on by NODE_OPTIONS. A thread starts three times as fast without them.
 */
delete process.env.NODE_OPTIONS;
