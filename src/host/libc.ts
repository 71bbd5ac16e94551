import { dlopen, type FFIFunction, FFIType } from "bun:ffi";

/** Functions of the C library that neither Bun nor Node gives. */

const LIBRARIES: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  linux: ["libc.so.6", "libc.so"],
  darwin: ["libSystem.B.dylib"],
};

/** Flags of send(2) on Linux. */
export const MSG_DONTWAIT = 0x40;
export const MSG_WAITALL = 0x100;
export const MSG_NOSIGNAL = 0x4000;

/** What C has as `long`, as a number: up to 2^53 it is exact. */
export const LONG = FFIType.i64_fast;

/** Null where there is no such library (Windows) or it has not all of them. */
export function libc<T extends Record<string, FFIFunction>>(
  symbols: T,
): ReturnType<typeof dlopen<T>>["symbols"] | null {
  for (const name of LIBRARIES[process.platform] ?? []) {
    try {
      return dlopen(name, symbols).symbols;
    } catch {
      // Another name, or none.
    }
  }
  return null;
}
