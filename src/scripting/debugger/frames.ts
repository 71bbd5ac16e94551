import { latin1Text } from "../../bytes/ascii.ts";
import type { LuaState, Machine } from "../lua/machine.ts";

/**
 * The functions that Lua is in the midst of, innermost first, by way of its debug interface. What it tells stands in
 * a `lua_Debug` (https://www.lua.org/manual/5.1/manual.html#lua_Debug), of which these fields are read:
 *
 *   +4 name   +20 current line   +36 short source, up to 60 bytes
 */
const SIZE = 112;
const NAME = 4;
const LINE = 20;
const SHORT_SOURCE = 36;

export interface Place {
  readonly source: string;
  readonly line: number;
  /** Null where it is not known, as of the main chunk. */
  readonly name: string | null;
}

export class Frames {
  private readonly at: number;

  constructor(private readonly machine: Machine) {
    this.at = machine.api.malloc(SIZE);
  }

  free(): void {
    this.machine.api.free(this.at);
  }

  /** The function at this level, or null where there are not so many. */
  place(L: LuaState, level: number): Place | null {
    const { api } = this.machine;
    if (api.lua_getstack(L, level, this.at) === 0) return null;
    api.lua_getinfo(L, this.machine.name("Snl"), this.at);
    const view = new DataView(this.machine.heap.buffer);
    const name = view.getUint32(this.at + NAME, true);
    return {
      source: this.text(this.at + SHORT_SOURCE),
      line: view.getInt32(this.at + LINE, true),
      name: name === 0 ? null : this.text(name),
    };
  }

  /**
   * Calls `visit` for the local variables at this level with their values on top of the stack, until it returns true;
   * returns whether it did.
   */
  locals(L: LuaState, level: number, visit: (name: string) => boolean): boolean {
    const { api } = this.machine;
    if (api.lua_getstack(L, level, this.at) === 0) return false;
    for (let i = 1; ; i++) {
      const name = api.lua_getlocal(L, this.at, i);
      if (name === 0) return false;
      const found = visit(this.text(name));
      this.machine.pop(L, 1);
      if (found) return true;
    }
  }

  private text(at: number): string {
    const { heap } = this.machine;
    return latin1Text(heap, at, heap.indexOf(0, at));
  }
}
