import { corrupt, MODULE_PART } from "./format.ts";
import type { RdbReader } from "./reader.ts";

/**
 * Values of Redis's modules, which no server without the module can load. They can be skipped:
 *
 *   [module id] [kind][number, float, double or string] ... [0]            kinds and ids are lengths
 *
 *   id   nine characters of six bits each, the first one highest, and ten bits of the encoding's version
 */

const CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const NAME_LENGTH = 9;
/** The bits of an id that are the version. */
export const MODULE_VERSION = 1023;

/** Reads a module's id and returns its name; the version is the id's last ten bits, which the reader still has. */
export function moduleName(reader: RdbReader): string {
  reader.length64();
  let id = ((BigInt(reader.high >>> 0) << 32n) | BigInt(reader.low >>> 0)) >> 10n;
  let name = "";
  for (let i = 0; i < NAME_LENGTH; i++) {
    name = CHARACTERS[Number(id & 63n)]! + name;
    id >>= 6n;
  }
  return name;
}

/** The id of a module's values. */
export function moduleId(name: string, version: number): { low: number; high: number } {
  let id = 0n;
  for (const character of name) id = (id << 6n) | BigInt(CHARACTERS.indexOf(character));
  id = (id << 10n) | BigInt(version);
  return { low: Number(id & 0xffffffffn), high: Number(id >> 32n) };
}

/** Skips what stands behind the id. */
export function skipModuleValue(reader: RdbReader, name: string): void {
  for (;;) {
    const kind = reader.length();
    switch (kind) {
      case MODULE_PART.EOF:
        return;
      case MODULE_PART.SINT:
      case MODULE_PART.UINT:
        reader.length64();
        break;
      case MODULE_PART.FLOAT:
        reader.bytes(4);
        break;
      case MODULE_PART.DOUBLE:
        reader.bytes(8);
        break;
      case MODULE_PART.STRING:
        reader.string();
        break;
      default:
        corrupt(`Unknown part ${kind} in a value of module ${name}`);
    }
  }
}
