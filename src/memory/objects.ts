/**
 * Values too big for bytes in a record: quicklists, hash tables, sorted sets, streams, arrays. A record holds an
 * object's number. Each object owns typed arrays and blocks, few JavaScript cells, and grows in steps.
 */
export interface BigValue {
  /** Bytes held; O(1). */
  readonly memoryUse: number;
  /** A copy that shares nothing with this one. */
  clone(): BigValue;
  /** Gives memory back now as far as that is cheap; the object is not used afterwards. */
  dispose(): void;
  /** Who still needs it as it is, and is told before parts of it change; null: nobody. */
  readonly watch: ValueWatch | null;
  /** No server before Redis 8.8 has values of its type. */
  readonly isNewest?: boolean;
}

/** Somebody who reads a big value bit by bit while it changes: a snapshot. Each type tells more than this. */
export interface ValueWatch {
  /** The value's record has gone, or holds another one: who watches disposes of it in the end. */
  inherit(): void;
}

export class Objects {
  private readonly table: (BigValue | null)[] = [null];
  private readonly spare: number[] = [];
  /** Values of types that no server before Redis 8.8 has. */
  newest = 0;

  put(value: BigValue): number {
    if (value.isNewest === true) this.newest++;
    const id = this.spare.pop() ?? this.table.length;
    this.table[id] = value;
    return id;
  }

  get(id: number): BigValue {
    return this.table[id]!;
  }

  /** The object, which then belongs to the caller; its place stays until the record is freed. */
  take(id: number): BigValue {
    const value = this.table[id]!;
    if (value.isNewest === true) this.newest--;
    this.table[id] = GONE;
    return value;
  }

  free(id: number): void {
    const value = this.table[id]!;
    if (value.isNewest === true) this.newest--;
    letGo(value);
    this.table[id] = null;
    this.spare.push(id);
  }

  clear(): void {
    for (const value of this.table) if (value !== null) letGo(value);
    this.table.length = 1;
    this.newest = 0;
    this.spare.length = 0;
  }

  get count(): number {
    return this.table.length - 1 - this.spare.length;
  }

  get usedBytes(): number {
    let bytes = 0;
    for (const value of this.table) if (value !== null) bytes += value.memoryUse;
    return bytes;
  }
}

/** Also where all are let go: a snapshot of another database may still read one that was moved here from there. */
function letGo(value: BigValue): void {
  if (value.watch === null) value.dispose();
  else value.watch.inherit();
}

const GONE: BigValue = { memoryUse: 0, clone: () => GONE, dispose: () => {}, watch: null };
