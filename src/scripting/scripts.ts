import { latin1Text } from "../bytes/ascii.ts";
import { CommandError } from "../resp/errors.ts";
import { pushRedis } from "./api.ts";
import type { LuaRandom } from "./lua/libraries/random.ts";
import { Sandbox } from "./lua/sandbox.ts";
import type { ScriptRuns } from "./runs.ts";
import { COMPATIBLE, scriptShebang } from "./shebang.ts";

/**
 * Scripts by the SHA1 of their source, compiled. They stay until SCRIPT FLUSH or the server's end, and are neither
 * saved nor propagated.
 */
export interface Script {
  readonly sha: string;
  readonly flags: number;
  /** The compiled function, by reference. */
  readonly ref: number;
  readonly source: Uint8Array;
}

/** What a script takes beside its source, roughly. */
const OVERHEAD = 200;

export class Scripts {
  private scripts = new Map<string, Script>();
  private sandboxNow: Sandbox | null = null;
  /** Bytes of sources. */
  private bytes = 0;

  constructor(
    private readonly runs: ScriptRuns,
    private readonly random: LuaRandom,
    private readonly onBug: (error: unknown) => void,
  ) {}

  /** Made when the first script comes: most servers never see one. */
  get sandbox(): Sandbox {
    if (this.sandboxNow?.broken) this.flush();
    const { runs } = this;
    if (this.sandboxNow !== null) return this.sandboxNow;
    const sandbox = new Sandbox(
      { interrupt: runs.interrupt, paused: runs.paused, onBug: this.onBug, random: this.random },
      (machine, L) => pushRedis(machine, L, runs, true),
    );
    const { machine } = sandbox;
    machine.pushRef(machine.L, sandbox.handler);
    sandbox.setGlobal(machine.L, "__redis__err__handler");
    return (this.sandboxNow = sandbox);
  }

  get count(): number {
    return this.scripts.size;
  }

  /** Bytes that the interpreter's values take. */
  get luaMemory(): number {
    return this.sandboxNow?.machine.memory ?? 0;
  }

  /** Bytes of the cache. */
  get cacheMemory(): number {
    return this.bytes + this.scripts.size * OVERHEAD;
  }

  find(sha: string): Script | null {
    // A broken interpreter has none of them any more.
    if (this.sandboxNow?.broken) this.flush();
    return this.scripts.get(sha) ?? null;
  }

  /** The SHA1 of `buf[start, end)` in hexadecimal digits. */
  sha(buf: Uint8Array, start: number, end: number): string {
    return Bun.SHA1.hash(buf.subarray(start, end), "hex");
  }

  /** The flags that a script would have, known or not; without a sensible shebang, those of one without any. */
  flagsOf(buf: Uint8Array, start: number, end: number): number {
    const shebang = scriptShebang(buf, start, end);
    return typeof shebang === "string" ? COMPATIBLE : shebang.flags;
  }

  /** The script of this source, compiled if it is new. */
  define(buf: Uint8Array, start: number, end: number): Script {
    const sha = this.sha(buf, start, end);
    const known = this.find(sha);
    if (known !== null) return known;
    const shebang = scriptShebang(buf, start, end);
    if (typeof shebang === "string") throw new CommandError(shebang);
    const { sandbox } = this;
    const { machine } = sandbox;
    const { L } = machine;
    sandbox.prepare();
    const from = start + shebang.length;
    const wrong = machine.isBinary(buf, from, end)
      ? "user_script: bad header in precompiled chunk"
      : machine.load(L, buf, from, end, "@user_script")
        ? null
        : machine.text(L, -1);
    if (wrong !== null) {
      machine.api.lua_settop(L, 0);
      throw new CommandError(`ERR Error compiling script (new function): ${wrong}`);
    }
    const script = { sha, flags: shebang.flags, ref: machine.ref(L), source: buf.slice(start, end) };
    this.scripts.set(sha, script);
    this.bytes += script.source.length;
    return script;
  }

  /** SCRIPT FLUSH: an interpreter of its own for what comes. */
  flush(): void {
    this.scripts = new Map();
    this.sandboxNow = null;
    this.bytes = 0;
  }
}

/** The SHA1 of a command line's argument as it is looked up. */
export function shaArgument(buf: Uint8Array, start: number, end: number): string {
  return latin1Text(buf, start, end).toLowerCase();
}
