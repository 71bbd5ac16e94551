import { latin1Bytes } from "../bytes/ascii.ts";
import type { Identity } from "../call/session.ts";
import { splitArguments } from "../config/text.ts";
import { RuleError, ruleErrors } from "./rules.ts";
import { type Catalog, Selector } from "./selector.ts";

/**
 * A user: whether and with which passwords one can log in as it, and what it may do then (its selectors). Passwords
 * are kept as their SHA-256 in hexadecimal. The object stays the same while its rules change, so that sessions may
 * refer to it.
 */
export interface UserContext {
  readonly catalog: Catalog;
  /** acl-pubsub-default: new selectors may use all channels. */
  allChannels(): boolean;
}

export class User implements Identity {
  enabled = false;
  noPassword = false;
  /** RESTORE's payloads need not be checked. */
  skipSanitize = false;
  passwords: string[] = [];
  /** The root first. */
  selectors: Selector[];

  constructor(
    readonly name: string,
    private readonly context: UserContext,
  ) {
    this.selectors = [this.newSelector()];
  }

  private newSelector(): Selector {
    return new Selector(this.context.catalog, this.context.allChannels());
  }

  get root(): Selector {
    return this.selectors[0]!;
  }

  get unrestricted(): boolean {
    return this.selectors.some(
      ({ allCommands, allKeys, allChannels }) => allCommands && allKeys && allChannels,
    );
  }

  /** Whoever connects is logged in as this user at once, where it is the default user. */
  get isOpen(): boolean {
    return this.noPassword && this.enabled;
  }

  /** Takes over everything but the name. */
  become(other: User): void {
    this.enabled = other.enabled;
    this.noPassword = other.noPassword;
    this.skipSanitize = other.skipSanitize;
    this.passwords = [...other.passwords];
    this.selectors = other.selectors.map((selector) => selector.copy());
  }

  accepts(password: string): boolean {
    if (!this.enabled) return false;
    if (this.noPassword) return true;
    const given = Buffer.from(hashPassword(password));
    let found = false;
    for (const hash of this.passwords) if (crypto.timingSafeEqual(given, Buffer.from(hash))) found = true;
    return found;
  }

  // ------------------------------------------------------------------ rules

  /** Throws RuleError. */
  apply(rule: string): void {
    if (rule === "") return;
    if (this.applyWord(rule.toLowerCase())) return;
    const rest = rule.slice(1);
    if (rule.startsWith(">")) this.addPassword(hashPassword(rest));
    else if (rule.startsWith("#")) this.addPassword(checkedHash(rest));
    else if (rule.startsWith("<")) this.removePassword(hashPassword(rest));
    else if (rule.startsWith("!")) this.removePassword(checkedHash(rest));
    else if (rule.startsWith("(") && rule.endsWith(")")) this.addSelector(rule.slice(1, -1));
    else this.root.apply(rule);
  }

  private applyWord(word: string): boolean {
    if (word === "on" || word === "off") this.enabled = word === "on";
    else if (word === "skip-sanitize-payload" || word === "sanitize-payload")
      this.skipSanitize = word === "skip-sanitize-payload";
    else if (word === "nopass" || word === "resetpass") {
      this.noPassword = word === "nopass";
      this.passwords = [];
    } else if (word === "clearselectors") this.selectors = [this.root];
    else if (word === "reset") this.reset();
    else return false;
    return true;
  }

  private reset(): void {
    const channels = this.context.allChannels() ? "allchannels" : "resetchannels";
    for (const rule of [
      "resetpass",
      "resetkeys",
      channels,
      "off",
      "sanitize-payload",
      "clearselectors",
      "-@all",
    ])
      this.apply(rule);
  }

  private addPassword(hash: string): void {
    if (!this.passwords.includes(hash)) this.passwords.push(hash);
    this.noPassword = false;
  }

  private removePassword(hash: string): void {
    const at = this.passwords.indexOf(hash);
    if (at < 0) throw new RuleError(ruleErrors.noSuchPassword);
    this.passwords.splice(at, 1);
  }

  private addSelector(text: string): void {
    const selector = this.newSelector();
    const rules = splitArguments(text);
    if (rules === null) throw new RuleError(ruleErrors.syntax);
    for (const rule of rules) selector.apply(rule);
    this.selectors.push(selector);
  }

  // ------------------------------------------------------------------ describing

  /** In the order in which ACL GETUSER and LIST show them. */
  get flags(): string[] {
    return [
      this.enabled ? "on" : "off",
      ...(this.noPassword ? ["nopass"] : []),
      this.skipSanitize ? "skip-sanitize-payload" : "sanitize-payload",
    ];
  }

  /** The rules that make this user out of a new one. */
  describe(): string {
    const selectors = this.selectors.map((selector, i) =>
      i === 0 ? selector.describe() : `(${selector.describe()})`,
    );
    return [...this.flags, ...this.passwords.map((hash) => `#${hash}`), ...selectors].join(" ");
  }
}

function hashPassword(password: string): string {
  return new Bun.CryptoHasher("sha256").update(latin1Bytes(password)).digest("hex");
}

function checkedHash(text: string): string {
  if (!/^[0-9a-f]{64}$/.test(text)) throw new RuleError(ruleErrors.badHash);
  return text;
}
