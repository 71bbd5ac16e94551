import text from "./page.htm" with { type: "text" };

/** The page, with headers under which it can do nothing but what it is there for: nothing is fetched from elsewhere. */
let headers: Record<string, string> | null = null;

export function page(): Response {
  headers ??= {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "content-security-policy": [
      "default-src 'none'",
      `script-src ${hashOf("script")}`,
      `style-src ${hashOf("style")}`,
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join("; "),
  };
  return new Response(text, { headers });
}

/** The one element of this name may run, and nothing that found its way into the page. */
function hashOf(element: "script" | "style"): string {
  const content = new RegExp(`<${element}>(.*)</${element}>`, "s").exec(text)![1]!;
  return `'sha256-${new Bun.CryptoHasher("sha256").update(content).digest("base64")}'`;
}
