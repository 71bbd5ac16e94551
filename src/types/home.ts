import { type ByteStore, OwnBytes } from "../memory/byte-store.ts";
import type { BigValue } from "../memory/objects.ts";

/**
 * Where the value of a set or hash lives, for the types' operations: bytes that can be resized (a listpack or
 * an intset), or an object, and which of these it is at present. In the key space it is a record
 * (keyspace/value-home.ts); a value not yet stored, or never to be, has a home of its own.
 */
export const FORM_LISTPACK = 0;
export const FORM_INTSET = 1;
export const FORM_OBJECT = 2;

export interface ValueHome extends ByteStore {
  readonly form: number;
  /** The object of FORM_OBJECT. */
  readonly object: BigValue | null;
  /** Says that the bytes, which the caller goes on to write, are of this form. */
  setForm(form: number): void;
  /** Puts an object in place of the bytes. */
  setObject(object: BigValue): void;
}

/** Keys of the hash function of hash tables. */
export interface HashSeeds {
  readonly seed0: number;
  readonly seed1: number;
}

const KEPT_BYTES = 64 * 1024;

/** A value outside of the key space: the result of SUNIONSTORE before it is stored, a new key's value. */
export class OwnHome extends OwnBytes implements ValueHome {
  form = FORM_LISTPACK;
  object: BigValue | null = null;

  /** Without bytes, as new. */
  clear(): this {
    if (this.buf.length > KEPT_BYTES) this.buf = new Uint8Array(0);
    this.end = 0;
    this.form = FORM_LISTPACK;
    this.object = null;
    return this;
  }

  setForm(form: number): void {
    this.form = form;
    this.object = null;
  }

  setObject(object: BigValue): void {
    this.clear();
    this.form = FORM_OBJECT;
    this.object = object;
  }
}
