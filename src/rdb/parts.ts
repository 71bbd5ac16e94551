import { copyBytes, latin1Text } from "../bytes/ascii.ts";
import { OwnBytes } from "../memory/byte-store.ts";
import {
  CHECKSUM_SINCE,
  corrupt,
  HEADER_BYTES,
  isObjectType,
  MAGIC,
  MODULE_PART,
  OP,
  RDB_MAX_VERSION,
} from "./format.ts";
import { moduleName } from "./module.ts";
import type { RdbReader } from "./reader.ts";

/**
 * A file, part by part (format.ts has their order): `next` reads what stands before a key's value, or a whole part of
 * another kind. Who loads or checks the file then reads the value.
 */

export type Part = "key" | "select" | "resize" | "aux" | "function" | "module-aux" | "slot" | "end";

/** What is being read, in the words of redis-check-rdb. */
export type Doing =
  | "start"
  | "read-type"
  | "read-expire"
  | "read-key"
  | "read-object-value"
  | "check-sum"
  | "read-len"
  | "read-aux"
  | "read-module-aux"
  | "read-functions";

/** Version numbers with four digits, leading zeros included. */
const VERSION = /^\d{4}$/;

export class RdbParts {
  doing: Doing = "start";
  version = 0;
  /** "key": its type, its name and what is known of it (-1: nothing); reading the value changes none of them. */
  type = -1;
  readonly key = new OwnBytes();
  /** Milliseconds since 1970. */
  expireAt = NONE;
  hasExpiry = false;
  /** Seconds since the last access. */
  idle = NONE;
  frequency = NONE;
  /** "select". */
  database = 0;
  /** "aux": as text, one character a byte. "module-aux": the module. */
  name = "";
  value = "";
  /** "function": the library's source. */
  source: Uint8Array = new Uint8Array(0);

  constructor(private readonly reader: RdbReader) {}

  /** Reads signature and version; throws where it is no RDB, or one that is too new. */
  header(): void {
    this.reader.bytes(HEADER_BYTES);
    const { data, start, end } = this.reader;
    if (latin1Text(data, start, start + MAGIC.length) !== MAGIC)
      corrupt("Wrong signature trying to load DB from file");
    const digits = latin1Text(data, start + MAGIC.length, end);
    this.version = VERSION.test(digits) ? Number(digits) : Number.parseInt(digits, 10) || 0;
    if (this.version < 1 || this.version > RDB_MAX_VERSION)
      corrupt(`Can't handle RDB format version ${this.version}`);
  }

  /** Whether a checksum follows the end. */
  get hasChecksum(): boolean {
    return this.version >= CHECKSUM_SINCE;
  }

  next(): Part {
    const { reader } = this;
    this.type = this.expireAt = this.idle = this.frequency = NONE;
    this.hasExpiry = false;
    this.key.end = 0;
    for (;;) {
      this.doing = "read-type";
      const type = reader.byte();
      switch (type) {
        case OP.EXPIRETIME:
          this.doing = "read-expire";
          this.expireAt = reader.int32() * 1000;
          this.hasExpiry = true;
          break;
        case OP.EXPIRETIME_MS:
          this.doing = "read-expire";
          this.expireAt = reader.int64();
          this.hasExpiry = true;
          break;
        case OP.FREQ:
          this.frequency = reader.byte();
          break;
        case OP.IDLE:
          this.idle = reader.length();
          break;
        default:
          return this.part(type);
      }
    }
  }

  private part(type: number): Part {
    const { reader } = this;
    switch (type) {
      case OP.EOF:
        return "end";
      case OP.SELECTDB:
        this.doing = "read-len";
        this.database = reader.length();
        return "select";
      case OP.RESIZEDB:
        this.doing = "read-len";
        reader.length();
        reader.length();
        return "resize";
      case OP.SLOT_INFO:
        this.doing = "read-len";
        for (let i = 0; i < 3; i++) reader.length();
        return "slot";
      case OP.AUX:
        this.doing = "read-aux";
        this.name = this.text();
        this.value = this.text();
        return "aux";
      case OP.MODULE_AUX:
        this.doing = "read-module-aux";
        this.name = moduleName(reader);
        if (reader.length() !== MODULE_PART.UINT) corrupt("bad when_opcode");
        reader.length64();
        return "module-aux";
      case OP.FUNCTION_PRE_GA:
        return corrupt("Pre-release function format not supported.");
      case OP.FUNCTION2:
        this.doing = "read-functions";
        this.source = reader.stringCopy();
        return "function";
      default:
        return this.beginKey(type);
    }
  }

  private beginKey(type: number): Part {
    if (!isObjectType(type)) corrupt(`Invalid object type: ${type}`);
    this.type = type;
    this.doing = "read-key";
    const { reader, key } = this;
    reader.string();
    key.resize(reader.end - reader.start);
    copyBytes(key.buf, 0, reader.data, reader.start, reader.end);
    this.doing = "read-object-value";
    return "key";
  }

  /** The key as text, one character a byte. */
  get keyText(): string {
    return latin1Text(this.key.buf, 0, this.key.end);
  }

  private text(): string {
    this.reader.string();
    return latin1Text(this.reader.data, this.reader.start, this.reader.end);
  }
}

const NONE = -1;
