import { html, type Html } from '../shared/html.ts';

export interface Frame {
  readonly title: string;
  readonly categories: readonly string[];
  readonly category?: string | undefined;
  readonly query?: string | undefined;
  readonly items: number;
  readonly body: Html;
  readonly status?: number;
  /** The page is loaded again after so many seconds. */
  readonly refreshS?: number | undefined;
}

/** A whole page around `body`. */
export function layout(frame: Frame): Response {
  const document = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        ${frame.refreshS !== undefined && html`<meta http-equiv="refresh" content="${frame.refreshS}" />`}
        <title>${frame.title} · Lever &amp; Co.</title>
        <link rel="icon" href="/assets/mark.svg" />
        <link rel="stylesheet" href="/assets/shop.css" />
        <script src="/assets/timing.js" defer></script>
      </head>
      <body>
        <header class="top">
          <a class="brand" href="/"
            ><img src="/assets/mark.svg" alt="" width="28" height="28" />Lever &amp; Co.</a
          >
          <form class="search" action="/" role="search">
            <input
              type="search"
              name="q"
              value="${frame.query ?? ''}"
              placeholder="Search 200 things"
              aria-label="Search"
            />
          </form>
          <a class="basket" href="/basket">Basket <b>${frame.items}</b></a>
        </header>
        <nav class="categories" aria-label="Categories">
          <a href="/" ${frame.category === undefined ? html`aria-current="page"` : ''}>Everything</a>
          ${frame.categories.map(
            (category) =>
              html`<a
                href="/?category=${category}"
                ${category === frame.category ? html`aria-current="page"` : ''}
                >${capital(category)}</a
              >`,
          )}
        </nav>
        <main>${frame.body}</main>
        <footer>
          <p>
            An example application of Fulcrum. Nothing here can be bought.
            <a href="/account">Your account</a> ·
            <a href="/report">Sales</a>
          </p>
          <p class="timing" hidden>This page: <span></span></p>
        </footer>
      </body>
    </html>`;
  return new Response(document.text, {
    status: frame.status ?? 200,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy':
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'",
    },
  });
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
