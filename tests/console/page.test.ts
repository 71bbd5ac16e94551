/**
 * The page itself, run in a browser's likeness (happy-dom) against a server: what it shows, and that hostile keys and
 * values stay text.
 */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type HTMLElement, Window } from "happy-dom";
import { adopt, raw, type Site, startSite } from "./support.ts";

const FILE = readFileSync(join(import.meta.dir, "..", "..", "src", "console", "page.htm"), "utf8");
const HOSTILE = `<img src=x onerror="alert(1)"><script>alert(2)</script>"'&lt;`;

/** A window with the page, whose script has the browser's objects as its globals. */
async function visit({ url }: Site) {
  const response = await fetch(url);
  expect(response.headers.get("content-security-policy")).not.toContain("unsafe");
  const html = await response.text();
  const script = /<script>(.*)<\/script>/s.exec(html)![1]!;
  const window = new Window({ url: `${url}/` });
  const sockets: WebSocket[] = [];
  adopt({
    close: async () => {
      // A window that is closed hears of nothing more.
      for (const socket of sockets) {
        socket.onclose = socket.onmessage = null;
        socket.close();
      }
      await window.happyDOM.close();
    },
  });
  window.document.write(html.replace(script, ""));
  const scope = {
    window,
    document: window.document,
    location: window.location,
    Node: window.Node,
    getComputedStyle: window.getComputedStyle.bind(window),
    setInterval: window.setInterval.bind(window),
    WebSocket: class extends WebSocket {
      constructor(url: string) {
        super(url);
        sockets.push(this);
      }
    },
  };
  new Function(...Object.keys(scope), script)(...Object.values(scope));
  const find = (selector: string): HTMLElement => {
    const found = window.document.querySelector(selector);
    if (found === null) throw new Error(`no ${selector}`);
    return found as HTMLElement;
  };
  const text = (id: string): string => find(`#${id}`).textContent;
  const submit = (id: string): void => {
    find(`#${id}`).dispatchEvent(new window.Event("submit", { cancelable: true }));
  };
  return {
    window,
    find,
    text,
    type: (id: string, value: string) => find(`#${id}`).setAttribute("value", value),
    enter: (id: string, value: string) => Object.assign(find(`#${id}`), { value }),
    submit,
    turnTo: (view: string) => find(`nav button[data-view=${view}]`).click(),
    /** Waits until the page shows it. */
    until: async (done: () => boolean) => {
      while (!done()) await new Promise((resolve) => setImmediate(resolve));
    },
    run: (line: string) => {
      Object.assign(find("#line"), { value: line });
      submit("cli-form");
    },
  };
}

type Visitor = Awaited<ReturnType<typeof visit>>;

/** Nothing that came from the server has become an element. */
function expectHarmless({ window }: Visitor): void {
  expect(window.document.querySelectorAll("img, iframe, object, embed, link, svg, a")).toHaveLength(0);
  expect(window.document.querySelectorAll("script")).toHaveLength(1);
}

describe("the file", () => {
  test("has no way to make markup of a text, and fetches nothing from elsewhere", () => {
    expect(
      FILE.match(
        /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|createContextualFragment|DOMParser|srcdoc|javascript:|setAttribute\("on|style=|\son\w+=/g,
      ),
    ).toBeNull();
    expect(FILE.match(/https?:\/\/[^$]|<link|src=|@import|url\(/g)).toBeNull();
    expect(FILE.match(/<script/g)).toHaveLength(1);
    expect(FILE.match(/<style/g)).toHaveLength(1);
  });
});

describe("overview", () => {
  test("figures, databases, replication, persistence", async () => {
    const site = await startSite({ maxmemory: "100mb" });
    const client = await raw(site);
    await client.call("SET", "a", "1", "EX", "1000");
    await client.call("GET", "a");
    const page = await visit(site);
    await page.until(() => page.text("spaces").includes("db0"));
    expect(page.text("spaces")).toMatch(/^db0111[56] min/);
    expect(page.text("figures")).toContain("limit 100.0 MB");
    expect(page.text("figures")).toContain("since the start 100.0 %");
    expect(page.text("replication")).toContain("rolemaster");
    expect(page.text("persistence")).toContain("rdb_last_bgsave_statusok");
    expect(page.text("state")).toContain("standalone master");
  });
});

describe("keys", () => {
  test("of hostile names, with hostile contents, of each type", async () => {
    const site = await startSite();
    const client = await raw(site);
    const name = (type: string): string => `${type}:${HOSTILE}`;
    await client.call("SET", name("string"), HOSTILE);
    await client.call("RPUSH", name("list"), HOSTILE, "\u202eright to left");
    await client.call("SADD", name("set"), HOSTILE);
    await client.call("HSET", name("hash"), HOSTILE, HOSTILE);
    await client.call("ZADD", name("zset"), "1.5", HOSTILE);
    await client.call("XADD", name("stream"), "1-1", HOSTILE, HOSTILE);
    const page = await visit(site);
    page.turnTo("keys");
    await page.until(() => page.text("key-note") === "6 keys");
    for (const button of page.window.document.querySelectorAll("#key-list button")) {
      const key = button.textContent;
      expect(key).toEndWith(HOSTILE);
      (button as HTMLElement).click();
      await page.until(
        () => page.text("key-view").startsWith(key) && page.text("key-view").length > key.length,
      );
      // Once in the heading, and again among the contents.
      expect(page.text("key-view").split(HOSTILE).length).toBeGreaterThanOrEqual(3);
      expect(page.text("key-view")).toContain(`Type${key.split(":")[0]}`);
      expectHarmless(page);
    }
    expect(page.window.document.body.textContent).not.toContain("\u202e");
  });

  test("bytes that are no text are shown as such, and found all the same", async () => {
    const site = await startSite();
    const client = await raw(site);
    client.write("*3\r\n$3\r\nSET\r\n$4\r\nk\xff\x00\n\r\n$3\r\n\x01\xfe\x7f\r\n");
    expect(await client.next()).toBe("OK");
    const page = await visit(site);
    page.turnTo("keys");
    await page.until(() => page.text("key-note") === "1 key");
    page.find("#key-list button").click();
    await page.until(() => page.text("key-view").includes("Value"));
    expect(page.text("key-list")).toBe("k\\xff\\x00\\x0a");
    expect(page.text("key-view")).toContain("\\x01\\xfe\\x7f");
  });

  test("by pattern, type and database, a page at a time", async () => {
    const site = await startSite();
    const client = await raw(site);
    await client.call("SELECT", "2");
    for (let i = 0; i < 350; i++) client.send("SET", `many:${i}`, "x");
    for (let i = 0; i < 350; i++) await client.next();
    await client.call("RPUSH", "many:list", ...Array.from({ length: 250 }, (_, i) => `element ${i}`));
    const page = await visit(site);
    page.turnTo("keys");
    await page.until(() => page.text("key-note") === "0 keys");
    page.enter("key-db", "2");
    page.enter("key-pattern", "many:*");
    page.submit("key-form");
    await page.until(() => /^\d{3} keys/.test(page.text("key-note")));
    while (page.text("key-note") !== "351 keys") {
      page.find("#key-more").click();
      const before = page.text("key-note");
      await page.until(() => page.text("key-note") !== before);
    }
    page.enter("key-type", "list");
    page.submit("key-form");
    await page.until(() => page.text("key-note") === "1 key");
    page.find("#key-list button").click();
    const rows = () => page.window.document.querySelectorAll("#key-view tbody tr").length;
    const shown = (n: number) => page.text("key-view").includes(`element ${n}`);
    await page.until(() => shown(99));
    expect(shown(100)).toBe(false);
    page.find("#key-view button").click();
    await page.until(() => shown(199));
    page.find("#key-view button").click();
    await page.until(() => shown(249));
    expect(rows()).toBeGreaterThanOrEqual(250);
  });
});

describe("slow log and latency", () => {
  test("with hostile arguments and client names", async () => {
    const site = await startSite({ "slowlog-log-slower-than": 0, "latency-monitor-threshold": 1 });
    const client = await raw(site);
    await client.call("CLIENT", "SETNAME", "<b>name</b>");
    await client.call("SET", HOSTILE, HOSTILE);
    const page = await visit(site);
    page.turnTo("slow");
    await page.until(() => page.text("slowlog").includes("SET"));
    expect(page.text("slowlog")).toContain("<b>name</b>");
    expect(page.text("slowlog")).toContain("<img src=x");
    expect(page.text("commands")).toContain("set");
    expectHarmless(page);
  });
});

describe("command line", () => {
  test("replies of all kinds, quotes, transactions, messages, errors", async () => {
    const site = await startSite();
    const client = await raw(site);
    const page = await visit(site);
    page.turnTo("cli");
    const expectLog = (text: string) => page.until(() => page.text("log").includes(text));
    page.run(`SET "a\\x41 b" '${HOSTILE.replaceAll("'", "\\'")}'`);
    await expectLog("OK");
    expect(await client.call("GET", "aA b")).toBe(HOSTILE);
    page.run('GET "aA b"');
    await expectLog(HOSTILE.replaceAll('"', '\\"'));
    page.run("INCR n");
    await expectLog("(integer) 1");
    page.run("GET none");
    await expectLog("(nil)");
    page.run("NOSUCH <b>x</b>");
    await expectLog("(error) ERR unknown command 'NOSUCH'");
    page.run("RPUSH l a b");
    page.run("LRANGE l 0 -1");
    await expectLog('1) "a"2) "b"'.replace("2)", "\n2)"));
    page.run("MULTI");
    page.run("INCR n");
    await expectLog("QUEUED");
    page.run("EXEC");
    await expectLog("1) (integer) 2");
    page.run("HELLO 3");
    page.run("SUBSCRIBE news");
    await expectLog('"subscribe"');
    await client.call("PUBLISH", "news", "<i>hello</i>");
    await expectLog("<i>hello</i>");
    page.run('GET "open');
    await expectLog("a quote is not closed");
    expectHarmless(page);
  });
});

describe("logging in", () => {
  test("is asked for, refused, and then good for all views; passwords are not kept in sight", async () => {
    const site = await startSite({
      user: ["default off", "alice on >pa:ss ~* +@all", "bob on >pw ~bob:* +info +ping +scan +select +get"],
    });
    const page = await visit(site);
    const dialog = page.find("#login");
    const isOpen = () => dialog.hasAttribute("open");
    await page.until(isOpen);
    const logIn = (user: string, password: string) => {
      page.enter("user", user);
      page.enter("password", password);
      page.submit("login-form");
      dialog.removeAttribute("open");
    };
    logIn("alice", "wrong");
    await page.until(() => page.text("login-note").includes("WRONGPASS"));
    logIn("alice", "pa:ss");
    await page.until(() => page.text("state").includes("standalone"));
    page.turnTo("cli");
    page.run("ACL WHOAMI");
    await page.until(() => page.text("log").includes('"alice"'));
    page.run("AUTH bob pw");
    await page.until(() => page.text("log").includes("OK"));
    page.run("GET other");
    await page.until(() => page.text("log").includes("NOPERM"));
    expect(page.text("log")).not.toContain("pw");
    logIn("bob", "pw");
    page.turnTo("slow");
    await page.until(() => page.text("slow-note").includes("NOPERM"));
  });
});
