import { equalsLower, latin1Bytes } from "../bytes/ascii.ts";
import type { Call } from "../call/call.ts";
import { KEY_FLAGS } from "../call/key-specs.ts";
import type { KeyList } from "../call/keys.ts";
import type { Command } from "../call/registry.ts";
import { FLAGS } from "../call/spec.ts";
import { READ, type Selector, WRITE } from "./selector.ts";
import type { User } from "./user.ts";

/**
 * Whether a user may make a call: one of its selectors must allow the command, all keys and all channels. Where none
 * does, what is reported is what the selector that came furthest refused: a channel before a key before the
 * command, and of these the last argument.
 */
export const ALLOWED = 0;
export const DENIED_COMMAND = 1;
export const DENIED_KEY = 2;
export const DENIED_CHANNEL = 3;

export type Verdict = typeof ALLOWED | typeof DENIED_COMMAND | typeof DENIED_KEY | typeof DENIED_CHANNEL;

const WRITES = KEY_FLAGS.insert | KEY_FLAGS.delete | KEY_FLAGS.update;

export class Checker {
  /** The argument that the last refusal is about. */
  deniedAt = 0;
  private at = 0;
  private readonly keys: KeyList = [];
  /** `keys` are those of the call being checked. */
  private keysFound = false;

  check(user: User, call: Call, command: Command): Verdict {
    this.keysFound = false;
    let worst: Verdict = DENIED_COMMAND;
    this.at = 0;
    this.deniedAt = 0;
    for (const selector of user.selectors) {
      const verdict = this.ask(selector, call, command);
      if (verdict === ALLOWED) return ALLOWED;
      if (verdict > worst || (verdict === worst && this.at > this.deniedAt)) {
        worst = verdict;
        this.deniedAt = this.at;
      }
    }
    return worst;
  }

  /** Whether a selector allows the call and reading any key besides: SORT's BY and GET reach keys by their content. */
  mayReadAnyKey(user: User, call: Call, command: Command): boolean {
    this.keysFound = false;
    return user.selectors.some(
      (selector) => this.ask(selector, call, command) === ALLOWED && selector.allowsEveryKey(READ),
    );
  }

  private ask(selector: Selector, call: Call, command: Command): Verdict {
    if (
      (command.flags & FLAGS.no_auth) === 0 &&
      !selector.allows(command) &&
      !firstArgAllowed(selector, call, command)
    )
      return DENIED_COMMAND;
    if (!selector.allKeys && command.keys.some && !this.keysAllowed(selector, call, command))
      return DENIED_KEY;
    if (
      !selector.allChannels &&
      command.spec.channels !== undefined &&
      !this.channelsAllowed(selector, call, command)
    )
      return DENIED_CHANNEL;
    return ALLOWED;
  }

  private keysAllowed(selector: Selector, call: Call, command: Command): boolean {
    const { keys } = this;
    if (!this.keysFound) command.keys.find(call, keys);
    this.keysFound = true;
    for (let i = 0; i < keys.length; i += 2) {
      const argument = keys[i]!;
      const flags = keys[i + 1]!;
      const access = ((flags & KEY_FLAGS.access) !== 0 ? READ : 0) | ((flags & WRITES) !== 0 ? WRITE : 0);
      if (selector.allowsKey(call.buf, call.start[argument]!, call.end[argument]!, access)) continue;
      this.at = argument;
      return false;
    }
    return true;
  }

  private channelsAllowed(selector: Selector, call: Call, { spec }: Command): boolean {
    const { several, patterns } = spec.channels!;
    const end = several ? call.argc : Math.min(2, call.argc);
    for (let i = 1; i < end; i++) {
      if (selector.allowsChannel(call.buf, call.start[i]!, call.end[i]!, patterns)) continue;
      this.at = i;
      return false;
    }
    return true;
  }
}

function firstArgAllowed(selector: Selector, call: Call, command: Command): boolean {
  const words = selector.firstArgsOf(command);
  if (words === undefined || call.argc < 2) return false;
  return words.some((word) => equalsLower(call.buf, call.start[1]!, call.end[1]!, latin1Bytes(word)));
}
