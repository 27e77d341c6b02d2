/** Every request analyses every file it reaches. */
import { analyseFile } from '../analysis/analyse.js';
import { runTask, type Task, type TaskResult } from '../analysis/task.js';

export default function task(task: Task): TaskResult {
  return runTask(task, analyseFile, (path, analyse) => analyse(path));
}
