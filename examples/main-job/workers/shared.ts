/** All threads remember together: a file is analysed once in the process, whichever thread comes first. */
import type { TaskContext } from 'mooncake-cache';
import { analyseFile, type FileAnalysis } from '../analysis/analyse.js';
import { runTask, type Task, type TaskResult } from '../analysis/task.js';

export default function task(task: Task, { cache }: TaskContext<FileAnalysis>): TaskResult {
  return runTask(task, analyseFile, (path, analyse) => cache.getOrSetSync(path, analyse));
}
