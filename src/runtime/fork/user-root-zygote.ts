/** The program of an ordinary user's root zygote: it becomes root of a user namespace first, so that it can make sandboxes. */
import { becomeNamespaceRoot } from '../sandbox/namespaces.ts';

becomeNamespaceRoot();
await import('./root-zygote.ts');
