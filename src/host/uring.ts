import { type Pointer, ptr, toArrayBuffer } from "bun:ffi";
import { LONG, libc } from "./libc.ts";

/**
 * Linux's io_uring (https://man7.org/linux/man-pages/man7/io_uring.7.html): two rings in memory shared with the kernel.
 * What is to be done is put into the one, a system call hands over all of it, and what has come of it stands in the other:
 *
 *   submissions   [operation, fd, address, length, number][...]      tail: ours, head: the kernel's
 *   completions   [number, result, flags][...]                       head: ours, tail: the kernel's
 *
 * Nobody else looks at the rings while this thread computes, and system calls order memory: plain reads and writes do.
 */

/** System calls have these numbers on every architecture. */
const IO_URING_SETUP = 425;
const IO_URING_ENTER = 426;
const IO_URING_REGISTER = 427;
const FEATURE_SINGLE_MMAP = 1;
const SETUP_CQSIZE = 1 << 3;
const ENTER_GETEVENTS = 1;
const CQ_OVERFLOW = 2;
const OFFSET_SQES = 0x10000000;
const REGISTER_BUFFER_RING = 22;
const PROT_READ_WRITE = 3;
const MAP_SHARED_POPULATE = 0x8001;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const WORD = 4;

/** Only the thread that opened it submits, and the kernel does what is left of the work when it is asked for events. */
export const SINGLE_ISSUER = 1 << 12;
export const DEFER_TASKRUN = 1 << 13;
/** The kernel works when the thread enters it, and does not interrupt it for that. */
export const COOP_TASKRUN = 1 << 8;

/** io_uring_params, by word; its two tables of offsets, of each ring's fields in the mapping, by word of theirs. */
const PARAMS = { words: 30, sqEntries: 0, cqEntries: 1, flags: 2, features: 5, sqOffsets: 10, cqOffsets: 20 };
const SQ_OFFSETS = { head: 0, tail: 1, mask: 2, flags: 4, array: 6 };
const CQ_OFFSETS = { head: 0, tail: 1, mask: 2, cqes: 5 };

export const OP_SEND = 26;
export const OP_RECV = 27;

/** A submission, by word: opcode with flags and priority, descriptor, ..., address (2 words), length, flags of the operation, number (2). */
export const SQE = { words: 16, what: 0, fd: 1, address: 4, length: 6, flags: 7, number: 8 };
/** A completion, by word: number (2), result, flags. */
export const CQE = { words: 4, number: 0, result: 2, flags: 3 };

const SYMBOLS = {
  syscall: { args: [LONG, LONG, LONG, LONG, LONG, LONG, LONG], returns: LONG },
  mmap: { args: [LONG, LONG, "int", "int", "int", LONG], returns: LONG },
  close: { args: ["int"], returns: "int" },
} as const;

interface Library {
  syscall(...args: number[]): number | bigint;
  mmap(...args: number[]): number | bigint;
  close(fd: number): number;
}

let library: Library | null = null;

export class Uring {
  /** Submissions put in and not handed over yet. */
  pending = 0;
  /** Head and tail of both rings, completions and what else stands there, by word. */
  readonly rings: Uint32Array;
  readonly submissions: Uint32Array;
  private readonly sqHead: number;
  private readonly sqTail: number;
  private readonly sqMask: number;
  private readonly sqFlags: number;
  private readonly cqHead: number;
  private readonly cqTail: number;
  private readonly cqMask: number;
  private readonly cqes: number;

  private constructor(
    private readonly library: Library,
    readonly fd: number,
    params: Uint32Array,
  ) {
    const sq = params.subarray(PARAMS.sqOffsets);
    const cq = params.subarray(PARAMS.cqOffsets);
    const entries = params[PARAMS.sqEntries]!;
    const array = sq[SQ_OFFSETS.array]! / WORD;
    this.cqes = cq[CQ_OFFSETS.cqes]! / WORD;
    const words = Math.max(array + entries, this.cqes + params[PARAMS.cqEntries]! * CQE.words);
    const rings = map(library, words * WORD, MAP_SHARED_POPULATE, fd, 0);
    const submissions = map(library, entries * SQE.words * WORD, MAP_SHARED_POPULATE, fd, OFFSET_SQES);
    this.rings = new Uint32Array(rings.memory);
    this.submissions = new Uint32Array(submissions.memory);
    for (let i = 0; i < entries; i++) this.rings[array + i] = i;
    this.sqHead = sq[SQ_OFFSETS.head]! / WORD;
    this.sqTail = sq[SQ_OFFSETS.tail]! / WORD;
    this.sqMask = this.rings[sq[SQ_OFFSETS.mask]! / WORD]!;
    this.sqFlags = sq[SQ_OFFSETS.flags]! / WORD;
    this.cqHead = cq[CQ_OFFSETS.head]! / WORD;
    this.cqTail = cq[CQ_OFFSETS.tail]! / WORD;
    this.cqMask = this.rings[cq[CQ_OFFSETS.mask]! / WORD]!;
  }

  /** Null where the system has no such thing, not with these flags, or forbids it, as containers often do. */
  static open(entries: number, completions: number, flags: number): Uring | null {
    if (process.platform !== "linux") return null;
    library ??= libc(SYMBOLS);
    if (library === null) return null;
    const params = new Uint32Array(PARAMS.words);
    params[PARAMS.flags] = flags | SETUP_CQSIZE;
    params[PARAMS.cqEntries] = completions;
    const fd = Number(library.syscall(IO_URING_SETUP, entries, ptr(params), 0, 0, 0, 0));
    if (fd < 0) return null;
    try {
      if ((params[PARAMS.features]! & FEATURE_SINGLE_MMAP) !== 0) return new Uring(library, fd, params);
    } catch {
      // No memory for it.
    }
    library.close(fd);
    return null;
  }

  /** Room for one more submission: its first word, of a place that still holds what stood there before. */
  claim(): number {
    const at = SQE.words * (this.rings[this.sqTail]! & this.sqMask);
    this.rings[this.sqTail]!++;
    this.pending++;
    return at;
  }

  /** The submission at this word is of these bytes. */
  point(at: number, address: number, length: number): void {
    const { submissions } = this;
    submissions[at + SQE.address] = address;
    submissions[at + SQE.address + 1] = address / 2 ** 32;
    submissions[at + SQE.length] = length;
  }

  /** Whether `claim` would take the place of one that is not handed over yet. */
  get full(): boolean {
    return this.pending > this.sqMask;
  }

  /** Hands over what is pending; what the kernel does not take stays pending. `completions`: waits for so many. */
  submit(completions = 0): void {
    const taken = this.enter(this.pending, completions, completions > 0 ? ENTER_GETEVENTS : 0);
    this.pending -= Math.max(0, taken);
  }

  /** Has the kernel do the work that it has put off. */
  poll(): void {
    this.enter(0, 0, ENTER_GETEVENTS);
  }

  /** Takes back what is pending. */
  discard(): void {
    this.rings[this.sqTail] = this.rings[this.sqHead]!;
    this.pending = 0;
  }

  private enter(submissions: number, completions: number, flags: number): number {
    return Number(this.library.syscall(IO_URING_ENTER, this.fd, submissions, completions, flags, 0, 0));
  }

  /** Completions that nobody has taken. */
  get completed(): number {
    return (this.rings[this.cqTail]! - this.rings[this.cqHead]!) >>> 0;
  }

  /** Takes the next one: its first word in `rings`, valid until the kernel is entered again. */
  take(): number {
    return this.cqes + CQE.words * (this.rings[this.cqHead]!++ & this.cqMask);
  }

  /** There was no room for all completions: the kernel holds some back until it is asked. */
  get overflown(): boolean {
    return (this.rings[this.sqFlags]! & CQ_OVERFLOW) !== 0;
  }

  /** Buffers for the kernel to put into what it receives; null where it cannot. */
  provide(count: number, bytes: number): ProvidedBuffers | null {
    try {
      const ring = map(this.library, count * ProvidedBuffers.ENTRY, MAP_PRIVATE_ANONYMOUS, -1, 0);
      const buffers = map(this.library, count * bytes, MAP_PRIVATE_ANONYMOUS, -1, 0);
      // io_uring_buf_reg: address (2 words), entries, group and flags, ...
      const registration = new Uint32Array(10);
      registration[0] = ring.address;
      registration[1] = ring.address / 2 ** 32;
      registration[2] = count;
      const result = this.library.syscall(
        IO_URING_REGISTER,
        this.fd,
        REGISTER_BUFFER_RING,
        ptr(registration),
        1,
        0,
        0,
      );
      return Number(result) < 0 ? null : new ProvidedBuffers(ring.memory, buffers, count, bytes);
    } catch {
      return null;
    }
  }

  /** Everything under way ends; nothing of this may be used any more. */
  close(): void {
    this.library.close(this.fd);
  }
}

/**
 * Buffers of one size in a ring that the kernel takes them from:
 *
 *   [address (2 words), length, number | tail]     the ring's tail stands in the first entry's last half word
 */
export class ProvidedBuffers {
  static readonly ENTRY = 16;
  private readonly words: Uint32Array;
  private readonly halves: Uint16Array;
  private readonly bytes: Uint8Array;
  private readonly address: number;
  private tail = 0;

  constructor(
    ring: ArrayBuffer,
    buffers: Mapping,
    private readonly count: number,
    private readonly size: number,
  ) {
    this.words = new Uint32Array(ring);
    this.halves = new Uint16Array(ring);
    this.bytes = new Uint8Array(buffers.memory);
    this.address = buffers.address;
    for (let i = 0; i < count; i++) this.give(i);
  }

  /** The buffer's first bytes. */
  view(number: number, length: number): Uint8Array {
    const start = number * this.size;
    return this.bytes.subarray(start, start + length);
  }

  /** The kernel may fill the buffer again. */
  give(number: number): void {
    const address = this.address + number * this.size;
    const at = 4 * (this.tail & (this.count - 1));
    this.words[at] = address;
    this.words[at + 1] = address / 2 ** 32;
    this.words[at + 2] = this.size;
    this.halves[2 * at + 6] = number;
    this.tail = (this.tail + 1) & 0xffff;
    this.halves[7] = this.tail;
  }
}

interface Mapping {
  readonly address: number;
  readonly memory: ArrayBuffer;
}

function map(library: Library, bytes: number, flags: number, fd: number, offset: number): Mapping {
  const address = Number(library.mmap(0, bytes, PROT_READ_WRITE, flags, fd, offset));
  if (address <= 0) throw new Error("no memory could be mapped");
  return { address, memory: toArrayBuffer(address as Pointer, 0, bytes) };
}
