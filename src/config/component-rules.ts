import { formatDuration } from '../base/duration.ts';
import { LONGEST_FUNCTION_TIMEOUT_MS } from '../model/app.ts';
import { type ConfigIssue, type ConfigPath, issueAt } from './issues.ts';
import type { RunningValues } from './schema.ts';

/**
 * What is wrong between the keys of one component.
 * @param process what is said of its process: by itself, or by others that share it.
 */
export function componentIssues(
  path: ConfigPath,
  values: RunningValues,
  process: Pick<RunningValues, 'mode' | 'fresh'>,
): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  const canBeFunction = process.mode !== 'service';
  if (canBeFunction && values.timeout !== undefined && values.timeout > LONGEST_FUNCTION_TIMEOUT_MS) {
    issues.push({
      ...issueAt([...path, 'timeout'], undefined, {
        message: 'longer than a function may take',
        expected: "at most '15m', or mode: 'service'",
      }),
      found: formatDuration(values.timeout),
    });
  }
  if (canBeFunction && process.fresh === true && values.concurrency !== undefined && values.concurrency > 1) {
    issues.push(
      issueAt([...path, 'concurrency'], values.concurrency, {
        message: 'fresh gives every invocation a process of its own',
        expected: '1, or no fresh',
      }),
    );
  }
  return issues;
}
