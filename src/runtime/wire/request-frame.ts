import type { RequestHead } from '../../model/http.ts';
import type { InvocationContext } from '../../model/invocation.ts';
import { chainText } from './chain-text.ts';
import type { RequestFrame } from './messages.ts';

/** What an instance is told of a request. @param ofGroup it holds several components, and is told which. */
export function requestFrame(
  context: InvocationContext,
  head: RequestHead,
  { remainingMs, hasBody, upgrades }: Pick<RequestFrame, 'remainingMs' | 'hasBody' | 'upgrades'>,
  ofGroup: boolean,
): RequestFrame {
  return {
    member: ofGroup ? { component: context.component, chain: chainText(context.call) } : null,
    remainingMs,
    trigger: context.trigger,
    hasBody,
    upgrades,
    method: head.method,
    url: componentUrl(head.url, head.target),
    requestId: context.requestId,
    traceparent: context.traceparent,
    fields: head.fields ?? head.headers.join('\0'),
  };
}

/** The client's scheme and host with the path that the component is to see. */
function componentUrl(url: string, target: string): string {
  const path = url.indexOf('/', url.indexOf('://') + 3);
  return path === -1 ? url + target : url.slice(0, path) + target;
}
